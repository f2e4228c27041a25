"""http and https, by the standard library.

urllib starts in 20 ms and knows proxies and redirects; what makes a download resumable (Range, If-Range, comparing
lengths) would have to be written over any other client too.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import socket
import ssl
import urllib.error
import urllib.request
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from store.errors import MachineError, NotFoundError
from store.lent import variables
from store.transfer.incoming import BrokenError, Open, Origin

TIMEOUT_SECONDS = 30
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class SourceError(MachineError):
    """The other side cannot be reached, or does not give it to us."""


class Answer:
    """The body of an HTTP response (an ``incoming.Body``)."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response
        self.start, self.origin = read_headers(response.status, response.headers)

    def read(self, size: int) -> bytes:
        try:
            return self.response.read1(size)
        except (OSError, http.client.HTTPException) as error:
            raise BrokenError(str(error) or type(error).__name__) from error

    def close(self) -> None:
        self.response.close()


def read_headers(status: int, headers: http.client.HTTPMessage) -> tuple[int, Origin]:
    """Where the body starts, and what it is a part of."""
    origin = Origin(headers.get("ETag"), headers.get("Last-Modified"))
    if status == 206:
        found = re.match(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
        if found is None:
            raise BrokenError("the server sent a part without saying which")
        origin.size = int(found[2]) if found[2] != "*" else None
        return int(found[1]), origin
    length = headers.get("Content-Length")
    origin.size = int(length) if length and length.isdigit() else None
    return 0, origin


def opener(url: str, shown: str) -> Open:
    """How to ask for a URL; ``shown`` is the same without secrets, for messages."""
    address, headers = split_credentials(url)
    director = urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies(urlsplit(address).netloc)),
        urllib.request.HTTPSHandler(context=tls_context()),
    )

    def open_at(offset: int, origin: Origin | None) -> Answer:
        request = urllib.request.Request(address, headers={"Accept-Encoding": "identity"})  # noqa: S310
        request.add_header("User-Agent", "workbench-ml")
        for name, value in headers.items():
            request.add_unredirected_header(name, value)
        if offset and origin and origin.validator:
            request.add_header("Range", f"bytes={offset}-")
            request.add_header("If-Range", origin.validator)
        try:
            return Answer(director.open(request, timeout=TIMEOUT_SECONDS))
        except urllib.error.HTTPError as error:
            error.close()
            raise answered(error, shown, offset) from error
        except urllib.error.URLError as error:
            raise unreachable(error.reason, shown, offset) from error
        except (OSError, http.client.HTTPException) as error:
            raise BrokenError(str(error) or type(error).__name__) from error

    return open_at


def split_credentials(url: str) -> tuple[str, dict[str, str]]:
    """The URL as it goes over the wire, and the header that a user and password in it stand for."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if not host.isascii():
        host = host.encode("idna").decode()
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    address = urlunsplit((parts.scheme, host, path, query, ""))
    if parts.username is None:
        return address, {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return address, {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def proxies(host: str) -> dict[str, str]:
    """The proxy for each scheme, by the variables that name them; none for a host that they except."""
    environ = variables()
    found = {
        name[: -len("_proxy")].lower(): environ[name]
        for name in sorted(environ)  # upper case comes first: lower case counts where both are there
        if name.lower().endswith("_proxy") and environ[name]
    }
    bypassed = urllib.request.proxy_bypass_environment(host, found)  # type: ignore[attr-defined]
    return {} if bypassed else found


def tls_context() -> ssl.SSLContext:
    """The machine's certificate authorities, and those that the variables of OpenSSL and other tools name."""
    context = ssl.create_default_context()
    environ = variables()
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if (bundle := environ.get(variable)) and os.path.isfile(bundle):
            context.load_verify_locations(bundle)
    return context


def answered(error: urllib.error.HTTPError, shown: str, offset: int) -> Exception:
    """What to raise for a status that is no success."""
    said = f"{error.code} {error.reason}"
    if error.code in (404, 410):
        return NotFoundError(f"{shown}: the server has no such file ({said})", hint="Check the address.")
    if error.code in TRANSIENT or (error.code == 416 and offset):
        return BrokenError(f"the server answered {said}")
    if error.code in (401, 403, 407, 409):
        return SourceError(f"{shown}: access refused ({said})", hint="It may need a token in its address.")
    return SourceError(f"{shown}: the server answered {said}")


def unreachable(reason: object, shown: str, offset: int) -> Exception:
    """What to raise when no answer came; once some of it has come, that is an interruption."""
    if offset:
        return BrokenError(str(reason))
    host = urlsplit(shown).netloc
    if isinstance(reason, socket.gaierror):
        return SourceError(f"{shown}: the name {host} cannot be found ({reason.strerror})")
    if isinstance(reason, ConnectionRefusedError):
        return SourceError(f"{shown}: {host} refused the connection; nothing listens there")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return SourceError(
            f"{shown}: the certificate of {host} is not to be trusted: {reason.verify_message}",
            hint="SSL_CERT_FILE can name the authorities of your network, as a PEM file.",
        )
    if isinstance(reason, ssl.SSLError):
        return SourceError(f"{shown}: no secure connection to {host}: {reason.reason or reason}")
    if isinstance(reason, TimeoutError):
        return SourceError(f"{shown}: no answer from {host} within {TIMEOUT_SECONDS} s")
    return SourceError(f"{shown}: {host} cannot be reached: {reason}")
