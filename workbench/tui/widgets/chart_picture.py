"""The rows of a line chart: title or legend, plot, axes. No screen in here: rows of characters and style numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.tui.widgets import axis
from workbench.tui.widgets.axis import Tick
from workbench.tui.widgets.braille import Canvas, dotted, scale, trace
from workbench.tui.widgets.chart_legend import (
    AXIS,
    AXIS_NAMES,
    CURSOR,
    DIM,
    GRID,
    LABEL,
    MARKERS,
    SERIES,
    Look,
    Row,
    legend,
    message,
    nothing,
)
from workbench.tui.widgets.series import Columns, Curve, Series

UP, DOWN = "▲", "▼"
NARROWEST_GUTTER = 5


@dataclass(slots=True)
class Plot:
    """Where the curves lie in a picture, and what its axes reach over."""

    left: int
    top: int
    width: int
    height: int
    x: tuple[float, float]
    y: tuple[float, float]
    x_ticks: list[Tick] = field(default_factory=list)
    y_ticks: list[Tick] = field(default_factory=list)

    @property
    def dots(self) -> int:
        """Columns of dots."""
        return self.width * 2

    def cell(self, x: float) -> int:
        """The cell of an x, from the left end of the plot."""
        low, high = self.x
        return int((x - low) / ((high - low) or 1.0) * (self.dots - 1) + 0.5) >> 1

    def x_of(self, dot: float) -> float:
        """The x of a column of dots."""
        low, high = self.x
        return low + dot / max(1, self.dots - 1) * (high - low)


class Painter:
    """Paints curves, and when points were added only what they change."""

    def __init__(self) -> None:
        self.plot: Plot | None = None
        self._canvas = Canvas(0, 0)
        self._columns: dict[int, Columns] = {}
        self._asked: tuple[object, ...] = ()
        self._drawn: tuple[object, ...] = ()

    def paint(self, curves: Sequence[Curve], look: Look, width: int, height: int, changed: float | None) -> list[Row]:
        """The rows of a chart; ``changed`` is the x from which on the curves are others than at the last call."""
        x = x_range(curves, look)
        heads = legend(curves, look, x, width, 2 if height >= 16 else 1)
        if x is None:
            self.plot, self._asked = None, ()
            return message(heads, nothing(curves, look), width, height)
        plot = self._measure(curves, look, x, width, height, len(heads), changed)
        if plot is None:
            self.plot, self._asked = None, ()
            return message(heads, nothing(curves, look), width, height)
        self._draw(curves, plot, changed)
        self.plot = plot
        rows = heads + [self._plot_row(row, plot) for row in range(plot.height)]
        overlay = Overlay(rows, plot)
        overlay.infinities(curves)
        if len(curves) > 1 or len(curves[0].drawn[-1]) == 1:  # a single point is one dot of braille, hardly seen
            overlay.ends(curves)
        if look.cursor is not None:
            overlay.cursor(curves, look.cursor)
        return overlay.rows() + _bottom(plot, look, width, height - len(rows))

    def _measure(
        self,
        curves: Sequence[Curve],
        look: Look,
        x: tuple[float, float],
        width: int,
        height: int,
        heads: int,
        changed: float | None,
    ) -> Plot | None:
        """Lay out the plot: the labels at its left depend on the values shown, and those on the room left for them."""
        bare = height - heads - 1
        rows = bare - 1 if bare >= 5 else bare
        gutter = self.plot.left if self.plot is not None else NARROWEST_GUTTER
        for _ in range(3):
            columns = width - gutter - 1
            self._thin_out(curves, x, columns * 2, changed)
            reach = self._reach()
            if reach is None:
                return None
            if look.reach is not None and not look.log:
                reach = min(reach[0], look.reach[0]), max(reach[1], look.reach[1])
            y, ticks = y_axis(*reach, rows, log=look.log)
            needed = max([NARROWEST_GUTTER, *(len(tick.label) + 1 for tick in ticks)])
            needed = min(needed, width // 3)
            if needed == gutter:
                break
            gutter = needed
        x_ticks = axis.x_ticks(look.kind, *x, columns)
        return Plot(gutter, heads, columns, rows, x, y, x_ticks, ticks)

    def _thin_out(self, curves: Sequence[Curve], x: tuple[float, float], dots: int, changed: float | None) -> None:
        """Each curve's columns: of a window that was seen before only those that changed."""
        drawn = [series for curve in curves for series in (*curve.drawn, *curve.edges)]
        known = self._columns if self._asked == (x, dots) else {}
        changed_from = self._first_changed(x, dots, changed)
        self._columns = {}
        for series in drawn:
            before = known.get(series.serial)
            start = changed_from if before is not None else 0
            if before is None or start < dots:
                found = series.columns(*x, dots, start=start)
                if before is not None and start:
                    kept = [column for column in before.columns if column.place < start]
                    found = Columns(kept + found.columns, before.before, found.after)
                before = found
            self._columns[series.serial] = before
        self._asked = x, dots

    @staticmethod
    def _first_changed(x: tuple[float, float], dots: int, changed: float | None) -> int:
        """The first column of dots that points from ``changed`` on alter."""
        if changed is None:
            return dots
        place = (changed - x[0]) / ((x[1] - x[0]) or 1.0) * (dots - 1)
        return max(0, min(dots, int(place) - 1))

    def _reach(self) -> tuple[float, float] | None:
        columns = [found.columns for found in self._columns.values() if found.columns]
        if not columns:
            return None
        low = min(min(column.low for column in each) for each in columns)
        return low, max(max(column.high for column in each) for each in columns)

    def _draw(self, curves: Sequence[Curve], plot: Plot, changed: float | None) -> None:
        """Draw the curves' dots, from the first column on that is another."""
        key = (plot.width, plot.height, plot.x, plot.y, tuple(self._columns))
        cell = 0
        if key == self._drawn:
            cell = max(0, (self._first_changed(plot.x, plot.dots, changed) - 1) // 2)
            if changed is None or cell >= plot.width:
                return
            self._canvas.clear(cell)
        else:
            self._canvas = Canvas(plot.width, plot.height)
        dot = scale(*plot.y, plot.height * 4)
        order = [(number, curve) for number, curve in enumerate(curves)]
        for number, curve in order:
            for edge in curve.edges:
                dotted(self._canvas, self._columns[edge.serial], dot, number % SERIES + DIM, cell)
        for depth in (0, 1):  # raw values lie below all smoothed ones
            for number, curve in order:
                if depth < len(curve.drawn):
                    below = depth + 1 < len(curve.drawn)
                    owner = number % SERIES + (DIM if below else 1)
                    trace(self._canvas, self._columns[curve.drawn[depth].serial], dot, owner, cell)
        self._drawn = key

    def _plot_row(self, row: int, plot: Plot) -> Row:
        """A row of the plot with what stands to its left, and a grid line where a tick is."""
        tick = next((tick for tick in plot.y_ticks if _row_of(tick.value, plot) == row), None)
        text, styles = self._canvas.text(row), bytes(self._canvas.owners[row])
        if tick is not None:
            text, styles = text.replace(" ", "┈"), styles.replace(b"\0", bytes([GRID]))
        label = tick.label[: plot.left - 1] if tick else ""
        margin = f"{label:>{plot.left}}{'┤' if tick else '│'}"
        return Row(margin + text, bytes([LABEL]) * plot.left + bytes([AXIS]) + styles)


class Overlay:
    """Signs that lie over the plot's dots."""

    def __init__(self, rows: list[Row], plot: Plot) -> None:
        self._rows, self._plot = rows, plot
        self._signs: dict[tuple[int, int], tuple[str, int]] = {}

    def put(self, row: int, cell: int, sign: str, style: int) -> None:
        """Set a sign at a cell of the plot."""
        if 0 <= row < self._plot.height and 0 <= cell < self._plot.width:
            self._signs[row + self._plot.top, cell + self._plot.left + 1] = (sign, style)

    def infinities(self, curves: Sequence[Curve]) -> None:
        """A mark at the upper or lower edge for each value that is infinite."""
        for number, curve in enumerate(curves):
            for x, y in curve.raw.infinities:
                if self._plot.x[0] <= x <= self._plot.x[1]:
                    row = 0 if y > 0 else self._plot.height - 1
                    self.put(row, self._plot.cell(x), UP if y > 0 else DOWN, number % SERIES + 1)

    def ends(self, curves: Sequence[Curve]) -> None:
        """Each curve's marker at its last point, so that the legend is understood without colours too."""
        for number, curve in enumerate(curves):
            top = curve.drawn[-1]
            if top.xs and self._plot.x[0] <= top.xs[-1] <= self._plot.x[1]:
                self._mark(top, top.xs[-1], top.ys[-1], MARKERS[number % SERIES], number)

    def cursor(self, curves: Sequence[Curve], x: float) -> None:
        """An upright line through an x, and a mark where each curve is nearest to it."""
        cell = self._plot.cell(x)
        for row in range(self._plot.height):
            text = self._rows[row + self._plot.top].text
            if text[cell + self._plot.left + 1 : cell + self._plot.left + 2] in (" ", "┈"):
                self.put(row, cell, "│", CURSOR)
        for number, curve in enumerate(curves):
            point = curve.drawn[-1].nearest(x)
            if point is not None and self._plot.cell(point[0]) == cell:
                self._mark(curve.drawn[-1], *point, MARKERS[number % SERIES] if len(curves) > 1 else "◆", number)

    def _mark(self, series: Series, x: float, y: float, sign: str, number: int) -> None:
        if self._plot.y[0] <= y <= self._plot.y[1]:
            self.put(_row_of(y, self._plot), self._plot.cell(x), sign, number % SERIES + 1)

    def rows(self) -> list[Row]:
        """The rows with the signs in them."""
        by_row: dict[int, list[tuple[int, str, int]]] = {}
        for (row, at), (sign, style) in self._signs.items():
            by_row.setdefault(row, []).append((at, sign, style))
        rows = list(self._rows)
        for row, signs in by_row.items():
            letters, styles = list(rows[row].text), bytearray(rows[row].styles)
            for at, sign, style in signs:
                letters[at], styles[at] = sign, style
            rows[row] = Row("".join(letters), bytes(styles))
        return rows


def x_range(curves: Sequence[Curve], look: Look) -> tuple[float, float] | None:
    """What the x axis reaches over."""
    if look.window is not None:
        return look.window
    reaches = [curve.raw.extent for curve in curves if curve.raw.extent is not None]
    if not reaches:
        return None
    low, high = min(reach[0] for reach in reaches), max(reach[1] for reach in reaches)
    if axis.is_single(low, high):
        room = max(0.5, abs(low) * 1e-6)
        return low - room, high + room
    return (low, axis.grown(low, high)) if look.live else (low, high)


def y_axis(low: float, high: float, rows: int, *, log: bool) -> tuple[tuple[float, float], list[Tick]]:
    """The y axis around values (their logarithms, where it is logarithmic), and its ticks."""
    count = max(2, rows // 3)
    if not log:
        reach = axis.padded(low, high, count)
        return reach, axis.number_ticks(*reach, count)
    bottom, top = math.floor(low * 8 + 1e-9) / 8, math.ceil(high * 8 - 1e-9) / 8
    if bottom == top:
        bottom, top = bottom - 0.125, top + 0.125
    ticks = axis.log_ticks(10 ** max(bottom, -323.0), 10 ** min(top, 308.25), count)
    return (bottom, top), [Tick(math.log10(tick.value), tick.label) for tick in ticks if tick.value > 0]


def _bottom(plot: Plot, look: Look, width: int, height: int) -> list[Row]:
    """The x axis: its line where there is room for one, and its labels."""
    margin = plot.left + 1
    places = [(margin + plot.cell(tick.value), tick.label) for tick in plot.x_ticks]
    rows: list[Row] = []
    if height > 1:
        letters = list(" " * plot.left + "└" + "─" * plot.width)
        for place, _ in places:
            letters[place] = "┬"
        rows.append(Row("".join(letters), bytes([AXIS]) * width))
    name = AXIS_NAMES[look.kind]
    letters = list(name.ljust(width))
    free = min(margin - 1, len(name) + 1)
    for place, label in places:
        start = max(free, min(width - len(label), place - len(label) // 2))
        if start + len(label) <= width:
            letters[start : start + len(label)] = label
            free = start + len(label) + 1
    return [*rows, Row("".join(letters), bytes([LABEL]) * width)]


def _row_of(value: float, plot: Plot) -> int:
    """The row of characters of a value, from the top of the plot."""
    low, high = plot.y
    dots = plot.height * 4 - 1
    return max(0, min(dots, int((high - value) * dots / (high - low) + 0.5))) >> 2
