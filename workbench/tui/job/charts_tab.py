"""What the tabs with charts share: a grid of charts over a job's metrics, one chart in full, and how they are drawn."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store.errors import WorkbenchError
from store.tracking.live import Update
from workbench.tui.job.chart_grid import ChartGrid, Panel
from workbench.tui.job.metric_feed import AXES, KINDS, Axis, MetricFeed
from workbench.tui.view import Notice
from workbench.tui.widgets.line_chart import LineChart

if TYPE_CHECKING:
    from store.jobs import Job
    from workbench.tui.app import WorkbenchApp

MAX_POINTS = 2000
"""Of one metric: twice the dots of a wide screen, two for each column."""

NEEDING_CHARTS = frozenset(
    ("open", "smooth", "axis", "log", "move", "first", "last", "page", "mark", "unmark", "table")
)
"""Actions that mean nothing while a notice takes the place of the charts."""

WEIGHTS = (0.0, 0.6, 0.9, 0.99)


class ChartsTab(Widget):
    """A grid of charts. A subclass says which panels there are, and what to say where there are none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "full chart", id="charts.open"),
        Binding("escape", "grid", "all charts", id="charts.grid"),
        Binding("s", "smooth", "smooth", id="charts.smooth"),
        Binding("a", "axis", "x axis", id="charts.axis"),
        Binding("L", "log", "log scale", id="charts.log"),
        Binding("right", "move(1, 0)", "next chart", id="charts.right", show=False),
        Binding("left", "move(-1, 0)", "chart before", id="charts.left", show=False),
        Binding("down,j", "move(0, 1)", "chart below", id="charts.down", show=False),
        Binding("up,k", "move(0, -1)", "chart above", id="charts.up", show=False),
        Binding("g", "first", "first", id="charts.first", show=False),
        Binding("G", "last", "last", id="charts.last", show=False),
        Binding("pagedown", "page(1)", "a screen down", id="charts.page_down", show=False),
        Binding("pageup", "page(-1)", "a screen up", id="charts.page_up", show=False),
    ]

    axis: Axis = "step"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job_name = name
        self.weight = 0.0
        self.log_scale = False
        self.full: Panel | None = None
        self.live = False
        self._feed: MetricFeed | None = None
        self._loading = False
        self._loaded: set[str] = set()
        self._sketched: set[str] = set()
        self._known: list[str] | None = None
        self._status_text = ""
        self._wants_focus = False
        self._job: Job | None = None

    @property
    def feed(self) -> MetricFeed:
        """The metrics of the job."""
        if self._feed is None:
            self._feed = MetricFeed(self.job_name, cast("WorkbenchApp", self.app).access, MAX_POINTS)
        return self._feed

    @property
    def present(self) -> bool:
        """Whether there is still something to show an answer in: the tab may have been closed meanwhile."""
        return self.is_attached and bool(self.query(".charts-status"))

    def compose(self) -> ComposeResult:
        yield Static("", classes="charts-status", markup=False)
        yield Notice("Reading the metrics…", classes="notice", markup=False)
        yield ChartGrid()
        chart = LineChart(classes="charts-full")
        chart.display = False
        yield chart

    def on_mount(self) -> None:
        self.query_one(ChartGrid).display = False
        self.query_one(".charts-status").display = False

    # -- what a subclass says -----------------------------------------------------------------------------------

    def panels(self, keys: Sequence[str]) -> list[Panel]:
        """The charts for the metrics that there are."""
        raise NotImplementedError

    def empty(self) -> tuple[str, ...]:
        """What to say while there is no chart: a title, and what to do."""
        raise NotImplementedError

    def facts_line(self) -> list[str]:
        """The line above the charts, in parts."""
        return []

    def status(self) -> str:
        """The line above the charts."""
        signs = cast("WorkbenchApp", self.app).signs
        return f"  {'·' if signs.unicode else '|'}  ".join(self.facts_line())

    # -- the job's facts and metrics ----------------------------------------------------------------------------

    async def show(self, job: Job) -> None:
        """Take in the job's facts, and read what is new of its metrics."""
        self.feed.of(job)
        was_live, self.live = self.live, not job.finished
        self._job = job
        if was_live != self.live:
            for chart in self.query(LineChart):
                chart.show(live=self.live)
            for chart, panel in self._charts():
                chart.show(without=self._without(panel))
            self._known = None  # what is said where there are no metrics is another
        await self._follow()

    async def tick(self) -> None:
        """Follow the journal; an answer that takes long is not asked for twice."""
        if not self.feed.busy:
            await self._follow()

    async def _follow(self) -> None:
        try:
            updates = await self.feed.poll()
        except (WorkbenchError, sqlite3.Error, OSError) as error:
            if self.present:
                self._say_error(error)
            return
        if not self.present:
            return
        if self.feed.keys != self._known:
            self._known = self.feed.keys
            self._arrange()
        self._take(updates)
        self._facts_changed()

    def _take(self, updates: Iterable[Update]) -> None:
        """Give the charts on the screen what is new."""
        news = {update.key: update for update in updates}
        if not news:
            return
        for chart, panel in self._charts():
            for name, key in panel.curves:
                update = news.get(key)
                if update is None:
                    continue
                if update.whole:
                    chart.replace(name, self.feed.placed(update.points, self.axis))
                else:
                    chart.append(name, self.feed.placed(update.points, self.axis))

    def _charts(self) -> list[tuple[LineChart, Panel]]:
        """The charts on the screen."""
        if self.full is not None:
            return [(self.query_one(".charts-full", LineChart), self.full)]
        return self.query_one(ChartGrid).shown()

    def _arrange(self) -> None:
        """Have the charts of the metrics that there are now."""
        panels = self.panels(self.feed.keys)
        grid, notice = self.query_one(ChartGrid), self.query_one(".notice", Static)
        if not panels:
            title, *steps = self.empty()
            notice.set_classes("notice -empty")
            notice.update(Content("\n").join([Content.styled(title, "bold"), *map(Content, steps)]))
        had_focus = self.has_focus_within
        self._show_parts(bool(panels))
        grid.set_panels(panels)
        if had_focus:
            self.focus_content()

    def _show_parts(self, some: bool) -> None:
        """Grid, full chart or notice."""
        self.query_one(".notice").display = not some
        self.query_one(ChartGrid).display = some and self.full is None
        self.query_one(".charts-full").display = some and self.full is not None
        self._update_status()
        self.refresh_bindings()

    def _update_status(self) -> None:
        line = self.query_one(".charts-status", Static)
        text = self.status()
        line.display = bool(text)
        if text != self._status_text:
            self._status_text = text
            line.update(Content(text))

    def _say_error(self, error: Exception) -> None:
        hint = getattr(error, "hint", None) or "`workbench doctor` looks for the reason."
        lines = (Content(hint), Content("ctrl+r  try again"))
        notice = self.query_one(".notice", Static)
        notice.set_classes("notice -error")
        message = getattr(error, "message", None) or str(error)
        notice.update(Content("\n").join([Content.styled(message, "bold"), *lines]))
        self._known = None
        self._show_parts(False)

    def _facts_changed(self) -> None:
        """Called after news, for what stands beside the charts."""
        self._update_status()

    def focus_content(self) -> None:
        """Put the focus where the keys of this tab work."""
        notice = self.query_one(".notice", Notice)
        if notice.display:
            self.screen.set_focus(notice, scroll_visible=False)
        elif self.full is not None:
            self.screen.set_focus(self.query_one(".charts-full", LineChart), scroll_visible=False)
        else:
            self._wants_focus = not self.query_one(ChartGrid).focus_selected()

    # -- histories ----------------------------------------------------------------------------------------------

    def on_chart_grid_shown(self) -> None:
        """Charts came to the screen: draw what is known, and read what is not."""
        for chart, panel in self.query_one(ChartGrid).shown():
            self._fill(chart, panel)
        self._load_missing()
        if self._wants_focus:
            self.focus_content()

    def _fill(self, chart: LineChart, panel: Panel) -> None:
        chart.show(
            log=self.log_scale,
            weight=self.weight,
            kind=KINDS[self.axis],
            live=self.live,
            marked=self._is_marked(panel),
            without=self._without(panel),
            paint=False,
        )
        curves = [(name, self.feed.points(key, self.axis)) for name, key in panel.curves]
        chart.set_curves(curves, title=panel.title, reach=panel.reach)

    def _without(self, panel: Panel) -> str:
        """What is said where a chart has no point: only of a job that has ended, and that was read, none is to come."""
        if self.live:
            return "no points yet"
        return "no points were logged" if self._loaded.issuperset(panel.keys) else "reading…"

    def _is_marked(self, panel: Panel) -> bool:
        return False

    def wanted(self) -> list[str]:
        """The metrics whose histories are needed now."""
        return [key for _, panel in self._charts() for key in panel.keys]

    def _load_missing(self) -> None:
        if not self._loading and self._next_missing() is not None:
            self._loading = True
            self.run_worker(self._load(), group="histories")

    def _next_missing(self) -> tuple[str, bool] | None:
        """The metric to read next, and whether all of it: first what can be had quickly."""
        missing = [key for key in self.wanted() if key not in self._loaded]
        quick = next((key for key in missing if key not in self._sketched), None)
        if quick is not None:
            return quick, False
        return (missing[0], True) if missing else None

    async def _load(self) -> None:
        """Read histories one by one, those on the screen, until nothing on the screen lacks one."""
        try:
            while (asked := self._next_missing()) is not None:
                key, whole = asked
                updates = await self.feed.load(key, whole=whole)
                if not self.present:
                    return
                if any(update.key == key and update.partial for update in updates):
                    self._sketched.add(key)
                else:
                    self._loaded.add(key)
                self._take(updates)
                for chart, panel in self._charts():
                    chart.show(without=self._without(panel))
                self._facts_changed()
        except (WorkbenchError, sqlite3.Error, OSError) as error:
            if self.present:
                self._say_error(error)
        finally:
            self._loading = False

    # -- keys ---------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In a full chart the arrows are its own, and escape leads back."""
        if action == "grid":
            return self.full is not None
        if action in NEEDING_CHARTS and self.query_one(".notice").display:
            return False
        if action in ("open", "move", "first", "last", "page", "mark"):
            return self.full is None
        return True

    def action_move(self, columns: int, rows: int) -> None:
        """Select another chart."""
        self.query_one(ChartGrid).move(columns, rows)

    def action_first(self) -> None:
        """Select the first chart."""
        self.query_one(ChartGrid).select(0)

    def action_last(self) -> None:
        """Select the last chart."""
        grid = self.query_one(ChartGrid)
        grid.select(len(grid.panels) - 1)

    def action_page(self, screens: int) -> None:
        """Select a chart a screen further."""
        grid = self.query_one(ChartGrid)
        grid.select(grid.selected + screens * grid.page())

    def action_open(self) -> None:
        """Show the selected chart alone."""
        panel = self.query_one(ChartGrid).panel
        if panel is not None:
            self._open(panel)

    def _open(self, panel: Panel) -> None:
        self.full = panel
        self._show_parts(True)
        self._fill(self.query_one(".charts-full", LineChart), panel)
        self._load_missing()
        self.focus_content()
        self.refresh_bindings()

    def action_grid(self) -> None:
        """Back to all charts."""
        self.full = None
        full = self.query_one(".charts-full", LineChart)
        full.action_whole()
        self._show_parts(True)
        self.on_chart_grid_shown()
        self.focus_content()
        self.refresh_bindings()

    def action_smooth(self) -> None:
        """Smooth the curves more, or not at all."""
        self.weight = WEIGHTS[(WEIGHTS.index(self.weight) + 1) % len(WEIGHTS)]
        self._redraw()

    def action_log(self) -> None:
        """A logarithmic y axis, or a linear one."""
        self.log_scale = not self.log_scale
        self._redraw()

    def action_axis(self) -> None:
        """Another x axis: step, time since the start, time of day."""
        self.axis = AXES[(AXES.index(self.axis) + 1) % len(AXES)]
        for chart, panel in self._charts():
            self._fill(chart, panel)
        self._update_status()

    def _redraw(self) -> None:
        for chart, _ in self._charts():
            chart.show(log=self.log_scale, weight=self.weight)
        self._update_status()
