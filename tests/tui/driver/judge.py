"""A terminal emulator (pyte) as the judge of what stands on a screen."""

from __future__ import annotations

from typing import Any

import pyte
from wcwidth import wcswidth


class _Plain(pyte.Screen):
    """A terminal that erases in its own background, not in the pen's (no ``bce``)."""

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        self._with_plain_pen(lambda: super(_Plain, self).erase_in_line(how, private))

    def erase_characters(self, count: int | None = None) -> None:
        self._with_plain_pen(lambda: super(_Plain, self).erase_characters(count))

    def _with_plain_pen(self, erase: Any) -> None:
        attributes, self.cursor.attrs = self.cursor.attrs, self.default_char
        erase()
        self.cursor.attrs = attributes


class Judge:
    """A terminal that is fed, with line wrap off as Textual has it."""

    def __init__(self, width: int, height: int, *, coloured: bool = True) -> None:
        self.screen = (pyte.Screen if coloured else _Plain)(width, height)
        self.stream = pyte.Stream(self.screen)
        self.stream.feed("\x1b[?7l")

    def feed(self, text: str) -> None:
        """What a program writes; a tty makes of a line feed a carriage return too."""
        self.stream.feed(text.replace("\r\n", "\n").replace("\n", "\r\n"))

    def lines(self) -> list[str]:
        """The texts of the screen (pyte's own ``display`` fails on halves of wide characters)."""
        columns = range(self.screen.columns)
        return ["".join(self.screen.buffer[y][x].data for x in columns) for y in range(self.screen.lines)]

    def seen(self) -> tuple[list[list[Any]], tuple[int, int, bool]]:
        """What a person sees of each cell, and the cursor with whether it is hidden.

        pyte keeps the other half of a wide character that was overwritten, where terminals leave a blank; and of a
        blank one sees its background, and lines through it, alone.
        """
        rows = [[self.screen.buffer[y][x] for x in range(self.screen.columns)] for y in range(self.screen.lines)]
        for row in rows:
            for x, cell in enumerate(row):
                if cell.data == "" and (x == 0 or wcswidth(row[x - 1].data) < 2):
                    row[x] = cell._replace(data=" ")
            for x, cell in enumerate(row):
                if wcswidth(cell.data) == 2 and (x + 1 == len(row) or row[x + 1].data != ""):
                    row[x] = cell._replace(data=" ")
            for x, cell in enumerate(row):
                if cell.data == " " and not (cell.underscore or cell.reverse or cell.strikethrough):
                    row[x] = cell._replace(bold=False, italics=False, fg="default")
        cursor = self.screen.cursor
        return rows, (cursor.x, cursor.y, cursor.hidden)
