"""What went wrong at an address, told as a datastore of that type tells it: what failed, why, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from store.addresses import AZURE_HOST, AZURE_SCHEMES, Address
from store.transfer.web import SourceError

if TYPE_CHECKING:
    from store.datastores.checking import Failure
    from store.datastores.registry import Datastore

_KEEP = "or make a datastore with credentials of its own: workbench datastore create."
_LOGIN = {
    "azure_blob": f"Log in (az login), {_KEEP}",
    "s3": f"Log in as AWS's tools want it (`aws configure`, AWS_ACCESS_KEY_ID, a role), {_KEEP}",
    "sftp": f"Check the user, and that an SSH agent or ~/.ssh has a key, {_KEEP}",
    "smb": f"Check the user, {_KEEP}",
}
"""What to do where a login fails: an address goes by that of the machine."""


def source_error(error: BaseException, address: Address) -> SourceError:
    """The error for what a library raised at an address; none of the address's secrets stands in it."""
    like = _datastore(address)
    failure = _understood(error, address, like)
    if failure.step == "answer":
        return SourceError(address.hide_in(f"{address}: {type(error).__name__}: {error}"))
    hint = _LOGIN.get(like.type, failure.hint) if like and failure.step == "login" else failure.hint
    what = "" if failure.step == "place" else f"{failure.step} failed: "
    return SourceError(f"{address}: {what}{address.hide_in(failure.why)}", hint=hint)


def _understood(error: BaseException, address: Address, like: Datastore | None) -> Failure:
    from store.datastores.checking import explain, understood

    if like is not None:
        return understood(error, like)
    parts = urlsplit(address.given)
    port = parts.port or {"http": 80, "https": 443, "ftp": 21}.get(parts.scheme)
    return explain(error, f"{parts.hostname or address.scheme}{f':{port}' if port else ''}")


def _datastore(address: Address) -> Datastore | None:
    """The datastore that would have the same address; None for a kind that no datastore is of."""
    from store.datastores.registry import Datastore

    parts = urlsplit(address.given)
    host, document = parts.hostname or "", dict[str, Any]()
    if address.scheme in AZURE_SCHEMES:
        account = AZURE_HOST.fullmatch(host)
        if account is None:
            return None
        document = {"account_name": account["account"], "endpoint": account["suffix"]}
        return Datastore("", "azure_blob", {**document, "container_name": parts.username or ""})
    if address.scheme in ("s3", "s3a"):
        return Datastore("", "s3", {"bucket": host})
    if address.scheme in ("sftp", "ssh"):
        document = {"host": host, "port": parts.port or 22}
        return Datastore("", "sftp", {**document, **({"username": parts.username} if parts.username else {})})
    if address.scheme == "smb":
        share = parts.path.strip("/").partition("/")[0]
        return Datastore("", "smb", {"host": host, "port": parts.port or 445, "share": share})
    return None
