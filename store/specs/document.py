"""A document as it was written: its data, and where each part of it stands."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from store.errors import DocumentError, Fault, NotFoundError
from store.specs.nodes import Construction, Entry, Path, Place, Source, compose, fault_at

MAX_BYTES = 4 * 1024 * 1024


@dataclass
class Document:
    """What a file, its overrides and the flags of the command line say together.

    ``faults`` holds what is wrong with it as YAML without keeping its other faults from being found.
    """

    file: str
    folder: FilePath
    data: dict[str, Any]
    entries: dict[Path, Entry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

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


def load_document(file: FilePath | str, overrides: Iterable[str] = ()) -> Document:
    """Read a YAML (or JSON) file and apply ``--set`` arguments to it.

    Raises NotFoundError if there is no such file, and DocumentError if it cannot be read at all; lesser faults of the
    document are kept in ``Document.faults`` for whoever checks the rest.
    """
    source = Source(str(file), _read(str(file)))
    node = compose(source)
    start = Place(source.file, 1, 1)
    if node is None:
        raise DocumentError([fault_at(start, (), "the document is empty", "A job needs at least a `command`.")])
    construction = Construction(source)
    data = construction.build(node, ())
    if not isinstance(data, dict):
        hint = "Is a space missing after a ':'?" if isinstance(data, str) and ":" in data else None
        raise DocumentError([fault_at(start, (), f"expected keys and values, got {describe(data)}", hint)])
    folder = FilePath(os.path.abspath(file)).parent
    document = Document(source.file, folder, data, construction.entries, construction.faults)
    if arguments := list(overrides):
        from store.specs.overrides import apply  # which needs Document

        for argument in arguments:
            apply(document, argument)
    return document


def _read(file: str) -> str:
    """The text of a file, without the byte order mark that some editors write."""
    try:
        with open(file, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {file}", hint=_beside(file)) from None
    except OSError as error:
        reason = "it is a folder" if os.path.isdir(file) else (error.strerror or str(error))
        hint = _documents_in(file) if os.path.isdir(file) else None
        raise DocumentError([Fault(file, 1, 1, "", f"cannot be read: {reason}", hint)]) from None
    if len(content) > MAX_BYTES:
        raise DocumentError([Fault(file, 1, 1, "", f"larger than {MAX_BYTES >> 20} MiB: this is no document")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8-sig")
        place = Source(file, good).at(len(good))
        message = f"not UTF-8: byte 0x{content[error.start]:02X} cannot be read"
        raise DocumentError([fault_at(place, (), message, "Save the file as UTF-8.")]) from None


def _beside(file: str) -> str | None:
    """The file that was most likely meant, from the same folder."""
    from store.specs.nearest import nearest

    folder, name = os.path.split(file)
    try:
        found = nearest(name, os.listdir(folder or "."))
    except OSError:
        return f"There is no folder {folder} either." if folder else None
    return f"Did you mean {os.path.join(folder, found)}?" if found else None


def _documents_in(folder: str) -> str | None:
    names = sorted(name for name in os.listdir(folder) if name.endswith((".yml", ".yaml")))
    return f"Name a file in it: {', '.join(names[:5])}" if names else None


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
