"""The file system of Databricks workspaces (DBFS) as datastores, over its REST API."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from store.datastores.checking import Failure, Server


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """The workspace's file system, from the datastore's folder on."""
    from store.datastores.dbfs_filesystem import DbfsFileSystem

    token = credentials.get("token") or _own_token(datastore)
    return DbfsFileSystem(_url(datastore), token, skip_instance_cache=True), _root(datastore)


def address(datastore: Datastore, path: str) -> str:
    """As a URL of the workspace's API, which is one place for one file."""
    from urllib.parse import quote

    from store.addresses import Address

    below = "/".join(each for each in (_root(datastore).strip("/"), path.strip("/")) if each)
    return Address.parse(f"{_url(datastore)}/dbfs/{quote(below)}").canonical


def server(datastore: Datastore) -> Server:
    """What is connected to."""
    from store.datastores.checking import server_of

    return server_of(_url(datastore))


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What an answer of the API means."""
    from requests import HTTPError, JSONDecodeError

    from store.datastores.checking import Failure, chain

    for each in chain(error):
        status = each.response.status_code if isinstance(each, HTTPError) and each.response is not None else None
        code = getattr(each, "error_code", "")
        if status == 401 or code == "UNAUTHENTICATED":
            return Failure("login", "the token is refused", "Make a new token, and create the datastore again with it.")
        if status == 403 or code == "PERMISSION_DENIED":
            return Failure(
                "right", "the token may not do this", "Ask for the right, or use the token of one who has it."
            )
        if code == "RESOURCE_DOES_NOT_EXIST" or isinstance(each, FileNotFoundError):
            return Failure(
                "place", f"there is no folder {_root(datastore)!r}", "Check the path; it begins with a slash."
            )
        if isinstance(each, JSONDecodeError):
            why = f"{_url(datastore)} answers, and not as a Databricks workspace does"
            return Failure("answer", why, "Is it the workspace's own address, without a path?")
    return None


def _url(datastore: Datastore) -> str:
    url: str = datastore.document["workspace_url"].rstrip("/")
    return url if "://" in url else f"https://{url}"


def _root(datastore: Datastore) -> str:
    path = (datastore.document.get("path") or "/").removeprefix("dbfs:")
    return "/" + path.strip("/")


def _own_token(datastore: Datastore) -> str:
    """The machine's own: DATABRICKS_TOKEN, or that of the profile in ~/.databrickscfg that names this workspace."""
    from configparser import ConfigParser, Error
    from pathlib import Path

    from store.datastores.checking import CheckError, Failure

    if token := os.environ.get("DATABRICKS_TOKEN"):
        return token
    profiles = ConfigParser(default_section="")  # DEFAULT is a profile as any other
    try:
        profiles.read(Path(os.environ.get("DATABRICKS_CONFIG_FILE") or "~/.databrickscfg").expanduser())
    except Error as error:
        why = f"~/.databrickscfg cannot be read at line {getattr(error, 'lineno', '?')}"
        raise CheckError(datastore, Failure("login", why, "Set it right, or give the datastore a token.")) from None
    for profile in profiles.values():
        if profile.get("host", "").rstrip("/") == _url(datastore) and profile.get("token"):
            return profile["token"]
    hint = "Give the datastore `credentials: {token: ...}`, or set DATABRICKS_TOKEN."
    raise CheckError(datastore, Failure("login", "this machine has no token for the workspace", hint))
