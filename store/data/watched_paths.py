"""The path of a watch: which files of a datastore it means, and the list of those that are there."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.data.sightings import Found
from store.errors import NotFoundError, UsageError
from store.unfinished import is_unfinished

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

WILD = re.compile(r"[*?\[]")
TAGS = ("etag", "ETag", "content_md5", "LastModified", "last_modified", "mtime", "modified", "created")
"""What file systems call that which changes with a file's content, the best first."""


@dataclass(frozen=True, slots=True)
class WatchedPath:
    """A path with wildcards: ``base`` has none, ``rest`` is what is matched below it."""

    base: str
    rest: tuple[str, ...]
    marker: str | None = None
    """The name of a file that says that others of its folder are whole; ``*`` in it stands for each one's name."""

    @classmethod
    def parse(cls, text: str, marker: str | None = None) -> WatchedPath:
        """Raises UsageError for a path that leads out of the datastore. One without wildcards means all below it."""
        parts = [part for part in text.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise UsageError(f"the path {text!r} leads out of the datastore", hint="Leave out the `..`.")
        if marker is not None and "/" in marker:
            raise UsageError(f"the marker {marker!r} is a path", hint="Give the name of a file, such as _SUCCESS.")
        fixed = next((number for number, part in enumerate(parts) if WILD.search(part)), len(parts))
        return cls("/".join(parts[:fixed]), tuple(parts[fixed:]) or ("**",), marker)

    @property
    def is_deep(self) -> bool:
        """Whether files lie in folders below ``base``."""
        return len(self.rest) > 1 or "**" in self.rest

    @property
    def depth(self) -> int | None:
        """How many folders down files may lie; None without a limit."""
        return None if "**" in self.rest else len(self.rest) - 1

    def matches(self, path: str) -> bool:
        """Whether a path below ``base`` is meant."""
        name = path.rsplit("/", 1)[-1]
        return _matches(path.split("/"), self.rest) and not self._is_marker(name) and not is_unfinished(name)

    def marker_of(self, path: str) -> str | None:
        """Where the marker of a file would lie."""
        if self.marker is None:
            return None
        folder, _, name = path.rpartition("/")
        return f"{folder}/{self.marker.replace('*', name)}".lstrip("/")

    def _is_marker(self, name: str) -> bool:
        return self.marker is not None and fnmatch.fnmatchcase(name, self.marker.replace("[", "[[]"))


def _matches(parts: list[str], rest: tuple[str, ...]) -> bool:
    if not rest:
        return not parts
    if rest[0] == "**":
        if len(rest) == 1:
            return bool(parts) and not any(part.startswith(".") for part in parts)
        if _matches(parts, rest[1:]):
            return True
        return len(parts) > 1 and not parts[0].startswith(".") and _matches(parts[1:], rest)
    if not parts or (parts[0].startswith(".") and not rest[0].startswith(".")):
        return False
    return fnmatch.fnmatchcase(parts[0], rest[0]) and _matches(parts[1:], rest[1:])


def list_local(root: Path, watched: WatchedPath) -> Iterator[Found]:
    """The files of a folder of this machine. Raises NotFoundError when the folder itself is not there."""
    base = root / watched.base
    if not base.is_dir():
        raise NotFoundError(f"there is no folder {base}", hint="A watch of it fires when it is there, with files.")
    yield from _ready(_walk(base, "", watched.depth), watched)


def _walk(folder: Path | str, prefix: str, depth: int | None) -> Iterator[Found]:
    deeper = []
    now = time.time()
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        if not prefix:
            raise
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if depth != 0 and not entry.name.startswith("."):
                    deeper.append(entry)
                continue
            try:
                status = entry.stat()
            except OSError:  # gone meanwhile, or a link that leads nowhere
                continue
            if stat.S_ISREG(status.st_mode):
                age = max(0.0, now - status.st_ctime)
                yield Found(prefix + entry.name, status.st_size, str(status.st_mtime_ns), age)
    for entry in deeper:
        yield from _walk(entry.path, f"{prefix}{entry.name}/", None if depth is None else depth - 1)


def list_remote(
    filesystem: AbstractFileSystem, root: str, watched: WatchedPath, *, has_folders: bool = True
) -> Iterator[Found]:
    """The files of a folder elsewhere, as its file system tells them, a folder at a time.

    Raises FileNotFoundError where there is no such folder; without folders, where the container itself is gone.
    """
    base = f"{root.rstrip('/')}/{watched.base}".rstrip("/") if watched.base else root
    filesystem.invalidate_cache()
    try:
        yield from _ready(_walk_remote(filesystem, base, "", watched.depth), watched)
    except FileNotFoundError:
        if has_folders or not watched.base:
            raise
        filesystem.ls(root, detail=False)


def _walk_remote(filesystem: AbstractFileSystem, folder: str, prefix: str, depth: int | None) -> Iterator[Found]:
    deeper = []
    for entry in filesystem.ls(folder, detail=True):
        name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
        if entry["type"] == "directory":
            if depth != 0 and not name.startswith("."):
                deeper.append(name)
        elif name and entry["name"].rstrip("/") != folder.rstrip("/"):
            yield Found(prefix + name, int(entry.get("size") or 0), _tag(entry))
    for name in deeper:
        below = None if depth is None else depth - 1
        yield from _walk_remote(filesystem, f"{folder.rstrip('/')}/{name}", f"{prefix}{name}/", below)


def _tag(entry: dict[str, Any]) -> str:
    return next((str(entry[key]) for key in TAGS if entry.get(key) is not None), "")


def _ready(listing: Iterable[Found], watched: WatchedPath) -> Iterator[Found]:
    """Those that are meant; each says whether its marker is there, where markers are asked for."""
    if watched.marker is None:
        yield from (found for found in listing if watched.matches(found.path))
        return
    meant, markers = [], set[str]()
    for found in listing:
        if watched._is_marker(found.path.rsplit("/", 1)[-1]):
            markers.add(found.path)
        elif watched.matches(found.path):
            meant.append(found)
    for found in meant:
        yield Found(found.path, found.size, found.modified, None, is_whole=watched.marker_of(found.path) in markers)
