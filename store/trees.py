"""A folder as the files below it: walked with symbolic links followed, copied, and known by one hash."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from store.disk import CHUNK, copy_file
from store.unfinished import is_unfinished


@dataclass(frozen=True, slots=True)
class Item:
    """One regular file below a folder; ``path`` is relative, with ``/``; ``source`` is where its bytes are."""

    path: str
    source: str
    size: int
    mtime_ns: int
    executable: bool


@dataclass(slots=True)
class Survey:
    """What a walk found: the files in order of path, and a line for everything that it left out on purpose."""

    items: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(item.size for item in self.items)


class Choice(Protocol):
    """Decides what a walk takes; the number is whatever it wants to know again below that folder."""

    def enter(self, path: str, names: Collection[str], identity: tuple[int, int], above: int) -> int | None:
        """For a folder and the names in it: a number, or None to leave it out with all that is below."""

    def takes(self, path: str, above: int) -> bool:
        """Whether a file is taken; ``above`` is the number of its folder."""


class Everything:
    """Takes every file, except below one folder where that is given."""

    def __init__(self, without: tuple[int, int] | None = None) -> None:
        self.without = without

    def enter(self, path: str, names: Collection[str], identity: tuple[int, int], above: int) -> int | None:
        return None if identity == self.without else above

    def takes(self, path: str, above: int) -> bool:
        return True


def identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from every other, by whatever path it is reached; None for one that is not there."""
    try:
        status = folder.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that a walk is about to read; ``trail`` holds the identities of all the folders that led here."""

    path: str
    source: str
    above: int
    trail: frozenset[tuple[int, int]]


def survey(root: Path, choice: Choice | None = None) -> Survey:
    """Find the regular files below a folder. A link is followed unless it leads back to a folder that led to it."""
    choice = choice or Everything()
    found = Survey()
    waiting = [Folder("", str(root), -1, frozenset())]
    while waiting:
        folder = waiting.pop()
        try:
            identity, listing = look_into(folder.source)
        except FileNotFoundError:
            if not folder.path:
                raise
            continue  # removed since its parent was read
        except PermissionError:
            if choice.enter(folder.path, (), (-1, -1), folder.above) is None:
                continue
            raise
        if identity in folder.trail:
            found.notes.append(f"{folder.path}: a link back to a folder above it, not followed")
            continue
        number = choice.enter(folder.path, {entry.name for entry in listing}, identity, folder.above)
        if number is None:
            continue
        trail = folder.trail | {identity}
        for entry in listing:
            if is_unfinished(entry.name):
                continue
            path = f"{folder.path}/{entry.name}" if folder.path else entry.name
            if is_folder(entry):
                waiting.append(Folder(path, entry.path, number, trail))
            elif choice.takes(path, number):
                take(path, entry.path, found)
    found.items.sort(key=lambda item: os.fsencode(item.path))
    return found


def look_into(folder: str) -> tuple[tuple[int, int], list[os.DirEntry[str]]]:
    """A folder's identity and entries."""
    status = os.stat(folder)
    with os.scandir(folder) as entries:
        return (status.st_dev, status.st_ino), list(entries)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one; a link in a circle is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def take(path: str, source: str, found: Survey) -> None:
    """Add one entry that is no folder to a survey, or a note why not."""
    try:
        status = os.stat(source)
    except OSError as error:
        found.notes.append(f"{path}: left out, {'a link that leads nowhere' if os.path.islink(source) else error}")
        return
    if stat.S_ISREG(status.st_mode):
        executable = bool(status.st_mode & stat.S_IXUSR)
        found.items.append(Item(path, source, status.st_size, status.st_mtime_ns, executable))
    else:
        found.notes.append(f"{path}: left out, not a regular file")


def of_file(file: Path) -> Survey:
    """A survey of a single file, as if it lay alone in a folder."""
    found = Survey()
    take(file.name, str(file), found)
    return found


@dataclass(frozen=True, slots=True)
class Sum:
    """A file's size and SHA-256."""

    size: int
    sha256: str


def digest(file: str | Path) -> Sum:
    """Read a file once for its size and hash."""
    state = hashlib.sha256()
    size = 0
    with open(file, "rb", buffering=0) as stream:
        while chunk := stream.read(CHUNK):
            state.update(chunk)
            size += len(chunk)
    return Sum(size, state.hexdigest())


def combine(sums: Iterable[tuple[str, bool, Sum]]) -> str:
    """The hash of a folder: of each file's path, exec bit, size and hash, in order of path."""
    state = hashlib.sha256(b"workbench tree 1\n")
    for path, executable, each in sorted(sums, key=lambda entry: os.fsencode(entry[0])):
        state.update(b"%b\0%d\0%d\0%b\n" % (os.fsencode(path), executable, each.size, each.sha256.encode()))
    return state.hexdigest()


def copy_items(items: Iterable[Item], target: Path, *, writable: bool) -> Iterator[tuple[Item, Path]]:
    """Copy files below ``target``, each yielded once it is there, with its time kept and private to the user."""
    made: set[str] = {""}
    for item in items:
        parent = item.path.rpartition("/")[0]
        if parent not in made:
            (target / parent).mkdir(parents=True, exist_ok=True, mode=0o700)
            made.add(parent)
        place = target / item.path
        mode = (0o600 if writable else 0o400) | (0o100 if item.executable else 0)
        copy_file(item.source, place, mode, item.mtime_ns)
        yield item, place
