"""The view of one job: a line of facts and its tabs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Protocol, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import AwaitMount, Widget
from textual.widgets import Static

from store import job_pages, jobs
from store.errors import NotFoundError, WorkbenchError
from store.jobs import Job
from workbench.tui.access import NoWorkspaceError, Stores
from workbench.tui.glyphs import kind_of_state
from workbench.tui.job_actions import JobActions
from workbench.tui.job_columns import elapsed, number
from workbench.tui.widgets.tab_line import TabLine


class Tab(Protocol):
    """What every tab of a job is, besides a widget made with the job's name."""

    async def show(self, job: Job) -> None:
        """Show the job; called again each time its facts changed."""

    async def tick(self) -> None:
        """Follow what moves; called at the refresh rate while the job is unfinished and the tab is shown."""

    def focus_content(self) -> None:
        """Put the focus where the tab's keys work."""


@dataclass(frozen=True, slots=True)
class TabKind:
    """One tab: its title, the key that opens it, and where its class is."""

    title: str
    key: str
    place: str

    async def tab(self, name: str) -> Widget:
        """A tab for a job; its module is imported when it is first opened, in a thread: that can take a while."""
        module, _, kind = self.place.partition(":")
        widget: Widget = getattr(await asyncio.to_thread(import_module, module), kind)(name)
        return widget


