"""Containers of Azure Blob Storage as datastores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from store.datastores import azure
from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from store.datastores.checking import Failure, Server


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """The account's containers as folders, and the datastore's own among them."""
    from store.datastores.azure_containers import BlobFileSystem

    if token := credentials.get("sas_token"):
        azure.refuse_expired(datastore, token)
    login = {"account_name": datastore.document["account_name"], **credentials}
    system = BlobFileSystem(azure.account_url(datastore, "blob"), login)
    system.invalidate_cache()  # fsspec gives the same file system for the same login, with the listings of then
    return system, datastore.document["container_name"]


def address(datastore: Datastore, path: str) -> str:
    """As an https URL."""
    return azure.canonical(azure.account_url(datastore, "blob"), datastore.document["container_name"], path)


def server(datastore: Datastore) -> Server:
    """What is connected to."""
    from store.datastores.checking import server_of

    return server_of(azure.account_url(datastore, "blob"))


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What an error of adlfs means."""
    return azure.explain(error, datastore, f"the container {datastore.document['container_name']!r}")
