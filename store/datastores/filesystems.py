"""From a datastore to a file system of fsspec, and to addresses that mean the same in every workspace."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from store.datastores import credentials
from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

MODULES = {
    "local": "store.datastores.local",
    "azure_blob": "store.datastores.azure_blob",
    "azure_file": "store.datastores.azure_file",
    "azure_data_lake_gen1": "store.datastores.azure_gen1",
    "azure_data_lake_gen2": "store.datastores.azure_gen2",
    "one_lake": "store.datastores.one_lake",
    "sftp": "store.datastores.sftp",
    "s3": "store.datastores.s3",
    "smb": "store.datastores.smb",
    "webdav": "store.datastores.webdav",
    "dbfs": "store.datastores.dbfs",
    "sql": "store.datastores.sql",
}
"""What each type is: a module with ``open_filesystem(datastore, credentials)`` and ``address(datastore, path)``."""


def open_filesystem(datastore: Datastore, secrets: credentials.Secrets) -> tuple[AbstractFileSystem, str]:
    """The file system of a datastore, and the path of its root there.

    Raises MissingLibraryError naming the extra to install, and UsageError for types that have no files or are retired.
    """
    found: tuple[Any, str] = module(datastore).open_filesystem(datastore, credentials.put_back(datastore, secrets))
    return found


def address(datastore: Datastore, path: str = "") -> str:
    """The URL of a path of a datastore, without secrets: the same in every workspace that reaches it."""
    found: str = module(datastore).address(datastore, path)
    return found


def module(datastore: Datastore) -> Any:
    """What knows the type of a datastore."""
    return import_module(MODULES[datastore.type])
