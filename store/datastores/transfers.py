"""Files into and out of datastores: there is the old one or the whole new one, and never a part of one.

A module of a type whose storage shows a file only when it is whole says ``WRITES_WHOLE = True``. Elsewhere a file comes
under a hidden name and is renamed by the file system's ``mv``, which has to replace what is there.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.addresses import Address, key
from store.datastores import credentials, filesystems
from store.datastores.checking import explained
from store.datastores.listing import below, entries, walk
from store.datastores.registry import Datastore
from store.datastores.verifying import verify
from store.disk import explain, publish, staging
from store.errors import ConflictError, MachineError, NotFoundError, UsageError
from store.telling import Progress
from store.transfer.incoming import Body, BrokenError, Open, Origin, Watch, receive_file
from store.transfer.remote import opener
from store.transfer.web import SourceError
from store.unfinished import hidden, is_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


@dataclass(slots=True)
class Opened:
    """A datastore with its file system; ``given`` are its credentials with their secrets."""

    datastore: Datastore
    given: Mapping[str, Any]
    system: AbstractFileSystem
    root: str

    def full(self, path: str) -> str:
        """A path of the datastore as the file system has it."""
        return below(self.root, path)

    def again(self) -> None:
        """Connect anew, when a connection is gone."""
        module = filesystems.module(self.datastore)
        self.close()
        with suppress(Exception):
            if hasattr(module, "forget"):
                module.forget(self.datastore)
        with suppress(Exception):
            self.system, self.root = _connect(self.datastore, self.given)

    def close(self) -> None:
        """End the connection, where the file system has one for itself alone."""
        if hasattr(self.system, "close"):
            with suppress(Exception):  # it may be gone
                self.system.close()


def opened(datastore: Datastore, vault: credentials.Secrets) -> Opened:
    """Connect to a datastore. Raises CheckError, MissingLibraryError and UsageError for a type without files."""
    given = credentials.put_back(datastore, vault)
    with explained(datastore, given), filesystems.libraries(datastore):
        return Opened(datastore, given, *_connect(datastore, given))


def _connect(datastore: Datastore, given: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    found: tuple[AbstractFileSystem, str] = filesystems.module(datastore).open_filesystem(datastore, given)
    return found


def download(there: Opened, path: str, target: Path, *, overwrite: bool = False, progress: Progress) -> Path:
    """Bring a file or a folder; returns where it is. A connection that drops is taken up again where it broke off.

    Raises ConflictError for what is there already, NotFoundError for what is not in the datastore.
    """
    full, name = there.full(path), path.strip("/").rpartition("/")[2] or there.datastore.name
    with explained(there.datastore, there.given):
        try:
            is_folder = there.system.isdir(full)
            if not is_folder:
                there.system.info(full)
        except FileNotFoundError as error:
            raise NotFoundError(f"the datastore {there.datastore.name!r} has no {path!r}") from error
    target = target / name if target.is_dir() else target
    if target.exists() and (is_folder or target.is_dir() or not overwrite):
        hint = "Choose another place." if is_folder else "Choose another place, or --overwrite it."
        raise ConflictError(f"there is a {target} already", hint=hint)
    try:
        with staging(target.absolute().parent) as folder:
            _receive(there, path, is_folder, folder, progress)
            if is_folder and not publish(folder / "content", target):
                raise ConflictError(f"there is a {target} already", hint="Choose another place.")
            if not is_folder:
                os.replace(folder / "content", target)
    except OSError as error:
        raise explain(error, f"downloading to {target}") from error
    return target


def _receive(there: Opened, path: str, is_folder: bool, folder: Path, progress: Progress) -> None:
    content, notes = folder / "content", folder / "notes"
    notes.mkdir()
    if not is_folder:
        _receive_file(there, path, content, notes / "file", progress)
        return
    content.mkdir()
    brought = 0
    with explained(there.datastore, there.given):
        names = [each.name for each in walk(there.system, there.full(path))]
    for name in names:
        file = content / below("", name).lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        _receive_file(there, f"{path}/{name}", file, notes / key(name), _behind(brought, progress))
        brought += file.stat().st_size


class _Closing:
    """A body whose connection may be gone when it is closed, which nobody needs to hear of (an ``incoming.Body``)."""

    def __init__(self, body: Body) -> None:
        self.body, self.origin, self.start, self.read = body, body.origin, body.start, body.read

    def close(self) -> None:
        with suppress(Exception):
            self.body.close()


def _behind(brought: int, progress: Progress) -> Progress:
    return lambda done, _: progress(brought + done, None)


def _receive_file(there: Opened, path: str, file: Path, note: Path, progress: Progress) -> None:
    receive_one(there, path, file, note, Watch(progress))


def receive_one(there: Opened, path: str, file: Path, note: Path, watch: Watch) -> tuple[str, Origin]:
    """Bring one file, going on where it broke off; returns its SHA-256 and what the other side said of it.

    ``note`` is where it is kept of what the part that has come is a part.
    """
    address = Address.parse(filesystems.address(there.datastore, path))

    def open_at(offset: int, origin: Origin | None) -> Body:
        ask: Open = opener(there.system, there.full(path), address)
        try:
            return _Closing(ask(offset, origin))
        except SourceError as error:
            there.again()
            raise BrokenError(error.message) from error

    return receive_file(address, file, note, open_at, watch)


def upload(
    there: Opened,
    file: Path,
    path: str,
    *,
    overwrite: bool = False,
    progress: Progress,
    token: str | None = None,
    expected: str | None = None,
) -> str:
    """Put a file to a path of the datastore, below it where that is a folder; returns the path that it has there.

    ``token`` is a part of the hidden name: who tries again with the same leaves nothing of the first time.
    What arrived is read again before it counts, and has to be the file, whose BLAKE3 may be ``expected``. Raises
    ConflictError for a path that is taken, UsageError for what is no file, MachineError where other bytes arrived.
    """
    if not file.is_file():
        raise UsageError(f"{file} is no file" if file.exists() else f"there is no file {file}")
    with explained(there.datastore, there.given):
        system = there.system
        if path.endswith("/") or not path.strip("/") or system.isdir(there.full(path)):
            path = f"{path.rstrip('/')}/{file.name}".lstrip("/")
        full = there.full(path)
        if not overwrite and system.exists(full):
            raise ConflictError(
                f"the datastore {there.datastore.name!r} has {path!r} already", hint="--overwrite replaces it."
            )
        if getattr(filesystems.module(there.datastore), "WRITES_WHOLE", False):
            _put(system, file, full, progress, expected)
        else:
            if token is None:
                _clean(system, full)
            with _hidden(system, full, token or secrets.token_hex(4)) as partial:
                _put(system, file, partial, progress, expected)
                system.mv(partial, full)
        system.invalidate_cache()
    return path


def _clean(system: AbstractFileSystem, full: str) -> None:
    """Remove what came of earlier uploads of a file that were killed; one that is under way fails, and says so."""
    folder, _, name = full.rpartition("/")
    with suppress(FileNotFoundError, PermissionError, NotFoundError):
        system.invalidate_cache()
        for each in [each.name for each in entries(system, folder or "/", unfinished=True) if is_of(each.name, name)]:
            system.rm_file(f"{folder}/{each}")


@contextmanager
def _hidden(system: AbstractFileSystem, full: str, token: str) -> Iterator[str]:
    folder, _, name = full.rpartition("/")
    partial = f"{folder}/{hidden(name, token)}"
    if folder:
        system.makedirs(folder, exist_ok=True)
    try:
        yield partial
    except BaseException:
        with suppress(Exception):  # what went wrong first is what is told
            system.rm_file(partial)
        raise


def _put(system: AbstractFileSystem, file: Path, full: str, progress: Progress, expected: str | None) -> None:
    from fsspec.callbacks import Callback

    class Telling(Callback):  # type: ignore[misc]
        """fsspec's way to tell of progress."""

        def call(self, *_: object, **__: object) -> None:
            progress(self.value, self.size)

    system.put_file(str(file), full, callback=Telling(size=file.stat().st_size))
    system.invalidate_cache()
    try:
        verify(system, full, file, expected, progress)
    except MachineError:
        with suppress(Exception):  # what went wrong first is what is told
            system.rm_file(full)
        raise
