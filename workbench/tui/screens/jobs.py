"""The section Jobs: every job of the workspace, filtered, sorted, marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from store import job_filter
from store.job_filter import FilterError, JobFilter, Sort
from store.job_pages import JobList
from workbench.tui import job_window
from workbench.tui.access import Stores
from workbench.tui.job_actions import JobActions
from workbench.tui.job_window import Window
from workbench.tui.view import is_typing
from workbench.tui.widgets.filter_line import FilterLine
from workbench.tui.widgets.job_table import JobTable
from workbench.tui.widgets.menu import Choice, Menu

SORT, AT = "sort:", "at:"
"""What stands behind a filter in the way back to a list: its order, and the job under the cursor."""

REST_SECONDS = 0.5
"""So long the cursor stays before its job is written down as the place to come back to."""

SORT_KEYS = {
    "created": "c",
    "name": "n",
    "experiment": "e",
    "state": "s",
    "duration": "d",
    "compute": "p",
    "type": "t",
    "metric": "m",
}


class JobsView(JobActions):
    """The list, the line that narrows it, and a line that says what it is narrowed to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="jobs.filter", priority=True),  # what is typed next is for the line
        Binding("s", "sort", "sort", id="jobs.sort"),
        Binding("f", "saved_filters", "Saved filters", id="jobs.saved", show=False),
        Binding("l", "open_tab('log')", "Log of the job", id="jobs.log", show=False),
        Binding("m", "open_tab('metrics')", "Metrics of the job", id="jobs.metrics", show=False),
        Binding("escape", "clear", "Clear filter, or back", show=False, id="jobs.clear"),
    ]

    NEED_CONTENT = frozenset({"jobs.filter", "jobs.sort"})

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self.list = JobList()
        self._generation = 0
        self._absent: frozenset[str] = frozenset()
        self._status: str | None = None
        self._return_to = self._before_filter = ""
        """The job to put the cursor on with the next rows, and the one that it was on before the filter."""
        self._rest: Timer | None = None

    def compose_content(self) -> Iterable[Widget]:
        """Filter line, status line, table."""
        yield FilterLine(suggest=suggest, fault=fault)
        yield Static("", classes="jobs-status", markup=False)
        yield JobTable()

    @property
    def table(self) -> JobTable:
        """The list."""
        return self.query_one(JobTable)

    def chosen_names(self) -> list[str]:
        """The marked jobs, else the one under the cursor."""
        return self.table.chosen_names()

    def hidden(self) -> frozenset[str]:
        """Marked jobs that a filter hides."""
        return self._absent.intersection(self.table.marks)

    def chosen_status(self) -> str | None:
        """The state of the job under the cursor, unless another one is marked."""
        row = self.table.row
        return row.status if row is not None and self.table.marks.keys() <= {row.name} else None

    @on(JobTable.Pointed)
    def pointed_at(self, event: JobTable.Pointed) -> None:
        """Another state, other keys that matter; where the cursor comes to rest is where to come back to."""
        event.stop()
        if (status := self.chosen_status()) != self._status:
            self._status = status
            self.refresh_bindings()
        self._found_again()
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_SECONDS, self.bench.place_changed)

    async def load(self) -> None:
        """Read the rows around the cursor anew."""
        if self._return_to:
            await self._read(job_window.around_job, self._return_to)
            return
        row = self.table.row
        at_top = self.table.cursor == 0 and self.table.scroll_offset.y == 0
        if at_top or row is None:
            await self._read(job_window.around, None)
        else:
            await self._read(job_window.around_job, row.name)

    async def _read(self, function: Callable[..., Window], *arguments: object) -> None:
        self._generation += 1
        generation = self._generation
        window = await self.bench.access.read(
            function, self.list, *arguments, patterns=self.bench.configuration.main_metric
        )
        marks = list(self.table.marks)
        absent = await self.bench.access.read(job_window.absent, self.list, marks) if marks else frozenset()
        if generation == self._generation:
            self._absent = absent
            self._take(window)

    def _take(self, window: Window) -> None:
        self.table.sort = self.list.order
        self.table.unfolded = self.list.unfolded
        self.table.take(window)
        if name := self._return_to:
            self._return_to = ""
            self.call_after_refresh(self._return, name)  # a list that is not laid out yet cannot be moved
        self._tell(window)
        if window.total or self.filter_text:
            self.show_content()
        else:
            new, leave = self.bench.key_of("job.new", "n"), self.bench.key_of("app.quit", "q")
            self.show_empty(
                "No jobs yet", f"{new}  new job", f"{leave}  leave; `workbench run FILE` runs one from a shell"
            )

    def _return(self, name: str) -> None:
        """Put the cursor on a job again, where it is in the list."""
        number = self.table.window.number_of(name)
        if number is not None:
            self.table.move_to(number)

    def _tell(self, window: Window) -> None:
        """Say how many there are, and what narrows and orders them."""
        parts = [f"{window.total:,} job{'' if window.total == 1 else 's'}"]
        if self.filter_text:
            parts.append(f"/{self.filter_text}")
        if self.list.order != Sort():
            parts.append(f"sort {self.list.order}")
        if self.table.marks:
            unseen = f", {len(self.hidden())} of them not in this list" if self.hidden() else ""
            parts.append(f"{len(self.table.marks)} marked{unseen}")
        if self.filter_text and not window.total:
            parts.append(f"{self.bench.key_of('jobs.clear', 'esc')} shows all")
        self.query_one(".jobs-status", Static).update(Content.styled("  ".join(parts), "$foreground-muted"))

    def command(self, text: str) -> None:
        """``:jobs failed``: a state alone is enough. An order at the end is chosen as from the menu."""
        narrowed, _, last = text.rpartition(" ")
        if last.startswith(AT):
            text = narrowed.strip()
            self._return_to = last.removeprefix(AT)
            narrowed, _, last = text.rpartition(" ")
        if last.startswith(SORT):
            with suppress(FilterError):  # which the filter says
                self.list = replace(self.list, sort=job_filter.parse_sort(last.removeprefix(SORT)))
                text = narrowed.strip()
        self.set_filter(f"state:{text}" if is_state(text) else text)

    @staticmethod
    def completions(_stores: Stores, text: str) -> Iterable[str]:
        """States, and filters."""
        return [*(state.casefold() for state in job_filter.STATES), *filter(None, [suggest(text)])]

    # -- filter and order ---------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash that is typed into a text is a slash."""
        return not (action == "filter" and is_typing(self.app.focused))

    def action_filter(self) -> None:
        """Open the filter line."""
        self.query_one(FilterLine).open(self.filter_text)

    async def action_open_tab(self, tab: str) -> None:
        """Open a tab of the job under the cursor."""
        if self.table.row is not None:
            await self.bench.open_job(self.table.row.name, tab)

    def action_clear(self) -> None:
        """Show all jobs again; with nothing to clear, go back."""
        if self.filter_text:
            self.set_filter("")
        elif self.table.marks:
            self.table.action_unmark()
        else:
            self.app.run_worker(self.bench.action_back())

    def set_filter(self, text: str) -> bool:
        """Narrow the list; False where the text means nothing, which is then said."""
        line = self.query_one(FilterLine)
        if wrong := fault(text):
            if line.display:
                line.answer(wrong)
            else:  # it came from the command line
                self.notify(wrong, severity="warning", markup=False)
            return False
        line.answer("")
        at = self.table.row.name if self.table.row else ""
        if text and not self.filter_text:
            self._before_filter = at
        elif self.filter_text and not text:
            self._return_to = at or self._before_filter
        self.filter_text = text
        self._narrow(job_filter.parse(text))
        return True

    def _narrow(self, narrowed: JobFilter) -> None:
        self.list = replace(self.list, filter=narrowed)
        self._found_again()
        self.bench.place_changed()
        self._from_the_top()

    def _found_again(self) -> None:
        """Have the way here lead to this filter, order and job, for a line that breaks."""
        wanted = self.list.order
        given = self.list.filter.sort is not None or wanted == Sort() or " " in wanted.metric  # a blank ends a word
        order = "" if given else f"{SORT}{wanted}"
        at = self._return_to or (self.table.row.name if self.table.row is not None and self.table.cursor else "")
        self.place = " ".join(filter(None, ("jobs", self.filter_text, order, f"{AT}{at}" if at else "")))

    def _from_the_top(self) -> None:
        self.table.cursor = 0
        self.table.scroll_to(y=0, animate=False, force=True)
        self.reload()

    def action_saved_filters(self) -> None:
        """Take a saved filter, or save the one that holds."""
        from workbench.tui.saved_filters import choose

        choose(self.bench, self.filter_text, self.set_filter)

    def action_sort(self) -> None:
        """Choose the order; the same once more turns it round."""
        choices = [
            Choice(key, name, name, "again: turn it round" if name == self.list.order.key else "")
            for name, key in SORT_KEYS.items()
        ]

        def take(chosen: str | None) -> None:
            if chosen is None:
                return
            before = self.list.order
            metric = ""
            if chosen == "metric":
                metric = before.metric or self._metric_at_cursor()
                if not metric:
                    self.notify("none of these jobs has a metric", severity="warning")
                    return
            down = not before.descending if before.key == chosen else chosen in ("created", "duration", "metric")
            self.list = replace(self.list, sort=Sort(chosen, down, metric), filter=replace(self.list.filter, sort=None))
            self._found_again()
            self.bench.place_changed()
            self._from_the_top()

        self.app.push_screen(Menu("Sort by", choices), take)

    def _metric_at_cursor(self) -> str:
        """The metric that the row shows, else the first that any row shows."""
        metrics, row = self.table.window.metrics, self.table.row
        if row is not None and row.name in metrics:
            return metrics[row.name][0]
        return next((name for name, _ in metrics.values()), "")

    # -- what the widgets say -----------------------------------------------------------------------------------

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Narrow the list while the user types."""
        event.stop()
        self.set_filter(event.text)

    @on(FilterLine.Closed)
    def filter_closed(self, event: FilterLine.Closed) -> None:
        """Back to the list; a filter that was given up is undone."""
        event.stop()
        if event.text != self.filter_text:
            self.set_filter(event.text)
        self.focus_content()

    def focus_content(self) -> None:
        """The keys work in the list."""
        if self.query_one(".content").display:
            self.screen.set_focus(self.table, scroll_visible=False)
        else:
            super().focus_content()

    @on(JobTable.Opened)
    async def row_opened(self, event: JobTable.Opened) -> None:
        """Open the job."""
        event.stop()
        await self.bench.open_job(event.row.name)

    @on(JobTable.Needed)
    def rows_needed(self, event: JobTable.Needed) -> None:
        """Read the rows where the cursor is now."""
        event.stop()
        if event.number is None:
            self.read_guarded(partial(self._read, job_window.at_end))
        else:
            self.read_guarded(partial(self._read, job_window.at_number, event.number))

    @on(JobTable.Folded)
    def row_folded(self, event: JobTable.Folded) -> None:
        """Show or hide children under their parent."""
        event.stop()
        name = event.row.name if event.row.children else event.row.parent_job_name
        if name is not None:
            self.list = replace(self.list, unfolded=self.list.unfolded ^ {name})
            self.reload()

    @on(JobTable.Marked)
    def marks_changed(self, event: JobTable.Marked) -> None:
        """Say how many are marked."""
        event.stop()
        self._tell(self.table.window)
        self.refresh_bindings()


def is_state(text: str) -> bool:
    """Whether a word is a job state."""
    try:
        return bool(text) and " " not in text and bool(job_filter.parse(f"state:{text}").terms)
    except FilterError:
        return False


def fault(text: str) -> str:
    """What is wrong with a filter, and what to do; nothing where all is well."""
    try:
        job_filter.parse(text)
    except FilterError as error:
        return f"{error.message}. {error.hint}"
    return ""


def suggest(text: str) -> str | None:
    """What the last word of a filter may become."""
    head, blank, word = text.rpartition(" ")
    key, colon, value = word.partition(":")
    if not word:
        return None
    if colon and key in ("state", "status", "is"):
        found = next(
            (state for state in job_filter.STATES if value and state.casefold().startswith(value.casefold())), None
        )
        return f"{head}{blank}{key}:{found.casefold()}" if found else None
    if colon:
        return None
    known = next((name for name in job_filter.KEYS if name.startswith(word)), None)
    if known is None:
        return None
    return f"{head}{blank}{known}{'.' if known in ('metric', 'param') else ':'}"
