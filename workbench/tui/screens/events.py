"""The section Events: what happened to jobs and to watched data, the newest first, and what the agent says."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from store import happenings, job_filter
from store.data.events import LOST, NEW_FILES, UNREAD, DataEvent
from store.happenings import Happening, HappeningFilter, Place
from store.job_events import Event
from workbench.tui import paged
from workbench.tui.access import Stores
from workbench.tui.glyphs import Glyphs, kind_of_state
from workbench.tui.home_lines import size
from workbench.tui.job_actions import JobActions
from workbench.tui.job_columns import cell
from workbench.tui.paged import PagedView
from workbench.tui.screens.agent_log import AgentLogView
from workbench.tui.widgets.line_list import Entry, Line, LineList, Span
from workbench.tui.widgets.menu import Choice, Menu

WATCH_STATES = {NEW_FILES: ("New files", "completed"), LOST: ("Lost", "failed"), UNREAD: ("Unread", "failed")}
"""How the kinds of data events are called, and drawn; what is not here is that a path is there again."""
BACK = ("Back", "running")


class EventsView(PagedView, JobActions):
    """A window of events that moves with the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="events.filter", priority=True),  # what is typed next is for the line
        Binding("a", "agent_log", "agent log", id="events.agent_log"),
        Binding("escape", "clear", "Clear filter, or back", show=False, id="events.clear"),
    ]
    NEED_CONTENT = frozenset({"events.filter"})
    placeholder = "state:failed, type:data, and parts of names or messages"

    def compose_content(self) -> Iterable[Widget]:
        """The line that narrows, what it is narrowed to, and the list."""
        yield from self.paged_list(event_lines, suggest=suggest)

    # -- reading ------------------------------------------------------------------------------------------------

    def parse(self, text: str) -> HappeningFilter:
        """States, types and words."""
        return happenings.parse(text)

    async def read_page(self, *, after: Any = None, before: Any = None, last: bool = False) -> list[Happening]:
        """A page of older events behind one, or of newer ones before it."""
        if last:
            return await self.bench.access.read(first_events, self.filter)
        if before is not None:
            return await self.bench.access.read(newer_events, self.filter, before.newer)
        return await self.bench.access.read(older_events, self.filter, after.older if after is not None else None)

    async def read_again(self) -> None:
        """Read those that are newer than all that are known; the others do not change."""
        if not self.first_known:
            return
        newer = await self.bench.access.read(newer_events, self.filter, self.rows[0].newer)
        if len(newer) == paged.PAGE:
            await self.read_first()
        elif newer:
            self.take([*newer, *self.rows], drop_last=True)

    def row_key(self, row: Happening) -> str:
        """Its kind and number."""
        return f"{'data' if isinstance(row.event, DataEvent) else 'job'} {row.event.id}"

    def clear_key(self) -> str:
        """The key that shows all again."""
        return self.bench.key_of("events.clear", "esc")

    def show_nothing(self) -> None:
        """Nothing happened."""
        new, log = self.bench.key_of("job.new", "n"), self.bench.key_of("events.agent_log", "a")
        self.show_empty("Nothing happened yet", "", f"{new}  new job", f"{log}  what the agent says")

    # -- what an event leads to ---------------------------------------------------------------------------------

    @on(LineList.Opened)
    async def open_event(self, event: LineList.Opened) -> None:
        """Open the job, or the version of data; of a data event that set off both, one that is chosen."""
        event.stop()
        found = event.entry.value.event
        if isinstance(found, Event):
            await self.bench.open_job(found.job_name)
            return
        data, job = found.document.get("data"), found.document.get("job")
        if data and job:
            self._choose(str(data), str(job))
        elif data:
            await self._open_data(str(data))
        elif job:
            await self.bench.open_job(str(job))
        else:
            self.notify(str(found.document.get("message") or found.kind), markup=False)

    def _choose(self, data: str, job: str) -> None:
        choices = [Choice("v", "version", "data", data.removeprefix("azureml:")), Choice("j", "job", "job", job)]

        def chosen(what: str | None) -> None:
            if what == "data":
                self.app.run_worker(self._open_data(data))
            elif what == "job":
                self.app.run_worker(self.bench.open_job(job))

        self.app.push_screen(Menu("The new files set off", choices), chosen)

    async def _open_data(self, reference: str) -> None:
        from workbench.tui.screens.data_version import DataVersionView

        await self.bench.frame.push(DataVersionView.of(reference), self)

    def chosen_names(self) -> list[str]:
        """The job of the event under the cursor."""
        entry: Entry | None = self.listed.entry
        if entry is None:
            return []
        found = entry.value.event
        name = found.job_name if isinstance(found, Event) else found.document.get("job")
        return [str(name)] if name else []

    # -- keys ---------------------------------------------------------------------------------------------------

    async def action_agent_log(self) -> None:
        """Show what the agent says."""
        await self.bench.frame.push(AgentLogView())

    def command(self, text: str) -> None:
        """``:events failed``: a state alone is enough; ``:events agent`` opens the agent's log."""
        if text == "agent":
            self.app.run_worker(self.bench.frame.push(AgentLogView(), self))
            return
        is_state = any(state.casefold() == text.casefold() for state in job_filter.STATES)
        self.set_filter(f"state:{text}" if is_state else text)

    @staticmethod
    def completions(_stores: Stores, text: str) -> Iterable[str]:
        """The agent's log, states, and filters."""
        return ["agent", *(state.casefold() for state in job_filter.STATES), *filter(None, [suggest(text)])]

    def place_of(self, text: str) -> str:
        """With the filter behind it."""
        return f"events {text}".strip()


