"""Shares of Azure Files as datastores, over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from store.datastores import azure
from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from store.datastores.checking import Failure, Server


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """The share, from its root on."""
    from azure.storage.fileshare import ExponentialRetry, ShareClient

    from store.datastores.azure_shares import ShareFileSystem

    login: Any
    if key := credentials.get("account_key"):
        login = {"account_name": datastore.document["account_name"], "account_key": key}
    elif token := credentials.get("sas_token"):
        azure.refuse_expired(datastore, token)
        login = token.lstrip("?")
    else:
        login = azure.token_credential(credentials, asynchronous=False)
    share = ShareClient(
        azure.account_url(datastore, "file"),
        datastore.document["file_share_name"],
        credential=login,
        token_intent="backup",  # noqa: S106 — what the service wants to hear from a login without a key
        retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3, random_jitter_range=1),
        connection_timeout=azure.CONNECT_SECONDS,
        read_timeout=azure.ANSWER_SECONDS,
    )
    return ShareFileSystem(share, skip_instance_cache=True), "/"


def address(datastore: Datastore, path: str) -> str:
    """As an https URL."""
    return azure.canonical(azure.account_url(datastore, "file"), datastore.document["file_share_name"], path)


def server(datastore: Datastore) -> Server:
    """What is connected to."""
    from store.datastores.checking import server_of

    return server_of(azure.account_url(datastore, "file"))


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What an error of the library means."""
    return azure.explain(error, datastore, f"the share {datastore.document['file_share_name']!r}")
