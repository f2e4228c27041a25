"""The Metrics tab of a job: a chart for each metric it logs, live, several in one on demand, and a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from store.main_metric import SYSTEM
from store.tracking.metrics import KeyFacts
from workbench.tui.job.chart_grid import ChartGrid, Panel, single
from workbench.tui.job.charts_tab import ChartsTab
from workbench.tui.job.metric_table import MetricTable
from workbench.tui.widgets.chart_legend import SERIES
from workbench.tui.widgets.line_chart import LineChart

AXIS_WORDS = {"step": "step", "relative": "time", "time": "time of day"}


class NameFilter(Input):
    """The line that narrows the charts to those with a text in their names; hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep", id="metrics.filter_keep"),
        Binding("escape", "drop", "all charts", id="metrics.filter_drop"),
    ]

    class Dropped(Message):
        """No filter is wanted."""

    def __init__(self) -> None:
        super().__init__(placeholder="part of a metric's name", id="metric-filter", select_on_focus=False)
        self.cursor_blink = False
        self.display = False

    def action_drop(self) -> None:
        """Go, and take the filter along."""
        self.post_message(self.Dropped())


class MetricsTab(ChartsTab):
    """The metrics that the job's own code logs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="metrics.filter"),
        Binding("space", "mark", "mark", id="metrics.mark"),
        Binding("u", "unmark", "unmark all", id="metrics.unmark", show=False),
        Binding("t", "table", "table", id="metrics.table"),
    ]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.marks: set[str] = set()
        self.pattern = ""
        self.as_table = False

    def compose(self) -> ComposeResult:
        yield from super().compose()
        table = MetricTable(self._facts_of)
        table.display = False
        yield table
        yield NameFilter()

    def own_keys(self) -> list[str]:
        """The metrics that are not the machine's load."""
        return [key for key in self.feed.keys if not key.startswith(SYSTEM)]

    def filtered(self) -> list[str]:
        """Those that the filter leaves: every word of it is in the name."""
        words = self.pattern.casefold().split()
        return [key for key in self.own_keys() if all(word in key.casefold() for word in words)]

    def panels(self, keys: Sequence[str]) -> list[Panel]:
        """A chart for each metric that the filter leaves."""
        return single(self.filtered())

    def empty(self) -> tuple[str, ...]:
        """Why there is no chart."""
        if self.own_keys():
            return f"No metric has {self.pattern!r} in its name", "/  change the filter"
        if self.live:
            return "No metrics yet", "They appear as the job logs them:", 'mlflow.log_metric("loss", value, step=step)'
        return "This job logged no metrics", 'In the script: mlflow.log_metric("loss", value, step=step)'

    def facts_line(self) -> list[str]:
        """How many metrics there are, and how they are drawn."""
        keys, shown = self.own_keys(), self.filtered()
        if not keys:
            return []
        count = f"{len(shown)} of {len(keys)} metrics" if self.pattern else f"{len(keys)} metrics"
        parts = [count.replace("1 metrics", "1 metric") if len(keys) == 1 else count, f"x: {AXIS_WORDS[self.axis]}"]
        if self.pattern:
            parts.insert(1, f"filter: {self.pattern}")
        if self.weight:
            parts.append(f"~ smoothed by {self.weight:g}")
        if self.log_scale:
            parts.append("log scale")
        if self.marks and self.full is None:
            parts.append(f"{len(self.marks)} marked" + (", enter: one chart" if len(self.marks) > 1 else ""))
        return parts

    # -- table --------------------------------------------------------------------------------------------------

    def _facts_of(self, key: str) -> KeyFacts | None:
        return self.feed.facts(key) if key in self.feed.keys else None

    def _facts_changed(self) -> None:
        if self.as_table:
            self.query_one(MetricTable).update_rows()
        self._update_status()

    def _show_parts(self, some: bool) -> None:
        super()._show_parts(some)
        table = self.query_one(MetricTable)
        table.display = some and self.as_table and self.full is None
        if table.display:
            self.query_one(ChartGrid).display = False
            table.set_names(self.filtered(), self.marks)

    def wanted(self) -> list[str]:
        """With the table its rows too."""
        if self.as_table and self.full is None:
            return self.query_one(MetricTable).names_shown()
        return super().wanted()

    def on_metric_table_shown(self) -> None:
        """Rows came to the screen."""
        self._load_missing()

    def action_table(self) -> None:
        """The metrics as a table, or as charts; the selected one stays selected."""
        if self.full is not None:
            self.action_grid()
        grid, table = self.query_one(ChartGrid), self.query_one(MetricTable)
        self.as_table = not self.as_table
        if self.as_table:
            table.selected = grid.selected
        self._show_parts(bool(self.filtered()))
        if self.as_table:
            self._load_missing()
        else:
            grid.selected = table.selected
            grid.select(table.selected)
            self.on_chart_grid_shown()
        self.focus_content()

    def focus_content(self) -> None:
        """The table takes the keys where it is shown."""
        if self.as_table and self.full is None:
            self.screen.set_focus(self.query_one(MetricTable), scroll_visible=False)
        else:
            super().focus_content()

    def selected(self) -> str | None:
        """The selected metric."""
        if self.as_table:
            table = self.query_one(MetricTable)
            return table.names[table.selected] if table.names else None
        panel = self.query_one(ChartGrid).panel
        return panel.keys[0] if panel else None

    def action_move(self, columns: int, rows: int) -> None:
        """In the table, a row."""
        if self.as_table:
            table = self.query_one(MetricTable)
            table.select(table.selected + rows)
        else:
            super().action_move(columns, rows)

    def action_first(self) -> None:
        """In the table, its first row."""
        if self.as_table:
            self.query_one(MetricTable).select(0)
        else:
            super().action_first()

    def action_last(self) -> None:
        """In the table, its last row."""
        if self.as_table:
            table = self.query_one(MetricTable)
            table.select(len(table.names) - 1)
        else:
            super().action_last()

    def action_page(self, screens: int) -> None:
        """In the table, a screen of rows."""
        if self.as_table:
            table = self.query_one(MetricTable)
            table.select(table.selected + screens * table.page())
        else:
            super().action_page(screens)

    # -- marks --------------------------------------------------------------------------------------------------

    def _is_marked(self, panel: Panel) -> bool:
        return self.full is None and panel.keys[0] in self.marks

    def action_mark(self) -> None:
        """Mark the selected metric, or take its mark away; as many as a chart has colours for."""
        key = self.selected()
        if key is None or self.full is not None:
            return
        if key not in self.marks and len(self.marks) == SERIES:
            self.app.notify(f"a chart shows {SERIES} metrics at most; u takes all marks away", markup=False)
            return
        self.marks ^= {key}
        self._marks_changed()

    def action_unmark(self) -> None:
        """Take all marks away."""
        self.marks.clear()
        self._marks_changed()

    def _marks_changed(self) -> None:
        for chart, panel in self.query_one(ChartGrid).shown():
            chart.show(marked=self._is_marked(panel))
        if self.as_table:
            self.query_one(MetricTable).set_names(self.filtered(), self.marks)
        self._update_status()

    def action_open(self) -> None:
        """The marked metrics in one chart; without marks, the selected one."""
        if len(self.marks) > 1:
            keys = [key for key in self.own_keys() if key in self.marks]
            self._open(Panel("", tuple((key, key) for key in keys)))
        elif (key := self.selected()) is not None:
            self._open(single([key])[0])

    # -- filter -------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Type a part of the names of the metrics to see."""
        entry = self.query_one("#metric-filter", Input)
        entry.display = True
        entry.value = self.pattern
        self.screen.set_focus(entry, scroll_visible=False)  # at once: keys that follow are for it
        entry.cursor_position = len(self.pattern)

    @on(Input.Changed, "#metric-filter")
    def filter_typed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        if event.value != self.pattern and event.input.display:
            self.pattern = event.value
            self._arrange_filtered()

    @on(Input.Submitted, "#metric-filter")
    def filter_entered(self) -> None:
        """Back to the charts, filtered."""
        self._close_filter()

    @on(NameFilter.Dropped)
    def filter_dropped(self) -> None:
        """Back to the charts, all of them."""
        self.pattern = ""
        self._arrange_filtered()
        self._close_filter()

    def action_grid(self) -> None:
        """Out of the full chart, then out of the filter."""
        if self.full is not None:
            super().action_grid()
        else:
            self.pattern = ""
            self._arrange_filtered()
            self.focus_content()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape shows all charts; while a filter is typed, keys are text."""
        typing = self.query_one("#metric-filter").display
        if action == "grid":
            return not typing and (self.full is not None or bool(self.pattern))
        if action == "filter":
            return not typing
        return super().check_action(action, parameters)

    def _arrange_filtered(self) -> None:
        if self.full is not None:
            self.full = None
        entry = self.query_one("#metric-filter", Input)
        had_focus = entry.has_focus
        self._arrange()
        if self.as_table:
            self._load_missing()
        if had_focus:
            self.screen.set_focus(entry, scroll_visible=False)
        self.refresh_bindings()

    def _close_filter(self) -> None:
        self.query_one("#metric-filter").display = False
        self.focus_content()
        self.refresh_bindings()

    def charts(self) -> list[LineChart]:
        """The charts on the screen."""
        return [chart for chart, _ in self._charts()]
