"""The dialect's own field lists as an oracle: which documents they allow, and every place where a field may stand.

``data/dialect.json`` is an excerpt of field lists taken from azure-ai-ml; its ``notation`` explains it. Nothing here
knows anything of the models under test.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

DIALECT: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "dialect.json").read_text())
KINDS: list[str] = list(DIALECT["kinds"])

MAY_BE_ABSENT = {("job.command", "environment")}
"""What Workbench requires less than the dialect's own tools do."""
MAY_BE_EMPTY = {("job.command", "environment"), ("job.command", "compute")}
"""Keys that may have no value here, which then counts as absent."""


def fields_of(name: str) -> dict[str, Any]:
    """The fields of a kind or of a part, by name, without its bases' being apart."""
    found = DIALECT["kinds"].get(name) or {"fields": DIALECT["defs"][name]}
    fields = dict(found["fields"])
    for base in found.get("base", ()):
        fields |= DIALECT["bases"][base]
    return {field: spec if isinstance(spec, dict) and "t" in spec else {"t": spec} for field, spec in fields.items()}


def _resolved(kind: Any) -> Any:
    return DIALECT["types"][kind[1:]] if isinstance(kind, str) and kind.startswith("@") else kind


def allows(kind: Any, value: Any, folder: Path) -> bool:
    """Whether a value is of a type, in the dialect's notation."""
    kind = _resolved(kind)
    if kind == ["any", "str"]:  # a conda file: its content, or its path; whatever else fails later, and oddly
        return isinstance(value, Mapping) or _allows_scalar("localpath", value, folder)
    if isinstance(kind, list):
        kind = [each for each in kind if _is_meant(each, value)] or kind
        return any(allows(each, value, folder) for each in kind)
    if isinstance(kind, str):
        return _allows_scalar(kind, value, folder)
    if "obj" in kind:
        return allows_object(kind["obj"], value, folder)
    if "map" in kind:
        # In a map an empty value passes, except where it would be an input.
        inputs = kind["map"] == DIALECT["types"]["inputs"]["map"]
        return isinstance(value, Mapping) and all(
            (item is None and not inputs) or allows(kind["map"], item, folder) for item in value.values()
        )
    if "list" in kind:
        return isinstance(value, list) and all(allows(kind["list"], item, folder) for item in value)
    return isinstance(value, str) and value in spellings(kind)


def _is_meant(kind: Any, value: Any) -> bool:
    """Whether a value says that it is of this part, where its ``type`` tells but is not checked."""
    if not isinstance(kind, dict) or "obj" not in kind or not isinstance(value, Mapping):
        return False
    stated = fields_of(kind["obj"]).get("type", {})
    return stated.get("t") == "any" and value.get("type") == stated["def"]


def _allows_scalar(kind: str, value: Any, folder: Path) -> bool:
    text = isinstance(value, str)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "any":
        return True
    if kind == "bool":
        return value in (True, False) or (text and value.lower() in ("true", "false", "yes", "no", "on", "off"))
    if kind == "float" and number:
        return True
    if kind in ("int", "float"):
        return (number and value == int(value)) or (text and re.fullmatch(r"\d+", value) is not None)
    if kind == "version":
        return text or number
    if kind == "localpath":
        return text and os.path.exists(folder / value)
    if kind.startswith(("url", "giturl")):
        return text and "://" in value
    if kind.startswith(("registry", "feeds")):
        return text and value.startswith("azureml://")
    if kind.startswith(("ref:", "name:")):
        return text and value.startswith("azureml:") and (not kind.endswith(":versioned") or value.count(":") > 1)
    assert kind == "str", kind
    return text


def spellings(kind: Mapping[str, Any]) -> dict[str, str]:
    """All spellings of an enumeration that are allowed and tried here, each with what is kept of it."""
    ((notation, values),) = kind.items()
    found = {value: value for value in values}
    for value in values:
        camel = ",".join("".join(word.capitalize() for word in part.split("_")) for part in value.split(","))
        if notation == "enum":
            found |= {value.upper(): value, value.capitalize(): value}
        elif notation == "enum_snake":
            found[camel] = value
        elif notation == "enum_pascal":
            found |= {value.upper(): value, value.lower(): value}
    return found


