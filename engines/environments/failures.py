"""uv's failures, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from store.errors import MachineError, WorkbenchError

_SHOWN_LINES = 12
_AROUND = "or run with the Python of Workbench: --set environment=azureml:current@latest"


@dataclass(frozen=True, slots=True)
class _Cause:
    pattern: re.Pattern[str]
    message: str
    hint: str
    kind: type[WorkbenchError] = WorkbenchError


def _cause(pattern: str, message: str, hint: str, kind: type[WorkbenchError] = WorkbenchError) -> _Cause:
    return _Cause(re.compile(pattern, re.IGNORECASE | re.DOTALL), message, hint, kind)


_CAUSES = (
    _cause(
        r"No space left on device|os error 28\b|Disk quota exceeded|os error 122\b",
        "the disk is full",
        "free some room (uv's cache may be large: uv cache prune), then run the job again",
        MachineError,
    ),
    _cause(
        r"Read-only file system|os error 30\b|Permission denied \(os error 13\)",
        "a folder cannot be written",
        "see the place in the lines above: the environments' folder and uv's cache (UV_CACHE_DIR) must be writable",
        MachineError,
    ),
    _cause(
        r"network was disabled|Network connectivity is disabled|was not found in the cache",
        "the network is switched off (UV_OFFLINE), and not all packages are in uv's cache",
        "unset UV_OFFLINE, or put wheels in a folder and name it: PIP_FIND_LINKS=FOLDER",
        MachineError,
    ),
    _cause(
        r"\b(?:401 Unauthorized|403 Forbidden|407 Proxy)",
        "the package index refuses access",
        "give user and password in PIP_INDEX_URL, in pip.conf or in ~/.netrc",
        MachineError,
    ),
    _cause(
        r"invalid peer certificate|UnknownIssuer|certificate verify failed",
        "the package index has a certificate that this machine does not trust",
        "name the file of your certificate authority: SSL_CERT_FILE=FILE (or PIP_CERT=FILE)",
        MachineError,
    ),
    _cause(
        r"dns error|tcp connect error|error sending request|Connection refused|operation timed out"
        r"|Network is unreachable|connection reset|Failed to fetch",
        "the package index cannot be reached",
        "check the network, HTTPS_PROXY and the index (PIP_INDEX_URL or pip.conf); without a network, put wheels in a "
        "folder and name it: PIP_FIND_LINKS=FOLDER PIP_NO_INDEX=1",
        MachineError,
    ),
    _cause(
        r"(?P<package>[A-Za-z0-9][\w.\-]*) was not found in the (?:package registry|provided package locations)",
        "there is no package '{package}' on the package index",
        f"correct the name in the environment, name its index with --extra-index-url, {_AROUND}",
    ),
    _cause(
        r"there (?:is|are) no versions? of (?P<package>[A-Za-z0-9][\w.\-]*)",
        "no version of '{package}' is what the environment asks for",
        f"change its version in the environment, {_AROUND}",
    ),
    _cause(
        r"No solution found",
        "the packages of the environment cannot be installed together",
        f"loosen a version in the environment, {_AROUND}",
    ),
    _cause(
        r"(?:Failed to build|Failed to download and build) `?(?P<package>[A-Za-z0-9][\w.\-]*)",
        "'{package}' has no wheel for this Python and could not be built from its source",
        f"take a version that has a wheel, or install what its build misses, {_AROUND}",
    ),
    _cause(
        r"Hash mismatch",
        "a package is not the one whose hash the environment gives",
        "correct the hash, or find out who changed the package",
    ),
)


def explain(name: str, lines: Sequence[str]) -> WorkbenchError:
    """The error for a build of environment ``name`` whose output ended with ``lines``."""
    text = "\n".join(lines)
    shown = "\n".join(f"    {line}" for line in lines[-_SHOWN_LINES:])
    # uv breaks its sentences into lines of its own and indents them.
    flowing = re.sub(r"\s+", " ", text)
    for cause in _CAUSES:
        match = cause.pattern.search(flowing)
        if match:
            message = cause.message.format(**match.groupdict())
            return cause.kind(f"environment {name} cannot be built: {message}\n{shown}", hint=cause.hint)
    return WorkbenchError(f"environment {name} cannot be built\n{shown}", hint=f"change it, {_AROUND}")