def older_events(stores: Stores, wanted: HappeningFilter, before: Place | None) -> list[Happening]:
    """A page of what happened before a place; the newest without one."""
    return happenings.page(stores.workbench, wanted, paged.PAGE, before=before)


def newer_events(stores: Stores, wanted: HappeningFilter, after: Place) -> list[Happening]:
    """A page of what happened next."""
    return happenings.page(stores.workbench, wanted, paged.PAGE, after=after)


def first_events(stores: Stores, wanted: HappeningFilter) -> list[Happening]:
    """The oldest page."""
    return happenings.oldest(stores.workbench, wanted, paged.PAGE)


def event_lines(value: Happening, width: int, signs: Glyphs) -> list[Line]:
    """When, what, of which job or watch, and why or what it set off."""
    found = value.event
    name = max(16, min(40, (width - 30) * 4 // 10))
    if isinstance(found, DataEvent):
        called, kind = WATCH_STATES.get(found.kind, BACK)
        state: Span = (cell(f"{signs.data} {called}", 17, signs), kind)
        of, told = found.watch, data_spans(found)
    else:
        state = cell(f"{signs.state(found.status)} {found.status}", 17, signs), kind_of_state(found.status)
        of, told = found.job_name, ((" ".join((found.message or "").split()), "muted"),)
    return [((f" {moment(found.at)}  ", "muted"), state, (f" {cell(of, name, signs)} ", ""), *told)]


def data_spans(event: DataEvent) -> tuple[Span, ...]:
    """What came, and what it set off."""
    document = event.document
    if event.kind != NEW_FILES:
        return ((" ".join(str(document.get("message") or "").split()), "muted"),)
    found: list[Span] = [(f"{event.files:,} file{'' if event.files == 1 else 's'}", "")]
    if data := document.get("data"):
        found += [(" made ", "muted"), (str(data).removeprefix("azureml:"), "accent")]
    if job := document.get("job"):
        found += [(", ran ", "muted"), (str(job), "accent")]
    if error := document.get("error"):
        found += [(", no job: ", "warning"), (" ".join(str(error).split()), "warning")]
    found.append((f"  {size(event.bytes)}", "muted"))
    return tuple(found)


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
    if word and not colon:
        known = next((each for each in ("state:", "type:") if each.startswith(word)), None)
        return f"{head}{blank}{known}" if known else None
    if not value or key not in ("state", "type"):
        return None
    values = job_filter.STATES if key == "state" else ("job", "data")
    found = next((each for each in values if each.casefold().startswith(value.casefold())), None)
    return f"{head}{blank}{key}:{found.casefold()}" if found else None