TABS = {
    "overview": TabKind("Overview", "o", "workbench.tui.job.overview:OverviewTab"),
    "metrics": TabKind("Metrics", "m", "workbench.tui.job.metrics:MetricsTab"),
    "log": TabKind("Log", "l", "workbench.tui.job.log:LogTab"),
    "outputs": TabKind("Outputs", "p", "workbench.tui.job.outputs:OutputsTab"),
    "system": TabKind("System", "v", "workbench.tui.job.system:SystemTab"),
    "yaml": TabKind("YAML", "Y", "workbench.tui.job.document:DocumentTab"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the line above the tabs tells."""

    job: Job
    metric: tuple[str, float] | None


class JobView(JobActions):
    """One job, live while it runs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "turn(1)", "next tab", id="job.next_tab", key_display="]"),
        Binding("left_square_bracket", "turn(-1)", "Previous tab", show=False, id="job.previous_tab"),
        *(
            Binding(kind.key, f"tab('{name}')", kind.title, show=False, id=f"job.tab.{name}")
            for name, kind in TABS.items()
        ),
    ]

    NEED_CONTENT = frozenset({"job.next_tab"})

    def __init__(self, name: str, tab: str = "overview") -> None:
        super().__init__()
        self.crumb = self.job_name = name
        self.tab_name = tab if tab in TABS else "overview"
        self.place = f"job {name} {self.tab_name}"
        self.facts: Facts | None = None
        self.tabs: dict[str, Widget] = {}
        self._mounting: dict[str, AwaitMount] = {}

    def compose_content(self) -> Iterable[Widget]:
        """The facts, the names of the tabs, and room for one of them."""
        yield Static("", classes="job-facts", markup=False)
        yield TabLine({name: (kind.title, kind.key) for name, kind in TABS.items()})
        yield Container(classes="job-tabs")

    def chosen_names(self) -> list[str]:
        """This job."""
        return [self.job_name]

    def chosen_status(self) -> str | None:
        """Its state."""
        return self.facts.job.status if self.facts is not None else None

    async def load(self) -> None:
        """Read the job, and have the shown tab read what it needs."""
        try:
            self.facts = await self.bench.access.read(read_facts, self.job_name, self.bench.configuration.main_metric)
        except NotFoundError as error:
            if isinstance(error, NoWorkspaceError):
                raise
            jobs_key, narrow = self.bench.key_of("app.section.jobs", "2"), self.bench.key_of("jobs.filter", "/")
            near = f"{error.hint} " if error.hint and not error.hint.startswith("`") else ""
            hint = f"{near}{jobs_key} lists all, and {narrow} there finds one by a part of its name."
            raise NotFoundError(error.message, hint=hint) from error
        self.live = not self.facts.job.finished
        self.refresh_bindings()  # which keys matter most is another matter with another state
        self.show_content()
        self.query_one(".job-facts", Static).update(self._line(self.facts))
        await self._show_tab()

    def _line(self, facts: Facts) -> Content:
        job, signs = facts.job, self.bench.signs
        parts = [
            Content.styled(f" {signs.state(job.status)} {job.status}", f"bold $state-{kind_of_state(job.status)}"),
        ]
        if job.started_at is not None:
            ran = (job.ended_at or self.bench.now()) - job.started_at
            parts.append(Content(f"  {elapsed(ran, running=not job.finished)}"))
        if facts.metric is not None:
            parts.append(Content(f"  {facts.metric[0]} {number(facts.metric[1])}"))
        parts.append(Content(f"  {job.display_name}"))
        parts.append(Content.styled(f"  {job.experiment_name} on {job.compute}", "$foreground-muted"))
        if job.archived:
            parts.append(Content("  archived"))
        return Content("").join(parts)

    # -- tabs ---------------------------------------------------------------------------------------------------

    async def _show_tab(self) -> None:
        """Show the chosen tab; made when it is first chosen."""
        name = self.tab_name
        self.query_one(TabLine).current = name
        if name not in self.tabs:
            made = await TABS[name].tab(self.job_name)
            self.tabs[name] = made
            self._mounting[name] = self.query_one(".job-tabs").mount(made)
        await self._mounting[name]  # by a reading that was dropped for this one, perhaps
        for other, widget in self.tabs.items():
            widget.display = other == name
        if self.facts is not None:
            await cast(Tab, self.tabs[name]).show(self.facts.job)
        if not self.tabs[name].has_focus_within and self.may_take_focus:
            self.focus_content()
        self.query_one(".job-tabs").can_focus = False

    def focus_content(self) -> None:
        """The keys work in the tab."""
        tab = self.tabs.get(self.tab_name)
        if tab is not None and tab.is_mounted and self.query_one(".content").display:
            cast(Tab, tab).focus_content()
        else:
            super().focus_content()

    async def tick(self) -> None:
        """Have the shown tab follow what moves."""
        tab = self.tabs.get(self.tab_name)
        if tab is None or not tab.is_mounted or not self.loaded or self.query_one(".notice").display:
            return
        try:
            await cast(Tab, tab).tick()
        except (WorkbenchError, sqlite3.Error, OSError):
            self.reload()  # which meets the same trouble and says it

    def action_tab(self, name: str) -> None:
        """Show a tab."""
        self._leave_tab(name)
        self.tab_name = name
        self.place = f"job {self.job_name} {name}"
        self.bench.place_changed()
        self.read_guarded(self._show_tab if self.loaded else self.load)

    def _leave_tab(self, name: str) -> None:
        """Hide the tab that is left at once: the next key is not for it any more."""
        left = self.tabs.get(self.tab_name)
        if left is None or name == self.tab_name:
            return
        took_keys = left.has_focus_within
        left.display = False
        if took_keys:
            room = self.query_one(".job-tabs")
            room.can_focus = True
            self.screen.set_focus(room, scroll_visible=False)

    def action_turn(self, steps: int) -> None:
        """The tab beside this one."""
        names = list(TABS)
        self.action_tab(names[(names.index(self.tab_name) + steps) % len(names)])

    @on(TabLine.Chosen)
    def tab_clicked(self, event: TabLine.Chosen) -> None:
        """Show the tab that was clicked."""
        event.stop()
        self.action_tab(event.name)

    def go_to_line(self, number: int) -> bool:
        """A line of the log, where that is shown."""
        go = getattr(self.tabs.get(self.tab_name), "go_to_line", None)
        if go is None:
            return False
        go(number)
        return True

    def command(self, text: str) -> None:
        """``:job NAME log`` shows a tab."""
        if text in TABS:
            self.action_tab(text)


def read_facts(stores: Stores, name: str, patterns: tuple[str, ...] = ()) -> Facts:
    """A job and its main metric. Raises NotFoundError, with the nearest names."""
    job = jobs.get(stores.workbench, name)
    found: dict[str, Any] = {}
    if stores.mlflow is not None:
        found = job_pages.main_metrics(stores.mlflow, [name], patterns=patterns)
    return Facts(job, found.get(name))
