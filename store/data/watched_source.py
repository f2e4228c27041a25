"""What a watch looks at: a folder of this machine, or a path of a file system elsewhere."""

from __future__ import annotations

import hashlib
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


@dataclass(frozen=True, slots=True)
class Source:
    """Where the files of a watch lie; ``folder`` is None where that is not this machine."""

    watched: WatchedPath
    datastore: str
    folder: Path | None
    filesystem: Any = None
    root: str = ""

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
                yield from list_remote(self.filesystem, self.root, self.watched)
        except WorkbenchError:
            raise
        except FileNotFoundError as error:
            raise NotFoundError(f"datastore {self.datastore!r} has no {self.watched.base or 'root folder'}") from error
        except OSError as error:
            raise explain(error, f"looking at the datastore {self.datastore!r}") from error
        except Exception as error:  # of a storage's own library: what it raises is not known
            raise MachineError(f"datastore {self.datastore!r} cannot be listed: {error}") from error

    def fetch(self, found: Found, kept: Path) -> Path:
        """A file of elsewhere on this machine: below ``kept``, once for all versions, whole or not there."""
        key = hashlib.sha256(f"{found.path}\0{found.size}\0{found.modified}".encode()).hexdigest()[:32]
        target = kept / key / found.path.rsplit("/", 1)[-1]
        if target.exists():
            return target
        address = "/".join(part for part in (self.root.rstrip("/"), self.watched.base, found.path) if part)
        try:
            with staging(kept) as made:
                self.filesystem.get_file(address, str(made / target.name))
                target.parent.mkdir(exist_ok=True, mode=0o700)
                (made / target.name).replace(target)
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
    return Source(watch.path, watch.datastore, None, filesystem, root)
