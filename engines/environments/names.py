"""Names that environments are referred to by."""

from __future__ import annotations

from dataclasses import dataclass

from store.errors import UsageError
from store.specs.references import ReferenceFault, RegistryReference, asset_reference


@dataclass(frozen=True, slots=True)
class EnvironmentName:
    """``version`` is None for the latest one; ``registry`` is None in the workspace."""

    name: str
    version: str | None = None
    registry: str | None = None

    def __str__(self) -> str:
        return f"{self.name}:{self.version}" if self.version else f"{self.name}@latest"


def parse_name(text: str) -> EnvironmentName:
    """Read ``azureml:NAME@latest``, ``azureml:NAME:VERSION``, a registry's address, an Azure id; raises UsageError."""
    try:
        reference = asset_reference(text, "environments")
    except ReferenceFault as fault:
        raise UsageError(fault.message, hint=fault.hint) from None
    if reference.label not in (None, "latest"):
        raise UsageError(f"'{text}': environments have the label 'latest' and no other", hint="Write @latest.")
    registry = reference.registry if isinstance(reference, RegistryReference) else None
    return EnvironmentName(reference.name, reference.version, registry)
