"""Writes cells with the shortest cursor moves and changes of pen (ECMA-48)."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.tui.driver.clusters import is_ambiguous, is_certain
from workbench.tui.driver.pen import PLAIN, Pen, change, change_for_blank, on_blanks

Row = tuple[list[str], list[Pen]]
LONGEST_REWRITE = 6
"""Unchanged cells that are written again rather than jumped over, where the pen stays the same."""
SHORTEST_ERASURE = 12
"""Blanks inside a row that are erased rather than written: two sequences are as long as eleven."""
ERASE_LINE = "\x1b[K"
UNKNOWN = "\0"
"""Stands for what a terminal shows in a cell, where that is not certain."""


@dataclass(frozen=True)
class Erasing:
    """How the terminal erases: whether in the pen's background, and whether it can erase inside a row."""

    coloured: bool = False
    inside: bool = False


class Output:
    """Collects what is written. A column that is not certain is None; a row always is, for lines do not wrap."""

    def __init__(self, width: int, *, erasing: Erasing) -> None:
        self.width, self.erasing = width, erasing
        self.parts: list[str] = []
        self.pen = PLAIN
        self.x: int | None = 0
        self.y = 0

    def at(self, x: int, y: int) -> None:
        """The cursor is there, and the pen plain: as the last output left them."""
        self.x, self.y = x, y

    def clear(self) -> None:
        """Begin with an empty screen."""
        self.parts.append("\x1b[m\x1b[H\x1b[2J")
        self.x, self.y = 0, 0

    def text(self) -> str:
        """All that was collected."""
        return "".join(self.parts)

    def finish(self, x: int, y: int) -> None:
        """Leave the pen plain and the cursor in its place."""
        self._use(PLAIN)
        self._move(x, y)

    def row(self, y: int, wanted: Row, shown: Row) -> None:
        """Write the cells of a row that differ."""
        texts, pens = wanted
        tail = self._blank_tail(wanted)
        shown = _doubted(wanted, shown)
        old_texts, old_pens = shown
        x = 0
        while x < self.width:
            if texts[x] == old_texts[x] and pens[x] is old_pens[x]:
                x += 1
                continue
            if texts[x] == "" and x:
                x -= 1
            if x >= tail and _differ(x, self.width, wanted, shown) > len(ERASE_LINE):
                self._go(x, y, wanted)
                self._use_for_blank(pens[x])
                self.parts.append(ERASE_LINE)
                return
            self._go(x, y, wanted)
            x = self._erase_inside(x, y, wanted, shown) or self._run(x, y, wanted, shown, tail)

    def _run(self, x: int, y: int, wanted: Row, shown: Row, tail: int) -> int:
        """Write from a cell that differs up to one that does not, or may better be erased; the column behind them."""
        texts, pens = wanted
        old_texts, old_pens = shown
        start, certain = x, True
        while x < self.width:
            text, pen = texts[x], pens[x]
            if x > start and text == old_texts[x] and pen is old_pens[x]:
                break
            if x > start and text == " " and (x == tail or texts[x - 1] != " " or pens[x - 1] is not pen):
                if x == tail and _differ(x, self.width, wanted, shown) > len(ERASE_LINE):
                    break
                if self._blanks(x, wanted, shown) >= SHORTEST_ERASURE:
                    break
            if text == " ":
                self._use_for_blank(pen)
            else:
                self._use(pen)
            width = 2 if x + 1 < self.width and texts[x + 1] == "" else 1
            if text.isascii():
                self.parts.append(text)
            elif is_certain(text):
                self.parts.append(text)
                certain = certain and not is_ambiguous(text)
            else:
                self._uncertain(x, y, text, width)
                certain = True
            x += width
        self.x = x if certain and x < self.width else None
        return x

    def _uncertain(self, x: int, y: int, text: str, width: int) -> None:
        """Write what may be narrower or wider than Textual takes it to be: over blanks, and say the place behind it."""
        self._move_from_nowhere(x, y)
        self.parts.append(" " * width)
        self._move_from_nowhere(x, y)
        self.parts.append(text)
        if x + width < self.width:
            self._move_from_nowhere(x + width, y)

    def _move_from_nowhere(self, x: int, y: int) -> None:
        self.x = None
        self._move(x, y)

    def _blanks(self, x: int, wanted: Row, shown: Row) -> int:
        """How many blanks that differ lie from here on and may be erased together."""
        texts, pens = wanted
        pen = pens[x]
        if not self.erasing.inside or texts[x] != " " or not self._erases(pen):
            return 0
        end = x
        while end < self.width and texts[end] == " " and pens[end] is pen:
            end += 1
        while end > x and shown[0][end - 1] == " " and shown[1][end - 1] is pen:
            end -= 1
        return end - x

    def _erase_inside(self, x: int, y: int, wanted: Row, shown: Row) -> int:
        """Erase blanks inside a row, the cursor before them, if that is shorter than writing; the column behind."""
        count = self._blanks(x, wanted, shown)
        if count < SHORTEST_ERASURE or _differ(x, x + count, wanted, shown) < SHORTEST_ERASURE:
            return 0
        self._use_for_blank(wanted[1][x])
        self.parts.append(f"\x1b[{count}X")
        return x + count

    def _go(self, x: int, y: int, wanted: Row) -> None:
        """To a cell of this row: by writing a few unchanged cells again where that is shorter."""
        texts, pens = wanted
        if self.y == y and self.x is not None and 0 < x - self.x <= LONGEST_REWRITE:
            between = range(self.x, x)
            if x - self.x <= len(self._shortest(x, y)) and all(self._can_repeat(texts[i], pens[i]) for i in between):
                self.parts.append("".join(texts[self.x : x]))
                self.x = x
                return
        self._move(x, y)

    def _can_repeat(self, text: str, pen: Pen) -> bool:
        """Whether a cell can be written again without a change of pen."""
        if text == " ":
            return on_blanks(self.pen) is pen
        return pen is self.pen and len(text) == 1 and text.isascii()

    def _erases(self, pen: Pen) -> bool:
        """Whether erasing leaves blanks of this pen."""
        return pen.plain_blank and (self.erasing.coloured or not pen.background)

    def _blank_tail(self, wanted: Row) -> int:
        """Where the blanks of one pen begin that end the row and may be erased; the width where there are none."""
        texts, pens = wanted
        pen, end = pens[-1], self.width
        if self._erases(pen):
            while end and texts[end - 1] == " " and pens[end - 1] is pen:
                end -= 1
        return end

    def _use(self, pen: Pen) -> None:
        if pen is not self.pen:
            self.parts.append(change(self.pen, pen))
            self.pen = pen

    def _use_for_blank(self, pen: Pen) -> None:
        if on_blanks(self.pen) is not pen:
            step, self.pen = change_for_blank(self.pen, pen)
            self.parts.append(step)

    def _move(self, x: int, y: int) -> None:
        if (self.x, self.y) != (x, y):
            self.parts.append(self._shortest(x, y))
            self.x, self.y = x, y

    def _shortest(self, x: int, y: int) -> str:
        """The shortest move; from a column that is not certain only one that names the column."""
        ways = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"]
        down = y - self.y
        if down == 0:
            ways += ["\r" if x == 0 else f"\x1b[{x + 1}G", "\r" + _along(x)]
            if self.x is not None:
                ways.append(_along(x - self.x))
        elif down == 1:
            ways.append("\r\n" + _along(x))
        if down and x == self.x:
            ways.append(_counted(abs(down), "B" if down > 0 else "A"))
        return min(ways, key=len)


def _doubted(wanted: Row, shown: Row) -> Row:
    """What is shown, as far as it is certain: not from where a cluster of no certain width comes or goes."""
    for x, (text, old) in enumerate(zip(wanted[0], shown[0], strict=True)):
        if (text != old or wanted[1][x] is not shown[1][x]) and not (is_known(text) and is_known(old)):
            rest = len(wanted[0]) - x
            return [*shown[0][:x], *[UNKNOWN] * rest], shown[1]
    return shown


def is_known(cluster: str) -> bool:
    """Whether a cell's text takes a certain room; a cell behind a wide one is judged with it."""
    return cluster.isascii() or is_certain(cluster)


def _differ(start: int, end: int, wanted: Row, shown: Row) -> int:
    """How many cells differ."""
    cells = range(start, end)
    return sum(wanted[0][x] != shown[0][x] or wanted[1][x] is not shown[1][x] for x in cells)


def _along(cells: int) -> str:
    if cells < 0:
        back = _counted(-cells, "D")
        return back if len(back) < -cells else "\b" * -cells
    return _counted(cells, "C") if cells else ""


def _counted(count: int, letter: str) -> str:
    return f"\x1b[{count if count > 1 else ''}{letter}"
