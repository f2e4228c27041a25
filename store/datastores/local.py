"""Folders of this machine as datastores."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.datastores.registry import Datastore
from store.disk import explain
from store.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """The machine's own file system, from the datastore's folder on."""
    from fsspec.implementations.local import LocalFileSystem

    return LocalFileSystem(auto_mkdir=True), datastore.document["path"]


def check(datastore: Datastore, credentials: Mapping[str, Any]) -> str | None:
    """Raises NotFoundError, UsageError or MachineError for what is no folder that can be read."""
    folder = Path(datastore.document["path"])
    try:
        with os.scandir(folder) as found:
            next(found, None)
    except FileNotFoundError:
        message = f"datastore {datastore.name!r}: there is no folder {folder}"
        raise NotFoundError(message, hint=f"Make it: mkdir -p {shlex.quote(str(folder))}") from None
    except NotADirectoryError:
        raise UsageError(f"datastore {datastore.name!r}: {folder} is no folder", hint="Name the folder.") from None
    except OSError as error:
        raise explain(error, f"datastore {datastore.name!r}") from error
    return None


def address(datastore: Datastore, path: str) -> str:
    """As a file URL."""
    return (Path(datastore.document["path"]) / path.lstrip("/")).as_uri()
