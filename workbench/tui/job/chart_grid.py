"""Charts side by side: as many as fit, the others a few keys away. However many metrics there are, few charts exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message
from textual.widget import Widget

from workbench.tui.widgets.line_chart import LineChart

LEAST_WIDTH, LEAST_HEIGHT = 38, 8
MOST_COLUMNS = 4


class Panel(NamedTuple):
    """What one chart shows: a title, and the metrics in it by the name that each has in the legend."""

    title: str
    curves: tuple[tuple[str, str], ...]
    """Name in the legend, key of the metric."""
    reach: tuple[float, float] | None = None
    """What the y axis has to show at least."""

    @property
    def keys(self) -> list[str]:
        """The metrics in it."""
        return [key for _, key in self.curves]


class Shape(NamedTuple):
    """Columns and rows of charts on the screen."""

    columns: int
    rows: int

    @property
    def charts(self) -> int:
        """How many there are."""
        return self.columns * self.rows


def shape(width: int, height: int, count: int) -> Shape:
    """The grid for so many charts in a place of so many cells: one to four columns, as few rows as needed."""
    columns = max(1, min(MOST_COLUMNS, width // LEAST_WIDTH, count))
    rows = max(1, min(height // LEAST_HEIGHT, -(-count // columns)))
    # A few charts that all fit are better larger than side by side with an empty place.
    while columns > 1 and -(-count // (columns - 1)) <= rows:
        columns -= 1
    return Shape(columns, rows)


class ChartGrid(Widget):
    """A grid of charts with a selected one. ``Shown`` says which panels came to be seen, to be given their curves."""

    class Shown(Message):
        """Other panels are on the screen than before."""

    def __init__(self) -> None:
        super().__init__()
        self.panels: list[Panel] = []
        self.selected = 0
        self.top = 0
        """The first row that is shown."""
        self.charts: list[LineChart] = []
        self._shape = Shape(1, 0)
        self._panel_of: dict[LineChart, Panel] = {}

    def set_panels(self, panels: Sequence[Panel]) -> None:
        """Have other panels; the selected one stays selected where it is among them."""
        before = self.panels[self.selected] if self.panels else None
        self.panels = list(panels)
        self.selected = self.panels.index(before) if before in self.panels else 0
        self._arrange()

    def shown(self) -> list[tuple[LineChart, Panel]]:
        """The charts on the screen with their panels."""
        return [(chart, self._panel_of[chart]) for chart in self.charts if chart in self._panel_of and chart.display]

    @property
    def panel(self) -> Panel | None:
        """The selected panel."""
        return self.panels[self.selected] if self.panels else None

    def move(self, columns: int = 0, rows: int = 0) -> None:
        """Select another chart."""
        wanted = self.selected + columns + rows * self._shape.columns
        if 0 <= wanted < len(self.panels) or not rows:
            self.select(wanted)
        elif rows > 0 and self.selected // self._shape.columns < (len(self.panels) - 1) // self._shape.columns:
            self.select(len(self.panels) - 1)

    def select(self, number: int) -> None:
        """Select a chart by its number, and bring it to the screen."""
        if not self.panels:
            return
        self.selected = max(0, min(len(self.panels) - 1, number))
        self._arrange()
        self.focus_selected()

    def page(self) -> int:
        """How many charts the screen has."""
        return max(1, self._shape.charts)

    def focus_selected(self) -> bool:
        """Give the selected chart the keys; False where there is none yet."""
        at = self.selected - self.top * self._shape.columns
        if not 0 <= at < len(self.charts):
            return False
        self.screen.set_focus(self.charts[at], scroll_visible=False)
        return True

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click selects too."""
        if isinstance(event.widget, LineChart) and event.widget in self._panel_of:
            self.selected = self.panels.index(self._panel_of[event.widget])

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Have the right number of charts, and each its panel."""
        width, height = self.size
        if not width or not height:
            return
        self._shape = shape(width, height, len(self.panels))
        columns, rows = self._shape
        row = self.selected // columns
        last = max(0, -(-len(self.panels) // columns) - rows)
        self.top = min(last, max(row - rows + 1, min(self.top, row)))
        self._grow(self._shape.charts)
        self.styles.grid_size_columns, self.styles.grid_size_rows = columns, rows
        first = self.top * columns
        panels = self.panels[first : first + self._shape.charts]
        changed = False
        for number, chart in enumerate(self.charts):
            panel = panels[number] if number < len(panels) else None
            chart.display = number < self._shape.charts and panel is not None
            if panel is None:
                self._panel_of.pop(chart, None)
            elif self._panel_of.get(chart) != panel:
                self._panel_of[chart] = panel
                chart.set_curves([(name, ()) for name, _ in panel.curves], title=panel.title, reach=panel.reach)
                changed = True
        if changed:
            self.post_message(self.Shown())

    def _grow(self, count: int) -> None:
        more = [LineChart(keys=False) for _ in range(count - len(self.charts))]
        if more:
            self.charts += more
            self.mount_all(more)


def single(keys: Iterable[str]) -> list[Panel]:
    """A chart for each metric."""
    return [Panel("", ((key, key),)) for key in keys]
