"""What arrived in a datastore, held against what was sent: it is read again, since a size alone tells little."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import MachineError
from store.telling import Progress

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

CHUNK = 4 << 20


def verify(system: AbstractFileSystem, full: str, file: Path, expected: str | None, progress: Progress) -> None:
    """Read what lies at a path of a file system. Raises MachineError where it is not the file that was sent.

    ``expected`` is the BLAKE3 that the file had when it was looked at before, if it was.
    """
    from blake3 import blake3

    size = file.stat().st_size
    arrived = system.info(full)["size"]
    if arrived != size:
        raise MachineError(f"of {size} bytes {arrived} arrived", hint="Was the file changed meanwhile? Try again.")
    sent = blake3(max_threads=blake3.AUTO).update_mmap(file).hexdigest() if size else blake3().hexdigest()
    if expected not in (None, sent):
        raise MachineError(f"{file} changed while it was being copied", hint="Try again when nobody writes to it.")
    state, done = blake3(), 0
    with system.open(full, "rb") as stream:
        while chunk := stream.read(CHUNK):
            state.update(chunk)
            done += len(chunk)
            progress(done, size)
    if state.hexdigest() != sent:
        raise MachineError(
            f"{file}: other bytes arrived than were sent, {done} of {size}",
            hint="Was the file changed meanwhile, or is the storage at fault? Try again.",
        )
