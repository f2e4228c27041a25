"""What a watch looks at: a folder of this machine, or a path of a file system elsewhere."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.data.sightings import Found
from store.data.watched_paths import WatchedPath, list_local, list_remote
from store.data.watches import Watch
from store.datastores import registry
from store.disk import explain, staging
from store.errors import MachineError, NotFoundError, WorkbenchError
from store.layout import Layout
from store.mounts import mount_of

WITHOUT_FOLDERS = frozenset({"azure_blob", "s3"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where the files of a watch lie; ``folder`` is None where that is not this machine."""

    watched: WatchedPath
    datastore: str
    folder: Path | None
    filesystem: Any = None
    root: str = ""
    has_folders: bool = True
    """False where a folder is no more than the beginning of names: one without files is not there."""

    @property
    def tells(self) -> bool:
        """Whether the kernel tells of new files: of those that others put on a network's file system it does not."""
        if self.folder is None:
            return False
        mount = mount_of(self.base)
        return mount is None or not mount.is_network

    @property
    def base(self) -> Path:
        """The folder without wildcards, on this machine."""
        assert self.folder is not None  # noqa: S101  (asked of local ones only)
        return self.folder / self.watched.base

    def list(self) -> Iterator[Found]:
        """The files that are there. Raises WorkbenchError, in words, where they cannot be told."""
        try:
            if self.folder is not None:
                yield from list_local(self.folder, self.watched)
            else:
                yield from list_remote(self.filesystem, self.root, self.watched, has_folders=self.has_folders)
        except Exception as error:
            raise self._explain(error) from error

    def check(self) -> None:
        """Raises WorkbenchError, in words, where the datastore does not answer, or the watched folder is gone."""
        try:
            if self.folder is not None:
                os.stat(self.base)
            else:
                self.filesystem.invalidate_cache()
                self.filesystem.info(self._address("") if self.has_folders else self.root)
        except Exception as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> WorkbenchError:
        if isinstance(error, WorkbenchError):
            return error
        if isinstance(error, FileNotFoundError):
            return NotFoundError(f"datastore {self.datastore!r} has no {self.watched.base or 'root folder'}")
        if isinstance(error, OSError):
            return explain(error, f"looking at the datastore {self.datastore!r}")
        # Of a storage's own library: what it raises is not known.
        return MachineError(f"datastore {self.datastore!r} cannot be listed: {error}")

    def _address(self, path: str) -> str:
        return "/".join(part for part in (self.root.rstrip("/"), self.watched.base, path) if part) or self.root

    def obtain(self, found: Found, kept: Path) -> None:
        """Have a file at hand. Raises WorkbenchError where it cannot be had, NotFoundError where it is gone."""
        if self.folder is None:
            self.fetch(found, kept)
            return
        place = self.base / found.path
        if not place.exists():
            raise NotFoundError(f"{found.path} is gone")
        if not os.access(place, os.R_OK):
            raise MachineError(f"{found.path} may not be read", hint="Check who owns it, and its mode.")

    def fetch(self, found: Found, kept: Path) -> Path:
        """A file of elsewhere on this machine: below ``kept``, once for all versions, whole or not there.

        Raises NotFoundError where it is gone, or is not the one any more that was listed.
        """
        key = hashlib.sha256(f"{found.path}\0{found.size}\0{found.modified}".encode()).hexdigest()[:32]
        target = kept / key / found.path.rsplit("/", 1)[-1]
        if target.exists():
            return target
        try:
            with staging(kept) as made:
                self.filesystem.get_file(self._address(found.path), str(made / target.name))
                got = (made / target.name).stat().st_size
                if found.size not in (0, got):  # some tell no sizes
                    raise NotFoundError(f"{found.path} changed: it had {found.size} bytes, and {got} came")
                target.parent.mkdir(exist_ok=True, mode=0o700)
                (made / target.name).replace(target)
        except FileNotFoundError as error:
            raise NotFoundError(f"{found.path} of the datastore {self.datastore!r} is gone") from error
        except OSError as error:
            raise explain(error, f"fetching {found.path} of the datastore {self.datastore!r}") from error
        except WorkbenchError:
            raise
        except Exception as error:
            raise MachineError(f"{found.path} of the datastore {self.datastore!r} was not fetched: {error}") from error
        return target


def open_source(connection: sqlite3.Connection, layout: Layout, watch: Watch) -> Source:
    """Open what a watch looks at. Raises WorkbenchError where there is no such datastore, library or secret."""
    datastore = registry.get(connection, layout, watch.datastore)
    if datastore.type == "local":
        return Source(watch.path, watch.datastore, Path(datastore.document["path"]))
    from store.datastores.filesystems import open_filesystem
    from store.vault import open_vault

    filesystem, root = open_filesystem(datastore, open_vault(layout))
    has_folders = datastore.type not in WITHOUT_FOLDERS
    return Source(watch.path, watch.datastore, None, filesystem, root, has_folders)
