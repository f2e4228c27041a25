"""A line of a log made ready to draw: its text and colours, cut into rows of cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style

from store.log_text import coloured

Layer = tuple[int, int, Style]
"""From a character to another, a style."""


class LogLine:
    """What the bytes of a line look like."""

    __slots__ = ("_breaks", "_cells", "_width_of_breaks", "ascii", "layers", "text")

    def __init__(self, data: bytes) -> None:
        text = coloured(data)
        self.layers: tuple[Layer, ...] = ()
        if "\x1b" in text:
            text, self.layers = _parsed(text)
        elif "\t" in text:
            text = text.expandtabs()
        self.text = text
        self.ascii = text.isascii()
        self._cells: list[int] | None = None
        self._breaks: list[int] = [0]
        self._width_of_breaks = 0

    @property
    def width(self) -> int:
        """In cells."""
        return len(self.text) if self.ascii else cell_len(self.text)

    def rows(self, width: int) -> list[int]:
        """With which characters the rows begin when it is wrapped at a width."""
        if width != self._width_of_breaks:
            self._width_of_breaks = width
            self._breaks = self._broken(max(2, width))
        return self._breaks

    def _broken(self, width: int) -> list[int]:
        if self.ascii:
            return list(range(0, max(1, len(self.text)), width))
        found, used = [0], 0
        for index, sign in enumerate(self.text):
            size = get_character_cell_size(sign)
            if used + size > width:
                found.append(index)
                used = 0
            used += size
        return found

    def place(self, cell: int) -> int:
        """Which character is in a cell."""
        if self.ascii:
            return min(cell, len(self.text))
        cells = self._all_cells()
        low, high = 0, len(self.text)
        while low < high:
            middle = (low + high) // 2
            if cells[middle + 1] <= cell:
                low = middle + 1
            else:
                high = middle
        return low

    def cell(self, place: int) -> int:
        """In which cell a character begins."""
        return min(place, len(self.text)) if self.ascii else self._all_cells()[min(place, len(self.text))]

    def _all_cells(self) -> list[int]:
        if self._cells is None:
            self._cells = [0, *accumulate(map(get_character_cell_size, self.text))]
        return self._cells

    def segments(self, start: int, stop: int, base: Style, layers: Iterable[Layer] = ()) -> list[Segment]:
        """The characters from one to another, in their own colours under ``layers``."""
        near = [each for each in (*self.layers, *layers) if each[0] < stop and each[1] > start]
        if not near:
            return [Segment(self.text[start:stop], base)]
        cuts = sorted({start, stop, *(cut for low, high, _ in near for cut in (low, high) if start < cut < stop)})
        found: list[Segment] = []
        for low, high in pairwise(cuts):
            style = base
            for first, last, own in near:
                if first <= low and high <= last:
                    style += own
            found.append(Segment(self.text[low:high], style))
        return found


def _parsed(text: str) -> tuple[str, tuple[Layer, ...]]:
    """A text with escape sequences for colours: without them, and its colours."""
    from rich.ansi import AnsiDecoder

    decoded = AnsiDecoder().decode_line(text)
    decoded.expand_tabs(8)
    layers: Sequence[Layer] = [
        (span.start, span.end, _still(span.style)) for span in decoded.spans if isinstance(span.style, Style)
    ]
    return decoded.plain, tuple(layers)


def _still(style: Style) -> Style:
    """A style that does not blink."""
    return style + Style(blink=False, blink2=False) if style.blink or style.blink2 else style
