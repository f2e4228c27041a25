"""The screen as a grid of cells: what Textual wants on it, what the terminal shows, and what lies between."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

from workbench.tui.driver.output import Output
from workbench.tui.driver.pen import PLAIN, Pen, changed, linked, on_blanks

TOKEN = re.compile(
    r"\x1b\[([0-9;:]*)m"  # SGR
    r"|\x1b\[(\d*);?(\d*)H"  # a place on the screen
    r"|\x1b\]8;([^\x07\x1b]*)(?:\x1b\\|\x07)"  # a hyperlink
    r"|([\r\n])"
    r"|([^\x1b\r\n]+)"
    r"|\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x1b\\|\x07)|.)?"  # anything else draws nothing
)
JOINERS = "\u200d\ufe0e\ufe0f"


class Canvas:
    """Cells are texts and pens, row by row; the cell behind a wide one is the empty text."""

    def __init__(self, width: int, height: int, *, erases_coloured: bool = False) -> None:
        self.erases_coloured = erases_coloured
        self.cursor = self.shown_cursor = (0, 0)
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Another size: nothing is known of the screen any more."""
        self.width, self.height = width, height
        self.wanted = [_blank(width) for _ in range(height)]
        self.dirty = set(range(height))
        self.forget()

    def forget(self) -> None:
        """The terminal may show anything: all is painted next time."""
        self.shown: list[tuple[list[str], list[Pen]]] | None = None
        self.dirty = set(range(self.height))

    # -- what Textual writes --------------------------------------------------------------------------------------

    def apply(self, frame: str) -> None:
        """Take a frame of Textual's into the wanted grid."""
        pen, x, y = PLAIN, 0, 0
        for token in TOKEN.finditer(frame):
            kind = token.lastindex
            if kind == 6:
                x = self._put(x, y, token[6], pen)
            elif kind == 1:
                pen = changed(pen, token[1])
            elif kind == 2 or kind == 3:
                y, x = int(token[2] or 1) - 1, int(token[3] or 1) - 1
            elif kind == 5:
                x, y = (x, y) if token[5] == "\r" else (0, y + 1)
                x = 0
            elif kind == 4:
                link = token[4]
                pen = linked(pen, "" if link == ";" else link)
        self.cursor = (min(x, self.width - 1), min(y, self.height - 1))

    def _put(self, x: int, y: int, text: str, pen: Pen) -> int:
        """Put a text on a row; what does not fit is cut. The column behind it."""
        if not 0 <= y < self.height:
            return x
        texts, pens = self.wanted[y]
        self.dirty.add(y)
        if text.isascii():
            if not text.isprintable():
                text = "".join(filter(str.isprintable, text))
            text = text[: max(0, self.width - x)]
            end = x + len(text)
            self._part_wide(y, x, end)
            texts[x:end] = text
            if " " in text:
                blank = on_blanks(pen)
                pens[x:end] = [blank if character == " " else pen for character in text]
            else:
                pens[x:end] = [pen] * len(text)
            return end
        for cluster, width in clusters(text):
            if width == 0 or x + width > self.width:
                continue
            self._part_wide(y, x, x + width)
            texts[x : x + width] = [cluster, *[""] * (width - 1)]
            pens[x : x + width] = [on_blanks(pen) if cluster == " " else pen] * width
            x += width
        return x

    def _part_wide(self, y: int, start: int, end: int) -> None:
        """Overwriting half of a wide cell leaves a blank of the other half."""
        texts, pens = self.wanted[y]
        if 0 < start < self.width and texts[start] == "":
            for x in (start - 1, start):
                texts[x], pens[x] = " ", on_blanks(pens[x])
        if end < self.width and texts[end] == "":
            texts[end], pens[end] = " ", on_blanks(pens[end])

    # -- what the terminal needs ----------------------------------------------------------------------------------

    def difference(self) -> str:
        """What to write so that the terminal shows the wanted grid; afterwards it counts as shown."""
        output = Output(self.width, self.height, erases_coloured=self.erases_coloured)
        if self.shown is None:
            output.clear()
            self.shown = [_blank(self.width) for _ in range(self.height)]
        else:
            output.at(*self.shown_cursor)
        for y in sorted(self.dirty):
            wanted, shown = self.wanted[y], self.shown[y]
            if wanted != shown:
                output.row(y, wanted, shown)
                self.shown[y] = (list(wanted[0]), list(wanted[1]))
        self.dirty.clear()
        output.finish(*self.cursor)
        self.shown_cursor = self.cursor
        return output.text()


def clusters(text: str) -> Iterator[tuple[str, int]]:
    """What a terminal puts into one place each: a character with the marks that follow it, and its width in cells."""
    cluster = ""
    joined = False
    for character in filter(is_drawn, text):
        width = cell_len(character)
        if cluster and (joined or width == 0 or character in JOINERS):
            cluster += character
            joined = character == "\u200d"
            continue
        if cluster:
            yield cluster, _width(cluster)
        cluster, joined = character, False
    if cluster:
        yield cluster, _width(cluster)


def is_drawn(character: str) -> bool:
    """Whether a character may go to the terminal: control characters have no cell, and never get through."""
    return character.isprintable() or character in JOINERS


def _width(cluster: str) -> int:
    return min(2, cell_len(cluster))


def _blank(width: int) -> tuple[list[str], list[Pen]]:
    return [" "] * width, [PLAIN] * width
