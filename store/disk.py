"""Files and folders put on the disk whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from store.errors import MachineError, NoRoomError
from store.unfinished import PARTIAL

FICLONE = 0x40049409
"""The ioctl that makes a file share another's blocks until one of them changes (ioctl_ficlone(2))."""

CHUNK = 1 << 20

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})

FULL_BYTES = 1 << 18
"""With less than this a file system counts as full: too little for one step of the store's log."""

STAGING = ".staging-"

MANY_FILES = 50
"""To flush more than so many one by one takes longer than to flush their whole file system."""


def explain(error: OSError, doing: str) -> MachineError:
    """The error for an operation on files that the machine refused: what was being done, why, what to do next."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in NO_ROOM:
        return NoRoomError(
            f"{doing}: the disk is full{where}",
            hint="Free some room and try again; what was there before is untouched.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return MachineError(f"{doing}: not allowed{where}: {error.strerror}", hint="Check who owns it, and its mode.")
    return MachineError(f"{doing}: {error.strerror or error}{where}")


def is_full(path: Path) -> bool:
    """Whether the file system that holds a path has next to no room left for this user."""
    try:
        status = os.statvfs(path)
    except OSError:
        return False
    return bool(status.f_blocks) and status.f_bavail * status.f_frsize < FULL_BYTES  # some tell nothing


def copy_file(source: str | Path, target: str | Path, mode: int = 0o600, mtime_ns: int | None = None) -> None:
    """Copy a file's bytes into a new file; where the file system can, the two share their blocks until one changes."""
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            if not clone(reader, writer):
                copy_bytes(reader, writer)
            if mtime_ns is not None:
                os.utime(writer, ns=(mtime_ns, mtime_ns))
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def clone(reader: int, writer: int) -> bool:
    """Make the file open as ``writer`` share the blocks of the one open as ``reader``; False where that cannot be."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(writer, FICLONE, reader)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        return False
    return True


def copy_bytes(reader: int, writer: int) -> None:
    """Copy from the start of both files until the end, within the kernel where it can; holes stay holes."""
    if sys.platform == "linux":
        status = os.fstat(reader)
        if status.st_blocks * 512 < status.st_size:
            for start, stop in stretches(reader, status.st_size):
                copy_stretch(reader, writer, start, stop)
            os.ftruncate(writer, status.st_size)
            for file in (reader, writer):
                os.lseek(file, status.st_size, os.SEEK_SET)
        with contextlib.suppress(OSError):  # another file system, an old kernel: the loop below does it all
            while os.copy_file_range(reader, writer, 1 << 30):
                pass
    while chunk := os.read(reader, CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[os.write(writer, view) :]


def stretches(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Where each stretch of a file between two holes starts and stops; all of it where nobody knows of holes."""
    stop = 0
    while stop < size:
        try:
            start = os.lseek(file, stop, os.SEEK_DATA)
            stop = os.lseek(file, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno != errno.ENXIO:  # which says that nothing but a hole is left
                yield stop, size
            return
        yield start, stop


def copy_stretch(reader: int, writer: int, start: int, stop: int) -> None:
    """Copy a part of a file to the same part of another."""
    while start < stop and (chunk := os.pread(reader, min(CHUNK, stop - start), start)):
        start += os.pwrite(writer, chunk, start)


def replace_file(source: Path, target: Path, mode: int = 0o600, mtime_ns: int | None = None) -> None:
    """Copy a file to ``target``, which is either the old file or the whole new one at any time."""
    partial = target.with_name(f".{target.name[:200]}{PARTIAL}")
    partial.unlink(missing_ok=True)
    try:
        copy_file(source, partial, mode, mtime_ns)
        partial.replace(target)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def write_whole(target: Path, text: str, *, durable: bool = False) -> None:
    """Write a private file that is at any time the old one or the whole new one, after a power cut if ``durable``."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{target.name[:200]}.", dir=target.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(draft, target)
        if durable:
            flush(target.parent)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def flush(*places: Path) -> None:
    """Have files and folders survive a power cut as they are now; for a folder that is which names are in it."""
    for place in places:
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some file systems refuse it for folders
                raise
        finally:
            os.close(descriptor)


def flush_tree(folder: Path) -> None:
    """Have a folder survive a power cut with all that is below it."""
    places = [Path(root, name) for root, _, names in os.walk(folder) for name in (*names, "")]
    if len(places) <= MANY_FILES or not flush_file_system(folder):
        flush(*places)


def flush_file_system(folder: Path) -> bool:
    """Have all of the file system that holds a folder survive a power cut; False where that cannot be asked for.

    Unlike ``os.sync`` this waits for no other disk, such as a network share that hangs, and tells what went wrong.
    """
    try:
        import ctypes

        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (ImportError, AttributeError, OSError):  # not Linux, or a Python without ctypes
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
    return True


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of a file, made where it is missing, or of a folder; the kernel drops it however a holder ends.

    While another holds it, ``waiting`` is called again and again: it pauses, or raises to give up. Without it, this
    waits as long as it takes.
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if waiting else 0))
                break
            except BlockingIOError:
                if waiting:
                    waiting()
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """A private folder inside ``parent`` to fill and then rename to its place; whatever is left at the end goes.

    Its lock is held meanwhile, so that what a killed process left is known by its lock being free, and swept.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep(parent)
    folder, lock = claim(parent)
    try:
        yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def claim(parent: Path) -> tuple[Path, int]:
    """Make a staging folder and take its lock."""
    while True:
        folder = parent / f"{STAGING}{secrets.token_hex(6)}"
        folder.mkdir(mode=0o700)
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # swept in the moment before it was locked
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if same_file(folder, lock):
            return folder, lock
        os.close(lock)


def same_file(path: Path, descriptor: int) -> bool:
    """Whether a path still leads to the file that is open."""
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(descriptor))


def sweep(parent: Path) -> None:
    """Remove the staging folders of processes that were killed."""
    for folder in parent.glob(f"{STAGING}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def publish(folder: Path, target: Path) -> bool:
    """Rename a staged folder to its place; False when another process has put one there first."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return False
        raise
    return True
