"""Fingerprints of data by content: which bytes a file or a folder has, told by one hash.

A folder is walked in order of path; files are hashed by threads in batches, and a large one in pieces by all cores.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

from store.data.manifest import Entry, Writer
from store.data.seen_hashes import SeenHashes, Stamp
from store.data.walking import File, Walk
from store.disk import explain
from store.errors import MachineError, NotFoundError, UsageError
from store.telling import Cancelled, Progress
from store.transfer.incoming import AbandonedError

BATCH = 512
"""Files that are looked up, hashed and kept together."""
LARGE = 1 << 20
"""A file from this size on is hashed in pieces, by all cores."""
PIECE = 1 << 20
READERS = 4 * (os.cpu_count() or 1)
"""Batches that are read at once where the disk is what is waited for; else one, since threads would only take turns."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Which bytes a file or a folder has; ``notes`` tell what was left out."""

    hash: str
    files: int
    bytes: int
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    """What the threads of one reading share."""

    seen: SeenHashes
    cancelled: Cancelled
    progress: Progress | None
    total: int | None
    over: bool = False
    _done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def go_on(self) -> None:
        """Raises AbandonedError when the work is no longer wanted."""
        if self.over or self.cancelled():
            raise AbandonedError("cancelled while the data was being read")

    def tell(self, count: int) -> None:
        """So many bytes more are done."""
        with self._lock:
            self._done += count
            if self.progress is not None:
                self.progress(self._done, self.total)


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
    kept, walk = seen or SeenHashes(), Walk()
    try:
        with Writer(manifests) as writer:
            total = None if path.is_dir() else os.stat(path).st_size
            with closing(_entries(path, walk, _Work(kept, cancelled, progress, total))) as sorted_entries:
                for entry in sorted_entries:
                    writer.add(entry)
            found = writer.finish()
        kept.prune()
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


def _entries(path: Path, walk: Walk, work: _Work) -> Generator[Entry, None, None]:
    """The files of a manifest in order, each hashed or known."""
    root = os.fsencode(path.absolute())
    found = walk.files(root) if path.is_dir() else iter([File(b"", *os.path.split(root))])
    readers = 1
    with ThreadPoolExecutor(READERS, thread_name_prefix="hash") as pool:
        waiting: list[Future[tuple[list[Entry], bool]]] = []
        try:
            while batch := list(islice(found, BATCH)):
                waiting.append(pool.submit(_hash_batch, batch, work))
                if len(waiting) > readers:
                    done, waited = waiting.pop(0).result()
                    readers = READERS if waited else readers
                    yield from done
                work.go_on()
            for each in waiting:
                yield from each.result()[0]
        finally:
            work.over = True
            for each in waiting:
                each.cancel()


def _hash_batch(batch: list[File], work: _Work) -> tuple[list[Entry], bool]:
    """Hash the files of a batch that are not known as they are, and keep what was found; whether the disk was slow."""
    start, busy = time.perf_counter(), time.thread_time()
    done: list[Entry] = []
    new: list[tuple[bytes, bytes, Stamp, str]] = []
    small = 0
    try:
        for folder, files in groupby(batch, key=lambda file: file.folder):
            together = list(files)
            known = work.seen.between(folder, together[0].name, together[-1].name)
            if gone := known.keys() - {file.name for file in together}:
                work.seen.forget(folder, gone)
            for file in together:
                work.go_on()
                stamp, digest = known.get(file.name, (None, ""))
                source = file.source
                if stamp is None or stamp != Stamp.of(os.stat(source)):
                    stamp, digest = _hash_file(source, work)
                    new.append((folder, file.name, stamp, digest))
                    small += stamp.size if stamp.size < LARGE else 0
                else:
                    small += stamp.size
                done.append(Entry(os.fsdecode(file.path), stamp.size, digest))
    finally:
        work.seen.keep(new)
    work.tell(small)
    return done, time.thread_time() - busy < (time.perf_counter() - start) / 2


def _hash_file(source: bytes, work: _Work) -> tuple[Stamp, str]:
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
            digest = _hash_pieces(descriptor, work)
        if not digest or Stamp.of(os.fstat(descriptor)) != before:
            raise MachineError(
                f"{os.fsdecode(source)} was written to while it was being read",
                hint="Try again when whatever writes there is done.",
            )
    finally:
        os.close(descriptor)
    return before, digest


def _hash_pieces(descriptor: int, work: _Work) -> str:
    """Hash an open file piece by piece, each by all cores; the kernel reads ahead meanwhile.

    A thread that reads the next piece already makes this a quarter faster for a file that is in memory, and several
    times slower for one that is not.
    """
    from blake3 import blake3

    state = blake3(max_threads=blake3.AUTO)
    buffer = memoryview(bytearray(PIECE))
    while size := os.readv(descriptor, [buffer]):
        work.go_on()
        state.update(buffer[:size])
        work.tell(size)
    return str(state.hexdigest())
