"""Names that environments are referred to by."""

from __future__ import annotations

import re
from dataclasses import dataclass

from store.errors import UsageError

_SHORT = re.compile(r"^azureml:(?P<name>[^:@/\s]+)(?::(?P<version>[^:@/\s]+)|@(?P<label>[^:@/\s]+))?$")
_LONG = re.compile(
    r"^azureml:/{1,2}(?:registries/(?P<registry>[^/]+)|(?:subscriptions|locations)/.+)"
    r"/environments/(?P<name>[^/]+)(?:/versions/(?P<version>[^/]+)|/labels/(?P<label>[^/]+))?$"
)


@dataclass(frozen=True, slots=True)
class EnvironmentName:
    """``version`` is None for the latest one; ``registry`` is None in the workspace."""

    name: str
    version: str | None = None
    registry: str | None = None

    def __str__(self) -> str:
        return f"{self.name}:{self.version}" if self.version else f"{self.name}@latest"


def parse_name(text: str) -> EnvironmentName:
    """Read ``azureml:NAME@latest``, ``azureml:NAME:VERSION``, a registry's address or an ARM id. Raises UsageError."""
    match = _SHORT.match(text) or _LONG.match(text)
    if match is None:
        shown = text if text.startswith("azureml:") else f"azureml:{text.split('@')[0].split(':')[0] or 'NAME'}@latest"
        raise UsageError(
            f"'{text}' is no reference to an environment",
            hint=f"write {shown}"
            if shown != text
            else "write azureml:NAME@latest, azureml:NAME:VERSION or azureml://registries/azureml/environments/NAME/"
            "labels/latest",
        )
    found = match.groupdict()
    if found["label"] not in (None, "latest"):
        raise UsageError(f"'{text}': environments have the label 'latest' and no other", hint="write @latest")
    return EnvironmentName(found["name"], found["version"], found.get("registry"))
