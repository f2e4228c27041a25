"""Whether a datastore can be reached and read, within bounded time; and if not, what of it failed, and what to do.

A module of a type may have, beside ``open_filesystem`` and ``address``:

    server(datastore) -> Server | None                what is connected to; None where only the library knows
    check(datastore, credentials) -> str | None       in place of listing the root: raises, or returns a remark
    explain(error, datastore) -> Failure | None       what a library's error means; None leaves it to ``explain`` here
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

from store.addresses import hide
from store.datastores import credentials as logins
from store.datastores import filesystems
from store.datastores.registry import Datastore
from store.errors import MachineError, WorkbenchError
from store.transfer.patience import patiently

SECONDS = 20.0
"""How long a check may take in all."""

Step = Literal["name resolution", "connection", "TLS", "login", "right", "place", "answer"]
"""What of a check can fail: in this order, and ``answer`` for what nobody here knows."""

_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH})

Result = TypeVar("Result")


class Failure(NamedTuple):
    """What failed, why, and what to do next."""

    step: Step
    why: str
    hint: str


class CheckError(MachineError):
    """A datastore cannot be used; ``step`` says what failed."""

    def __init__(self, datastore: Datastore, failure: Failure) -> None:
        what = "" if failure.step in ("place", "answer") else f"{failure.step} failed: "
        super().__init__(f"datastore {datastore.name!r}: {what}{failure.why}", hint=failure.hint)
        self.step = failure.step


@dataclass(frozen=True, slots=True)
class Server:
    """What is connected to; ``scheme`` tells whether a proxy may stand in between."""

    host: str
    port: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def server_of(url: str) -> Server:
    """The server of a URL of http or https."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return Server(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), parts.scheme)


def check(datastore: Datastore, secrets: logins.Secrets, seconds: float = SECONDS) -> str | None:
    """Connect, log in and list the root; returns a remark. Raises CheckError within about ``seconds``."""
    until = time.monotonic() + seconds
    module = filesystems.module(datastore)
    given = logins.put_back(datastore, secrets)
    server: Server | None = module.server(datastore) if hasattr(module, "server") else None
    with explained(datastore, given), filesystems.libraries(datastore):
        if server is not None and not _behind_proxy(server):
            _within(until, lambda: _reach(server, until))
        return _within(until, lambda: _try(module, datastore, given))


@contextmanager
def explained(datastore: Datastore, given: Mapping[str, Any]) -> Iterator[None]:
    """What libraries raise becomes a CheckError, in which none of the secrets that were given stands."""
    try:
        yield
    except (WorkbenchError, ImportError):
        raise
    except Exception as error:  # the edge to libraries, each with errors of its own
        failure = understood(error, datastore)
        hidden = [given[field] for field in logins.secret_fields(datastore.type) if given.get(field)]
        raise CheckError(datastore, failure._replace(why=hide(failure.why, hidden))) from error


def _within(until: float, call: Callable[[], Result]) -> Result:
    def patience() -> None:
        if time.monotonic() > until:
            raise TimeoutError("there was no answer in time")

    return patiently(call, patience)


def _reach(server: Server, until: float) -> None:
    addresses = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    last: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as probe:
            probe.settimeout(max(0.1, min(10.0, until - time.monotonic())))
            try:
                probe.connect(address)
                return
            except OSError as error:
                last = error
    raise last or OSError("it has no address")


def _behind_proxy(server: Server) -> bool:
    from urllib.request import getproxies, proxy_bypass

    return server.scheme in ("http", "https") and server.scheme in getproxies() and not proxy_bypass(server.host)


def _try(module: Any, datastore: Datastore, given: dict[str, Any]) -> str | None:
    if hasattr(module, "check"):
        remark: str | None = module.check(datastore, given)
        return remark
    system, root = module.open_filesystem(datastore, given)
    system.invalidate_cache()
    system.ls(root, detail=False)
    return None


def understood(error: BaseException, datastore: Datastore) -> Failure:
    """What an error of a library means for a datastore."""
    module = filesystems.module(datastore)
    failure: Failure | None = module.explain(error, datastore) if hasattr(module, "explain") else None
    server = module.server(datastore) if hasattr(module, "server") else None
    return failure or explain(error, str(server or datastore.type))


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that led to it."""
    seen = set[int]()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def explain(error: BaseException, where: str) -> Failure:
    """What an error means as far as every type has it: the first of its causes that tells."""
    for each in chain(error):
        if failure := _plain(each, where):
            return failure
    for each in chain(error):
        if "CERTIFICATE_VERIFY_FAILED" in str(each):
            return _tls(each, where)
    text = str(error).strip() or type(error).__name__
    return Failure("answer", f"{where}: {type(error).__name__}: {text}", "Check the fields of the datastore.")


def _plain(error: BaseException, where: str) -> Failure | None:
    match error:
        case ssl.SSLError():
            return _tls(error, where)
        case socket.gaierror():
            host = where.rpartition(":")[0] or where
            why = f"no machine of the name {host!r} is known ({error.strerror})"
            return Failure("name resolution", why, "Check how it is written, and the network (VPN, DNS).")
        case ConnectionRefusedError():
            why = f"{where} refuses connections"
            return Failure("connection", why, "Is the server running, and the port right?")
        case TimeoutError():
            why = f"{where} does not answer in time"
            return Failure("connection", why, "A firewall may be in between, or the port be wrong. Try again later.")
        case ConnectionError():
            why = f"{where} ended the connection: {error}"
            return Failure("connection", why, "Is it a server of this type, and the protocol right?")
        case PermissionError():
            why = f"not allowed to read what lies there: {error.strerror or error}"
            return Failure("right", why, "The login needs the right to list and read.")
        case FileNotFoundError():
            return Failure("place", f"it leads nowhere: {error.filename or error}", "Check the path.")
        case NotADirectoryError():
            return Failure("place", f"it leads to a file: {error.filename or error}", "Name the folder.")
        case OSError(errno=int()) if error.errno in _UNREACHABLE:
            return Failure("connection", f"{where}: {error.strerror}", "Check the network (VPN, routes).")
    return None


def _tls(error: BaseException, where: str) -> Failure:
    why = getattr(error, "verify_message", "") or str(error)
    return Failure(
        "TLS",
        f"{where}: {why}",
        "Is it the right host name? Where the certificate is of an authority of your own, set SSL_CERT_FILE to it.",
    )
