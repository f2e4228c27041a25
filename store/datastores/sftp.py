"""Folders of other machines over SSH, as datastores. A host is believed only by its key in the file of known hosts."""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import shlex
from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from store.datastores import checking
from store.datastores.checking import Failure, Server, chain
from store.datastores.registry import Datastore
from store.errors import ConflictError, UsageError

if TYPE_CHECKING:
    import paramiko
    from fsspec import AbstractFileSystem

RENAMES_FOLDERS = True
SECONDS = 15.0
"""How long connecting, and each step of logging in, may take."""


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """Log in over SSH. Raises UnknownHostError for a host that the file of known hosts does not have."""
    from store.datastores.sftp_filesystem import SftpFileSystem

    document = datastore.document
    system = SftpFileSystem(
        document["host"],
        port=document.get("port", 22),
        known_hosts=known_hosts(datastore),
        skip_instance_cache=True,
        timeout=SECONDS,
        banner_timeout=SECONDS,
        auth_timeout=SECONDS,
        channel_timeout=SECONDS,
        **_login(datastore, credentials),
    )
    return system, document.get("path") or "/"


def _login(datastore: Datastore, credentials: Mapping[str, Any]) -> dict[str, Any]:
    if not credentials:
        return {"username": datastore.document.get("username") or getpass.getuser()}
    if "password" in credentials:
        alone = {"allow_agent": False, "look_for_keys": False}
        return {"username": credentials["username"], "password": credentials["password"], **alone}
    return {
        "username": credentials["username"],
        "pkey": _private_key(credentials["private_key"], credentials.get("passphrase")),
        "allow_agent": False,
        "look_for_keys": False,
    }


def _private_key(text: str, passphrase: str | None) -> paramiko.PKey:
    import paramiko

    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            key: paramiko.PKey = kind.from_private_key(StringIO(text.strip() + "\n"), passphrase)
            return key
        except paramiko.PasswordRequiredException:
            raise UsageError("the private key has a passphrase", hint="Give it: `--secret passphrase`.") from None
        except (paramiko.SSHException, ValueError):  # another kind, or the wrong passphrase
            continue
    raise UsageError(
        "the private key cannot be read" + (" with its passphrase" if passphrase else ""),
        hint="It wants the text of a private key of OpenSSH (ed25519, ecdsa or rsa), with its first and last line.",
    )


def known_hosts(datastore: Datastore) -> str:
    """The file of known host keys that a datastore goes by."""
    return datastore.document.get("known_hosts") or os.path.expanduser("~/.ssh/known_hosts")


class UnknownHostError(ConflictError):
    """The host's key is not known, or another than the one that is."""


def unknown_host(file: str, host: str, port: int, key: paramiko.PKey) -> UnknownHostError:
    """The error for a host that nobody has vouched for yet: its fingerprint, and how to accept it."""
    name = host if port == 22 else f"[{host}]:{port}"
    line = f"{name} {key.get_name()} {key.get_base64()}"
    return UnknownHostError(
        f"the host {name} is not known: its key ({key.get_name()}) has the fingerprint {fingerprint(key)}",
        hint=f"Compare it with what its owner says, or `ssh-keygen -lf` there. Accept it: "
        f"echo {shlex.quote(line)} >> {shlex.quote(file)}",
    )


def fingerprint(key: paramiko.PKey) -> str:
    """A key as OpenSSH shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


def server(datastore: Datastore) -> Server:
    """What is connected to."""
    return Server(datastore.document["host"], datastore.document.get("port", 22), "ssh")


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What paramiko's errors mean."""
    import paramiko

    for each in chain(error):
        if isinstance(each, paramiko.BadHostKeyException):
            why = f"the key of the host is another than the one in {known_hosts(datastore)}: {fingerprint(each.key)}"
            hint = "It may be another machine that answers. If its key was changed on purpose, replace its line there."
            return Failure("connection", why, hint)
        if isinstance(each, paramiko.ssh_exception.NoValidConnectionsError):
            return checking.explain(next(iter(each.errors.values())), str(server(datastore)))
        if isinstance(each, paramiko.AuthenticationException):
            named = (datastore.document.get("credentials") or {}).get("username")
            who = named or datastore.document.get("username") or getpass.getuser()
            ways = "" if not isinstance(each, paramiko.BadAuthenticationType) else f"; it wants {each.allowed_types}"
            why = f"the server does not let {who!r} in{ways}"
            hint = "Check the user, and the key or password. Without credentials it is the SSH agent, then ~/.ssh."
            return Failure("login", why, hint)
        if isinstance(each, paramiko.SSHException):
            if isinstance(each.__cause__ or each.__context__, OSError):
                continue
            if "No authentication methods" in str(each):
                hint = "Start an SSH agent, or give credentials: a password or a private key."
                return Failure("login", "there is no key to log in with", hint)
            return Failure("connection", f"it does not speak SSH as it should: {each}", "Is it an SSH server?")
        if isinstance(each, FileNotFoundError):
            where = datastore.document.get("path") or "/"
            return Failure("place", f"there is no {where} on the machine, or nothing at that path", "Check the path.")
    return None


def address(datastore: Datastore, path: str) -> str:
    """As an sftp URL, with the user: what a path means may depend on who asks."""
    document = datastore.document
    user = (document.get("credentials") or {}).get("username") or document.get("username")
    port = document.get("port", 22)
    host = (f"{quote(user, safe='')}@" if user else "") + document["host"] + (f":{port}" if port != 22 else "")
    inside = "/".join(part for part in f"{document.get('path') or '/'}/{path}".split("/") if part)
    return f"sftp://{host}/{quote(inside)}"
