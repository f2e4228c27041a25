"""From YAML 1.1 text to plain data that remembers where each key and each value stands.

PyYAML's C parser composes the nodes; the data is built here, because PyYAML's own constructor forgets the places, lets
a later key silently win over an earlier one, and shares one object between all aliases of an anchor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from store.errors import DocumentError, Fault

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML built without libyaml reads the same, only slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_DEPTH = 64
MAX_NODES = 100_000

Path = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_STRING_TAGS = {_TAG + "str", _TAG + "value", "!"}
_SCALAR_TAGS = {_TAG + name for name in ("bool", "int", "float", "null", "timestamp")}


class Place(NamedTuple):
    """A point in a file, or in an argument of the command line (then ``argument`` is that argument)."""

    file: str
    line: int
    column: int
    argument: str | None = None


class Entry(NamedTuple):
    """Where one value of a document stands; ``text`` is its source if it is a scalar."""

    key: Place
    value: Place
    text: str = ""

    def inside(self, part: str, occurrence: int) -> Place:
        """The place of the ``occurrence``-th (from 0) appearance of ``part`` inside the value, else of the value."""
        at = -1
        for _ in range(occurrence + 1):
            at = self.text.find(part, at + 1)
            if at < 0:
                return self.value
        before = self.text[:at]
        lines = before.count("\n")
        column = self.value.column + at if not lines else at - before.rindex("\n")
        return Place(self.value.file, self.value.line + lines, column, self.value.argument)


class Source(NamedTuple):
    """A YAML text; ``column`` is how far into the line it begins if it is a part of ``argument``."""

    file: str
    text: str
    column: int = 0
    argument: str | None = None

    def place(self, mark: Any) -> Place:
        """A mark of PyYAML, which counts from 0, as a place, which counts from 1."""
        if self.argument is not None and mark.index >= len(self.text):
            return self.at(len(self.text))  # PyYAML places the end in a line after the last
        column = mark.column + 1 + (self.column if mark.line == 0 else 0)
        return Place(self.file, mark.line + 1, column, self.argument)

    def at(self, index: int) -> Place:
        """The place of the character with this index."""
        before = self.text[:index]
        column = index - (before.rfind("\n") + 1)
        line = before.count("\n")
        return Place(self.file, line + 1, column + 1 + (self.column if line == 0 else 0), self.argument)


def path_text(path: Path) -> str:
    """``('inputs', 'a', 0)`` as ``inputs.a[0]``, in the grammar of ``--set``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[^\s.\[\]=\"']+", part):
            text += f".{part}" if text else part
        else:
            text += "[" + (f'"{part}"' if '"' not in part else f"'{part}'") + "]"
    return text


def fault_at(place: Place, path: Path, message: str, hint: str | None = None) -> Fault:
    """A fault at a place; one that stems from an argument of the command line names it."""
    if place.argument is not None:
        argument = place.argument if len(place.argument) <= 100 else place.argument[:97] + "..."
        message = f"{message} (given by `{place.file} {argument}`)"
    return Fault(place.file, place.line, place.column, path_text(path), message, hint)


