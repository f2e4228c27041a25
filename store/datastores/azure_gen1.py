"""Azure Data Lake Storage Gen1, which is no more: its datastores are kept as documents, and using one says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from store.datastores.registry import Datastore
from store.errors import UsageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class RetiredError(UsageError):
    """A type of storage that its owner has ended."""


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """Raises RetiredError."""
    _refuse(datastore)


def check(datastore: Datastore, credentials: Mapping[str, Any]) -> str | None:
    """Says in a remark that it cannot be used: the document is kept all the same."""
    return str(_retired(datastore))


def address(datastore: Datastore, path: str) -> str:
    """As an adl URL: the name that other documents may have for it."""
    from urllib.parse import quote

    from store.addresses import Address

    host = f"{datastore.document['store_name']}.azuredatalakestore.net"
    return Address.parse(f"adl://{host}/{quote(path.lstrip('/'))}").canonical


def _refuse(datastore: Datastore) -> NoReturn:
    raise _retired(datastore)


def _retired(datastore: Datastore) -> RetiredError:
    return RetiredError(
        f"datastore {datastore.name!r}: Azure Data Lake Storage Gen1 was retired by its owner on 29 February 2024",
        hint="Its data went to Gen2 or is gone: create a datastore of type azure_data_lake_gen2 for it.",
    )
