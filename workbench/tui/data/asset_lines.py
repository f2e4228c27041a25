"""How lists draw data assets and their versions: pure functions of values and a width."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.cells import cell_len

from store.data.assets import LATEST, DataVersion
from workbench.tui.glyphs import Glyphs
from workbench.tui.home_lines import size
from workbench.tui.job_columns import cell
from workbench.tui.widgets.line_list import Line

VERSION, KIND, SIZE, AGE = 9, 10, 9, 5
DATASTORE_PATH = re.compile(r"azureml://datastores/([^/]+)/paths/")


@dataclass(frozen=True, slots=True)
class Row:
    """An asset or a version at a moment."""

    data: DataVersion
    versions: int
    labels: tuple[str, ...]
    archived: bool
    age: str
    id: int = 0


def asset_head(width: int, signs: Glyphs) -> Line:
    """The titles of the columns."""
    name, labels = _widths(width)
    first = _name_and_path("Name", "Path", name, signs)
    return ((_titles("".join(text for text, _ in first), name, labels, signs), "muted"),)


def asset_lines(value: Row, width: int, signs: Glyphs) -> list[Line]:
    """Name, path where there is room, latest version, type, size, labels and age."""
    name, labels = _widths(width)
    version = f"{value.data.version}{f' of {value.versions}' if value.versions > 1 else ''}"
    return [_line(value, _name_and_path(value.data.name, value.data.path, name, signs), version, labels, signs)]


def _name_and_path(name: str, path: str, width: int, signs: Glyphs) -> Line:
    """Both in a width, or the name alone where there is little."""
    if width < 44:
        return ((cell(name, width, signs), ""),)
    room = min(36, width * 4 // 10)
    return (f"{cell(name, room, signs)} ", ""), (place(path, width - room - 1, signs), "muted")


def place(path: str, width: int, signs: Glyphs) -> str:
    """A path in a width: its end tells most, and of an address of a datastore the name and the path there."""
    if found := DATASTORE_PATH.match(path):
        path = f"{found[1]}/{path[found.end() :]}"
    if cell_len(path) <= width:
        return cell(path, width, signs)
    tail = path[-max(1, width - 1) :]
    while cell_len(tail) > width - 1 and tail:
        tail = tail[1:]
    return cell(f"{signs.ellipsis}{tail}", width, signs)


def version_head(width: int, signs: Glyphs) -> Line:
    """The titles of the columns."""
    name, labels = _widths(width)
    return ((_titles("Path", name, labels, signs), "muted"),)


def version_lines(value: Row, width: int, signs: Glyphs) -> list[Line]:
    """Version, type, size, labels and age, and the path."""
    name, labels = _widths(width)
    path: Line = ((place(value.data.path, name, signs), "muted"),)
    return [_line(value, path, value.data.version, labels, signs)]


def _widths(width: int) -> tuple[int, int]:
    """Of what grows with the width: name or path, and labels."""
    left = max(8, width - VERSION - KIND - SIZE - AGE - 7)
    labels = min(24, left * 3 // 10) if left > 24 else 0
    return left - labels, labels


def _titles(first: str, name: int, labels: int, signs: Glyphs) -> str:
    titled = [cell("Version", VERSION, signs), cell("Type", KIND, signs), cell("Size", SIZE, signs, right=True)]
    return " ".join(
        ["", cell(first, name, signs), *titled, cell("Labels", labels, signs), cell("Age", AGE, signs, right=True)]
    )


def _line(value: Row, first: Line, version: str, labels: int, signs: Glyphs) -> Line:
    data = value.data
    own = [each for each in value.labels if value.id or each != LATEST]
    shown = ", ".join([*(["archived"] if value.archived else []), *own])
    taken = size(data.bytes) if data.bytes is not None else ""
    return (
        (" ", ""),
        *first,
        (f" {cell(version, VERSION, signs)} ", ""),
        (f"{cell(data.type, KIND, signs)} ", "muted"),
        (f"{cell(taken, SIZE, signs, right=True)} ", ""),
        (f"{cell(shown, labels, signs)} ", "canceled" if value.archived else "accent"),
        (cell(value.age, AGE, signs, right=True), "muted"),
    )
