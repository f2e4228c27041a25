"""From a datastore to a file system of fsspec, and to addresses that mean the same in every workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
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

EXTRAS = {
    "azure_blob": ("azure", "adlfs"),
    "azure_file": ("azure", "azure.storage.fileshare"),
    "azure_data_lake_gen2": ("azure", "adlfs"),
    "one_lake": ("azure", "adlfs"),
    "sftp": ("sftp", "paramiko"),
    "s3": ("s3", "s3fs"),
    "smb": ("smb", "smbclient"),
    "sql": ("sql", "sqlalchemy"),
    "webdav": ("webdav", "webdav4"),
}
"""What is to be installed for a type: the extra of Workbench, and the library that it brings."""

WITHOUT_FILES = frozenset({"sql", "azure_data_lake_gen1"})
"""Types that have tables instead of files, or nothing any more: opening their files says so."""


def open_filesystem(datastore: Datastore, secrets: credentials.Secrets) -> tuple[AbstractFileSystem, str]:
    """The file system of a datastore, and the path of its root there.

    Raises MissingLibraryError naming the extra to install, and UsageError for types that have no files or are retired.
    """
    given = credentials.put_back(datastore, secrets)
    with libraries(datastore):
        found: tuple[Any, str] = module(datastore).open_filesystem(datastore, given)
    return found


@contextmanager
def libraries(datastore: Datastore) -> Iterator[None]:
    """Where a library of the type is not there, MissingLibraryError says how to install it."""
    try:
        yield
    except ImportError as error:
        from store.transfer.remote import MissingLibraryError

        extra, library = EXTRAS.get(datastore.type, ("", error.name or str(error)))
        install = f'pip install "workbench-ml[{extra}]"' if extra else f"pip install {library}"
        message = f"datastore {datastore.name!r}: {library}, the library for type {datastore.type}, is not installed"
        raise MissingLibraryError(message, hint=f"Install it: {install}") from error


def installed(kind: str) -> bool:
    """Whether the library of a type is there."""
    if kind not in EXTRAS:
        return True
    try:
        return find_spec(EXTRAS[kind][1]) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


def check(datastore: Datastore) -> None:
    """Raises UsageError or MissingLibraryError where files of it can never be had, without asking its server."""
    if datastore.type in WITHOUT_FILES:
        module(datastore).open_filesystem(datastore, {})
    if not installed(datastore.type):
        with libraries(datastore):
            raise ModuleNotFoundError(name=EXTRAS[datastore.type][1])


def address(datastore: Datastore, path: str = "") -> str:
    """The URL of a path of a datastore, without secrets: the same in every workspace that reaches it."""
    found: str = module(datastore).address(datastore, path)
    return found


def module(datastore: Datastore) -> Any:
    """What knows the type of a datastore."""
    return import_module(MODULES[datastore.type])
