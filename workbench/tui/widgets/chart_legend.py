"""The line above a chart: its title or legend, with last values or those at the cursor. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from workbench.tui.widgets.axis import Kind, value_label, x_label
from workbench.tui.widgets.series import Curve

SERIES = 8
DIM, GRID, AXIS, LABEL, TITLE, CURSOR, NOTE, VALUE = 9, 17, 18, 19, 20, 21, 22, 23
"""Style numbers: 0 for nothing, 1 to 8 the curves, 9 to 16 their raw values under smoothed ones."""

MARKERS = "●▲■◆○△□◇"
ASCII_MARKERS = "ox*+#@%&"
SHORTEST_NAME = 5
AXIS_NAMES: dict[Kind, str] = {"number": "step", "duration": "time", "clock": "at"}


class Row(NamedTuple):
    """A row of the picture: its text, and the style number of each character."""

    text: str
    styles: bytes


@dataclass(slots=True)
class Look:
    """How a chart is looked at."""

    title: str = ""
    kind: Kind = "number"
    log: bool = False
    live: bool = False
    """More points are coming: the x axis ends a little later than they do, and so moves seldom."""
    window: tuple[float, float] | None = None
    """The part of the x axis that is shown; all of it where it is None."""
    cursor: float | None = None
    reach: tuple[float, float] | None = None
    """What a linear y axis has to show at least."""
    marked: bool = False
    """Chosen by the user, to be shown in one chart with others."""
    without: str = "no points yet"
    """What is said where no point is."""


Part = tuple[str, int]
"""A text and its style number."""


def row(parts: Iterable[Part], width: int) -> Row:
    """A row of parts, cut or filled to a width in cells."""
    text, styles, room = "", bytearray(), width
    for part, style in parts:
        cells = cell_len(part)
        if cells > room:
            part = clipped(part, room) if part.strip() else part[:room]
            cells = cell_len(part)
        text, room = text + part, room - cells
        styles += bytes([style]) * len(part)
    return Row(text + " " * room, bytes(styles) + bytes(room))


def clipped(text: str, width: int, ellipsis: str = "…") -> str:
    """A text in at most so many cells."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip(" ") + ellipsis if width > 1 else ellipsis[:width]


def printable(name: str) -> str:
    """A name without characters that would move the cursor or turn the writing around."""
    return name if name.isprintable() else "".join(sign if sign.isprintable() else "·" for sign in name)


def legend(curves: Sequence[Curve], look: Look, x: tuple[float, float] | None, width: int, rows: int) -> list[Row]:
    """One row for a single curve; for several as many as needed, up to ``rows``."""
    if len(curves) <= 1:
        return [_title(curves, look, x, width)]
    if not look.title:
        return _entries(curves, look, width, rows, _place(look, x))
    if rows == 1:
        return _entries(curves, look, width, rows, [(f"{printable(look.title)}  ", TITLE), *_place(look, x)])
    return [_title(curves, look, x, width), *_entries(curves, look, width, rows - 1)]


def _title(curves: Sequence[Curve], look: Look, x: tuple[float, float] | None, width: int) -> Row:
    name = printable(look.title or (curves[0].name if curves else ""))
    mark: list[Part] = [("■ ", CURSOR)] if look.marked else []
    right: list[Part] = _place(look, x)
    if len(curves) == 1:
        right += [*_notes(curves[0]), (_value(curves[0], look.cursor), 1)]
    taken = sum(cell_len(text) for text, _ in right)
    room = max(SHORTEST_NAME, width - taken - 1 - 2 * len(mark))
    shown = clipped(name, room)
    gap = width - cell_len(shown) - taken - 2 * len(mark)
    return row([*mark, (shown, TITLE), (" " * max(1, gap), 0), *right], width)


def _entries(curves: Sequence[Curve], look: Look, width: int, rows: int, head: Sequence[Part] = ()) -> list[Row]:
    """Marker, name and value of each curve, the names as long as the room allows; those left out are counted."""
    values = [_value(curve, look.cursor) for curve in curves]
    names = [printable(curve.name) for curve in curves]
    for longest in (40, 30, 24, 20, 16, 12, 9, 7, SHORTEST_NAME):
        lines = _packed([clipped(name, longest) for name in names], values, curves, width, rows, head)
        if sum(len(line) for line in lines) >= 5 * len(curves) + len(head):
            break
    return [row(line, width) for line in lines]


def _packed(
    names: Sequence[str],
    values: Sequence[str],
    curves: Sequence[Curve],
    width: int,
    rows: int,
    head: Sequence[Part],
) -> list[list[Part]]:
    lines: list[list[Part]] = [list(head)]
    room = width - sum(cell_len(text) for text, _ in head)
    for number, (name, value, curve) in enumerate(zip(names, values, curves, strict=True)):
        notes = "".join(text for text, _ in _notes(curve))
        entry: list[Part] = [
            (f"{MARKERS[number % SERIES]} ", number % SERIES + 1),
            (f"{name} ", LABEL),
            (notes, NOTE),
            (value, VALUE),
            ("   ", 0),
        ]
        cells = sum(cell_len(text) for text, _ in entry)
        last = number == len(names) - 1
        if cells - 3 > room - (0 if last else 5) and len(lines) < rows:
            lines.append([])
            room = width
        if cells - 3 > room - (0 if last or len(lines) < rows else 5):
            lines[-1].append((f"+{len(names) - number}", NOTE))
            return lines
        lines[-1] += entry
        room -= cells
    return lines


def _place(look: Look, x: tuple[float, float] | None) -> list[Part]:
    """Where the cursor stands."""
    if look.cursor is None or x is None:
        return []
    return [(f"{AXIS_NAMES[look.kind]} {x_label(look.kind, look.cursor, x[1] - x[0])}  ", CURSOR)]


def _value(curve: Curve, cursor: float | None) -> str:
    """The last value, or that nearest to the cursor; of a mean the deviation too, and the smoothed value."""
    raw = curve.raw
    point = raw.nearest(raw.xs[-1] if cursor is None and raw.xs else cursor or 0.0)
    if point is None:
        return ""
    deviation = curve.deviations.get(point[0])
    told = value_label(point[1]) + (f" ± {value_label(deviation)}" if deviation is not None else "")
    smooth = curve.smooth_at(cursor) if cursor is not None else None
    return told + (f" ~{value_label(smooth)}" if smooth is not None else "")


def _notes(curve: Curve) -> list[Part]:
    """What a curve has beside its numbers."""
    found = [
        (curve.raw.not_numbers, "NaN"),
        (len(curve.raw.infinities), "inf"),
        (curve.hidden, "not above 0"),
    ]
    return [(f"{count} {what}  ", NOTE) for count, what in found if count]


def nothing(curves: Sequence[Curve], look: Look) -> str:
    """Why there is no curve to see."""
    raw = [curve.raw for curve in curves]
    if look.window is not None and any(len(each) for each in raw):
        return "no points here: 0 shows all"
    if any(curve.hidden for curve in curves):
        return "no value above 0 for a log scale"
    if any(each.not_numbers or each.infinities for each in raw):
        return "no value is a finite number"
    return look.without


def message(heads: list[Row], text: str, width: int, height: int) -> list[Row]:
    """A picture with a line of text in place of a plot."""
    rows = heads[:height]
    rest = height - len(rows)
    for number in range(rest):
        shown = clipped(text, width) if number == rest // 2 else ""
        rows.append(row([(" " * ((width - cell_len(shown)) // 2), 0), (shown, NOTE)], width))
    return rows
