"""Addresses of data elsewhere: the many spellings of one, made one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, unquote, unquote_plus, urlencode, urlsplit, urlunsplit

from store.errors import UsageError
from store.secret_rules import PARAMETER, WITHOUT_PASSWORD
from store.specs.secrets import stands_for_secret

AZURE_SCHEMES = frozenset({"wasb", "wasbs", "abfs", "abfss"})
AZURE_HOST = re.compile(r"(?P<account>[a-z0-9-]+(?:\.z\d\d)?)\.(?:blob|dfs)\.(?P<suffix>(?:core|fabric|storage)\..+)")
"""An account of any cloud (``core.windows.net``, ``core.chinacloudapi.cn``), in a DNS zone (``z01``), or OneLake."""

SHARED_ACCESS = frozenset(
    "sv ss srt sp se st spr sr sip skoid sktid skt ske sks skv sdd saoid suoid scid rscc rscd rsce rscl rsct".split()
)
"""The other parameters of an Azure shared access signature, beside ``sig``."""

DEFAULT_PORTS = {"http": 80, "https": 443}

HIDDEN = "***"
"""Stands where a secret was."""

BEGIN = re.compile(r"\A\s*(?P<scheme>[a-z][\w+.:-]*)://(?:(?P<user>[^/?#]*)@)?", re.IGNORECASE)
QUERY = re.compile(r"(?<=[?&])([^=&#]+)=([^&#]+)")


@dataclass(frozen=True, slots=True)
class Address:
    """A URL; ``given`` may hold secrets, ``canonical`` never does and is the same for all spellings of one thing."""

    given: str
    canonical: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises UsageError for what is no URL with a host or a path."""
        parts, shown = urlsplit(url.strip()), split_secrets(url)[0]
        if not parts.scheme or not (parts.netloc or parts.path.strip("/")) or "://" not in url:
            raise UsageError(f"{shown!r} is no URL", hint="It wants a scheme, such as https://HOST/PATH.")
        try:
            return cls(url.strip(), canonical(parts))
        except ValueError as error:  # which tells what it took for the port: it may be a part of a password
            message = f"the address that begins with {parts.scheme}:// has a port that is no number below 65536"
            hint = "A slash, a question mark or a hash in a password is written %2F, %3F or %23."
            raise UsageError(message, hint=hint) from error

    def __str__(self) -> str:
        """How it is shown and noted: as the user knows it, without secrets."""
        return re.split("[?#]", self.given)[0] if self.scheme in AZURE_SCHEMES else self.canonical

    def hide_in(self, text: str) -> str:
        """A text that another wrote, such as a library's error, without what is secret in this address."""
        return hide(text, split_secrets(self.given)[1])

    @property
    def scheme(self) -> str:
        return urlsplit(self.given).scheme.lower()

    @property
    def host(self) -> str:
        return urlsplit(self.canonical).hostname or ""

    @property
    def web_url(self) -> str:
        """The URL to ask over http, secrets included; a blob's where the address is one of Azure's own schemes."""
        if self.scheme not in AZURE_SCHEMES:
            return self.given
        return urlsplit(self.canonical)._replace(query=urlsplit(self.given).query).geturl()

    @property
    def key(self) -> str:
        """The name of its folder in the cache."""
        return key(self.canonical)

    @property
    def name(self) -> str:
        """What a file from there is called, as far as the address tells."""
        last = unquote(urlsplit(self.canonical).path.rpartition("/")[2]).replace("/", "_").replace("\0", "")
        return last if last.strip(".") else "data"

    def parents(self) -> Iterator[tuple[str, str]]:
        """Each address above this one, nearest first, with the relative path from there (plain, not quoted)."""
        parts = urlsplit(self.canonical)
        path, below = parts.path, list[str]()
        while path:
            path, _, last = path.rpartition("/")
            below.insert(0, unquote(last))
            yield urlunsplit((parts.scheme, parts.netloc, path, "", "")), "/".join(below)


def key(canonical: str) -> str:
    """The name of a canonical address in the cache."""
    return hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def canonical(parts: SplitResult) -> str:
    """One spelling: lower-case scheme and host, no default port, password, secret parameter, fragment or last slash."""
    scheme = parts.scheme.lower()
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~").rstrip("/")
    host = bare_host(parts, scheme)
    if scheme in AZURE_SCHEMES and parts.username:
        container = quote(parts.username, safe="%")
        if account := AZURE_HOST.fullmatch(host):
            path, scheme = f"/{container}{path}", "https"
            host = f"{account['account']}.blob.{account['suffix']}"
        else:  # a host of one's own: what it means is not known, and no part of it is left out
            host = f"{container}@{host}"
    elif scheme == "https" and (account := AZURE_HOST.fullmatch(host)):
        host = f"{account['account']}.blob.{account['suffix']}"
    return urlunsplit((scheme, host, path, public_query(parts.query), ""))


def bare_host(parts: SplitResult, scheme: str) -> str:
    """Host and port; with the user where that is part of the place, without a password where that is what it is."""
    if scheme not in DEFAULT_PORTS and scheme not in AZURE_SCHEMES:
        if scheme not in WITHOUT_PASSWORD and parts.password is not None:
            return f"{parts.username}@{parts.netloc.rpartition('@')[2]}"
        return parts.netloc
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port}" if parts.port and parts.port != DEFAULT_PORTS.get(scheme) else host


def public_query(query: str) -> str:
    """The query without the parameters that authorise."""
    pairs = parse_qsl(query, keep_blank_values=True)
    signed = any(name == "sig" for name, _ in pairs)
    return urlencode(
        [(n, v) for n, v in pairs if not PARAMETER.search(n) and not (signed and n in SHARED_ACCESS)], quote_via=quote
    )


def split_secrets(url: str) -> tuple[str, list[str]]:
    """A URL with a mark in place of each secret, and the secrets as they stand in it; any other text as it is.

    With the marks, it is the same address in its canonical spelling. A mark that stands there already counts as secret.
    """
    begin = BEGIN.match(url)
    if begin is None:
        return url, []
    found = list[str]()

    def parameter(match: re.Match[str]) -> str:
        if not PARAMETER.search(unquote_plus(match[1])) or stands_for_secret(match[2]):
            return match[0]
        found.append(match[2])
        return f"{match[1]}={HIDDEN}"

    scheme, user = begin["scheme"].lower(), begin["user"] or ""
    name, colon, password = user.partition(":")
    if stands_for_secret(password) or (not password and stands_for_secret(name)):
        pass  # it names a secret of the vault, and is none
    elif password and scheme not in WITHOUT_PASSWORD:
        found.append(password)
        user = f"{name}:{HIDDEN}"
    elif name and scheme in DEFAULT_PORTS:  # such as the token of a code host
        found.append(name)
        user = f"{HIDDEN}{colon}"
    at = "" if begin["user"] is None else f"{user}@"
    return f"{begin['scheme']}://{at}{QUERY.sub(parameter, url[begin.end() :])}", found


def hide(text: str, secrets: list[str]) -> str:
    """A text with a mark in place of each secret, however it is quoted there."""
    spellings = {spelling for each in secrets for spelling in (each, unquote(each), unquote_plus(each), quote(each))}
    for each in sorted(spellings - {""}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(each)}(?!\w)", HIDDEN, text)
    return text


def no_listing(address: Address) -> UsageError:
    """The error for a folder that is wanted over http."""
    return UsageError(
        f"{address}: a folder cannot be read over http, which has no way to list it",
        hint="Name single files as `uri_file`.",
    )
