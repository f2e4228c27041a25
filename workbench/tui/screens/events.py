"""The section Events: what happened to jobs, the newest first, and what the agent says."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store import job_events, job_filter
from store.job_events import Event, EventFilter
from store.job_filter import FilterError
from workbench.tui.access import Stores
from workbench.tui.glyphs import Glyphs, kind_of_state
from workbench.tui.job_actions import JobActions
from workbench.tui.job_columns import cell
from workbench.tui.screens.agent_log import AgentLogView
from workbench.tui.view import is_typing
from workbench.tui.widgets.filter_line import FilterLine
from workbench.tui.widgets.line_list import Entry, Line, LineList

PAGE = 300
KEPT = 5 * PAGE
"""So many events are in memory; those that are farther away are read again when they are come to."""


class EventsView(JobActions):
    """A window of events that moves with the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="events.filter", priority=True),  # what is typed next is for the line
        Binding("a", "agent_log", "agent log", id="events.agent_log"),
        Binding("escape", "clear", "Clear filter, or back", show=False, id="events.clear"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self.filter = EventFilter()
        self.events: list[Event] = []
        self.newest_known = self.oldest_known = False
        self.wanted_ends: set[int] = set()
        """The ends to read on from: 1 the older, -1 the newer. A reading that another one replaces is not lost so."""

    def compose_content(self) -> Iterable[Widget]:
        """The line that narrows, what it is narrowed to, and the list."""
        yield FilterLine(suggest=suggest, placeholder="state:failed, and parts of names or messages")
        yield Static("", classes="section-facts", markup=False)
        yield LineList(event_lines, prefetch=50)

    @property
    def listed(self) -> LineList:
        """The list."""
        return self.query_one(LineList)

    # -- reading ------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the newest events; where some are known, those that are newer."""
        if not self.events:
            await self._read_newest()
        elif self.newest_known:
            newer = await self.bench.access.read(newer_events, self.filter, self.events[0].id)
            if len(newer) == PAGE:
                await self._read_newest()
            elif newer:
                self._take([*newer, *self.events], drop_oldest=True)
        await self._read_on()

    async def _read_newest(self) -> None:
        found = await self.bench.access.read(older_events, self.filter, None)
        self.newest_known, self.oldest_known = True, len(found) < PAGE
        self.wanted_ends.clear()
        self._take(found)
        await self._read_on()

    async def _read_oldest(self) -> None:
        found = await self.bench.access.read(first_events, self.filter)
        self.newest_known, self.oldest_known = len(found) < PAGE, True
        self.wanted_ends.clear()
        self._take(found)
        self.listed.move_to(len(found) - 1)
        await self._read_on()

    async def _read_on(self) -> None:
        """Read what came near its end meanwhile."""
        while self.wanted_ends:
            step = max(self.wanted_ends)
            if not (self.oldest_known if step > 0 else self.newest_known):
                await self._read_more(step)
            self.wanted_ends.discard(step)

    async def _read_more(self, step: int) -> None:
        if not self.events:
            return
        if step > 0:
            found = await self.bench.access.read(older_events, self.filter, self.events[-1].id)
            self.oldest_known = len(found) < PAGE
            self._take([*self.events, *found], drop_oldest=False)
        else:
            found = await self.bench.access.read(newer_events, self.filter, self.events[0].id)
            self.newest_known = len(found) < PAGE
            self._take([*found, *self.events], drop_oldest=True)

    def _take(self, events: list[Event], *, drop_oldest: bool = True) -> None:
        """Show these, no more than are kept."""
        if len(events) > KEPT:
            if drop_oldest:
                events, self.oldest_known = events[:KEPT], False
            else:
                events, self.newest_known = events[-KEPT:], False
        self.events = events
        self.listed.take([Entry(str(each.id), each) for each in events])
        clears = self.bench.key_of("events.clear", "esc")
        told = f"/{self.filter_text}  {'' if events else 'nothing like that; '}{clears} shows all"
        line = self.query_one(".section-facts", Static)
        line.display = bool(self.filter_text)
        line.update(Content.styled(told, "$foreground-muted"))
        if events or self.filter_text:
            self.show_content()
        else:
            new, log = self.bench.key_of("job.new", "n"), self.bench.key_of("events.agent_log", "a")
            self.show_empty("Nothing happened yet", "", f"{new}  new job", f"{log}  what the agent says")

    # -- what the list and the filter say -------------------------------------------------------------------------

    @on(LineList.Near)
    def near_end(self, event: LineList.Near) -> None:
        """Read on before the end comes into sight."""
        event.stop()
        self.wanted_ends.add(event.step)
        if not any(worker.group == "load" and not worker.is_finished for worker in self.workers):
            self.read_guarded(self._read_on)

    @on(LineList.Far)
    def far_end(self, event: LineList.Far) -> None:
        """To the newest or the oldest event of all."""
        event.stop()
        if event.step < 0 and not self.newest_known:
            self.read_guarded(self._read_newest)
        elif event.step > 0 and not self.oldest_known:
            self.read_guarded(self._read_oldest)

    @on(LineList.Opened)
    async def open_event(self, event: LineList.Opened) -> None:
        """Open the job."""
        event.stop()
        await self.bench.open_job(event.entry.value.job_name)

    def chosen_names(self) -> list[str]:
        """The job of the event under the cursor."""
        entry = self.listed.entry
        return [entry.value.job_name] if entry is not None else []

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

    async def action_agent_log(self) -> None:
        """Show what the agent says."""
        await self.bench.frame.push(AgentLogView())

    def command(self, text: str) -> None:
        """``:events failed``: a state alone is enough; ``:events agent`` opens the agent's log."""
        if text == "agent":
            self.app.run_worker(self.bench.frame.push(AgentLogView()))
            return
        is_state = any(state.casefold() == text.casefold() for state in job_filter.STATES)
        self.set_filter(f"state:{text}" if is_state else text)

    def set_filter(self, text: str) -> None:
        """Narrow the list, or say what is not understood."""
        line = self.query_one(FilterLine)
        try:
            narrowed = job_events.parse(text)
        except FilterError as error:
            line.answer(f"{error.message}. {error.hint}")
            return
        line.answer("")
        self.filter_text, self.filter = text, narrowed
        self.place = f"events {text}".strip()
        self.read_guarded(self._read_newest)

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


def older_events(stores: Stores, wanted: EventFilter, before: int | None) -> list[Event]:
    """A page of what happened before an event; the newest without one."""
    return job_events.page(stores.workbench, wanted, PAGE, before=before)


def newer_events(stores: Stores, wanted: EventFilter, after: int) -> list[Event]:
    """A page of what happened next."""
    return job_events.page(stores.workbench, wanted, PAGE, after=after)


def first_events(stores: Stores, wanted: EventFilter) -> list[Event]:
    """The oldest page."""
    return job_events.oldest(stores.workbench, wanted, PAGE)


def event_lines(value: Event, width: int, signs: Glyphs) -> list[Line]:
    """When, what, of which job, and why."""
    name = max(16, min(40, (width - 30) * 4 // 10))
    return [
        (
            (f" {moment(value.at)}  ", "muted"),
            (cell(f"{signs.state(value.status)} {value.status}", 17, signs), kind_of_state(value.status)),
            (f" {cell(value.job_name, name, signs)} ", ""),
            (" ".join((value.message or "").split()), "muted"),
        )
    ]


def moment(at: float, now: float | None = None) -> str:
    """A time of today by its second, an earlier one by its day and minute; eleven signs either way."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M:%S   ", then)
    return time.strftime("%m-%d %H:%M" if then.tm_year == today.tm_year else "%Y-%m-%d ", then)


def suggest(text: str) -> str | None:
    """What the last word of a filter may become."""
    head, blank, word = text.rpartition(" ")
    key, colon, value = word.partition(":")
    if word and not colon and "state".startswith(word):
        return f"{head}{blank}state:"
    if colon and key == "state" and value:
        found = next((state for state in job_filter.STATES if state.casefold().startswith(value.casefold())), None)
        return f"{head}{blank}state:{found.casefold()}" if found else None
    return None
