"""Addresses of packages and indexes, with what is secret in them kept apart.

A definition is stored in the workspace's database and uv's words go to a log, so neither may hold the password of a
package index. pip and uv both read ``${NAME}`` in a requirements file as the variable NAME: that is what stands in a
definition where a secret stood, and the value travels as a variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from store.secret_rules import replace_secrets

_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


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
        return replace_secrets(text, self._stand_in)

    def _stand_in(self, secret: str) -> str:
        if not _VARIABLE.sub("", secret).strip(":"):
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
    return replace_secrets(text, lambda _: "****")


def without_secrets(address: str) -> str:
    """What of an address decides which packages are found there."""
    return replace_secrets(address, lambda _: "").replace("://@", "://")
