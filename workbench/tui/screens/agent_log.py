"""The last lines of the agent's log, followed while they are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from textual.widget import Widget

from store.layout import Layout
from workbench.tui.access import Stores
from workbench.tui.glyphs import Glyphs
from workbench.tui.view import View
from workbench.tui.widgets.line_list import Entry, Line, LineList

BYTES = 200_000
"""So much of the end is read: a few thousand lines."""


class AgentLogView(View):
    """What the agent says of itself and of troubles."""

    crumb = "agent log"
    place = "events agent"
    live = True

    def __init__(self) -> None:
        super().__init__()
        self._seen: tuple[int, ...] = ()

    def compose_content(self) -> Iterable[Widget]:
        """The lines."""
        yield LineList(log_lines, opens=False)

    async def load(self) -> None:
        """Read the end of the log."""
        self._seen, lines = await self.bench.access.read(end_of_log)
        if not lines:
            self.show_empty(
                "The agent has said nothing yet",
                "",
                "It starts with the first job, and leaves when there is nothing to watch over.",
                f"{self.bench.key_of('app.back', 'esc')}  back to the events",
            )
            return
        listed = self.query_one(LineList)
        at_end = not listed.entries or listed.cursor == len(listed.entries) - 1
        listed.take([Entry(str(place), line) for place, line in lines])
        self.show_content()
        if at_end:
            self.call_after_refresh(listed.move_to, len(lines) - 1)

    def store_changed(self) -> None:
        """The log is no part of the store: ``tick`` follows it."""

    async def tick(self) -> None:
        """Read again where the file has changed."""
        if self.loaded and await self.bench.access.read(mark) != self._seen:
            self.reload()


def mark(stores: Stores) -> tuple[int, ...]:
    """What tells whether the log has changed."""
    return _mark(stores.layout)


def end_of_log(stores: Stores) -> tuple[tuple[int, ...], list[tuple[int, str]]]:
    """The log's mark, and its last whole lines with where each stands in the file."""
    seen = _mark(stores.layout)
    try:
        with stores.layout.agent_log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - BYTES)
            file.seek(start)
            data = file.read(BYTES)
    except OSError:
        return seen, []
    if start:
        cut, _, data = data.partition(b"\n")
        start += len(cut) + 1
    lines = data.splitlines(keepends=True)
    places = accumulate((len(line) for line in lines), initial=start)
    return seen, [(place, line.decode("utf-8", "replace").rstrip()) for place, line in zip(places, lines, strict=False)]


def log_lines(value: Any, width: int, signs: Glyphs) -> list[Line]:
    """One line; what is wrong stands out."""
    words = str(value).split(" ", 3)
    kind = "warning" if len(words) > 2 and words[2] in ("ERROR", "WARNING", "CRITICAL") else ""
    if len(words) == 4 and words[0][:2] == "20":
        return [((f" {words[0]} {words[1][:8]} ", "muted"), (f"{words[2]:<8}", kind or "muted"), (words[3], kind))]
    return [((f" {value}", kind),)]


def _mark(layout: Layout) -> tuple[int, ...]:
    try:
        status = layout.agent_log.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size
