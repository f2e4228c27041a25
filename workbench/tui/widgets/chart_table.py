"""A chart's numbers as text, for a terminal without braille or a place too small for a picture. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from workbench.tui.widgets.axis import value_label, x_label
from workbench.tui.widgets.chart_legend import (
    ASCII_MARKERS,
    AXIS_NAMES,
    CURSOR,
    LABEL,
    MARKERS,
    SERIES,
    TITLE,
    VALUE,
    Look,
    Part,
    Row,
    clipped,
    nothing,
    printable,
    row,
)
from workbench.tui.widgets.series import Curve

HEADS = ("last", "min", "max")
CELL = 10
LEAST_WIDTH, LEAST_HEIGHT = 20, 6
"""A picture needs this much."""


def table(curves: Sequence[Curve], look: Look, width: int, height: int, *, ascii_only: bool) -> list[Row]:
    """Last, lowest and highest value of each curve, and below, where there is room, values along the x axis."""
    ellipsis = "~" if ascii_only else "…"
    signs = ASCII_MARKERS if ascii_only else MARKERS
    if height <= 0 or width <= 0:
        return []
    if not any(curve.raw.ys for curve in curves):
        rows = [row([(clipped(nothing(curves, look), width, ellipsis), TITLE)], width)]
    elif height == 1:
        rows = [_line(curves, width, ellipsis)]
    else:
        rows = _summary(curves, look, width, height, signs, ellipsis)
        rows += _samples(curves, look, width, height - len(rows) - 1, signs)
    return (rows + [row([], width)] * height)[:height]


def _line(curves: Sequence[Curve], width: int, ellipsis: str) -> Row:
    parts: list[Part] = []
    for curve in curves:
        last = value_label(curve.raw.ys[-1]) if curve.raw.ys else "-"
        name = clipped(printable(curve.name), max(1, width - len(last) - 1), ellipsis)
        parts += [(f"{name} ", LABEL), (f"{last}  ", VALUE)]
    return row(parts, width)


def _summary(curves: Sequence[Curve], look: Look, width: int, height: int, signs: str, ellipsis: str) -> list[Row]:
    told = (
        [HEADS[0], "+-" if signs == ASCII_MARKERS else "±", *HEADS[1:]]
        if any(curve.deviations for curve in curves)
        else list(HEADS)
    )
    columns = max(1, min(len(told), (width - 10) // CELL))
    names = width - columns * CELL
    title = clipped(printable(look.title), names, ellipsis)
    heads = "".join(f"{head:>{CELL}}" for head in told[:columns])
    rows = [row([(title + " " * (names - cell_len(title)), TITLE), (heads, LABEL)], width)]
    shown = curves if len(curves) < height else curves[: height - 2]
    for number, curve in enumerate(shown):
        ys = curve.raw.ys
        values = [value_label(value) for value in (ys[-1], min(ys), max(ys))] if ys else ["-"] * 3
        if len(told) > len(HEADS):
            deviation = curve.deviations.get(curve.raw.xs[-1]) if ys else None
            values.insert(1, "-" if deviation is None else value_label(deviation))
        sign, name = signs[number % SERIES], clipped(printable(curve.name), max(1, names - 3), ellipsis)
        parts: list[Part] = [(f"{sign} ", number % SERIES + 1), (name, TITLE), (" " * (names - 2 - cell_len(name)), 0)]
        rows.append(row([*parts, ("".join(f"{value:>{CELL}}" for value in values[:columns]), LABEL)], width))
    if len(shown) < len(curves):
        rows.append(row([(f"+{len(curves) - len(shown)} more", LABEL)], width))
    return rows


def _samples(curves: Sequence[Curve], look: Look, width: int, height: int, signs: str) -> list[Row]:
    """The nearest values at places that divide the x axis evenly."""
    reaches = [(curve.raw.xs[0], curve.raw.xs[-1]) for curve in curves if curve.raw.xs]
    if height < 3 or not reaches:
        return []
    low, high = look.window or (min(reach[0] for reach in reaches), max(reach[1] for reach in reaches))
    columns = max(1, min(len(curves), (width - CELL - 2) // CELL))
    head = "".join(f"{signs[number % SERIES]:>{CELL}}" for number in range(columns))
    rows = [row([], width), row([(f"{AXIS_NAMES[look.kind]:>{CELL}}", LABEL), (head, LABEL)], width)]
    most = max(len(curve.raw) for curve in curves)
    count = min(height - 1, most)
    for number in range(count):
        x = low + (high - low) * number / max(1, count - 1)
        values = [curve.raw.nearest(x) for curve in curves[:columns]]
        at = next((value[0] for value in values if value), x) if len(curves) == 1 else x
        text = "".join(f"{value_label(value[1]) if value else '-':>{CELL}}" for value in values)
        rows.append(row([(f"{x_label(look.kind, at, high - low):>{CELL}}", CURSOR), (text, VALUE)], width))
    return rows
