"""The job that somebody means who types a name."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from store import job_names
from store.errors import WorkbenchError
from store.job_names import Called
from workbench.tui.access import Stores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.tui.app import WorkbenchApp

TOLD = 3
"""So many names find room in a notification."""


async def job_meant(app: WorkbenchApp, text: str) -> str | None:
    """The name of the job that a text means; None where it may be one of several, which is said.

    A text that means none is answered as it is: the view of the job says what is near.
    """
    try:
        found = await app.access.read(meant, text)
    except (WorkbenchError, sqlite3.Error, OSError):
        return text  # the view says it
    if not found:
        return text
    newest = found[0]
    if len(found) == 1 or newest.name == text:
        return newest.name
    if newest.display_name.casefold() == text.casefold():
        app.notify(f"the newest of {several(found)} that are called {newest.display_name}", markup=False)
        return newest.name
    names = ", ".join(each.name for each in found[:TOLD])
    more = ", ..." if len(found) > TOLD else ""
    app.notify(f"{several(found)} begin with {text!r}: {names}{more}", severity="warning", markup=False)
    return None


def meant(stores: Stores, text: str) -> Sequence[Called]:
    """The jobs that a text means, the newest first."""
    return job_names.meant(stores.workbench, text)


def several(found: Sequence[Called]) -> str:
    """How many there are, as far as they were read."""
    return f"{len(found)} jobs" if len(found) < job_names.MOST else f"{len(found)} jobs or more"
