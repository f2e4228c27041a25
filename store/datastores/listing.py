"""What lies in a datastore: a page of a folder at a time, and single files and folders."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from store.errors import NotFoundError, UsageError
from store.times import timestamp
from store.transfer.remote import ETAG_WORDS
from store.unfinished import is_unfinished

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PAGE = 1000
TIMES = ("LastModified", "last_modified", "mtime", "modified", "created")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder; ``name`` is relative to what was listed."""

    name: str
    is_folder: bool
    size: int | None = None
    modified_at: float | None = None
    etag: str | None = None

    @classmethod
    def of(cls, name: str, info: Mapping[str, Any]) -> Entry:
        """What a file system's ``info`` says."""
        if info["type"] == "directory":
            return cls(name, True)
        size = None if info.get("size") is None else int(info["size"])
        when = next((info[key] for key in TIMES if info.get(key) is not None), None)
        etag = next((str(info[key]) for key in ETAG_WORDS if info.get(key)), None)
        return cls(name, False, size, _seconds(when), etag)

    def flat(self) -> dict[str, Any]:
        """As it is listed."""
        when = timestamp(self.modified_at) if self.modified_at is not None else None
        return {
            "name": self.name + ("/" if self.is_folder else ""),
            "type": "folder" if self.is_folder else "file",
            "size": self.size,
            "last_modified": when,
        }


def below(root: str, path: str) -> str:
    """A path of a datastore as its file system has it. Raises UsageError for one that climbs out of it."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UsageError(f"the path {path!r} leads out of the datastore")
    return "/".join([root.rstrip("/"), *parts]) or "/"


def page(
    system: AbstractFileSystem, path: str, *, after: str | None = None, limit: int = PAGE, recursive: bool = False
) -> tuple[list[Entry], bool]:
    """The entries of a folder behind a name, by name, and whether there are more; of a file, itself.

    Memory holds one page, beside what the file system itself makes of one folder. Raises NotFoundError.
    """
    found = (each for each in (walk(system, path) if recursive else entries(system, path)))
    behind = (each for each in found if after is None or each.name > after.rstrip("/"))
    chosen = heapq.nsmallest(limit + 1, behind, key=lambda each: each.name)
    return chosen[:limit], len(chosen) > limit


def entries(system: AbstractFileSystem, path: str, *, unfinished: bool = False) -> Iterator[Entry]:
    """What is in a folder, in no order, with what is not whole if asked for; a file is itself. Raises NotFoundError."""
    try:
        listed = system.ls(path, detail=True)
    except NotADirectoryError:
        listed = [system.info(path)]
    except FileNotFoundError as error:
        raise NotFoundError(
            f"there is nothing at {path!r}", hint="`workbench datastore ls NAME` shows the top."
        ) from error
    for each in listed:
        whole = each["name"].strip("/")
        is_itself = whole == path.strip("/") and each["type"] == "directory"  # which some list too
        name = whole.rpartition("/")[2]
        if whole and not is_itself and (unfinished or not is_unfinished(name)):
            yield Entry.of(name, each)


def walk(system: AbstractFileSystem, path: str, *, unfinished: bool = False) -> Iterator[Entry]:
    """Every file below a folder, by its path from there; one folder after the other."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        for each in entries(system, f"{path.rstrip('/')}/{folder}" if folder else path, unfinished=unfinished):
            name = f"{folder}/{each.name}" if folder else each.name
            if each.is_folder:
                waiting.append(name)
            else:
                yield replace(each, name=name)


def _seconds(when: object) -> float | None:
    if isinstance(when, datetime):
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return float(when) if isinstance(when, int | float) else None
