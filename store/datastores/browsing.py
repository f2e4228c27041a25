"""A folder of a datastore as a tree shows it: folders first, then by name, a page at a time by key."""

from __future__ import annotations

import heapq
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from store import folder_pages
from store.datastores.checking import explained
from store.datastores.listing import Entry, entries
from store.datastores.transfers import Opened
from store.errors import NotFoundError

Place = tuple[bool, str]
"""Where an entry stands: folders first, then by name."""
PAGE = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of a folder in order, and how many come behind them."""

    entries: tuple[Entry, ...]
    more: int = 0


def page(there: Opened, path: str, *, after: Place | None = None, word: str = "", limit: int = PAGE) -> Page:
    """The entries of a folder behind a place whose names have ``word`` in them, in any case.

    Raises NotFoundError and CheckError.
    """
    with explained(there.datastore, there.given):
        if there.datastore.type == "local":
            return _local(Path(there.full(path)), path, after, word, limit)
        if after is None:
            there.system.invalidate_cache()  # further pages are of the same listing
        behind = 0

        def wanted() -> Iterator[Entry]:
            nonlocal behind
            for each in entries(there.system, there.full(path)):
                if (after is None or _place(each) > after) and word.casefold() in each.name.casefold():
                    behind += 1
                    yield each

        chosen = heapq.nsmallest(limit, wanted(), key=_place)
    return Page(tuple(chosen), behind - len(chosen))


def _place(entry: Entry) -> Place:
    return not entry.is_folder, entry.name


def _local(folder: Path, path: str, after: Place | None, word: str, limit: int) -> Page:
    """Names alone are read of a folder of this machine, and more of those that are shown."""
    try:
        found = folder_pages.page(folder, after, limit, word)
    except (FileNotFoundError, NotADirectoryError) as error:
        hint = f"Make it: mkdir -p {shlex.quote(str(folder))}" if not path.strip("/") else "Was it moved meanwhile?"
        raise NotFoundError(f"there is no folder {path or folder}", hint=hint) from error
    listed = tuple(Entry(each.name, each.is_folder, None if each.is_folder else each.size) for each in found.entries)
    return Page(listed, found.more)
