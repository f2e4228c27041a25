"""Folders of WebDAV servers, as datastores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from store.datastores.checking import Failure, Server, chain, server_of
from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

RENAMES_FOLDERS = True
SECONDS = 30.0


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """webdav4 by a user and a password, by a token, or as nobody."""
    from store.datastores.webdav_filesystem import WebDavFileSystem

    login: dict[str, Any] = {}
    if "token" in credentials:
        login["headers"] = {"Authorization": f"Bearer {credentials['token']}"}
    elif credentials:
        login["auth"] = (credentials["username"], credentials["password"])
    return WebDavFileSystem(datastore.document["endpoint_url"], timeout=SECONDS, **login), "/"


def server(datastore: Datastore) -> Server:
    """What is connected to."""
    return server_of(datastore.document["endpoint_url"])


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What webdav4's and httpx's errors mean."""
    import httpx
    from webdav4 import client

    where = datastore.document["endpoint_url"]
    for each in chain(error):
        if isinstance(each, client.HTTPError):
            return _by_status(each.status_code, str(each), where)
        if isinstance(each, client.ForbiddenOperation):
            return _by_status(403, str(each), where)
        if isinstance(each, client.ResourceNotFound | FileNotFoundError):
            return Failure("place", f"there is nothing at {where}, or at that path below it", "Check the address.")
        if isinstance(each, httpx.TimeoutException):
            return Failure("connection", f"{server(datastore)} does not answer in time", "Try again later.")
        if isinstance(each, httpx.UnsupportedProtocol | httpx.InvalidURL):
            return Failure("place", f"{where} is no address of the web", "It begins with https:// or http://.")
        if isinstance(each, httpx.RemoteProtocolError):
            return Failure("connection", f"{server(datastore)} does not speak http: {each}", "https, or another port?")
    return None


def _by_status(status: int, text: str, where: str) -> Failure:
    match status:
        case 401:
            return Failure("login", "the server wants another login (401)", "Check user and password, or the token.")
        case 403:
            return Failure(
                "right", f"listing {where} is not allowed (403)", "The login needs the right to list and read."
            )
        case 405 | 501:
            return Failure("place", f"{where} speaks no WebDAV ({status})", "Check the path of the address.")
    return Failure("answer", f"the server answers: {text}", "Check the address.")


def address(datastore: Datastore, path: str) -> str:
    """As the web has it."""
    root = datastore.document["endpoint_url"].rstrip("/")
    return "/".join([root, *(quote(part) for part in path.split("/") if part)])
