"""Fingerprints of data by content: which bytes a file or a folder has, told by one hash.

A folder is walked in order of path, one folder's names in memory at a time; files are hashed by threads in batches, and
a large one in pieces by all cores. Links are followed; one that leads back to a folder above it is refused.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

from store.data.manifest import Entry, Writer
from store.data.seen_hashes import SeenHashes, Stamp
from store.disk import explain
from store.errors import MachineError, NotFoundError, UsageError
from store.telling import Cancelled, Progress
from store.transfer.incoming import AbandonedError

BATCH = 512
"""Files that are looked up, hashed and kept together."""
LARGE = 1 << 20
"""A file from this size on is hashed in pieces, by all cores."""
PIECE = 2 << 20
READERS = 4 * (os.cpu_count() or 1)
"""Batches that are read at once where the disk is what is waited for; else one, since threads would only take turns."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Which bytes a file or a folder has; ``notes`` tell what was left out."""

    hash: str
    files: int
    bytes: int
    notes: tuple[str, ...] = ()


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

    notes: list[str] = field(default_factory=list)

    def files(self, folder: bytes, path: bytes = b"", trail: tuple[tuple[int, int], ...] = ()) -> Iterator[File]:
        """The files below a folder. Raises UsageError for a link back to a folder above it."""
        status = os.stat(folder)
        identity = (status.st_dev, status.st_ino)
        if identity in trail:
            raise UsageError(
                f"{os.fsdecode(folder)} is a link back to a folder above it, and would never end",
                hint="Remove the link, or register the folder below it.",
            )
        for key in self.listing(folder, path):
            name = key.removesuffix(b"/")
            below = path + b"/" + name if path else name
            if key.endswith(b"/"):
                yield from self.files(os.path.join(folder, name), below, (*trail, identity))
            else:
                yield File(below, folder, name)

    def listing(self, folder: bytes, path: bytes) -> list[bytes]:
        """The names in a folder, those of folders with a slash behind: sorted, they are in order of whole paths."""
        names = []
        with os.scandir(folder) as entries:
            for entry in entries:
                kind = self.kind(entry)
                if kind:
                    self.notes.append(f"{os.fsdecode(os.path.join(path, entry.name))}: left out, {kind}")
                else:
                    names.append(entry.name + (b"/" if entry.is_dir() else b""))
        names.sort()
        return names

    @staticmethod
    def kind(entry: os.DirEntry[bytes]) -> str:
        """Why an entry is left out; empty for one that is a file or a folder."""
        try:
            if entry.is_file() or entry.is_dir():
                return ""
            return "a link that leads nowhere" if entry.is_symlink() else "neither a file nor a folder"
        except OSError:  # a link in a circle
            return "a link that leads nowhere"


def take(
    path: Path,
    manifests: Path | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled = lambda: False,
    seen: SeenHashes | None = None,
) -> Fingerprint:
    """The fingerprint of a file or a folder; its manifest is kept in the folder ``manifests`` where one is given.

    What was hashed before is not read again, also when that was broken off. Raises NotFoundError where there is
    nothing, UsageError for a link in a circle, MachineError for what cannot be read, AbandonedError once ``cancelled``
    is true.
    """
    kept = seen or SeenHashes()
    walk = Walk()
    try:
        with Writer(manifests) as writer, closing(entries(path, walk, kept, cancelled)) as sorted_entries:
            for entry in sorted_entries:
                writer.add(entry)
                if progress is not None:
                    progress(writer.bytes, None)
            found = writer.finish()
            notes = (*walk.notes, *([kept.trouble] if kept.trouble else []))
            return Fingerprint(found, writer.files, writer.bytes, notes)
    except FileNotFoundError as error:
        if not path.exists():
            raise NotFoundError(f"there is no {path}") from error
        raise MachineError(f"{path} changed while it was being read: {error.filename!r} is gone") from error
    except OSError as error:
        raise explain(error, f"reading {path}") from error
    finally:
        if seen is None:
            kept.close()


