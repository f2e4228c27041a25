"""The file of a vault: which key it is for, and each secret's name, time and encrypted value. JSON, 0600, whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from store.disk import explain, write_whole
from store.errors import MachineError
from store.vault.key_places import KeyRecord

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """When a secret was set, and what encryption made of its name and value."""

    set_at: float
    value: str


@dataclass(frozen=True, slots=True)
class Contents:
    """All of a vault; without a key there are no secrets."""

    key: KeyRecord | None = None
    secrets: Mapping[str, Sealed] = field(default_factory=dict)


def read(file: Path) -> Contents:
    """What a vault holds, nothing where there is no file yet. Raises MachineError for one that is damaged."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return Contents()
    except OSError as error:
        raise explain(error, "the vault cannot be read") from error
    try:
        found = json.loads(text)
        if found["format"] > FORMAT:
            raise MachineError(f"{file} was written by a newer version of Workbench", hint="Use that one, or a newer.")
        return _contents(found)
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(file) from error


def _contents(found: Mapping[str, Any]) -> Contents:
    secrets = {str(name): Sealed(float(each["set_at"]), str(each["value"])) for name, each in found["secrets"].items()}
    return Contents(KeyRecord(**{name: str(value) for name, value in found["key"].items()}), secrets)


def write(file: Path, contents: Contents) -> None:
    """Put a vault on the disk; after a crash or a power cut it is the old one or the new one."""
    assert contents.key is not None  # noqa: S101  (whoever writes has encrypted, or read one)
    secrets = {name: asdict(each) for name, each in contents.secrets.items()}
    document = {"format": FORMAT, "key": asdict(contents.key), "secrets": secrets}
    write_whole(file, json.dumps(document, indent=1) + "\n", durable=True)


def damaged(file: Path, what: str = "it") -> MachineError:
    """The error for a vault that cannot be understood."""
    return MachineError(
        f"the vault {file} is damaged: {what} cannot be read",
        hint="Put a copy of the file back if there is one. Else move it away, and set the secrets again: "
        "`workbench secret set NAME`.",
    )
