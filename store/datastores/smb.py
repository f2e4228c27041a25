"""Shares of Windows and Samba servers, as datastores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from store.datastores.checking import Failure, Server, chain
from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

RENAMES_FOLDERS = True
SECONDS = 15


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """fsspec's file system over SMB 2 and 3; without credentials by Kerberos."""
    from store.datastores.smb_filesystem import SmbFileSystem

    document = datastore.document
    system = SmbFileSystem(
        document["host"],
        port=document.get("port", 445),
        timeout=SECONDS,
        share_access="rwd",
        register_session_retries=0,
        skip_instance_cache=True,
        **_login(datastore, credentials),
    )
    return system, _root(datastore)


def _login(datastore: Datastore, credentials: Mapping[str, Any]) -> dict[str, Any]:
    if not credentials:
        return {}
    domain = datastore.document.get("domain")
    user = f"{domain}\\{credentials['username']}" if domain else credentials["username"]
    return {"username": user, "password": credentials["password"]}


def _root(datastore: Datastore) -> str:
    path = (datastore.document.get("path") or "").strip("/")
    return f"/{datastore.document['share']}" + (f"/{path}" if path else "")


def check(datastore: Datastore, credentials: Mapping[str, Any]) -> str | None:
    """Log in on a connection of its own, since the library keeps those that it has; then list the root."""
    import smbclient

    document, own = datastore.document, dict[str, Any]()
    port = document.get("port", 445)
    try:
        login = _login(datastore, credentials)
        smbclient.register_session(
            document["host"], port=port, connection_timeout=SECONDS, connection_cache=own, **login
        )
        unc = rf"\\{document['host']}" + _root(datastore).replace("/", "\\")
        with smbclient.scandir(unc, port=port, connection_cache=own) as found:
            next(found, None)
    finally:
        smbclient.reset_connection_cache(connection_cache=own)
    return None


def server(datastore: Datastore) -> Server:
    """What is connected to."""
    return Server(datastore.document["host"], datastore.document.get("port", 445), "smb")


def forget(datastore: Datastore) -> None:
    """Drop the connection that the library keeps to the server; it does not notice by itself that one is gone."""
    import smbclient

    smbclient.delete_session(datastore.document["host"], port=datastore.document.get("port", 445), timeout=5)


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What smbprotocol's errors mean: those of the protocol, by their number."""
    from smbprotocol import exceptions

    for each in chain(error):
        status = getattr(each, "ntstatus", None) or getattr(each, "status", None)
        if isinstance(status, int) and (failure := _by_status(status, datastore)):
            return failure
        if isinstance(each, exceptions.SMBAuthenticationError):
            why = f"the server does not take this login: {each}"
            return Failure("login", why, "Check user, password and `domain`; without credentials it is Kerberos.")
    return None


def _by_status(status: int, datastore: Datastore) -> Failure | None:
    share, path = datastore.document["share"], datastore.document.get("path") or "/"
    match status:
        case 0xC000006D | 0xC000006A | 0xC0000064 | 0xC000006E:
            return Failure("login", "user or password is wrong", "Check both, and the `domain` where there is one.")
        case 0xC0000071 | 0xC0000224:
            return Failure("login", "the password has expired", "Set a new one, then `workbench datastore update`.")
        case 0xC0000072 | 0xC0000234 | 0xC0000193:
            return Failure("login", "the account is disabled, locked or expired", "Ask whoever runs the server.")
        case 0xC00000CC:
            return Failure("place", f"the server has no share {share!r}", "Check the name of the share.")
        case 0xC0000034 | 0xC000003A | 0xC000000F:
            return Failure("place", f"the share {share!r} has no {path!r}, or nothing at that path", "Check the path.")
        case 0xC0000022:
            return Failure("right", f"reading {path!r} of {share!r} is not allowed", "The login needs the right to.")
    return None


def address(datastore: Datastore, path: str) -> str:
    """As an smb URL."""
    document, port = datastore.document, datastore.document.get("port", 445)
    inside = "/".join([_root(datastore).strip("/"), *(part for part in path.split("/") if part)])
    return f"smb://{document['host']}{f':{port}' if port != 445 else ''}/{quote(inside)}"