def entries(path: Path, walk: Walk, seen: SeenHashes, cancelled: Cancelled) -> Generator[Entry, None, None]:
    """The files of a manifest in order, each hashed or known."""
    root = os.fsencode(path.absolute())
    found = walk.files(root) if path.is_dir() else iter([File(b"", *os.path.split(root))])
    over = threading.Event()

    def called_off() -> bool:
        return over.is_set() or cancelled()

    readers = 1
    with ThreadPoolExecutor(READERS, thread_name_prefix="hash") as pool:
        waiting: list[Future[tuple[list[Entry], bool]]] = []
        try:
            while batch := list(islice(found, BATCH)):
                waiting.append(pool.submit(hash_batch, batch, seen, called_off))
                if len(waiting) > readers:
                    done, waited = waiting.pop(0).result()
                    readers = READERS if waited else readers
                    yield from done
                if cancelled():
                    raise AbandonedError("cancelled while the data was being read")
            for each in waiting:
                yield from each.result()[0]
        finally:
            over.set()
            for each in waiting:
                each.cancel()


def hash_batch(batch: list[File], seen: SeenHashes, cancelled: Cancelled) -> tuple[list[Entry], bool]:
    """Hash the files of a batch that are not known as they are, and keep what was found; whether the disk was slow."""
    start, busy = time.perf_counter(), time.thread_time()
    done: list[Entry] = []
    new: list[tuple[bytes, bytes, Stamp, str]] = []
    try:
        for folder, files in groupby(batch, key=lambda file: file.folder):
            together = list(files)
            known = seen.between(folder, together[0].name, together[-1].name)
            for file in together:
                if cancelled():
                    raise AbandonedError("cancelled while the data was being read")
                stamp, digest = known.get(file.name, (None, ""))
                source = file.source
                if stamp is None or stamp != Stamp.of(os.stat(source)):
                    stamp, digest = hash_file(source, cancelled)
                    new.append((folder, file.name, stamp, digest))
                done.append(Entry(os.fsdecode(file.path), stamp.size, digest))
    finally:
        seen.keep(new)
    return done, time.thread_time() - busy < (time.perf_counter() - start) / 2


def hash_file(source: bytes, cancelled: Cancelled) -> tuple[Stamp, str]:
    """Read a file for its hash. Raises MachineError for one that is written to meanwhile."""
    from blake3 import blake3

    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{os.fsdecode(source)} is no regular file")
        before = Stamp.of(status)
        if before.size < LARGE:
            content = os.read(descriptor, before.size + 1)
            if len(content) == before.size:  # one read sees a file before or after a write
                return before, str(blake3(content).hexdigest())
            digest = ""
        else:
            digest = hash_pieces(descriptor, cancelled)
        if not digest or Stamp.of(os.fstat(descriptor)) != before:
            raise MachineError(
                f"{os.fsdecode(source)} was written to while it was being read",
                hint="Try again when whatever writes there is done.",
            )
    finally:
        os.close(descriptor)
    return before, digest


def hash_pieces(descriptor: int, cancelled: Callable[[], bool]) -> str:
    """Hash an open file piece by piece: the next one is read while all cores hash the last."""
    from blake3 import blake3

    state = blake3(max_threads=blake3.AUTO)
    buffers = [memoryview(bytearray(PIECE)), memoryview(bytearray(PIECE))]
    with ThreadPoolExecutor(1, thread_name_prefix="read") as reader:
        upcoming = reader.submit(os.readv, descriptor, [buffers[0]])
        turn = 0
        while size := upcoming.result():
            if cancelled():
                raise AbandonedError("cancelled while the data was being read")
            piece, turn = buffers[turn][:size], 1 - turn
            upcoming = reader.submit(os.readv, descriptor, [buffers[turn]])
            state.update(piece)
    return str(state.hexdigest())
