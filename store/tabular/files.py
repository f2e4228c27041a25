"""The files behind a table: by file, folder and pattern, on this machine or on any file system of fsspec."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from store.errors import NotFoundError, UsageError
from store.tabular.database import Database
from store.unfinished import is_unfinished

if TYPE_CHECKING:
    from store.addresses import Address

Resolve = Callable[[str], tuple[Any, str]]
"""Turns an address (``azureml://...``, a URL) into an fsspec file system and a path on it."""


@dataclass(frozen=True)
class SourceFile:
    """One file: where it is, and how it is called in the column ``Path`` and in errors."""

    system: Any
    path: str
    name: str

    def open(self) -> IO[bytes]:
        """Open it to read."""
        stream: IO[bytes] = self.system.open(self.path, "rb")
        return stream

    def arrow_system(self) -> Any:
        """Its file system, as Arrow takes it."""
        from fsspec.implementations.local import LocalFileSystem
        from pyarrow import fs

        if isinstance(self.system, LocalFileSystem):
            return fs.LocalFileSystem()
        return fs.PyFileSystem(fs.FSSpecHandler(self.system))


def local_system() -> Any:
    """This machine's files."""
    from fsspec.implementations.local import LocalFileSystem

    return LocalFileSystem()


def any_address(address: str) -> tuple[Any, str]:
    """The resolver for where no workspace is known: whatever fsspec makes of an address."""
    from store.transfer.remote import log_in, open_filesystem

    place = address_of(address)
    system, path = open_filesystem(place)
    log_in(system, place)
    return system, path


def address_of(text: str) -> Address:
    """A URL, and how it is shown: without its secrets, and otherwise as it was written."""
    from store.addresses import Address, split_secrets

    return Address(text, split_secrets(text)[0])


def find_files(kind: str, place: str, folder: tuple[Any, str], resolve: Resolve) -> list[SourceFile]:
    """The files of an entry of ``paths``, sorted by name. Raises NotFoundError where there is none."""
    system, path, prefix = locate(place, folder, resolve)
    if kind == "file":
        found = [path] if _is_file(system, path) else []
    elif kind == "folder":
        found = sorted(system.find(path)) if system.isdir(path) else []
    else:
        found = sorted(each for each in system.glob(path) if system.isfile(each))
    found = [each for each in found if not is_unfinished(each.rpartition("/")[2])]
    if not found:
        what = {"file": "there is no file", "folder": "there is no file in the folder"}.get(kind, "nothing matches")
        relative = bool(folder[1]) and "://" not in place and not os.path.isabs(place)
        hint = "Paths are relative to the folder of the MLTable file." if relative else None
        raise NotFoundError(f"{what} {place!r} (looked for {prefix}{path})", hint=hint)
    return [SourceFile(system, each, prefix + each) for each in found]


def _is_file(system: Any, path: str) -> bool:
    """As ``isfile``, which of most file systems takes a server that is not there for a file that is not."""
    if _is_local(system):
        return bool(system.isfile(path))
    try:
        return bool(system.info(path)["type"] == "file")
    except OSError as error:
        if not isinstance(error, FileNotFoundError) and error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise
        cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno != errno.ENOENT:  # http says so of a connection that failed, too
        raise cause
    return False


def locate(place: str, folder: tuple[Any, str], resolve: Resolve) -> tuple[Any, str, str]:
    """File system and path of an entry; and what stands before the path to make it an address."""
    if place.startswith("file://"):
        place = place.removeprefix("file://")
    if "://" in place or place.startswith("azureml:"):
        system, path = resolve(place)
        if isinstance(system, Database):
            hint = "A table has `query_source` instead: workbench schema mltable tells its fields."
            raise UsageError(f"{place} is a table of a database, and no file", hint=hint)
    else:
        system, root = folder
        path = os.path.normpath(os.path.join(root, os.path.expanduser(place) if _is_local(system) else place))
    return system, path, "" if _is_local(system) or "://" in path else _scheme(system)


def _is_local(system: Any) -> bool:
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(system, LocalFileSystem)


def _scheme(system: Any) -> str:
    protocol = system.protocol if isinstance(system.protocol, str) else system.protocol[0]
    return f"{protocol}://"


def absolute(path: Path | str) -> str:
    """A path of this machine in full."""
    return os.path.abspath(os.path.expanduser(path))
