"""The rows that a window of a log's lines makes on a screen: each line one row, or as many as it needs when wrapped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from store.log_lines import Line, Window
from workbench.tui.widgets.log_line import LogLine

Place = tuple[int, int]
"""Which line of the window, and which of its rows."""

LINES_READY = 2000
"""Lines that are kept ready to draw."""


class LogRows:
    """Walks over the rows of a window; knows nothing of a terminal but its size."""

    def __init__(self) -> None:
        self.window = Window()
        self.width = 80
        """Cells that the text has."""
        self.height = 24
        """Rows on the screen."""
        self.wrap = False
        self.numbers: list[int] = []
        """Of each line and of the one after the last; none where they are not known."""
        self._ready: dict[Line, LogLine] = {}

    def take(self, window: Window) -> None:
        """Another window."""
        self.window = window
        known = window.number
        self.numbers = list(accumulate((line.ended for line in window.lines), initial=known)) if known else []

    def number(self, place: Place) -> int | None:
        """The number of a line, in the first row of its first piece."""
        index, row = place
        if row or not self.numbers or (index and not self.window.lines[index - 1].ended):
            return None
        return self.numbers[index]

    def drawn(self, line: Line) -> LogLine:
        """A line ready to draw."""
        found = self._ready.get(line)
        if found is None:
            if len(self._ready) >= LINES_READY:
                self._ready.clear()
            found = self._ready[line] = LogLine(line.data)
        return found

    def height_of(self, index: int) -> int:
        """How many rows a line has."""
        return len(self.drawn(self.window.lines[index]).rows(self.width)) if self.wrap else 1

    def below(self, place: Place) -> Place | None:
        """The next row."""
        index, row = place
        if row + 1 < self.height_of(index):
            return index, row + 1
        return (index + 1, 0) if index + 1 < len(self.window.lines) else None

    def above(self, place: Place) -> Place | None:
        """The row before."""
        index, row = place
        if row:
            return index, row - 1
        return (index - 1, self.height_of(index - 1) - 1) if index else None

    def higher(self, place: Place, rows: int) -> Place:
        """So many rows up, or the first."""
        for _ in range(rows):
            above = self.above(place)
            if above is None:
                break
            place = above
        return place

    def last_top(self) -> Place:
        """What is at the top when the last line of the window is at the bottom."""
        last = len(self.window.lines) - 1
        return self.higher((last, self.height_of(last) - 1), self.height - 1) if last >= 0 else (0, 0)

    def screen(self, top: Place) -> Iterator[Place]:
        """The rows on the screen when one is at the top."""
        for _ in range(self.height if self.window.lines else 0):
            yield top
            below = self.below(top)
            if below is None:
                return
            top = below

    def moved(self, top: Place, rows: int) -> tuple[Place, int]:
        """Where the top comes to when it moves by rows, and how many of them the window does not have."""
        limit, left = self.last_top(), abs(rows)
        while left:
            then = self.above(top) if rows < 0 else (self.below(top) if top < limit else None)
            if then is None:
                break
            top = then
            left -= 1
        return top, left if rows > 0 else -left

    def kept(self, place: Place) -> Place:
        """A place that there still is."""
        if not self.window.lines:
            return (0, 0)
        index = min(place[0], len(self.window.lines) - 1)
        return min((index, min(place[1], self.height_of(index) - 1)), self.last_top())

    def bar(self, top: Place) -> tuple[int, int]:
        """How many rows the whole log has, and how many are above the top; guessed where they are not all here."""
        lines, window = self.window.lines, self.window
        if not lines:
            return self.height, 0
        if window.at_start and window.at_end:
            heights = [self.height_of(index) for index in range(len(lines))]
            return sum(heights), sum(heights[: top[0]]) + top[1]
        near = range(max(0, top[0] - self.height), min(len(lines), top[0] + 2 * self.height))
        bytes_near = lines[near[-1]].end - lines[near[0]].start
        size = max(1.0, bytes_near / sum(map(self.height_of, near)))
        total = max(self.height, round(window.size / size))
        if window.at_end and top >= self.last_top():
            return total, total - self.height
        return total, min(total - self.height, round(lines[top[0]].start / size) + top[1])
