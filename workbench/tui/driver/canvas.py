"""The screen as a grid of cells: what Textual wants on it, what the terminal shows, and what lies between."""

from __future__ import annotations

import re

from workbench.tui.driver.clusters import ONE_CELL_EACH, clusters
from workbench.tui.driver.output import Erasing, Output, Row
from workbench.tui.driver.pen import PLAIN, Pen, changed, linked, on_blanks

TOKEN = re.compile(
    r"\x1b\[([0-9;:]*)m"  # SGR
    r"|\x1b\[(\d*);?(\d*)H"  # a place on the screen
    r"|\x1b\]8;([^\x07\x1b]*)(?:\x1b\\|\x07)"  # a hyperlink
    r"|([\r\n])"
    r"|([^\x1b\r\n]+)"
    r"|\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x1b\\|\x07)|.)?"  # anything else draws nothing
)
NO_LINK = ";"


class Canvas:
    """Cells are texts and pens, row by row; the cell behind a wide one is the empty text."""

    def __init__(self, width: int, height: int, *, erasing: Erasing | None = None) -> None:
        self.erasing = erasing or Erasing()
        self.width, self.height = 0, 0
        self.wanted: list[Row] = []
        self.cursor = self.shown_cursor = (0, 0)
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Another size: what fits stays wanted until Textual draws anew; of the terminal nothing is known."""
        before = self.wanted
        self.width, self.height = width, height
        self.wanted = [_blank(width) for _ in range(height)]
        for (texts, pens), (old_texts, old_pens) in zip(self.wanted, before, strict=False):
            kept = min(width, len(old_texts))
            texts[:kept], pens[:kept] = old_texts[:kept], old_pens[:kept]
            if 0 < kept < len(old_texts) and old_texts[kept] == "":
                texts[-1] = " "
        self.forget()

    def forget(self) -> None:
        """The terminal may show anything: all is painted next time."""
        self.shown: list[Row] | None = None
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
                x, y = 0, y + (token[5] == "\n")
            elif kind == 4:
                pen = linked(pen, "" if token[4] == NO_LINK else token[4])
        self.cursor = (max(0, min(x, self.width - 1)), max(0, min(y, self.height - 1)))

    def _put(self, x: int, y: int, text: str, pen: Pen) -> int:
        """Put a text on a row; what does not fit is cut. The column behind it."""
        if not 0 <= y < self.height or x >= self.width:
            return x
        texts, pens = self.wanted[y]
        self.dirty.add(y)
        if ONE_CELL_EACH.fullmatch(text):
            text = text[: self.width - x]
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
            if width == 0:
                self._mark(x, y, cluster)
            elif x + width <= self.width:
                self._part_wide(y, x, x + width)
                texts[x : x + width] = [cluster, *[""] * (width - 1)]
                pens[x : x + width] = [on_blanks(pen) if cluster == " " else pen] * width
                x += width
        return x

    def _mark(self, x: int, y: int, mark: str) -> None:
        """A mark that begins a text belongs to the character before it."""
        texts, _ = self.wanted[y]
        x -= 1
        if x > 0 and texts[x] == "":
            x -= 1
        if x >= 0 and texts[x] not in ("", " "):
            texts[x] += mark

    def _part_wide(self, y: int, start: int, end: int) -> None:
        """Overwriting half of a wide cell leaves a blank of the other half."""
        texts, pens = self.wanted[y]
        if start > 0 and texts[start] == "":
            for x in (start - 1, start):
                texts[x], pens[x] = " ", on_blanks(pens[x])
        if end < self.width and texts[end] == "":
            texts[end], pens[end] = " ", on_blanks(pens[end])

    # -- what the terminal needs ----------------------------------------------------------------------------------

    def difference(self) -> str:
        """What to write so that the terminal shows the wanted grid; afterwards it counts as shown."""
        if not self.width:
            return ""
        output = Output(self.width, erasing=self.erasing)
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


def _blank(width: int) -> Row:
    return [" "] * width, [PLAIN] * width
