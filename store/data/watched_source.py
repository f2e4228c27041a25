"""What a watch looks at: a folder of this machine, or a path of a file system elsewhere."""

from __future__ import annotations

import hashlib
import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from store.data.sightings import Found
from store.data.watched_paths import WatchedPath, list_local, list_remote
from store.data.watches import Watch
from store.datastores import registry
from store.disk import NO_ROOM, explain, staging
from store.errors import MachineError, NotFoundError
from store.layout import Layout
from store.mounts import mount_of

if TYPE_CHECKING:
    from store.datastores.transfers import Opened

LARGE = 4_000_000
"""Bytes from which on a file is taken up where its connection broke; a smaller one begins anew, and has less to ask."""

WITHOUT_FOLDERS = frozenset({"azure_blob", "s3"})
"""Where a folder is no more than the beginning of names: one without files is not there, and not lost either."""


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A folder of this machine; ``base`` is the part of it that is looked at."""

    watched: WatchedPath
    base: Path
    root: Path

    @property
    def tells(self) -> bool:
        """Whether the kernel tells of new files: of those that others put on a network's file system it does not."""
        mount = mount_of(self.base)
        return mount is None or not mount.is_network

    def list(self) -> Iterator[Found]:
        """The files that are there. Raises WorkbenchError, in words, where they cannot be told."""
        try:
            yield from list_local(self.root, self.watched)
        except OSError as error:
            raise explain(error, f"looking at {self.base}") from error

    def close(self) -> None:
        """Nothing is open."""

    def check(self) -> None:
        """Raises WorkbenchError, in words, where the watched folder itself is gone or cannot be read."""
        try:
            os.stat(self.base)
        except OSError as error:
            raise explain(error, f"looking at {self.base}") from error

    def may_come(self) -> bool:
        """Whether the watched folder is only not there yet. Raises NotFoundError where the datastore's is not."""
        if not self.root.is_dir():
            hint = f"Make it: mkdir -p {shlex.quote(str(self.root))}"
            raise NotFoundError(f"the datastore's folder {self.root} is not there", hint=hint)
        return not os.path.lexists(self.base)

    def obtain(self, found: Found, kept: Path) -> str:
        """Where a file lies. Raises MachineError where it may not be read, NotFoundError where it is gone."""
        place = f"{self.base}/{found.path}"  # text: there may be many thousands at once
        if os.access(place, os.R_OK):
            return place
        if not os.path.exists(place):
            raise NotFoundError(f"{found.path} is gone")
        raise MachineError(f"{found.path} may not be read", hint="Check who owns it, and its mode.")


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """A path of a datastore elsewhere; what is told of its errors has no secrets in it."""

    watched: WatchedPath
    there: Opened

    @property
    def tells(self) -> bool:
        return False

    def list(self) -> Iterator[Found]:
        """The files that are there. Raises WorkbenchError, in words, where they cannot be told."""
        with self._in_words(self.watched.base):
            yield from list_remote(self.there.system, self.there.root, self.watched, has_folders=self._has_folders)

    def close(self) -> None:
        """End the connection."""
        self.there.close()

    def check(self) -> None:
        """Raises WorkbenchError where the datastore does not answer, or the watched folder is gone."""
        self.there.again()  # what failed may have ended the connection
        with self._in_words(self.watched.base):
            self.there.system.info(self.there.full(self.watched.base if self._has_folders else ""))

    def may_come(self) -> bool:
        """Whether the watched folder is only not there yet. Raises WorkbenchError where the datastore's is not."""
        with self._in_words(""):
            self.there.system.info(self.there.full(""))
            return not self.there.system.exists(self.there.full(self.watched.base))

    def obtain(self, found: Found, kept: Path) -> str:
        """A file on this machine: below ``kept``, once for all versions, whole or not there.

        Raises NotFoundError where it is gone or is not the one any more that was listed, WorkbenchError for all else.
        """
        key = hashlib.sha256(f"{found.path}\0{found.size}\0{found.modified}".encode()).hexdigest()[:32]
        target = kept / key / found.path.rsplit("/", 1)[-1]
        if target.exists():
            return str(target)
        path = f"{self.watched.base}/{found.path}".lstrip("/")
        with self._in_words(path), staging(kept) as made:
            self._fetch(path, found.size, made / target.name)
            got = (made / target.name).stat().st_size
            if found.size not in (0, got):  # some tell no sizes
                raise NotFoundError(f"{path} changed: it had {found.size} bytes, and {got} came")
            target.parent.mkdir(exist_ok=True, mode=0o700)
            (made / target.name).replace(target)
        return str(target)

    def _fetch(self, path: str, size: int, target: Path) -> None:
        if size < LARGE:
            self.there.system.get_file(self.there.full(path), str(target))
            return
        from store.datastores.transfers import download

        download(self.there, path, target, progress=lambda _done, _total: None)

    @property
    def _has_folders(self) -> bool:
        return self.there.datastore.type not in WITHOUT_FOLDERS

    @contextmanager
    def _in_words(self, path: str) -> Iterator[None]:
        from store.datastores.checking import explained

        with explained(self.there.datastore, self.there.given):
            try:
                yield
            except FileNotFoundError as error:
                raise NotFoundError(
                    f"datastore {self.there.datastore.name!r} has no {path or 'root folder'}"
                ) from error
            except OSError as error:
                if error.errno in NO_ROOM:
                    raise explain(error, f"fetching {path}") from error
                raise


Source = LocalSource | RemoteSource


def open_source(connection: sqlite3.Connection, layout: Layout, watch: Watch) -> Source:
    """Open what a watch looks at. Raises WorkbenchError where there is no such datastore, library or secret."""
    datastore = registry.get(connection, layout, watch.datastore)
    if datastore.type == "local":
        root = Path(datastore.document["path"])
        return LocalSource(watch.path, root / watch.path.base, root)
    from store.datastores.transfers import opened
    from store.vault import open_vault

    return RemoteSource(watch.path, opened(datastore, open_vault(layout)))