def allows_object(name: str, value: Any, folder: Path, *, top: bool = False) -> bool:
    """Whether a mapping is a document of a kind, or a part of one."""
    if not isinstance(value, Mapping):
        return False
    fields = fields_of(name)
    for key, item in value.items():
        if top and key == "$schema":
            continue
        if key not in fields:
            return False
        if fields[key].get("ro"):
            continue
        if item is None and (fields[key].get("null") or (name, key) in MAY_BE_EMPTY):
            continue
        if item is None and fields[key]["t"] != "any":
            return False
        if not allows(fields[key]["t"], item, folder):
            return False
    required = {key for key, spec in fields.items() if spec.get("req") and (name, key) not in MAY_BE_ABSENT}
    return required <= value.keys() and (name != "Output" or "version" not in value or "name" in value)


def sample(kind: Any) -> Any:
    """A value of a type."""
    kind = _resolved(kind)
    if isinstance(kind, list):
        return sample(kind[-1])
    if isinstance(kind, dict):
        if "obj" in kind:
            return smallest(kind["obj"])
        if "map" in kind:
            return {"k": sample(kind["map"])}
        return [sample(kind["list"])] if "list" in kind else next(iter(next(iter(kind.values()))))
    known = {"int": 3, "float": 3, "bool": True, "any": "text", "version": "3", "url": "https://example.org/x"}
    if kind in known:
        return known[kind]
    return "azureml:text:3" if kind.startswith(("ref:", "name:")) else "text"


def smallest(name: str) -> dict[str, Any]:
    """The smallest mapping that is a part of this name, and of no other part that may stand in the same place."""
    fields = fields_of(name)
    found = {key: sample(spec["t"]) for key, spec in fields.items() if spec.get("req")}
    if name == "JobService":
        return {"type": "another"}
    if "type" in fields and "type" not in found:
        found["type"] = fields["type"].get("def") or sample(fields["type"]["t"])
    if name == "Output":
        found["name"] = "text"
    return found or ({"value": 3} if name == "InputLiteralValue" else {})


class Spot(NamedTuple):
    """A place for a field: in the part ``owner`` of a document of ``kind``; ``put`` makes the document."""

    kind: str
    owner: str
    field: str
    spec: dict[str, Any]
    path: tuple[str | int, ...]
    put: Callable[[Mapping[str, Any]], dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.kind}:{'.'.join(map(str, self.path))}.{self.field}:{self.owner}"

    def document(self, value: Any) -> dict[str, Any]:
        """A whole document with a value for the field."""
        return self.put({**smallest(self.owner), self.field: value})

    def document_without(self) -> dict[str, Any]:
        """A whole document without the field."""
        return self.put({key: value for key, value in smallest(self.owner).items() if key != self.field})


def spots(kind: str) -> Iterator[Spot]:
    """Every place where a field may stand in a document of a kind."""
    yield from _spots(kind, kind, (), dict)


def _spots(
    kind: str, owner: str, path: tuple[str | int, ...], put: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> Iterator[Spot]:
    for field, spec in fields_of(owner).items():
        yield Spot(kind, owner, field, spec, path, put)
        if spec.get("ro"):
            continue
        for part, inner, wrap in _parts(spec["t"]):

            def deeper(value: Mapping[str, Any], field: str = field, wrap: Any = wrap) -> dict[str, Any]:
                return put({**smallest(owner), field: wrap(value)})

            yield from _spots(kind, part, (*path, field, *inner), deeper)


def _parts(kind: Any) -> Iterator[tuple[str, tuple[str | int, ...], Callable[[Any], Any]]]:
    """The parts that may stand in a field of a type, where in it, and how the field's value holds them."""
    kind = _resolved(kind)
    if isinstance(kind, list):
        for each in kind:
            yield from _parts(each)
    elif isinstance(kind, dict) and "obj" in kind:
        yield kind["obj"], (), lambda value: value
    elif isinstance(kind, dict) and "map" in kind:
        for part, path, wrap in _parts(kind["map"]):
            yield part, ("k", *path), lambda value, wrap=wrap: {"k": wrap(value)}
    elif isinstance(kind, dict) and "list" in kind:
        for part, path, wrap in _parts(kind["list"]):
            yield part, (0, *path), lambda value, wrap=wrap: [wrap(value)]
