"""A list that is read a page at a time: a window that moves with the cursor, and a line that narrows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store.job_filter import FilterError
from workbench.tui.view import View, is_typing
from workbench.tui.widgets.filter_line import FilterLine
from workbench.tui.widgets.line_list import Draw, Entry, Head, LineList

PAGE = 300
KEPT = 5 * PAGE
"""So many rows are in memory; those that are farther away are read again when they are come to."""


class PagedView(View):
    """A window of rows. A subclass reads pages, says what a filter means, and what to say where there is nothing."""

    placeholder = ""
    """What the filter line shows before anything is typed."""

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self.filter: Any = self.parse("")
        self.rows: list[Any] = []
        self.first_known = self.last_known = False
        self.wanted_ends: set[int] = set()
        """The ends to read on from: 1 the last, -1 the first. A reading that another one replaces is not lost so."""

    # -- what a subclass gives ----------------------------------------------------------------------------------

    def parse(self, text: str) -> Any:
        """What a filter means. Raises FilterError."""
        return text

    async def read_page(self, *, after: Any = None, before: Any = None, last: bool = False) -> list[Any]:
        """A page behind a row, before one, the last one; without any the first. In the order of the list."""
        raise NotImplementedError

    async def read_again(self) -> None:
        """Take in what changed since the rows were read."""
        raise NotImplementedError

    def row_key(self, row: Any) -> str:
        """What tells a row from the others."""
        raise NotImplementedError

    def show_nothing(self) -> None:
        """Say that there is nothing at all, and what to do."""
        self.show_empty("Nothing here")

    def clear_key(self) -> str:
        """The key that takes the filter away."""
        return "esc"

    def facts(self) -> str:
        """What stands over the list where nothing narrows it."""
        return ""

    def paged_list(
        self, draw: Draw, head: Head | None = None, suggest: Callable[[str], str | None] | None = None
    ) -> Iterable[Widget]:
        """The line that narrows, what it is narrowed to, and the list."""
        yield FilterLine(suggest or (lambda _: None), self.placeholder, self.fault)
        yield Static("", classes="section-facts", markup=False)
        yield LineList(draw, head, prefetch=50)

    @property
    def listed(self) -> LineList:
        """The list."""
        return self.query_one(LineList)

    # -- reading ------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the first rows; where some are known, what changed."""
        if self.rows:
            await self.read_again()
        else:
            await self.read_first()
        await self._read_on()

    async def read_first(self) -> None:
        """To the beginning of the list."""
        found = await self.read_page()
        self.first_known, self.last_known = True, len(found) < PAGE
        self.wanted_ends.clear()
        self.take(found)
        await self._read_on()

    async def read_last(self) -> None:
        """To its end."""
        found = await self.read_page(last=True)
        self.first_known, self.last_known = len(found) < PAGE, True
        self.wanted_ends.clear()
        self.take(found)
        self.listed.move_to(len(found) - 1)
        await self._read_on()

    async def _read_on(self) -> None:
        """Read what came near its end meanwhile."""
        while self.wanted_ends:
            step = max(self.wanted_ends)
            if not (self.last_known if step > 0 else self.first_known):
                await self._read_more(step)
            self.wanted_ends.discard(step)

    async def _read_more(self, step: int) -> None:
        if not self.rows:
            return
        if step > 0:
            found = await self.read_page(after=self.rows[-1])
            self.last_known = len(found) < PAGE
            self.take([*self.rows, *found], drop_last=False)
        else:
            found = await self.read_page(before=self.rows[0])
            self.first_known = len(found) < PAGE
            self.take([*found, *self.rows], drop_last=True)

    def take(self, rows: list[Any], *, drop_last: bool = True) -> None:
        """Show these, no more than are kept."""
        if len(rows) > KEPT:
            if drop_last:
                rows, self.last_known = rows[:KEPT], False
            else:
                rows, self.first_known = rows[-KEPT:], False
        self.rows = rows
        self.listed.take([Entry(self.row_key(each), each) for each in rows])
        narrowed = f"/{self.filter_text}  {'' if rows else 'nothing like that; '}{self.clear_key()} shows all"
        told = narrowed if self.filter_text else self.facts()
        line = self.query_one(".section-facts", Static)
        line.display = bool(told)
        line.update(Content.styled(told, "$foreground-muted"))
        if rows or self.filter_text:
            self.show_content()
        else:
            self.show_nothing()

    # -- what the list and the filter say -----------------------------------------------------------------------

    @on(LineList.Near)
    def near_end(self, event: LineList.Near) -> None:
        """Read on before the end comes into sight."""
        event.stop()
        self.wanted_ends.add(event.step)
        if not any(worker.group == "load" and not worker.is_finished for worker in self.workers):
            self.read_guarded(self._read_on)

    @on(LineList.Far)
    def far_end(self, event: LineList.Far) -> None:
        """To the very first or the very last row."""
        event.stop()
        if event.step < 0 and not self.first_known:
            self.read_guarded(self.read_first)
        elif event.step > 0 and not self.last_known:
            self.read_guarded(self.read_last)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash that is typed into a text is a slash."""
        return not (action == "filter" and is_typing(self.app.focused))

    def action_filter(self) -> None:
        """Open the filter line."""
        self.query_one(FilterLine).open(self.filter_text)

    def action_clear(self) -> None:
        """Show all again; with nothing to clear, go back."""
        if self.filter_text:
            self.set_filter("")
        else:
            self.app.run_worker(self.bench.action_back())

    def fault(self, text: str) -> str:
        """What is wrong with a filter, and what to do; nothing where all is well."""
        try:
            self.parse(text)
        except FilterError as error:
            return f"{error.message}. {error.hint}"
        return ""

    def set_filter(self, text: str) -> None:
        """Narrow the list, or say what is not understood."""
        wrong = self.fault(text)
        self.query_one(FilterLine).answer(wrong)
        if wrong:
            return
        self.filter_text, self.filter = text, self.parse(text)
        self.place = self.place_of(text)
        self.read_guarded(self.read_first)

    def place_of(self, text: str) -> str:
        """The command that leads here with a filter."""
        return self.place

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Narrow while the user types."""
        event.stop()
        self.set_filter(event.text)

    @on(FilterLine.Closed)
    def filter_closed(self, event: FilterLine.Closed) -> None:
        """Back to the list."""
        event.stop()
        if event.text != self.filter_text:
            self.set_filter(event.text)
        self.focus_content()

    def focus_content(self) -> None:
        """The keys work in the list."""
        if self.query_one(".content").display:
            self.screen.set_focus(self.listed, scroll_visible=False)
        else:
            super().focus_content()
