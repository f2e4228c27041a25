"""The outline of a kind of document: its fields as plain data, for forms. Made from the models' JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from store.specs.json_schema import json_schema

SCALARS = frozenset({"string", "number", "integer", "boolean"})


@dataclass(frozen=True, slots=True)
class Outline:
    """One field.

    ``kind`` is ``text``, ``integer``, ``number``, ``boolean``, ``value`` (any scalar), ``choice`` (one of ``choices``),
    ``list`` (of ``element``), ``map`` (of ``element``, by name), ``block`` (of ``parts``), or ``forms``: a value that
    may take one of several ``forms``, each of a name; a block there goes with its name as ``type``.
    """

    key: str
    kind: str
    description: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    parts: tuple[Outline, ...] = ()
    element: Outline | None = None
    forms: tuple[Outline, ...] = ()


def outline(kind: str) -> Outline:
    """The fields of a kind such as ``job.command``; those that only a server sets are left out."""
    schema = json_schema(kind)
    return _Reader(schema.get("$defs", {})).field(kind, schema)


class _Reader:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def field(self, key: str, schema: Mapping[str, Any], required: bool = False) -> Outline:
        schema = self._resolved(schema)
        return replace(self._shape(key, schema), description=schema.get("description", ""), required=required)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        return {**self._definitions[reference.rpartition("/")[2]], **schema}

    def _shape(self, key: str, schema: Mapping[str, Any]) -> Outline:
        alternatives = [self._resolved(each) for each in schema.get("anyOf") or schema.get("oneOf") or ()]
        if alternatives:
            return self._alternatives(key, [each for each in alternatives if each.get("type") != "null"])
        if "enum" in schema:
            return Outline(key, "choice", choices=tuple(schema["enum"]))
        types = schema.get("type", "string")
        if isinstance(types, list):
            return Outline(key, "value" if "boolean" in types else "text")
        match types:
            case "object":
                return self._object(key, schema)
            case "array":
                return Outline(key, "list", element=self.field("", schema.get("items", {})))
            case "integer" | "number" | "boolean":
                return Outline(key, types)
        return Outline(key, "text")

    def _object(self, key: str, schema: Mapping[str, Any]) -> Outline:
        if "properties" in schema:
            return Outline(key, "block", parts=tuple(self._parts(schema)))
        inside = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
        element = self.field("", inside) if isinstance(inside, Mapping) else Outline("", "value")
        return Outline(key, "map", element=element)

    def _parts(self, schema: Mapping[str, Any]) -> Iterable[Outline]:
        required = schema.get("required", ())
        for name, part in schema["properties"].items():
            if not part.get("readOnly") and "const" not in part:
                yield self.field(name, part, name in required)

    def _alternatives(self, key: str, alternatives: list[Mapping[str, Any]]) -> Outline:
        """A text where that says all that a mapping could; else a form for each type."""
        if len(alternatives) == 1 and not _types(alternatives[0]):
            return self._shape(key, alternatives[0])
        forms: list[Outline] = []
        for each in alternatives:
            types = _types(each)
            parts = tuple(part for part in self._parts(each) if part.key != "type") if types else ()
            description = each.get("description", "")
            forms += [Outline(name, "block", description, parts=parts) for name in types]
        plain = next((each for each in alternatives if _is_plain(each)), None)
        if not forms:
            return self._shape(key, plain or alternatives[0])
        if plain is not None:
            forms.insert(0, replace(self._shape("value", plain), description="A value in place."))
        return Outline(key, "forms", forms=tuple(forms))


def _types(schema: Mapping[str, Any]) -> list[str]:
    """What ``type`` may be in a mapping of this schema."""
    stated = schema.get("properties", {}).get("type", {})
    return [stated["const"]] if "const" in stated else list(stated.get("enum", ()))


def _is_plain(schema: Mapping[str, Any]) -> bool:
    types = schema.get("type")
    return bool(SCALARS & set(types if isinstance(types, list) else [types]))
