"""The files below a folder in order of path, with no more names in memory at a time than a limit.

Links are followed; one that leads back to a folder above it is refused.
"""

from __future__ import annotations

import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import IO

from store.errors import UsageError
from store.unfinished import is_unfinished

NAMES = 100_000
"""Names of one folder that are sorted in memory; those of a larger one go through a file that is gone afterwards."""
NOTES = 1_000
"""What is left out is told one by one up to here."""
READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class File:
    """A file that a walk found; ``path`` is relative to where it began, with ``/``."""

    path: bytes
    folder: bytes
    name: bytes

    @property
    def source(self) -> bytes:
        """Where it lies."""
        return self.folder + b"/" + self.name


@dataclass(slots=True)
class Walk:
    """A walk over a folder in order of path (as bytes); a line is noted for everything that it leaves out."""

    left_out: list[str] = field(default_factory=list)
    more_left_out: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, for people."""
        more = f"{self.more_left_out:,} more were left out" if self.more_left_out else ""
        return (*self.left_out, *([more] if more else []))

    def files(self, folder: bytes, path: bytes = b"", trail: tuple[tuple[int, int], ...] = ()) -> Iterator[File]:
        """The files below a folder. Raises UsageError for a link back to a folder above it."""
        status = os.stat(folder)
        identity = (status.st_dev, status.st_ino)
        if identity in trail:
            raise UsageError(
                f"{os.fsdecode(folder)} is a link back to a folder above it, and would never end",
                hint="Remove the link, or register the folder below it.",
            )
        for key in in_order(self.names(folder, path)):
            name = key.removesuffix(b"/")
            below = path + b"/" + name if path else name
            if key.endswith(b"/"):
                yield from self.files(os.path.join(folder, name), below, (*trail, identity))
            else:
                yield File(below, folder, name)

    def names(self, folder: bytes, path: bytes) -> Iterator[bytes]:
        """The names in a folder, those of folders with a slash behind: sorted, they are in order of whole paths."""
        with os.scandir(folder) as entries:
            for entry in entries:
                kind = "an upload that did not end" if is_unfinished(os.fsdecode(entry.name)) else self.kind(entry)
                if not kind:
                    yield entry.name + (b"/" if entry.is_dir() else b"")
                elif len(self.left_out) < NOTES:
                    self.left_out.append(f"{os.fsdecode(os.path.join(path, entry.name))}: left out, {kind}")
                else:
                    self.more_left_out += 1

    @staticmethod
    def kind(entry: os.DirEntry[bytes]) -> str:
        """Why an entry is left out; empty for one that is a file or a folder."""
        try:
            if entry.is_file() or entry.is_dir():
                return ""
            return "a link that leads nowhere" if entry.is_symlink() else "neither a file nor a folder"
        except OSError:  # a link in a circle
            return "a link that leads nowhere"


def in_order(names: Iterable[bytes]) -> Iterator[bytes]:
    """Names of files sorted, however many: past a limit by runs in a file, which are merged."""
    waiting = iter(names)
    run = sorted(islice(waiting, NAMES))
    if len(run) < NAMES:
        return iter(run)
    return _merged(run, waiting)


def _merged(run: list[bytes], waiting: Iterator[bytes]) -> Iterator[bytes]:
    with closing(tempfile.TemporaryFile(buffering=READ_BYTES)) as file:
        bounds = [0]
        while run:
            for name in run:
                file.write(name + b"\0")
            bounds.append(file.tell())
            run = sorted(islice(waiting, NAMES))
        file.flush()
        yield from heapq.merge(*(_run(file, *ends) for ends in pairwise(bounds)))


def _run(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    """The names between two places of a file, each with a zero byte behind it."""
    rest = b""
    while start < end:
        block = os.pread(file.fileno(), min(READ_BYTES, end - start), start)
        start += len(block)
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
