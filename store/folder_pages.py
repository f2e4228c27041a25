"""What lies in a folder, a page at a time: a folder of a million files needs no more memory than one of a hundred."""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from store.unfinished import is_unfinished

PAGE = 200

Place = tuple[bool, str]
"""Where an entry stands: folders first, then by name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder. A link counts as what it leads to, a broken one as an empty file."""

    name: str
    path: Path
    is_folder: bool
    size: int
    link: str | None = None
    """Where a link leads."""

    @property
    def place(self) -> Place:
        """Its place among the others."""
        return not self.is_folder, self.name


@dataclass(frozen=True, slots=True)
class FolderPage:
    """Some entries of a folder in order, and how many come after them."""

    entries: tuple[Entry, ...]
    more: int = 0


def page(folder: Path, after: Place | None = None, limit: int = PAGE, word: str = "") -> FolderPage:
    """The entries behind a place, from the first where there is none, with ``word`` in their names. Raises OSError."""
    behind = 0

    def names() -> Iterator[Place]:
        nonlocal behind
        with os.scandir(folder) as found:
            for each in found:
                if is_unfinished(each.name) or (word and word.casefold() not in each.name.casefold()):
                    continue
                place = (not _leads_to_folder(each), each.name)
                if after is None or place > after:
                    behind += 1
                    yield place

    chosen = heapq.nsmallest(limit, names())
    return FolderPage(tuple(entry(folder / name) for _, name in chosen), behind - len(chosen))


def entry(path: Path) -> Entry:
    """What lies at a path."""
    try:
        link = os.readlink(path) if path.is_symlink() else None
        status = path.stat()
    except OSError:
        return Entry(path.name, path, False, 0, "?")
    return Entry(path.name, path, stat.S_ISDIR(status.st_mode), status.st_size, link)


def _leads_to_folder(each: os.DirEntry[str]) -> bool:
    try:
        return each.is_dir()
    except OSError:
        return False
