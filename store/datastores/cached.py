"""What lies in datastores, on this machine: downloaded once into the content cache, held against its source each time.

Beside what an entry of the cache has (see ``cache.py``), one of a datastore has ``origins.json``: the ETag, time and
size that each file had there. What is the same there is taken from here; what has changed is fetched anew, and only
that. A copy that was put there by hand stands for its source, and is never held against it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from store import cache
from store.addresses import Address, key
from store.cache import Line
from store.datastores import credentials, filesystems
from store.datastores.checking import CheckError, explained
from store.datastores.listing import entries, walk
from store.datastores.registry import Datastore
from store.datastores.transfers import Opened, opened, receive_one
from store.disk import explain, write_whole
from store.errors import ConflictError, MachineError, NotFoundError, WorkbenchError
from store.telling import Cancelled, Progress, Say
from store.transfer.incoming import AbandonedError, Origin, Watch
from store.unfinished import PARTIAL

UNREACHABLE = frozenset({"name resolution", "connection"})
"""What fails while there is no network, and says nothing of the source."""

RACY_SECONDS = 2.0
"""A file that was written so shortly before it was fetched may be written again within the same tick of its time."""

Origins = Mapping[str, Origin]
"""By path what the source says of each file; the path of a single file is empty."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A path of a datastore, and who wants it."""

    datastore: Datastore
    path: str
    secrets: credentials.Secrets
    progress: Progress | None = None
    cancelled: Cancelled | None = None
    say: Say = lambda _: None

    @property
    def address(self) -> Address:
        """By what it is known in the cache."""
        return Address.parse(filesystems.address(self.datastore, self.path))


@contextmanager
def copy_of(wanted: Wanted) -> Iterator[Path]:
    """The file or the folder on this machine as it is at the source now; it stays as it is within the context.

    Where the source cannot be reached, what is here already is taken, and that is said. Raises NotFoundError for what
    is not there, CheckError for what cannot be asked, ConflictError for what is being uploaded.
    """
    address = wanted.address
    watch = Watch(wanted.progress, wanted.cancelled)
    with cache.exclusive(address, watch):
        try:
            path = _by_hand(address) or _current(wanted, address, watch)
        except AbandonedError:
            raise
        except WorkbenchError as error:
            cache.with_way_out(error, address)
            raise
        except OSError as error:
            raise explain(error, f"downloading {address}") from error
        yield path


def _by_hand(address: Address) -> Path | None:
    """A copy that somebody put there, of the path or of a folder above it."""
    addresses = [address.canonical, *(above for above, _ in address.parents())]
    for each in addresses:
        entry = cache.read_entry(cache.folder() / key(each))
        if entry is not None and entry.added:
            return cache.find(address)
    return None


def _current(wanted: Wanted, address: Address, watch: Watch) -> Path:
    place = cache.folder() / address.key
    entry = cache.read_entry(place)
    lines = {line.path: line for line in cache.read_manifest(place)} if entry else {}
    whole = entry is not None and all(cache.intact(entry.path, line) for line in lines.values())
    try:
        there = watch.wait_for(lambda: opened(wanted.datastore, wanted.secrets))
        now = watch.wait_for(lambda: look(there, wanted.path))
    except CheckError as error:
        if entry is None or not whole or error.step not in UNREACHABLE:
            raise
        wanted.say(f"{error.message}. What was fetched from there before is taken: {address}")
        return entry.path
    before = _origins(place)
    if entry is not None and whole and now == before and all(each.validator for each in now.values()):
        return entry.path
    old = {path: lines[path] for path in lines if path in before} if entry is not None else {}
    fetch = _Fetch(there, wanted.path, now, watch)
    fetch.reuse = {path: line for path, line in old.items() if before[path] == now.get(path) and before[path].validator}
    return fetch.into(place, address, entry.path if entry is not None else None)


