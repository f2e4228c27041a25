"""A file that is being received, going on where an earlier attempt broke off."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Protocol

from store.addresses import Address
from store.disk import CHUNK, NO_ROOM, explain
from store.errors import MachineError, WorkbenchError
from store.telling import Progress
from store.transfer.patience import Result, patiently

BROKEN_IN_A_ROW = 5
"""How often a transfer may break off without having brought anything before it is given up."""

PAUSE_SECONDS = 0.2


class AbandonedError(WorkbenchError):
    """The one who asked does not want it any more; what is here already stays for the next attempt."""


class BrokenError(Exception):
    """A transfer stopped before its end, and is worth taking up again."""


@dataclass(slots=True)
class Watch:
    """Whom to tell of progress, and whom to ask whether to go on."""

    progress: Progress | None = None
    cancelled: Callable[[], bool] | None = None

    def tell(self, done: int, total: int | None) -> None:
        """Report progress. Raises AbandonedError when cancelled."""
        self.check()
        if self.progress:
            self.progress(done, total)

    def check(self) -> None:
        """Raises AbandonedError when cancelled."""
        if self.cancelled and self.cancelled():
            raise AbandonedError("cancelled while data was being downloaded", hint="What has come stays for next time.")

    def wait_for(self, call: Callable[[], Result]) -> Result:
        """What a call to the other side returns. Raises AbandonedError when cancelled, also while it hangs."""
        return call() if self.cancelled is None else patiently(call, self.check)


@dataclass(slots=True)
class Origin:
    """What the other side says of the bytes: enough to know them again."""

    etag: str | None = None
    last_modified: str | None = None
    size: int | None = None

    @property
    def validator(self) -> str | None:
        """What makes the other side send the rest of the same bytes only; a weak ETag does not (RFC 9110, 13.1.5)."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified

    def fits(self, now: Origin) -> bool:
        """Whether the other side still has these bytes, as far as it says anything."""
        return now.validator in (None, self.validator) and now.size in (None, self.size)


class Body(Protocol):
    """Bytes coming in, from ``start`` on; ``read`` raises BrokenError when they stop before their end."""

    origin: Origin
    start: int

    def read(self, size: int) -> bytes:
        """Some bytes, at most ``size``; none at the end."""

    def close(self) -> None:
        """Want no more of it."""


Open = Callable[[int, Origin | None], Body]
"""Ask for what lies at an address, from an offset on where that is still what the Origin says, else from the start."""


class Incoming:
    """The bytes of a file that are here, their hash, and of which origin they are, which ``note`` keeps on the disk."""

    def __init__(self, file: Path, note: Path) -> None:
        self.file = file
        self.note = note
        self.hash = hashlib.sha256()
        self.size = 0
        self.origin = self._read_note()
        if self.origin is None or not file.exists():
            self.restart(None)
        else:
            self._take_up()
            if not self.origin.validator and not self.complete:
                self.restart(None)

    def _read_note(self) -> Origin | None:
        try:
            return Origin(**json.loads(self.note.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _take_up(self) -> None:
        with self.file.open("rb", buffering=0) as stream:
            while chunk := stream.read(CHUNK):
                self.hash.update(chunk)
                self.size += len(chunk)

    def restart(self, origin: Origin | None) -> None:
        """Throw away what is here; what comes next is of ``origin``."""
        self.file.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
        self.hash, self.size, self.origin = hashlib.sha256(), 0, origin
        if origin is not None:
            self.file.touch(0o600)
            self.note.write_text(json.dumps(asdict(origin)))

    @property
    def complete(self) -> bool:
        """Whether every byte that was announced is here."""
        return self.origin is not None and self.origin.size == self.size

    def append(self, stream: IO[bytes], chunk: bytes) -> None:
        """Write what came; a full disk raises OSError."""
        view = memoryview(chunk)
        while view:
            view = view[stream.write(view) :]
        self.hash.update(chunk)
        self.size += len(chunk)


def receive_file(address: Address, file: Path, note: Path, open_at: Open, watch: Watch) -> tuple[str, Origin]:
    """Bring one file to ``file``; returns its SHA-256 and what the other side said of it.

    Raises MachineError when the disk is full (and then leaves nothing), or when it broke off too often in vain.
    """
    try:
        incoming = Incoming(file, note)
        in_vain = 0
        while not incoming.complete:
            before = incoming.size
            try:
                receive_more(incoming, open_at, watch)
                break
            except BrokenError as error:
                in_vain = 0 if incoming.size > before else in_vain + 1
                if in_vain >= BROKEN_IN_A_ROW:
                    raise broken_off(address, incoming, error) from error
                watch.check()
                time.sleep(PAUSE_SECONDS * in_vain)
    except OSError as error:
        if error.errno in NO_ROOM:
            file.unlink(missing_ok=True)
        raise explain(error, f"downloading {address}") from error
    return incoming.hash.hexdigest(), incoming.origin or Origin()


def broken_off(address: Address, incoming: Incoming, error: BrokenError) -> MachineError:
    """The error for a transfer that does not get on."""
    whole = incoming.origin.size if incoming.origin else None
    of_all = f" of {whole}" if whole else ""
    return MachineError(
        f"{address}: the download stopped at {incoming.size}{of_all} bytes: {error}",
        hint="Try again later: it goes on from there.",
    )


def receive_more(incoming: Incoming, open_at: Open, watch: Watch) -> None:
    """Ask for what is missing and append it. Raises BrokenError when it stops before the end."""
    watch.check()
    body = watch.wait_for(lambda: open_at(incoming.size, incoming.origin if incoming.size else None))
    try:
        append_rest(incoming, body, watch)
    except AbandonedError:
        raise  # a read may be under way, and closing would wait for it: the last to let go of the body closes it
    except BaseException:
        body.close()
        raise
    body.close()


def append_rest(incoming: Incoming, body: Body, watch: Watch) -> None:
    """Append what a body brings, after what is here or in its place. Raises BrokenError when it stops early."""
    if body.start == 0:
        incoming.restart(body.origin)
    elif body.start != incoming.size or not (incoming.origin and incoming.origin.fits(body.origin)):
        incoming.restart(None)
        raise BrokenError("what lies there has changed meanwhile")
    require_room(incoming, body.origin.size)
    watch.tell(incoming.size, body.origin.size)
    with incoming.file.open("ab", buffering=0) as stream:
        while chunk := watch.wait_for(lambda: body.read(CHUNK)):
            incoming.append(stream, chunk)
            watch.tell(incoming.size, body.origin.size)
    if body.origin.size is not None and incoming.size != body.origin.size:
        raise BrokenError("the connection ended early")


def require_room(incoming: Incoming, size: int | None) -> None:
    """Better to say so before the download than after half of it. Raises MachineError."""
    free = shutil.disk_usage(incoming.file.parent).free
    if size is not None and size - incoming.size > free:
        missing = size - incoming.size
        incoming.restart(None)
        raise MachineError(
            f"{incoming.file.name} needs {missing} bytes, and the disk has {free} left",
            hint="Free some room, or set WORKBENCH_CACHE to a folder on another disk.",
        )
