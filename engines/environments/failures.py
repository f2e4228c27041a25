"""uv's failures, in words."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from engines.environments.definition import WAY_AROUND
from store.errors import MachineError, WorkbenchError

_SHOWN_LINES = 12


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
        f"Free some room, then run the job again. uv's cache may be large: {sys.executable} -m uv cache prune",
        MachineError,
    ),
    _cause(
        r"Read-only file system|os error 30\b|Permission denied \(os error 13\)",
        "a folder cannot be written",
        "Its path is in the lines above: the workspace and uv's cache (UV_CACHE_DIR) must be writable.",
        MachineError,
    ),
    _cause(
        r"network was disabled|Network connectivity is disabled|was not found in the cache",
        "the network is switched off (UV_OFFLINE), and not all packages are in uv's cache",
        "Unset UV_OFFLINE, or put wheels in a folder and name it: PIP_FIND_LINKS=FOLDER",
        MachineError,
    ),
    _cause(
        r"\b(?:401 Unauthorized|403 Forbidden|407 Proxy)",
        "the package index refuses access",
        "Give user and password in PIP_INDEX_URL, in pip.conf or in ~/.netrc.",
        MachineError,
    ),
    _cause(
        r"invalid peer certificate|UnknownIssuer|certificate verify failed",
        "the package index has a certificate that this machine does not trust",
        "Name the file of your certificate authority: SSL_CERT_FILE=FILE or PIP_CERT=FILE.",
        MachineError,
    ),
    _cause(
        r"dns error|tcp connect error|error sending request|Connection refused|operation timed out"
        r"|Network is unreachable|connection reset|Failed to fetch",
        "the package index cannot be reached",
        "Check the network, HTTPS_PROXY and the index (PIP_INDEX_URL or pip.conf). Without a network, put wheels in a "
        "folder and name it: PIP_FIND_LINKS=FOLDER PIP_NO_INDEX=1",
        MachineError,
    ),
    _cause(
        r"(?P<package>[A-Za-z0-9][\w.\-]*) was not found in the (?:package registry|provided package locations)",
        "there is no package '{package}' on the package index",
        f"Correct its name in the environment, or name its index with --extra-index-url. {WAY_AROUND}",
    ),
    _cause(
        r"there (?:is|are) no versions? of (?P<package>[A-Za-z0-9][\w.\-]*)",
        "no version of '{package}' is what the environment asks for",
        f"Change its version in the environment. {WAY_AROUND}",
    ),
    _cause(
        r"No solution found",
        "the packages of the environment cannot be installed together",
        f"Loosen a version in the environment. {WAY_AROUND}",
    ),
    _cause(
        r"(?:Failed to build|Failed to download and build) `?(?P<package>[A-Za-z0-9][\w.\-]*)",
        "'{package}' has no wheel for this Python and could not be built from its source",
        f"Take a version that has a wheel, or install what its build misses. {WAY_AROUND}",
    ),
    _cause(
        r"Hash mismatch",
        "a package is not the one whose hash the environment gives",
        "Correct the hash, or find out who changed the package.",
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
    return WorkbenchError(f"environment {name} cannot be built\n{shown}", hint=f"Change it. {WAY_AROUND}")
