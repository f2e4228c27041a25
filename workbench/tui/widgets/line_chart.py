"""A line chart in braille dots: several curves, zoom, a cursor, and only the cells painted anew that changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.glyphs import draws_unicode
from workbench.tui.widgets.axis import Kind
from workbench.tui.widgets.chart_legend import AXIS, CURSOR, DIM, GRID, LABEL, NOTE, SERIES, TITLE, VALUE, Look, Row
from workbench.tui.widgets.chart_picture import Painter, x_range
from workbench.tui.widgets.chart_table import LEAST_HEIGHT, LEAST_WIDTH, table
from workbench.tui.widgets.series import XY, Curve

RUNS = re.compile(rb"(.)\1*", re.DOTALL)
COMPONENTS = {
    **{number: f"line-chart--series-{number}" for number in range(1, SERIES + 1)},
    **{number + DIM - 1: f"line-chart--raw-{number}" for number in range(1, SERIES + 1)},
    GRID: "line-chart--grid",
    AXIS: "line-chart--axis",
    LABEL: "line-chart--label",
    TITLE: "line-chart--title",
    CURSOR: "line-chart--cursor",
    NOTE: "line-chart--note",
    VALUE: "line-chart--value",
}
"""The component class of each style number."""

CLOSEST = 1e-9
"""The least part of the whole x axis that zooming in ends at."""


class LineChart(Widget, can_focus=True):
    """Curves over an x axis of numbers, durations or clock times.

    ``set_curves`` gives it other curves, ``append`` adds points to one of them: then only what they change is thinned
    out, drawn and painted. ``keys`` says whether it takes keys at all.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS.values())

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(0.5)", "zoom in", id="chart.zoom_in"),
        Binding("minus", "zoom(2)", "zoom out", id="chart.zoom_out", show=False),
        Binding("0", "whole", "whole axis", id="chart.whole", show=False),
        Binding("right", "cursor(1)", "values", id="chart.cursor_right"),
        Binding("left", "cursor(-1)", "cursor left", id="chart.cursor_left", show=False),
        Binding("shift+right", "cursor(10)", "cursor far right", id="chart.cursor_far_right", show=False),
        Binding("shift+left", "cursor(-10)", "cursor far left", id="chart.cursor_far_left", show=False),
        Binding("greater_than_sign", "pan(0.25)", "pan right", id="chart.pan_right", show=False),
        Binding("less_than_sign", "pan(-0.25)", "pan left", id="chart.pan_left", show=False),
        Binding("home", "cursor_to(0)", "cursor to the start", id="chart.cursor_start", show=False),
        Binding("end", "cursor_to(1)", "cursor to the end", id="chart.cursor_end", show=False),
    ]

    def __init__(self, title: str = "", *, kind: Kind = "number", keys: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.curves: list[Curve] = []
        self.look = Look(title=title, kind=kind)
        self.keys = keys
        self.weight = 0.0
        self._painter = Painter()
        self._rows: list[Row] = []
        self._strips: dict[int, Strip] = {}
        self._styles: list[Style] = []

    # -- what is drawn ------------------------------------------------------------------------------------------

    def set_curves(
        self,
        curves: Sequence[tuple[str, Iterable[XY]]],
        *,
        title: str | None = None,
        reach: tuple[float, float] | None = None,
        spreads: Mapping[str, Iterable[XY]] | None = None,
    ) -> None:
        """Draw other curves, each a name and its points; ``reach`` is what the y axis has to show at least.

        ``spreads`` are the deviations of those that are means, by name: dotted lines above and below them.
        """
        log, weight, spreads = self.look.log, self.weight, spreads or {}
        self.curves = [
            Curve(name, points, log=log, weight=weight, spread=spreads.get(name, ())) for name, points in curves
        ]
        self.look.reach = reach
        if title is not None:
            self.look.title = title
        self._repaint(None)

    def append(self, name: str, points: Iterable[XY]) -> None:
        """Add points to a curve; one of that name begins where there is none."""
        changed: float | None
        for curve in self.curves:
            if curve.name == name:
                changed = curve.append(points)
                break
        else:
            self.curves.append(Curve(name, points, log=self.look.log, weight=self.weight))
            changed = float("-inf")
        if changed is not None:
            self._repaint(changed)

    def replace(self, name: str, points: Iterable[XY]) -> None:
        """Have other points in place of a curve's; one of that name begins where there is none."""
        for curve in self.curves:
            if curve.name == name:
                curve.replace(points)
                self._repaint(None)
                return
        self.append(name, points)

    def show(
        self,
        *,
        log: bool | None = None,
        weight: float | None = None,
        kind: Kind | None = None,
        live: bool | None = None,
        marked: bool | None = None,
        without: str | None = None,
        paint: bool = True,
    ) -> None:
        """Draw in another way; what is not given stays. Another kind of x axis drops zoom and cursor.

        Without ``paint`` it shows only with the curves that are set next.
        """
        before = (replace(self.look), self.weight)
        if kind is not None and kind != self.look.kind:
            self.look.kind, self.look.window, self.look.cursor = kind, None, None
        self.look.live = self.look.live if live is None else live
        self.look.marked = self.look.marked if marked is None else marked
        self.look.without = self.look.without if without is None else without
        self.look.log = self.look.log if log is None else log
        self.weight = self.weight if weight is None else weight
        if not paint:
            return
        if (self.look.log, self.weight) != (before[0].log, before[1]):
            for curve in self.curves:
                curve.set(log=self.look.log, weight=self.weight)
        if (self.look, self.weight) != before:
            self._repaint(None)

    def readout(self) -> dict[str, XY]:
        """The point of each curve that is nearest to the cursor; the last ones without a cursor."""
        if self.look.cursor is None:
            return {curve.name: (curve.raw.xs[-1], curve.raw.ys[-1]) for curve in self.curves if curve.raw.xs}
        found = {curve.name: curve.raw.nearest(self.look.cursor) for curve in self.curves}
        return {name: point for name, point in found.items() if point is not None}

    # -- painting -----------------------------------------------------------------------------------------------

    def _repaint(self, changed: float | None) -> None:
        """Make the picture anew and mark the cells that are others; ``changed`` as for ``Painter.paint``."""
        width, height = self.size
        if not width or not height or not self.is_attached:
            return
        before, self._rows = self._rows, self._picture(width, height, changed)
        if len(before) != height or not self._rows or len(before[0].text) != len(self._rows[0].text):
            self._strips.clear()
            self.refresh()
            return
        regions = [
            Region(start, y, end - start, 1)
            for y, (old, new) in enumerate(zip(before, self._rows, strict=True))
            if old != new
            for start, end in (_changed_span(old, new, width),)
        ]
        for region in regions:
            self._strips.pop(region.y, None)
        if regions:
            self.refresh(*regions)

    def _picture(self, width: int, height: int, changed: float | None) -> list[Row]:
        ascii_only = not draws_unicode()
        if ascii_only or width < LEAST_WIDTH or height < LEAST_HEIGHT:
            return table(self.curves, self.look, width, height, ascii_only=ascii_only)
        return self._painter.paint(self.curves, self.look, width, height, changed)

    def on_mount(self) -> None:
        self._repaint(None)

    def on_resize(self) -> None:
        self._rows = []
        self._repaint(None)

    def notify_style_update(self) -> None:
        """Other colours: every row is made anew."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        strip = self._strips.get(y)
        if strip is None:
            if not self._rows:
                self._rows = self._picture(*self.size, None)
            if y >= len(self._rows):
                return Strip.blank(self.size.width, self.rich_style)
            strip = self._strips[y] = self._strip(self._rows[y])
        return strip

    def _strip(self, row: Row) -> Strip:
        if not self._styles:
            known = {number: self.get_component_rich_style(name) for number, name in COMPONENTS.items()}
            self._styles = [known.get(number, self.rich_style) for number in range(VALUE + 1)]
        segments: list[Segment] = []
        start, style = 0, 0
        for run in RUNS.finditer(row.styles):
            code = row.styles[run.start()]
            if code and code != style:
                if run.start() > start:
                    segments.append(Segment(row.text[start : run.start()], self._styles[style]))
                start, style = run.start(), code
            elif not code and style == TITLE:  # it may be underlined
                segments.append(Segment(row.text[start : run.start()], self._styles[style]))
                start, style = run.start(), 0
        segments.append(Segment(row.text[start:], self._styles[style]))
        return Strip(segments, self.size.width)

    # -- keys ---------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where the chart is one of many, its keys are somebody else's."""
        return self.keys or action not in ("zoom", "whole", "cursor", "cursor_to", "pan")

    def action_zoom(self, factor: float) -> None:
        """Show a smaller or larger part of the x axis, around the cursor where there is one."""
        whole, shown = self._whole(), x_range(self.curves, self.look)
        if whole is None or shown is None:
            return
        low, high = shown
        size = (high - low) * factor
        if size >= whole[1] - whole[0]:
            self._look(None)
        elif size > (whole[1] - whole[0]) * CLOSEST:
            middle = (low + high) / 2 if self.look.cursor is None else self.look.cursor
            part = (middle - low) / (high - low)
            start = max(whole[0], min(whole[1] - size, middle - part * size))
            self._look((start, start + size))

    def action_pan(self, share: float) -> None:
        """Move the shown part of the x axis by a share of it."""
        whole = self._whole()
        if whole is not None and self.look.window is not None:
            low, high = self.look.window
            move = (high - low) * share
            move = max(whole[0] - low, min(whole[1] - high, move))
            self._look((low + move, high + move))

    def action_whole(self) -> None:
        """Show the whole x axis, and no cursor."""
        self.look.cursor = None
        self._look(None)

    def action_cursor(self, dots: int) -> None:
        """Move the cursor, to the next point where they are far apart; at the edge the picture moves with it."""
        plot = self._painter.plot
        if plot is None:
            return
        if self.look.cursor is None:
            self.action_cursor_to(1 if dots < 0 else 0)
            return
        wanted = self.look.cursor + dots * (plot.x_of(1) - plot.x_of(0))
        self._set_cursor(self._point_towards(self.look.cursor, wanted))

    def action_cursor_to(self, end: int) -> None:
        """The cursor to the first or last point that is shown."""
        plot = self._painter.plot
        if plot is not None:
            points = [point for curve in self.curves if (point := curve.raw.nearest(plot.x[end])) is not None]
            if points:
                self._set_cursor(min((x for x, _ in points), key=lambda x: abs(x - plot.x[end])))

    def _point_towards(self, start: float, wanted: float) -> float:
        """The x of the point nearest to ``wanted``, but in that direction."""
        best = None
        for curve in self.curves:
            x = curve.raw.beyond(start, wanted)
            if x is not None and (best is None or abs(x - wanted) < abs(best - wanted)):
                best = x
        return start if best is None else best

    def _set_cursor(self, x: float) -> None:
        self.look.cursor = x
        window = self.look.window
        if window is not None and not window[0] <= x <= window[1]:
            size = window[1] - window[0]
            start = x if x < window[0] else x - size
            self.look.window = (start, start + size)
        self._repaint(None)

    def _whole(self) -> tuple[float, float] | None:
        return x_range(self.curves, replace(self.look, window=None))

    def _look(self, window: tuple[float, float] | None) -> None:
        if window is None or window != self.look.window:
            self.look.window = window
            if window and self.look.cursor is not None and not window[0] <= self.look.cursor <= window[1]:
                self.look.cursor = None
            self._repaint(None)


def _changed_span(old: Row, new: Row, width: int) -> tuple[int, int]:
    """From the first to the last cell in which two rows differ; all where a character is wider than a cell."""
    if not (len(old.text) == len(new.text) == width):
        return 0, width
    differs = [
        at
        for at, (a, b, c, d) in enumerate(zip(old.text, new.text, old.styles, new.styles, strict=True))
        if a != b or c != d
    ]
    return differs[0], differs[-1] + 1
