"""Line numbers of a log of any size: how many lines end before each of some places, in bounded memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left

from store.log_lines import OpenLog

SPACING = 1 << 20
"""Bytes between two places, as long as the log is not so large that there would be too many."""

MOST_PLACES = 1 << 14
PART = 1 << 18


class LineIndex:
    """Counts lines as far as it was extended; asked further than that it does not know."""

    def __init__(self, spacing: int = SPACING, most: int = MOST_PLACES) -> None:
        self.spacing, self.most = spacing, most
        self.scanned = 0
        self.ends = 0
        """How many lines end in what was scanned."""
        self._before = array("Q", [0])
        """How many lines end before each multiple of the spacing."""

    def extend(self, log: OpenLog, limit: int) -> bool:
        """Scan on, by at most ``limit`` bytes; whether all of the log is known now."""
        stop = min(log.size, self.scanned + limit)
        while self.scanned < stop:
            data = log.read(self.scanned, min(stop, self.scanned + PART))
            if not data:
                break
            self.feed(data)
        return self.scanned >= log.size

    def feed(self, data: bytes) -> None:
        """Take in the bytes that follow those scanned."""
        at = 0
        while at < len(data):
            stop = min(len(data), at + self.spacing - self.scanned % self.spacing)
            self.ends += data.count(b"\n", at, stop)
            self.scanned += stop - at
            at = stop
            if self.scanned % self.spacing == 0:
                self._before.append(self.ends)
                if len(self._before) > self.most:
                    self._before, self.spacing = self._before[::2], self.spacing * 2

    def number_at(self, log: OpenLog, offset: int) -> int | None:
        """The number of the line that a byte is in, from 1; None where that is not scanned yet."""
        if offset > self.scanned:
            return None
        place = min(offset // self.spacing, len(self._before) - 1)
        count = self._before[place]
        for start in range(place * self.spacing, offset, PART):
            count += log.read(start, min(offset, start + PART)).count(b"\n")
        return count + 1

    def offset_of(self, log: OpenLog, number: int) -> int | None:
        """Where a line begins, by its number; None where there is none in what was scanned."""
        if number <= 1:
            return 0
        if number - 1 > self.ends:
            return None
        place = bisect_left(self._before, number - 1) - 1
        left = number - 1 - self._before[place]
        for start in range(place * self.spacing, self.scanned, PART):
            data = log.read(start, min(self.scanned, start + PART))
            found = data.count(b"\n")
            if found >= left:
                at = -1
                for _ in range(left):
                    at = data.index(b"\n", at + 1)
                return start + at + 1
            left -= found
        return None
