"""Folders of this machine as datastores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """The machine's own file system, from the datastore's folder on."""
    from fsspec.implementations.local import LocalFileSystem

    return LocalFileSystem(auto_mkdir=True), datastore.document["path"]


def address(datastore: Datastore, path: str) -> str:
    """As a file URL."""
    return (Path(datastore.document["path"]) / path.lstrip("/")).as_uri()
