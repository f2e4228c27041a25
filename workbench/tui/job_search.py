"""Jobs in the command palette, by what their names begin with or contain."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import Hit, Hits, Provider
from textual.content import Content

from store import job_pages
from store.errors import WorkbenchError
from store.job_filter import JobFilter, Term
from store.job_pages import JobList, JobRow
from workbench.tui.access import Stores
from workbench.tui.widgets.wrapping import clean

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

MOST = 12
SHORTEST = 2


class JobCommands(Provider):
    """Opens a job by name."""

    async def search(self, query: str) -> Hits:
        """The newest jobs whose name has the query in it."""
        if len(query) < SHORTEST:
            return
        app = cast("WorkbenchApp", self.app)
        try:
            found = await app.access.read(named_like, query)
        except (WorkbenchError, sqlite3.Error, OSError):
            return  # the view behind the palette says it
        for row in found:
            name = clean(row.display_name, unicode=app.signs.unicode)
            told = Content(f"job {name}")  # a text would be taken for markup
            yield Hit(0.5, told, partial(app.open_job, row.name), help=row.status, text=row.name)


def named_like(stores: Stores, text: str) -> list[JobRow]:
    """The newest jobs with a text in their name or experiment."""
    return job_pages.page(stores.workbench, JobList(JobFilter((Term("", values=(text,)),))), MOST)
