"""A terminal emulator (pyte) as the judge of what stands on a screen."""

from __future__ import annotations

from typing import Any

import pyte
from wcwidth import wcswidth


class Judge:
    """A terminal that is fed, with line wrap off as Textual has it."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)
        self.stream.feed("\x1b[?7l")

    def feed(self, text: str) -> None:
        """What a program writes; a tty makes of a line feed a carriage return too."""
        self.stream.feed(text.replace("\r\n", "\n").replace("\n", "\r\n"))

    def seen(self) -> tuple[list[list[Any]], tuple[int, int]]:
        """What a person sees of each cell, and the cursor.

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
                if row[x].data == " ":
                    lines = cell.underscore or cell.reverse or cell.strikethrough
                    row[x] = row[x]._replace(bold=False, italics=False, fg=cell.fg if lines else "default")
        return rows, (self.screen.cursor.x, self.screen.cursor.y)
