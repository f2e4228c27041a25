"""Curves drawn in braille dots, two columns and four rows a character. Pure: rows of bytes in, text out."""

from __future__ import annotations

import math
from collections.abc import Callable

from workbench.tui.widgets.series import Column, Columns

DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of each dot of a character, by column and row (Unicode 15, Braille Patterns, U+2800)."""

UPPER = tuple(tuple(sum(column[: row + 1]) for row in range(4)) for column in DOTS)
"""The dots down to a row."""
LOWER = tuple(tuple(sum(column[row:]) for row in range(4)) for column in DOTS)
"""The dots from a row on."""
FULL = tuple(sum(column) for column in DOTS)

TEXT = {bits: 0x2800 + bits if bits else ord(" ") for bits in range(256)}
"""From a row's bytes, read as Latin-1, to its text."""


class Canvas:
    """Cells of eight dots, each with the number of the curve that it belongs to; the one drawn last has it."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.bits = [bytearray(width) for _ in range(height)]
        self.owners = [bytearray(width) for _ in range(height)]

    def clear(self, cell: int = 0) -> None:
        """Wipe the cells from a column on."""
        blank = bytes(self.width - cell)
        for row in range(self.height):
            self.bits[row][cell:] = blank
            self.owners[row][cell:] = blank

    def text(self, row: int) -> str:
        """A row as it is shown."""
        return self.bits[row].decode("latin-1").translate(TEXT)

    def span(self, column: int, top: int, bottom: int, owner: int) -> None:
        """Set the dots of a column from a row to another, which may be the same."""
        cell, side = column >> 1, column & 1
        first, last = top >> 2, bottom >> 2
        if first == last:
            self.bits[first][cell] |= UPPER[side][bottom & 3] & LOWER[side][top & 3]
            self.owners[first][cell] = owner
            return
        self.bits[first][cell] |= LOWER[side][top & 3]
        self.bits[last][cell] |= UPPER[side][bottom & 3]
        self.owners[first][cell] = self.owners[last][cell] = owner
        full = FULL[side]
        for row in range(first + 1, last):
            self.bits[row][cell] |= full
            self.owners[row][cell] = owner


def scale(low: float, high: float, rows: int) -> Callable[[float], int]:
    """From a value to its row of dots; what lies outside is drawn at the edge."""
    factor, last = (rows - 1) / (high - low), rows - 1

    def dot(value: float) -> int:
        row = int((high - value) * factor + 0.5)
        return 0 if row < 0 else last if row > last else row

    return dot


def trace(canvas: Canvas, curve: Columns, dot: Callable[[float], int], owner: int, cell: int = 0) -> None:
    """Draw a curve into the cells from a column on: each column's reach, and lines between those that are joined."""
    start = 2 * cell
    earlier: Column | None = None
    place, end, top, bottom = -1, 0, 0, -1  # the column that waits to be drawn
    for column in curve.columns:
        if column.place < start:
            earlier = column
            continue
        if earlier is not None and bottom < 0:
            place, end = earlier.place, dot(earlier.last)
        begin = dot(column.first)
        next_top, next_bottom = dot(column.high), dot(column.low)
        if column.joined and place >= 0:
            if column.place > place + 1:
                line(canvas, (place, end), (column.place, begin), owner, start)
            elif abs(begin - end) > 1:
                middle = (begin + end) >> 1
                if bottom >= 0:
                    top, bottom = min(top, middle), max(bottom, middle)
                beyond = middle + 1 if begin > end else middle
                next_top, next_bottom = min(next_top, beyond), max(next_bottom, beyond)
        elif column.joined and curve.before is not None:
            line(canvas, (curve.before.place, dot(curve.before.value)), (column.place, begin), owner, start)
        if bottom >= 0:
            canvas.span(place, top, bottom, owner)
        place, end, top, bottom = column.place, dot(column.last), next_top, next_bottom
    if bottom >= 0:
        canvas.span(place, top, bottom, owner)
    _leave(canvas, curve, dot, owner, start)


def dotted(canvas: Canvas, curve: Columns, dot: Callable[[float], int], owner: int, cell: int = 0) -> None:
    """As ``trace``, with every other column of dots left out: told from a whole line without colour too."""
    whole = Canvas(canvas.width, canvas.height)
    trace(whole, curve, dot, owner, cell)
    for row, drawn in enumerate(whole.bits):
        if any(drawn):
            for at in range(cell, canvas.width):
                if bits := drawn[at] & FULL[0]:
                    canvas.bits[row][at] |= bits
                    canvas.owners[row][at] = owner


def _leave(canvas: Canvas, curve: Columns, dot: Callable[[float], int], owner: int, start: int) -> None:
    """The line that leads out of the picture, or through it where no point lies in it."""
    if curve.after is None:
        return
    out = (curve.after.place, dot(curve.after.value))
    if curve.columns:
        last = curve.columns[-1]
        line(canvas, (last.place, dot(last.last)), out, owner, start)
    elif curve.before is not None:
        line(canvas, (curve.before.place, dot(curve.before.value)), out, owner, start)


def line(canvas: Canvas, begin: tuple[float, int], end: tuple[float, int], owner: int, start: int = 0) -> None:
    """A straight line between two dots; what lies outside of the canvas is not drawn."""
    (left, above), (right, below) = begin, end
    if right <= left:
        return
    slope = (below - above) / (right - left)
    top, bottom = min(above, below), max(above, below)
    for column in range(max(start, math.ceil(left)), min(2 * canvas.width, math.floor(right) + 1)):
        middle = above + (column - left) * slope
        if abs(slope) > 1:
            reach = abs(slope) / 2
            low = max(top, min(bottom, round(middle - reach)))
            canvas.span(column, low, max(low, min(bottom, round(middle + reach) - 1)), owner)
        else:
            row = round(middle)
            canvas.span(column, row, row, owner)
