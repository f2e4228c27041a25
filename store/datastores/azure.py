"""What the Azure types of datastores share: where an account is, how one logs in, and what its refusals mean."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from store.datastores.registry import Datastore
from store.errors import UsageError

if TYPE_CHECKING:
    from store.datastores.checking import Failure

PUBLIC_CLOUD = "core.windows.net"
ANSWER_SECONDS = 60
CONNECT_SECONDS = 10


def account_url(datastore: Datastore, service: str) -> str:
    """The URL of an account's service (``blob``, ``file``): by host name, or below an emulator's address."""
    document = datastore.document
    account, protocol = document["account_name"], document.get("protocol") or "https"
    endpoint = without_scheme(document.get("endpoint") or PUBLIC_CLOUD)
    if is_emulator(endpoint):
        return f"{protocol}://{endpoint.removesuffix('/' + account)}/{account}"
    return f"{protocol}://{account}.{service}.{endpoint}"


def without_scheme(endpoint: str) -> str:
    """The host of an endpoint, which may be written as a URL."""
    return endpoint.rpartition("://")[2].strip("/")


def is_emulator(endpoint: str) -> bool:
    """Whether an endpoint is one server for all accounts: an address, or a host with a port, such as Azurite's."""
    host = urlsplit(f"//{endpoint}")
    try:
        ipaddress.ip_address(host.hostname or "")
    except ValueError:
        return host.port is not None or host.hostname == "localhost"
    return True


def canonical(base: str, *parts: str) -> str:
    """The address of a path below an account, in the spelling that the cache knows."""
    from store.addresses import Address

    path = "/".join(quote(each.strip("/")) for each in parts if each.strip("/"))
    return Address.parse(f"{base}/{path}").canonical


def refuse_expired(datastore: Datastore, token: str) -> None:
    """Raises CheckError for a SAS token whose end lies in the past, which the service would only call invalid."""
    from datetime import UTC, datetime

    from store.datastores.checking import CheckError, Failure

    end = parse_qs(token.lstrip("?")).get("se", [""])[0]
    try:
        until = datetime.fromisoformat(end)
    except ValueError:
        return
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    if until < datetime.now(UTC):
        hint = "Make a new one, and create the datastore again with it."
        raise CheckError(datastore, Failure("login", f"the SAS token expired on {end}", hint))


def token_credential(credentials: Mapping[str, Any], *, asynchronous: bool) -> Any:
    """What logs in at Microsoft Entra: a service principal, a certificate, or else the machine's own login."""
    from azure import identity
    from azure.identity import aio

    library = aio if asynchronous else identity
    if not credentials.get("client_id"):
        return library.DefaultAzureCredential()
    common = {"tenant_id": credentials["tenant_id"], "client_id": credentials["client_id"]}
    if authority := credentials.get("authority_url"):
        # The login server alone: a tenant in the address is the one that is given beside it.
        common |= {"authority": urlsplit(authority).netloc or authority, "disable_instance_discovery": True}
    if secret := credentials.get("client_secret"):
        return library.ClientSecretCredential(**common, client_secret=secret)
    if not (pem := credentials.get("certificate")):
        raise UsageError("the credentials name a certificate's thumbprint, and hold no certificate")
    return library.CertificateCredential(**common, certificate_data=pem.encode())


PLACES = frozenset(
    {"ContainerNotFound", "ShareNotFound", "FilesystemNotFound", "ContainerBeingDeleted", "ShareDisabled"}
)
LOGINS = frozenset({"AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation"})
DETAIL = re.compile(r"AuthenticationErrorDetail:\s*([^\n<]{1,200})")


def explain(error: BaseException, datastore: Datastore, place: str) -> Failure | None:
    """What an error of Azure's libraries means; ``place`` names the container or share. None for other errors."""
    from store.datastores.checking import chain

    for each in chain(error):
        if failure := _explain_one(each, datastore, place):
            return failure
    return None


def _explain_one(error: BaseException, datastore: Datastore, place: str) -> Failure | None:
    from store.datastores.checking import Failure

    told, status = getattr(error, "error_code", None) or "", getattr(error, "status_code", None)
    code = str(getattr(told, "value", told))  # an enumeration, where the library knows it
    account = datastore.document.get("account_name", "")
    if code in PLACES:
        return Failure("place", f"{place} does not exist in the account {account!r}", "Check its name, or make it.")
    if code in LOGINS or status == 401 or (status == 403 and "failed to authenticate" in str(error)):
        detail = DETAIL.search(str(error))
        why = (
            f"the account {account!r} refuses the credentials ({code or status})" if account else f"refused ({status})"
        )
        return Failure("login", why + (f": {detail[1].strip()}" if detail else ""), _next_step(datastore))
    if status == 403:
        why = f"the login may not do this in {place} ({code or status})"
        return Failure("right", why, "It needs the rights to list and read (and to write, where data is put there).")
    if code == "AccountIsDisabled":
        return Failure("place", f"the account {account!r} is disabled", "Ask its owner.")
    if type(error).__name__ in ("ClientAuthenticationError", "CredentialUnavailableError"):
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        hint = "Log in (az login), or give the datastore credentials: `workbench datastore types` tells which."
        return Failure("login", first, hint if "client_id" not in _login(datastore) else _next_step(datastore))
    if "Incorrect padding" in str(error) or type(error).__name__ == "AzureSigningError":
        return Failure("login", "the account key is no key: it is not written in base 64", _next_step(datastore))
    return None


def _login(datastore: Datastore) -> Mapping[str, Any]:
    found: Mapping[str, Any] = datastore.document.get("credentials") or {}
    return found


def _next_step(datastore: Datastore) -> str:
    login = _login(datastore)
    what = next((name for name in ("account_key", "sas_token", "client_secret", "certificate") if name in login), None)
    if what is None:
        return "The machine's own login is used: see that it is one of this account's (az login)."
    return f"Check its {what}: was it replaced, or has it expired? Create the datastore again with the right one."
