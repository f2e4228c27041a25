"""Writes cells with the shortest cursor moves and changes of pen (ECMA-48)."""

from __future__ import annotations

from workbench.tui.driver.pen import PLAIN, Pen, change, on_blanks

Row = tuple[list[str], list[Pen]]
LONGEST_REWRITE = 6
"""Unchanged cells that are written again rather than jumped over, where the pen stays the same."""
ERASE = "\x1b[K"


class Output:
    """Collects what is written. ``erases_coloured`` says that erasing leaves the pen's background (terminfo's bce)."""

    def __init__(self, width: int, height: int, *, erases_coloured: bool) -> None:
        self.width, self.height = width, height
        self.erases_coloured = erases_coloured
        self.parts: list[str] = []
        self.pen = PLAIN
        self.x: int | None = None
        self.y: int | None = None

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
        old_texts, old_pens = shown
        end = self._blank_tail(wanted)
        x = 0
        while x < self.width:
            if texts[x] == old_texts[x] and pens[x] is old_pens[x]:
                x += 1
                continue
            if x >= end and self._worth_erasing(x, wanted, shown):
                self._move(x, y)
                if on_blanks(self.pen) is not pens[x]:
                    self._use(pens[x])
                self.parts.append(ERASE)
                return
            if texts[x] == "" and x:
                x -= 1
            x = self._run(x, y, wanted, shown, end)

    def _run(self, x: int, y: int, wanted: Row, shown: Row, end: int) -> int:
        """Write from a cell that differs to the last one of its run; the column behind it."""
        texts, pens = wanted
        self._go(x, y, wanted)
        while x < self.width:
            text, pen = texts[x], pens[x]
            if text == shown[0][x] and pen is shown[1][x] and not (x and texts[x] == ""):
                break
            if x >= end and self._worth_erasing(x, wanted, shown):
                break
            if text != " " or on_blanks(self.pen) is not pen:
                self._use(pen)
            self.parts.append(text)
            width = 2 if x + 1 < self.width and texts[x + 1] == "" else 1
            x += width
            if x >= self.width or (not text.isascii() and (width == 2 or len(text) > 1)):
                self.x = self.y = None  # where the cursor is now is not certain
                if x < self.width:
                    break
            else:
                self.x = x
        return x

    def _go(self, x: int, y: int, wanted: Row) -> None:
        """To a cell of this row: by writing a few unchanged cells again where that is shorter."""
        texts, pens = wanted
        if self.y == y and self.x is not None and 0 < x - self.x <= LONGEST_REWRITE:
            between = range(self.x, x)
            move = self._shortest(x, y)
            if x - self.x <= len(move) and all(self._can_repeat(texts[each], pens[each]) for each in between):
                self.parts.append("".join(texts[self.x : x]))
                self.x = x
                return
        self._move(x, y)

    def _can_repeat(self, text: str, pen: Pen) -> bool:
        """Whether a cell can be written again without a change of pen."""
        if text == " ":
            return on_blanks(self.pen) is pen
        return pen is self.pen and len(text) == 1 and text.isascii()

    def _blank_tail(self, wanted: Row) -> int:
        """Where the blanks of one pen begin that end the row and may be erased; the width where there are none."""
        texts, pens = wanted
        pen = pens[-1]
        if not pen.plain_blank or (pen.background and not self.erases_coloured):
            return self.width
        end = self.width
        while end and texts[end - 1] == " " and pens[end - 1] is pen:
            end -= 1
        return end

    def _worth_erasing(self, x: int, wanted: Row, shown: Row) -> bool:
        """Whether more than a few cells from here to the end of the row differ."""
        differing = 0
        for each in range(x, self.width):
            if wanted[0][each] != shown[0][each] or wanted[1][each] is not shown[1][each]:
                differing += 1
                if differing > len(ERASE):
                    return True
        return False

    def _use(self, pen: Pen) -> None:
        if pen is not self.pen:
            self.parts.append(change(self.pen, pen))
            self.pen = pen

    def _move(self, x: int, y: int) -> None:
        if (self.x, self.y) != (x, y):
            self.parts.append(self._shortest(x, y))
            self.x, self.y = x, y

    def _shortest(self, x: int, y: int) -> str:
        """The shortest move; from a place that is not known only an absolute one."""
        absolute = f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
        if self.x is None or self.y is None:
            return absolute
        ways = [absolute]
        if y == self.y:
            ways.append(_along(x - self.x))
            ways.append("\r" if x == 0 else f"\x1b[{x + 1}G")
        elif y == self.y + 1 and x == 0:
            ways.append("\r\n")
        elif x == self.x:
            ways.append(_counted(abs(y - self.y), "B" if y > self.y else "A"))
        return min(ways, key=len)


def is_certain(text: str) -> bool:
    """Whether every terminal gives a cell's text the width that Textual does.

    Not so where characters join, and beyond the Basic Multilingual Plane; within it certain are the blocks that
    Unicode's East Asian Width (UAX 11) calls wide.
    """
    return len(text) == 1 and (text < "\u1100" or "\u2010" <= text < "\u2600" or _is_cjk(text))


def _is_cjk(text: str) -> bool:
    return "\u2e80" <= text <= "\ua4cf" or "\uac00" <= text <= "\ud7a3" or "\uff01" <= text <= "\uff60"


def _along(cells: int) -> str:
    if cells < 0:
        back = _counted(-cells, "D")
        return back if len(back) < -cells else "\b" * -cells
    return _counted(cells, "C")


def _counted(count: int, letter: str) -> str:
    return f"\x1b[{count if count > 1 else ''}{letter}"
