"""The user's settings of pip, as settings of uv.

uv does not read pip's configuration. Whoever has told pip where packages come from has told Workbench too: index
addresses, folders of wheels and certificates of ``pip.conf`` and of ``PIP_...`` variables are carried over.
An address may hold a password, so it only ever travels in variables, never in an argument list.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from engines.environments.addresses import without_secrets

_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_ONE_VALUE = {
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES",
}
_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_DECIDING_VARIABLES = (
    *_INDEX_VARIABLES,
    *("UV_INDEX_STRATEGY", "UV_PRERELEASE", "UV_RESOLUTION", "UV_EXCLUDE_NEWER", "UV_TORCH_BACKEND", "UV_OVERRIDE"),
    *("UV_CONSTRAINT", "UV_BUILD_CONSTRAINT", "UV_NO_INDEX", "UV_NO_BINARY", "UV_NO_BUILD"),
)
"""uv's own variables that decide what is installed."""


@dataclass(slots=True)
class PipSettings:
    """Merged settings by their long name; a list is one text with blanks, as pip keeps it."""

    values: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def words(self, name: str) -> list[str]:
        return self.values.get(name, "").split()

    def is_on(self, name: str) -> bool:
        return self.values.get(name, "").lower() in _TRUE


def read(environ: Mapping[str, str]) -> PipSettings:
    """What pip would read: its files from the widest to the nearest, then the variables."""
    settings = PipSettings()
    by_section: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for path in _files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, configparser.Error) as error:
            settings.notes.append(f"pip's settings in {path} cannot be read: {str(error).splitlines()[0]}")
            continue
        for section, values in by_section.items():
            if parser.has_section(section):
                values.update({_name(key): value for key, value in parser.items(section) if value})
    settings.values = {**by_section["global"], **by_section["install"]}
    for variable, value in environ.items():
        if variable.startswith("PIP_") and variable != "PIP_CONFIG_FILE" and value:
            settings.values[_name(variable[4:])] = value
    return settings


def _name(key: str) -> str:
    key = key.lower().replace("_", "-").lstrip("-")
    return {"default-timeout": "timeout", "pypi-url": "index-url"}.get(key, key)


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
    for folder in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    mac_folder = home / "Library" / "Application Support" / "pip"
    if sys.platform == "darwin" and mac_folder.is_dir():
        yield mac_folder / "pip.conf"
    else:
        yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if chosen:
        yield Path(chosen)


@dataclass(slots=True)
class UvSettings:
    """How uv is called: ``variables`` may hold secrets, ``flags`` never do."""

    variables: dict[str, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)


def for_uv(settings: PipSettings, options: Iterable[tuple[str, str]], environ: Mapping[str, str]) -> UvSettings:
    """uv's settings for pip's ``settings`` and the ``options`` of a requirements file, which come first.

    Where the user has set uv's own variable, pip's setting of the same thing is left alone.
    """
    asked: dict[str, list[str]] = {}
    for name, value in options:
        asked.setdefault(name, []).append(value)
    result = UvSettings()
    _set_indexes(settings, asked, environ, result)
    for name, variable in _ONE_VALUE.items():
        if settings.values.get(name) and not environ.get(variable):
            result.variables[variable] = settings.values[name]
    hosts = [*settings.words("trusted-host"), *asked.get("trusted-host", [])]
    if hosts:
        result.variables["UV_INSECURE_HOST"] = " ".join([*environ.get("UV_INSECURE_HOST", "").split(), *hosts])
    if "no-index" in asked or settings.is_on("no-index"):
        result.flags.append("--no-index")
    if "pre" in asked or settings.is_on("pre"):
        result.flags += ["--prerelease", "allow"]
    if "require-hashes" in asked or settings.is_on("require-hashes"):
        result.flags.append("--require-hashes")
    for name in ("no-binary", "only-binary"):
        for value in [*settings.words(name), *asked.get(name, [])]:
            for package in value.split(","):
                result.flags += [f"--{name}", package]
    return result


def _set_indexes(
    settings: PipSettings, asked: Mapping[str, list[str]], environ: Mapping[str, str], result: UvSettings
) -> None:
    own_default = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL")
    default = asked.get("index-url", [None])[-1] or (None if own_default else settings.values.get("index-url"))
    if default:
        result.variables["UV_DEFAULT_INDEX"] = default
    own_more = [*environ.get("UV_INDEX", "").split(), *environ.get("UV_EXTRA_INDEX_URL", "").split()]
    more = [*asked.get("extra-index-url", []), *(own_more or settings.words("extra-index-url"))]
    if more:
        result.variables["UV_INDEX"] = " ".join(more)
        # pip takes the best version of all indexes; uv by itself only looks at the first that has the package.
        if not environ.get("UV_INDEX_STRATEGY") and (not own_more or asked.get("extra-index-url")):
            result.variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    own_links = [link for link in environ.get("UV_FIND_LINKS", "").split(",") if link]
    links = [*asked.get("find-links", []), *(own_links or settings.words("find-links"))]
    there = [place for place in (_local(link, environ) for link in links) if place]
    if there:
        result.variables["UV_FIND_LINKS"] = ",".join(there)


def _local(link: str, environ: Mapping[str, str]) -> str | None:
    """A folder of wheels that is not there is None: pip passes over it, uv would fail."""
    if link.startswith("~/"):
        link = (environ.get("HOME") or str(Path.home())) + link[1:]
    path = unquote(urlsplit(link).path) if link.startswith("file:") else link
    return link if "://" in path or Path(path).exists() else None


def deciding(uv: UvSettings, environ: Mapping[str, str]) -> list[str]:
    """What of the settings decides which packages are installed, without secrets, for the hash of a definition.

    uv's own files are known by a digest, as they may hold an index with its password.
    """
    merged = {name: environ[name] for name in _DECIDING_VARIABLES if environ.get(name)} | {
        name: value for name, value in uv.variables.items() if name in _DECIDING_VARIABLES
    }
    shown = [f"{name}={without_secrets(value)}" for name, value in sorted(merged.items())]
    return [*shown, *uv.flags, *_uv_files(environ)]


def _uv_files(environ: Mapping[str, str]) -> Iterator[str]:
    home = Path(environ.get("HOME") or Path.home())
    folders = [*(environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep), "/etc"]
    named = environ.get("UV_CONFIG_FILE")
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"
    for path in [Path(named)] if named else [user, *(Path(folder, "uv", "uv.toml") for folder in folders)]:
        try:
            yield f"uv.toml={hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
        except OSError:
            continue
