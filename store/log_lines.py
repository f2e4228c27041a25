"""Lines of a log of any size, from any place in it, forwards and backwards, a bounded piece at a time.

A line longer than a block is told in pieces, broken where a block begins. Where a line begins is so decided by the
bytes just before it, and nothing ever has to look further for it.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

BLOCK = 16 << 10
"""Bytes. A line that fills a block from end to end is broken where the next one begins."""

CHUNK = 8 * BLOCK
LONGEST_CHARACTER = 4
KEPT = 8 << 20
"""Bytes. Of a progress bar that goes on for ever, a state is kept for each of these stretches."""

ENOUGH = 1 << 20
"""Bytes of lines on each side of a window that is only to be there before it is needed."""

MOST_READ = 32 << 20
"""Bytes that are read for one window, whatever the log is made of."""


class NoRegularFileError(OSError):
    """There is something in the log's place that is no file."""


class OpenLog:
    """A log that is open for reading; knows the size that it had then."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._descriptor)
            raise NoRegularFileError(f"{path} is not a regular file")
        self.size = status.st_size
        self.identity = (status.st_dev, status.st_ino)
        self.bytes_read = 0

    def __enter__(self) -> OpenLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def read(self, start: int, end: int) -> bytes:
        """The bytes of a stretch, as far as there are any."""
        data = os.pread(self._descriptor, max(0, min(end, self.size) - start), start)
        self.bytes_read += len(data)
        return data


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or a piece of a long one, with its end of line where it has one."""

    start: int
    data: bytes

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.start + len(self.data)

    @property
    def ended(self) -> bool:
        """Whether the line ends with it."""
        return self.data.endswith(b"\n")


@dataclass(frozen=True, slots=True)
class Window:
    """Lines that follow one another, and what lies around them."""

    lines: tuple[Line, ...] = ()
    size: int = 0
    """Of the whole log, in bytes."""
    identity: tuple[int, int] = (0, 0)
    at_start: bool = True
    at_end: bool = True
    number: int | None = None
    """Of the first line, from 1, where it is known."""

    def index_of(self, offset: int) -> int:
        """Which line a byte is in; the nearest there is."""
        found = bisect_right(self.lines, offset, key=lambda line: line.start) - 1
        return max(0, found)


def pieces(log: OpenLog, low: int, high: int) -> list[Line]:
    """The lines, and pieces of long ones, that begin from ``low`` on and before ``high``."""
    base = max(0, low - BLOCK - LONGEST_CHARACTER) // BLOCK * BLOCK
    data = log.read(base, high + 2 * BLOCK + LONGEST_CHARACTER)
    starts = [base + start for start in line_starts(data, base)]
    end = base + len(data)
    ends = [*starts[1:], end]
    return [
        Line(start, data[start - base : stop - base])
        for start, stop in zip(starts, ends, strict=False)  # no start, one end
        if low <= start < min(high, end)
    ]


def line_starts(data: bytes, base: int = 0) -> list[int]:
    """Where lines begin in a stretch of a log that itself begins at ``base``, where a block begins.

    What begins in its first block is only known where that is the log's first, too: the rest depends on bytes before.
    """
    starts = [0] if base == 0 and data else []
    before, at = 0, data.find(b"\n")
    while True:
        stop = at + 1 if at >= 0 else len(data)
        starts.extend(_breaks(data, before, stop))
        if at < 0:
            break
        if stop < len(data):
            starts.append(stop)
        before, at = stop, data.find(b"\n", stop)
    return starts


def _breaks(data: bytes, start: int, stop: int) -> Iterator[int]:
    """Where a line from ``start`` to ``stop`` is broken: after each block that it fills, at a character's beginning."""
    first = -(-start // BLOCK) + 1
    for begin in range(first * BLOCK, stop, BLOCK):
        at = begin
        while at < stop and at - begin < LONGEST_CHARACTER and data[at] & 0xC0 == 0x80:
            at += 1
        at = begin if at - begin == LONGEST_CHARACTER else at
        if at < stop:
            yield at


def overwritten(piece: Line, following: Line) -> bool:
    """Whether a piece of a long line is one that a terminal no longer shows: a progress bar went on in the next."""
    if piece.ended or following.start // BLOCK * BLOCK % KEPT == 0:
        return False
    return b"\r" in following.data.rstrip(b"\r\n")


def forwards(log: OpenLog, start: int) -> Iterator[Line]:
    """Lines from one that begins at ``start`` to the end."""
    held: Line | None = None
    for low in range(start, log.size, CHUNK):
        for piece in pieces(log, low, low + CHUNK):
            if held is not None and not overwritten(held, piece):
                yield held
            held = piece
    if held is not None:
        yield held


def backwards(log: OpenLog, start: int) -> Iterator[Line]:
    """Lines before ``start``, where one begins or the log ends; the nearest first."""
    following = next(iter(pieces(log, start, start + 1)), None)
    while start > 0:
        low = max(0, start - CHUNK)
        for piece in reversed(pieces(log, low, start)):
            if following is None or not overwritten(piece, following):
                yield piece
            following = piece
        start = low


def start_of(log: OpenLog, offset: int) -> int:
    """Where the line, or the piece of a long one, begins that a byte is in."""
    offset = max(0, min(offset, log.size - 1))
    found = pieces(log, max(0, offset - 2 * BLOCK - LONGEST_CHARACTER), offset + 1)
    return found[-1].start if found else 0


def window(log: OpenLog, offset: int, before: int, after: int) -> Window:
    """The line that a byte is in, with at least so many before it and from it on as asked for, if there are."""
    at_end = offset >= log.size
    start = log.size if at_end else start_of(log, offset)
    earlier, at_start = _some(log, backwards(log, start), before)
    later, ended = ([], True) if at_end else _some(log, forwards(log, start), after)
    return Window((*reversed(earlier), *later), log.size, log.identity, at_start, ended)


def _some(log: OpenLog, lines: Iterator[Line], least: int) -> tuple[list[Line], bool]:
    """Lines, more than ``least`` while they are short; and whether those are all."""
    taken: list[Line] = []
    held = 0
    most = log.bytes_read + MOST_READ
    for line in lines:
        if (len(taken) >= 4 * least or (held > ENOUGH and len(taken) >= least)) or log.bytes_read > most:
            return taken, False
        taken.append(line)
        held += len(line.data)
    return taken, True
