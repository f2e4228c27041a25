"""Addresses of packages and indexes, with what is secret in them kept apart.

A definition is stored in the workspace's database and uv's words go to a log, so neither may hold the password of a
package index. pip and uv both read ``${NAME}`` in a requirements file as the variable NAME: that is what stands in a
definition where a secret stood, and the value travels as a variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_USER = re.compile(r"(?<=://)([^/@\s]+)@")
_PARAMETER = re.compile(
    r"([?&](?:sig|signature|token|access_token|api_key|apikey|key|password|x-amz-signature|x-amz-security-token)=)"
    r"([^&#\s]+)",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_OPEN_USER = re.compile(r"^(?:git|hg|svn|\*+)$")
"""A user name that says nothing, as in ``git+ssh://git@host``."""


class Secrets:
    """Takes the secrets out of addresses and remembers them by the variables that stand in for them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.found: dict[str, str] = {}
        self._environ = environ

    def hide(self, text: str) -> str:
        """``text`` with variables in place of secrets; the values of variables that it names itself are kept too."""
        for name in _VARIABLE.findall(text):
            if name in self._environ:
                self.found[name] = self._environ[name]
        text = _USER.sub(lambda match: f"{self._stand_in(match[1])}@", text)
        return _PARAMETER.sub(lambda match: match[1] + self._stand_in(match[2]), text)

    def _stand_in(self, secret: str) -> str:
        if _OPEN_USER.match(secret) or not _VARIABLE.sub("", secret).strip(":"):
            return secret
        for name, value in self.found.items():
            if value == secret:
                return f"${{{name}}}"
        name = f"WORKBENCH_INDEX_SECRET_{1 + len(self.found)}"
        self.found[name] = secret
        return f"${{{name}}}"


def expand(text: str, environ: Mapping[str, str]) -> str:
    """``${NAME}`` replaced as pip does it: upper case only, and as it is where there is no such variable."""
    return _VARIABLE.sub(lambda match: environ.get(match[1]) or match[0], text)


def redact(text: str) -> str:
    """``text`` fit for a log: no password in an address."""
    text = _USER.sub(lambda match: match[0] if _OPEN_USER.match(match[1]) else "****@", text)
    return _PARAMETER.sub(r"\1****", text)


def without_secrets(address: str) -> str:
    """What of an address decides which packages are found there."""
    return _PARAMETER.sub(r"\1", _USER.sub("", address))
