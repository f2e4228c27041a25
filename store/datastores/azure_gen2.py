"""File systems of Azure Data Lake Storage Gen2 as datastores.

An account of Gen2 answers at two hosts, ``.dfs.`` and ``.blob.``, with the same data behind them; adlfs speaks to the
latter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from store.datastores import azure
from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from store.datastores.checking import Failure, Server


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """The account's file systems as folders, and the datastore's own among them."""
    from store.datastores.azure_containers import BlobFileSystem

    login = {"account_name": datastore.document["account_name"], **credentials}
    system = BlobFileSystem(azure.account_url(datastore, "blob"), login)
    system.invalidate_cache()
    return system, datastore.document["filesystem"]


def address(datastore: Datastore, path: str) -> str:
    """As the https URL of the blob, which the cache knows each spelling by."""
    return azure.canonical(azure.account_url(datastore, "blob"), datastore.document["filesystem"], path)


def server(datastore: Datastore) -> Server:
    """What is connected to."""
    from store.datastores.checking import server_of

    return server_of(azure.account_url(datastore, "blob"))


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What an error of adlfs means."""
    return azure.explain(error, datastore, f"the file system {datastore.document['filesystem']!r}")
