"""``--set a.b=c``: overrides from the command line, written into a document before it is checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from store.errors import DocumentError, Fault
from store.specs.document import Document, describe
from store.specs.nodes import Construction, Entry, Path, Place, Source, compose, fault_at, path_text, plain_scalar

FLAG = "--set"

_KEY = re.compile(r"[^.\[\]=]+")
_ITEM = re.compile(r"""\[\s*(?:(\d{1,9})|"([^"]*)"|'([^']*)')\s*\]""")
_YAML_SYNTAX = ("[", "{", '"', "'", "!!")


@dataclass(frozen=True, slots=True)
class Assignment:
    """An argument taken apart; ``columns`` are those of the parts of the path, all from 1."""

    path: Path
    columns: tuple[int, ...]
    text: str
    text_column: int


class _BadArgument(Exception):
    def __init__(self, column: int, message: str, hint: str | None = None) -> None:
        self.column, self.message, self.hint = column, message, hint


def parse_argument(argument: str) -> Assignment:
    """Take ``inputs.a[0]["b.c"]=text`` apart; the value may hold further ``=``."""
    try:
        return _parse(_text(argument))
    except _BadArgument as bad:
        place = Place(FLAG, 1, bad.column, argument.encode(errors="replace").decode())
        raise DocumentError([fault_at(place, (), bad.message, bad.hint)]) from None


def _text(argument: str) -> str:
    """The argument, unless it holds bytes that the shell handed over and that are no text."""
    for index, character in enumerate(argument):
        if "\udc80" <= character <= "\udcff":
            raise _BadArgument(index + 1, f"not UTF-8: byte 0x{ord(character) - 0xDC00:02X} cannot be read")
    return argument


def _parse(argument: str) -> Assignment:
    parts: list[str | int] = []
    columns: list[int] = []
    at = 0
    while True:
        if item := _ITEM.match(argument, at):
            number, double, single = item.groups()
            parts.append(int(number) if number is not None else (double if double is not None else single))
        elif (item := _KEY.match(argument, at)) and item.group().strip():
            parts.append(item.group().strip())
        else:
            raise _BadArgument(at + 1, "expected the name of a key", "Write --set KEY=VALUE, such as inputs.epochs=20.")
        columns.append(at + 1)
        at = item.end()
        rest = argument[at : at + 1]
        if rest == "=":
            text = argument[at + 1 :]
            indent = len(text) - len(text.lstrip())
            return Assignment(tuple(parts), tuple(columns), text.strip(), at + 2 + indent)
        if rest == ".":
            at += 1
        elif rest != "[":
            _refuse_rest(rest, at)


def _refuse_rest(rest: str, at: int) -> None:
    if not rest:
        raise _BadArgument(at + 1, "no '=' in it", "Write --set KEY=VALUE, such as inputs.epochs=20.")
    raise _BadArgument(
        at + 1, f"unexpected {rest!r} after a key", 'An item of a list is written a[0], an odd key a["b c"].'
    )


def apply(document: Document, argument: str) -> None:
    """Write one override into a document; what is wrong with it joins the document's faults."""
    try:
        assignment = parse_argument(argument)
        construction = Construction(Source(FLAG, assignment.text, assignment.text_column - 1, argument))
        key = Place(FLAG, 1, assignment.columns[-1], argument)
        value = _value(construction, assignment.path, key)
        is_new = document.value(assignment.path[:2]) is None
        container = _container(document, assignment, argument)
    except DocumentError as error:
        document.faults += error.faults
        return
    document.faults += construction.faults
    if is_new:
        document.added.append(assignment.path[:2])
    last = assignment.path[-1]
    if isinstance(container, list) and last == len(container):
        container.append(value)
    else:
        container[last] = value
    _forget(document, assignment.path)
    document.entries.update(construction.entries)


def _value(construction: Construction, path: Path, key: Place) -> Any:
    """The typed value: YAML if it begins like a list, a mapping, a quoted text or a tag, else one plain scalar.

    So a glob, a comment sign or ``a: b`` in a text need no quotes, and lines stay lines.
    """
    source = construction.source
    node = compose(source) if source.text.startswith(_YAML_SYNTAX) else None
    return construction.build(node if node is not None else plain_scalar(source.text), path, key)


def _container(document: Document, assignment: Assignment, argument: str) -> Any:
    """The mapping or list that holds the last part of the path; made where there is none."""
    container: Any = document.data
    for depth, part in enumerate(assignment.path):
        done = assignment.path[:depth]
        place = Place(FLAG, 1, assignment.columns[depth], argument)
        if fault := _cannot_hold(container, part, done, place):
            raise DocumentError([fault])
        if depth == len(assignment.path) - 1:
            break
        missing = part == len(container) if isinstance(container, list) else container.get(part) is None
        if missing:
            fresh: Any = [] if isinstance(assignment.path[depth + 1], int) else {}
            if isinstance(container, list):
                container.append(fresh)
            else:
                container[part] = fresh
            document.entries[(*done, part)] = Entry(place, place)
        container = container[part]
    return container


def _cannot_hold(container: Any, part: str | int, path: Path, place: Place) -> Fault | None:
    name = path_text(path) or "the document"
    if isinstance(container, dict):
        if isinstance(part, str):
            return None
        return fault_at(place, path, f"{name} is a mapping and has no item [{part}]", "Name a key after a '.'.")
    if isinstance(container, list):
        if isinstance(part, str):
            return fault_at(
                place, path, f"{name} is a list and has no key {part!r}", f"Name an item, such as {name}[0]."
            )
        if part <= len(container):
            return None
        message = f"{name} has {len(container)} items, [{part}] is too far"
        return fault_at(place, path, message, f"[{len(container)}] adds one.")
    if isinstance(container, str) and container.startswith("azureml:"):
        message = f"{name} is the reference {container!r}: nothing below it can be set"
        return fault_at(place, path, message, f"Set {name} itself.")
    return fault_at(place, path, f"{name} is {describe(container)}: nothing below it can be set", f"Set {name} itself.")


def _forget(document: Document, path: Path) -> None:
    """Drop the places of what an override replaces."""
    for known in [known for known in document.entries if known[: len(path)] == path]:
        del document.entries[known]