def compose(source: Source) -> yaml.Node | None:
    """The node tree of the one YAML document in ``source``; None if there is nothing in it."""
    try:
        _refuse_depth(source)
        return yaml.compose(source.text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise DocumentError([_syntax_fault(source, error)]) from None
    except yaml.reader.ReaderError as error:
        character = chr(error.character) if isinstance(error.character, int) else str(error.character)
        message = f"the character U+{ord(character):04X} is not allowed in YAML"
        hint = 'In a text in double quotes it can be written as an escape, such as "\\x07".'
        # The position that the error knows is one of bytes.
        raise DocumentError([fault_at(source.at(source.text.find(character)), (), message, hint)]) from None


def plain_scalar(text: str) -> yaml.ScalarNode:
    """A node for a text that is one plain scalar whatever signs it holds, typed as YAML types it."""
    tag = str(yaml.resolver.Resolver().resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]
    start, end = (yaml.Mark("", index, 0, index, None, 0) for index in (0, len(text)))
    return yaml.ScalarNode(tag, text, start, end)


def _refuse_depth(source: Source) -> None:
    """Refuse deep nesting before composing: the C composer is recursive, and ends the process on 100,000 brackets."""
    if len(source.text) <= MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(source.text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise DocumentError([fault_at(source.place(event.start_mark), (), _TOO_DEEP)])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_SYNTAX_HINTS = {
    "unexpected end of stream": "Close the quote.",
    "expected key": "Indent the keys of one mapping alike; in a text in single quotes write '' for a quote.",
    "expected ',' or": "Close the bracket, or put a comma between two values.",
}


def _syntax_fault(source: Source, error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    place = source.place(mark) if mark is not None else Place(source.file, 1, 1, source.argument)
    problem = error.problem or "cannot be read"
    character = source.text[mark.index] if mark is not None and mark.index < len(source.text) else ""
    hint = None
    if mark is not None and (expression := _expression_at(source.text, mark.index)):
        place = source.at(mark.index - 1)  # of its dollar sign
        problem = f"the expression {expression} needs quotes between brackets, where YAML reads its own brackets first"
        hint = f'Put the value in quotes: "{expression}"'
    elif "tab character" in problem or ("cannot start any token" in problem and character == "\t"):
        problem, hint = "a tab where YAML wants spaces", "Indent with spaces."
    elif "cannot start any token" in problem:
        problem, hint = f"no value can begin with {character!r}", "Put the value in quotes."
    elif "mapping values are not allowed" in problem:
        problem = "a second ':' in one value, or a key at the wrong indentation"
        hint = "Put a value that contains ': ' or ends in ':' in quotes; indent the keys of one mapping alike."
    elif "nesting depth" in problem:  # libyaml looks ahead, and from 0.2.6 on has a limit of its own
        return fault_at(place, (), _TOO_DEEP)
    elif "another document" in problem:
        problem, hint = "a second document begins here", "Keep one document in a file."
    elif "undefined alias" in problem:
        problem = "an alias (*) of an anchor (&) that does not exist"
        hint = "Put a value that begins with '*' in quotes."
    elif error.context and error.context_mark is not None:
        hint = next((hint for part, hint in _SYNTAX_HINTS.items() if part in problem), None)
        problem = f"{problem} ({error.context} that begins in line {error.context_mark.line + 1})"
    return fault_at(place, (), f"not valid YAML: {problem}", hint)


def _expression_at(text: str, index: int) -> str | None:
    """The expression (``${{...}}``, ``$[[...]]``) whose first bracket has this index."""
    found = re.compile(r"\$(\{\{.*?\}\}|\[\[.*?\]\])").match(text, max(index - 1, 0))
    return found[0] if found else None


class Construction:
    """Builds the data of a node tree, and keeps the place of every part and every fault met on the way."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.entries: dict[Path, Entry] = {}
        self.faults: list[Fault] = []
        self._count = 0
        self._open: set[int] = set()
        self._scalars = yaml.constructor.SafeConstructor()

    def build(self, node: yaml.Node, path: Path, key: Place | None = None) -> Any:
        """The data of ``node``; ``key`` is the place of the key that holds it."""
        self._refuse_bomb(node)
        value = self.source.place(node.start_mark)
        scalar = isinstance(node, yaml.ScalarNode)
        text = self.source.text[node.start_mark.index : node.end_mark.index] if scalar else ""
        self.entries[path] = Entry(key or value, value, text)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        try:
            if node.tag not in (_TAG + "map", _TAG + "seq"):
                self._fault(node, path, f"the tag {_short(node.tag)} is not supported", "Leave the tag away.")
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._mapping(node, path) if isinstance(node, yaml.MappingNode) else None
        finally:
            self._open.discard(id(node))

    def _refuse_bomb(self, node: yaml.Node) -> None:
        """A few lines of aliases can stand for billions of values, or for a value that holds itself."""
        self._count += 1
        place = self.source.place(node.start_mark)
        if id(node) in self._open:
            raise DocumentError([fault_at(place, (), "the value of this anchor contains itself")])
        if self._count > MAX_NODES:
            message = f"the document holds more than {MAX_NODES:,} values once its aliases are written out"
            raise DocumentError([fault_at(place, (), message)])

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        if node.tag in _STRING_TAGS or node.tag == _TAG + "merge":
            return node.value
        if node.tag not in _SCALAR_TAGS:
            self._fault(node, path, f"the tag {_short(node.tag)} is not supported", "Leave the tag away.")
            return node.value
        try:
            return self._scalars.construct_object(node)
        except (ValueError, KeyError, IndexError, yaml.YAMLError):
            # Text that looks like a date or a number but is none: 2024-13-45, an integer of 5,000 digits, !!bool x.
            kind = {"timestamp": "a date", "bool": "true or false"}.get(_short(node.tag)[2:], "a number")
            message = f"{_shortened(node.value)} looks like {kind} and is none"
            self._fault(node, path, message, "Put it in quotes if it is a text.")
            return node.value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in self._pairs(node, path):
            name = self._key(key_node, path)
            if name is None:
                continue
            place = self.source.place(key_node.start_mark)
            if name in data:
                first = self.entries[(*path, name)].key.line
                message = f"duplicate key {name!r}, given before in line {first}"
                self.faults.append(fault_at(place, (*path, name), message, "Keep one of the two."))
                continue
            data[name] = self.build(value_node, (*path, name), place)
        return data

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """The pairs of a mapping, then those that merge keys (``<<``) add without replacing any."""
        merged: list[tuple[yaml.Node, yaml.Node]] = []
        names: set[str] = set()
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged += self._merged(value_node, path)
            else:
                names.add(key_node.value if isinstance(key_node, yaml.ScalarNode) else "")
                yield key_node, value_node
        for key_node, value_node in merged:
            if key_node.value not in names:
                names.add(key_node.value)
                yield key_node, value_node

    def _merged(self, node: yaml.Node, path: Path) -> list[tuple[yaml.Node, yaml.Node]]:
        self._refuse_bomb(node)
        if isinstance(node, yaml.MappingNode):
            self._open.add(id(node))
            pairs = [pair for pair in self._pairs(node, path) if isinstance(pair[0], yaml.ScalarNode)]
            self._open.discard(id(node))
            self._count += len(pairs)
            return pairs
        if isinstance(node, yaml.SequenceNode):
            return [pair for item in node.value for pair in self._merged(item, path)]
        self._fault(node, path, "a merge key (<<) takes a mapping or a list of mappings")
        return []

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag in _STRING_TAGS:
            return str(node.value)
        if isinstance(node, yaml.ScalarNode):
            message = f"the key {_shortened(node.value)} is read as {self._scalar(node, path)}; a key is a text"
            self._fault(node, path, message, f'Put it in quotes: "{node.value}".')
        else:
            self._fault(node, path, "a mapping or a list as a key; a key is a text")
        return None

    def _fault(self, node: yaml.Node, path: Path, message: str, hint: str | None = None) -> None:
        self.faults.append(fault_at(self.source.place(node.start_mark), path, message, hint))


def _short(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