def look(there: Opened, path: str) -> dict[str, Origin]:
    """What lies at a path of a datastore now. Raises NotFoundError, ConflictError for a folder being filled."""
    there.system.invalidate_cache()
    full = there.full(path)
    with explained(there.datastore, there.given):
        try:
            is_folder = there.system.isdir(full)
            listed = walk(there.system, full) if is_folder else entries(there.system, full)
            found = {each.name if is_folder else "": each for each in listed}
        except (FileNotFoundError, NotFoundError) as error:
            raise NotFoundError(f"the datastore {there.datastore.name!r} has no {path!r}") from error
    if is_folder and PARTIAL in found:
        raise ConflictError(
            f"what lies at {path!r} of the datastore {there.datastore.name!r} is not complete: an upload into it is "
            "under way, or broke off",
            hint=f"It is complete when {PARTIAL} is gone: run the job that writes there again, or remove that file.",
        )
    if not found:
        raise NotFoundError(f"the folder {path!r} of the datastore {there.datastore.name!r} is empty")
    if outside := [name for name in found if ".." in name.split("/")]:
        raise MachineError(f"{outside[0]!r} of the datastore {there.datastore.name!r} would lie outside of its folder")
    return {
        name: Origin(each.etag, None if each.modified_at is None else str(each.modified_at), each.size)
        for name, each in found.items()
    }


def _origins(place: Path) -> dict[str, Origin]:
    try:
        return {path: Origin(**each) for path, each in json.loads((place / "origins.json").read_text()).items()}
    except (FileNotFoundError, ValueError, TypeError):
        return {}


class _Fetch:
    """Brings what lies at a path; ``reuse`` has the files that are here already, as they are there."""

    def __init__(self, there: Opened, path: str, now: Origins, watch: Watch) -> None:
        self.there, self.path, self.now, self.watch = there, path, now, watch
        self.reuse: Mapping[str, Line] = {}
        self.brought = 0
        self.looked_at = time.time()

    def into(self, place: Path, address: Address, old: Path | None) -> Path:
        """Make the entry of the cache, in place of the old one, whose content lies at ``old``."""
        partial = place.with_name(f"{place.name}.partial")
        content, notes = partial / "content" / address.name, partial / "notes"
        is_folder = "" not in self.now
        if content.exists() and content.is_dir() != is_folder:
            shutil.rmtree(partial)
        for each in (content.parent, notes):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(partial / "url", str(address))
        lines = [self._bring(name, content, notes, old) for name in self.now]
        _drop_others(content, self.now)
        shutil.rmtree(notes)
        settled = {name: asdict(_settled(each, self.looked_at)) for name, each in self.now.items()}
        (partial / "origins.json").write_text(json.dumps(settled))
        origin = self.now[""] if not is_folder else Origin()
        cache.complete(partial, place, cache.make_entry(address, lines, origin, is_folder=is_folder, added=False))
        return place / "content" / address.name

    def _bring(self, name: str, content: Path, notes: Path, old: Path | None) -> Line:
        file, note = content / name if name else content, notes / key(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        if old is not None and name in self.reuse:
            file.unlink(missing_ok=True)
            note.unlink(missing_ok=True)
            os.link(old / name if name else old, file)
            return self.reuse[name]
        path = f"{self.path}/{name}" if name else self.path
        sha256, _ = receive_one(self.there, path, file, note, Watch(self._tell, self.watch.cancelled))
        self.brought += file.stat().st_size
        return cache.describe(content, name, sha256)

    def _tell(self, done: int, total: int | None) -> None:
        if self.watch.progress:
            self.watch.progress(self.brought + done, total if "" in self.now else None)


def _settled(origin: Origin, at: float) -> Origin:
    """An origin by which its bytes are known again; without a time that may stand for others too."""
    if origin.etag is None and origin.last_modified is not None and float(origin.last_modified) > at - RACY_SECONDS:
        return replace(origin, last_modified=None)
    return origin


def _drop_others(content: Path, now: Origins) -> None:
    """Remove what an earlier attempt brought and is not there any more."""
    if content.is_dir():
        for file in [each for each in content.rglob("*") if not each.is_dir()]:
            if str(file.relative_to(content)) not in now:
                file.unlink()
