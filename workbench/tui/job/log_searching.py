"""Searching in the log that is shown: in a thread, with a count that grows, and jumps as soon as there is something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.content import Content

from store.errors import UsageError
from store.log_search import Pattern
from workbench.tui.job.log_reading import Searching
from workbench.tui.widgets.log_view import Wanted

if TYPE_CHECKING:
    from workbench.tui.job.log import LogTab

ERRORS = "errors"
TOO_SLOW = "this expression takes too long; repetitions in repetitions, such as (a+)+, do"


class Searcher:
    """What is searched for in the log of a tab, and how far it is."""

    def __init__(self, tab: LogTab) -> None:
        self.tab = tab
        self.running: Searching | None = None
        self.fault = ""
        self._working = False
        self._direction = 0
        """Where to jump once it is known: 1, -1, or 0 for nowhere."""
        self._from = 0
        self._either = False
        """Whether one before the place will do where there is none after it."""
        self._said = ""

    @property
    def active(self) -> bool:
        """Whether something is searched for."""
        return self.running is not None

    def preview(self, text: str) -> None:
        """Show on the screen where a text is, while it is typed."""
        self.fault = ""
        view = self.tab.view
        try:
            view.pattern = Pattern(text) if text else None
        except UsageError as error:
            view.pattern, self.fault = None, error.message
        self._try_on()
        view.lay_out()

    def _try_on(self) -> None:
        """Say at once that an expression takes too long for what is on the screen."""
        view = self.tab.view
        if view.pattern is not None:
            view.pattern.try_on(view.text_of(line) for line in view.lines_shown())
            if view.pattern.too_slow:
                self.fault = f"{view.pattern.text}: {TOO_SLOW}"

    def _give_up(self, running: Searching) -> None:
        self.end()
        self.fault = f"{running.search.pattern.text}: {TOO_SLOW}"
        self.tab.view.lay_out()
        self.tab.refresh_bindings()

    def enter(self, text: str | None) -> None:
        """Search for a text, from what is on the screen; None goes back to what was searched for before."""
        self.fault = ""
        view = self.tab.view
        try:
            pattern = Pattern(text) if text else None
        except UsageError as error:
            self.tab.notify(error.message, severity="warning", markup=False)
            pattern = None
        if pattern is None:
            view.pattern = self.running.search.pattern if self.running is not None else None
            view.lay_out()
            return
        self._begin(pattern, view.top.start if view.top is not None else 0, either=True)

    def errors(self) -> None:
        """Search for lines that tell of an error, from the beginning."""
        from engines.jobs.symptoms.error_lines import ERROR_LINE, ROUGHLY

        self._begin(Pattern.of(ERRORS, ERROR_LINE, ROUGHLY), 0, either=False)

    def end(self) -> None:
        """Search no more."""
        self.stop()
        self.fault = self._said = ""
        self.tab.view.pattern = self.tab.view.current = None

    def stop(self) -> None:
        """Have the thread end."""
        if self.running is not None:
            self.running.end()
        self.running = None
        self._direction = 0

    def _begin(self, pattern: Pattern, origin: int, *, either: bool) -> None:
        self.end()
        if self.tab.file is None:
            return
        self.running = Searching(pattern, origin, self.tab.file.path)
        self.tab.view.pattern = pattern
        self.tab.view.lay_out()
        self._direction, self._from, self._either = 1, origin, either
        self._work()

    def go(self, direction: int) -> None:
        """To the next one, or the one before."""
        view = self.tab.view
        place = view.current
        if place is None:
            place = view.top.start if view.top is not None else 0
            self._from = place
        else:
            self._from = place + 1 if direction > 0 else place
        self._direction, self._either, self._said = direction, False, ""
        self._jump()
        self._work()

    def log_grew(self) -> None:
        """Search in what is new."""
        if self.running is not None:
            self._work()

    def _work(self) -> None:
        if not self._working and self.running is not None:
            self._working = True
            self.tab.run_worker(self._search(), group="search")

    async def _search(self) -> None:
        """Search batch by batch, until all is searched or something else is searched for."""
        try:
            while (running := self.running) is not None:
                more = await asyncio.to_thread(running.batch)
                if not self.tab.there:
                    return
                if running is not self.running:
                    continue
                if running.too_slow:
                    self._give_up(running)
                    self.tab.search_went_on()
                    return
                if self._direction:
                    self._jump(complete=not more)
                self.tab.search_went_on()
                if not more and running is self.running:
                    return
        finally:
            self._working = False

    def _jump(self, *, complete: bool = False) -> None:
        """Go where the user wants to, if it is known already."""
        running = self.running
        if running is None:
            return
        search, place = running.search, self._from
        on = self._direction > 0
        complete = complete or (search.complete and search.size > 0)
        known = search.low <= place if on else place <= search.high
        found = (search.next_after(place) if on else search.last_before(place)) if known or complete else None
        if found is None and on and self._either and (search.high >= search.size > 0 or complete):
            found = search.last_before(place)
        if found is None and complete and search.count:
            if search.forgetful:
                self._begin(search.pattern, place, either=False)
                return
            found = search.first() if on else search.last()
            self._said = "from the beginning" if on else "from the end"
        if found is not None:
            self._direction = 0
            self._show(found)
        elif complete:
            self._direction = 0
            if search.pattern.text == ERRORS:
                self.tab.notify("No line tells of an error.", markup=False)
                self.end()
                self.tab.view.lay_out()

    def _show(self, place: int) -> None:
        view = self.tab.view
        view.follow = False
        if not view.reveal(place):
            self.tab.want(Wanted("hit", place))

    def words(self) -> Content | None:
        """What is searched for, which of how many this is, and how far the search is."""
        if self.fault:
            return Content.styled(self.fault, "$warning")
        if self.running is None:
            return None
        search = self.running.search
        name = search.pattern.text
        current = self.tab.view.current
        rank = search.rank(current) if current is not None else None
        if search.complete and not search.count:
            return Content.styled(f"{name}: not found", "$warning")
        text = f"{name}: {f'{rank:,}/' if rank else ''}{search.count:,}"
        if not search.complete:
            done = (search.high - search.low) * 100 // max(1, search.size)
            text = f"{text} so far, {min(99, done)}% searched"
        return Content.styled(f"{text} {self._said}".rstrip(), "$accent")
