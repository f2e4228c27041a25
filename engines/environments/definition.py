"""What an environment consists of, decided when a job is submitted."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

CURRENT = "current"
"""The environment that is the Python that runs Workbench: nothing is built."""

WAY_AROUND = "Or run it in the Python of Workbench: --set environment=azureml:current@latest"
"""The end of a hint where an environment cannot be had."""

_FORMAT = 1
"""Changes with the way environments are built: those built another way are then built anew."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that environments are built on."""

    path: str
    version: str
    implementation: str = "cpython"

    @property
    def minor(self) -> str:
        """``3.11`` of ``3.11.7``."""
        return ".".join(self.version.split(".")[:2])


@dataclass(frozen=True, slots=True)
class Definition:
    """An environment, complete: all that ``build`` needs, and nothing that an edit after submission could change.

    ``secrets`` are variables that stand in for passwords in addresses; they are no part of ``as_dict`` and travel with
    the variables that a job keeps of its submitter.
    """

    name: str
    version: str
    interpreter: Interpreter | None = None
    """None for ``current``."""
    python: str = ""
    """The specifier that was asked for, such as ``==3.10.*``; empty for any."""
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    """pip's options by long name, such as ``("extra-index-url", "https://...")``."""
    index_settings: tuple[str, ...] = ()
    """What of the user's settings decides the result; told here for the hash alone."""
    files: tuple[tuple[str, str], ...] = ()
    """Local packages, and the digest of each when the job was submitted."""
    variables: tuple[tuple[str, str], ...] = ()
    """Environment variables that the conda file sets."""
    notes: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_current(self) -> bool:
        return self.interpreter is None

    @property
    def hash(self) -> str:
        """The name of its folder: equal content is built once. Empty for ``current``."""
        if self.interpreter is None:
            return ""
        content = {
            "format": _FORMAT,
            "machine": _machine(),
            "python": [self.interpreter.implementation, self.interpreter.version],
            "requirements": self.requirements,
            "constraints": self.constraints,
            "options": self.options,
            "index_settings": self.index_settings,
            "files": self.files,
        }
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def __str__(self) -> str:
        return f"{self.name}:{self.version}" if self.version else self.name

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the store, without secrets."""
        data = asdict(self)
        del data["secrets"]
        data["hash"] = self.hash
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Definition:
        """What ``as_dict`` gave, also after a way through JSON."""
        interpreter = data["interpreter"]
        return cls(
            name=data["name"],
            version=data["version"],
            interpreter=Interpreter(**interpreter) if interpreter else None,
            python=data["python"],
            requirements=tuple(data["requirements"]),
            constraints=tuple(data["constraints"]),
            options=_pairs(data["options"]),
            index_settings=tuple(data["index_settings"]),
            files=_pairs(data["files"]),
            variables=_pairs(data["variables"]),
            notes=tuple(data["notes"]),
        )


def _pairs(items: Any) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in items)


def _machine() -> str:
    """What else decides which wheels fit: system, processor, C library."""
    import platform

    return "-".join(part for part in (sys.platform, platform.machine(), platform.libc_ver()[0]) if part)
