"""Lakehouses of Microsoft Fabric's OneLake as datastores: OneLake speaks as a storage account does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from store.datastores import azure
from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from store.datastores.checking import Failure, Server

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """OneLake's workspaces as folders, and the lakehouse among them."""
    from store.datastores.azure_containers import BlobFileSystem

    system = BlobFileSystem(_url(datastore), dict(credentials))
    system.invalidate_cache()
    return system, _root(datastore)


def address(datastore: Datastore, path: str) -> str:
    """As an https URL."""
    return azure.canonical(_url(datastore), _root(datastore), path)


def server(datastore: Datastore) -> Server:
    """What is connected to."""
    from store.datastores.checking import server_of

    return server_of(_url(datastore))


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What an error of adlfs means."""
    return azure.explain(error, datastore, f"the workspace {datastore.document['one_lake_workspace_name']!r}")


def _url(datastore: Datastore) -> str:
    host = azure.without_scheme(datastore.document["endpoint"])
    if azure.is_emulator(host):
        return f"https://{host}/onelake"
    return f"https://{host.replace('.dfs.', '.blob.')}"


def _root(datastore: Datastore) -> str:
    """The workspace; in it the lakehouse, by id or as NAME.Lakehouse, and what of it is named after a slash."""
    workspace: str = datastore.document["one_lake_workspace_name"]
    name = ((datastore.document.get("artifact") or {}).get("name") or "").strip("/")
    if not name:
        return workspace
    lakehouse, slash, below = name.partition("/")
    if not ID.fullmatch(lakehouse) and "." not in lakehouse:
        lakehouse += ".Lakehouse"
    return f"{workspace}/{lakehouse}{slash}{below}"
