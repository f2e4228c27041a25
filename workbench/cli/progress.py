"""How far a command's own work is."""

from __future__ import annotations

import time

from store.telling import Progress
from workbench.cli.output import size
from workbench.cli.talk import say

SAY_SECONDS = 1.0


def progress_of(doing: str) -> Progress:
    """Says how far something is, once a second; what is done within the first is not worth a word."""
    due = time.monotonic() + SAY_SECONDS

    def tell(done: int, total: int | None) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + SAY_SECONDS
            say(f"{doing}: {size(done)}{f' of {size(total)}' if total is not None else ''}")

    return tell
