"""A document as it was written: its data, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from store.errors import Fault
from store.specs.nodes import Entry, Path, Place, fault_at


@dataclass
class Document:
    """What a file, its overrides and the flags of the command line say together.

    ``faults`` holds what is wrong with it as YAML without keeping its other faults from being found, ``added`` what
    overrides brought that it did not have, down to the second key: ``("inputs", "epochs")``.
    """

    file: str
    folder: FilePath
    data: dict[str, Any]
    entries: dict[Path, Entry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    added: list[Path] = field(default_factory=list)

    @classmethod
    def of(cls, data: Mapping[str, Any], *, file: str = "", folder: FilePath | None = None) -> Document:
        """A document that was never written down, such as one from a form or a call."""
        return cls(file, folder or FilePath.cwd(), dict(data))

    def entry(self, path: Path) -> Entry:
        """Where the value at ``path`` stands, else where the nearest thing around it does."""
        for length in range(len(path), -1, -1):
            if entry := self.entries.get(path[:length]):
                return entry
        start = Place(self.file, 1, 1)
        return Entry(start, start)

    def position(self, path: Path) -> tuple[int, int]:
        """Line and column of the value at ``path``, from 1."""
        place = self.entry(path).value
        return place.line, place.column

    def locate(self, path: Path) -> tuple[str, int, int]:
        """File, line and column of the value at ``path``, or of what would hold it."""
        place = self.entry(path).value
        return place.file, place.line, place.column

    def value(self, path: Path) -> Any:
        """The value at ``path``; None if there is none."""
        value: Any = self.data
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def fault(self, path: Path, message: str, hint: str | None = None, *, at_key: bool = False) -> Fault:
        """A fault at the value at ``path``, or at its key; at what holds it if it is missing."""
        entry = self.entry(path)
        return fault_at(entry.key if at_key or path not in self.entries else entry.value, path, message, hint)

    def fault_inside(self, path: Path, part: str, occurrence: int, message: str, hint: str | None = None) -> Fault:
        """A fault at the ``occurrence``-th appearance (from 0) of ``part`` in the text at ``path``."""
        return fault_at(self.entry(path).inside(part, occurrence), path, message, hint)

    def set_flag(self, key: str, value: object) -> None:
        """Let a flag of the command line, such as ``--name``, have the last word."""
        place = Place("--" + key.replace("_", "-"), 1, 1)
        self.data[key] = value
        self.entries[(key,)] = Entry(place, place, str(value))


def describe(value: object) -> str:
    """A value in the words of an error message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value if len(value) <= 60 else value[:57] + '...'!r}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"the date {value}"
