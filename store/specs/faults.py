"""Pydantic's errors as the faults of a document: where, what was expected, and the nearest right word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError

from store.errors import Fault
from store.specs.document import Document, describe
from store.specs.nearest import suggestion
from store.specs.nodes import Path, path_text
from store.specs.spec import Choice, Spec

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of a sensible size",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
}
_LITERAL_TYPES = {"integer": "20", "number": "0.5", "string": "text", "boolean": "true"}


def faults_of(error: ValidationError, document: Document, model: type[Spec]) -> list[Fault]:
    """The faults that pydantic found in a document; each place is told once."""
    found: dict[tuple[Path, str], Fault] = {}
    for detail in error.errors(include_url=False):
        path, at_key = _path(detail, document)
        fault = _fault(detail, path, at_key, document, model)
        found.setdefault((path, fault.message), fault)
    return list(found.values())


def _path(detail: Mapping[str, Any], document: Document) -> tuple[Path, bool]:
    """The place inside the document, and whether the fault is the key's rather than the value's."""
    path: Path = ()
    value: Any = document.data
    parts = detail["loc"]
    for index, part in enumerate(parts):
        inside = part in value if isinstance(value, Mapping) else isinstance(value, list) and isinstance(part, int)
        if inside or (detail["type"] == "missing" and index == len(parts) - 1):
            path = (*path, part)
            value = document.value(path)
    return path, bool(parts) and parts[-1] == "[key]"


def _fault(detail: Mapping[str, Any], path: Path, at_key: bool, document: Document, model: type[Spec]) -> Fault:
    kind = detail["type"]
    context = detail.get("ctx") or {}
    value = document.value(path)
    if kind == "extra_forbidden":
        return document.fault(path, f"unknown key {path[-1]!r}", _unknown_key_hint(path, document, model), at_key=True)
    if kind == "missing":
        types = _types_at(path[:-1], document, model) if path[-1] == "type" else []
        hint = f"Allowed: {', '.join(types)}" if len(types) > 1 else _description(path, document, model)
        return document.fault(path, f"the key {path[-1]!r} is missing", hint)
    if kind == "literal_error":
        return _not_allowed(path, value, context, document, model)
    if kind == "greater_than_equal":
        message = f"expected a number of at least {context['ge']}, got {describe(value)}"
        return document.fault(path, message, _description(path, document, model))
    what = _EXPECTED.get(kind) or context.get("what")
    if what and path[:1] == ("credentials",) and not isinstance(value, Mapping | NoneType):
        hint = "Put it in quotes." if kind == "string_type" else context.get("hint")
        return document.fault(path, f"expected {what}, got something else", hint)  # it may be a secret
    if what:
        hint = context.get("hint") or _type_hint(kind, path, value, document) or _description(path, document, model)
        if what == "a mapping":
            hint = " ".join(filter(None, (hint, _mapping_hint(path, document, model))))
        if value is None:
            message = f"the key has no value; expected {what}"
            return document.fault(path, message, "Give it a value, or leave the key away.")
        return document.fault(path, f"expected {what}, got {describe(value)}", hint)
    return document.fault(path, context.get("text") or detail["msg"], context.get("hint"), at_key=at_key)


def _type_hint(kind: str, path: Path, value: Any, document: Document) -> str | None:
    """How to write a text that YAML takes for a number, a date or a boolean."""
    if kind != "string_type" or isinstance(value, list | Mapping):
        return None
    entry = document.entry(path)
    written = entry.text or str(value)
    if entry.value.argument is not None:
        return f"Put it in quotes: {entry.value.file} '{path_text(path)}=\"{written}\"'"
    return f'Put it in quotes: "{written}"'


def _mapping_hint(path: Path, document: Document, model: type[Spec]) -> str | None:
    """How to write a mapping in the place of something else."""
    if not path:
        return None
    part = _resolve(_annotation_at(path, document, model), {})
    if isinstance(part, type) and issubclass(part, Spec):
        return f"Its keys: {', '.join(_keys(part))}"
    return f"Write `{path[-1]}: {{NAME: VALUE}}`." if get_origin(part) is dict else None


def _not_allowed(path: Path, value: Any, context: Mapping[str, Any], document: Document, model: type[Spec]) -> Fault:
    allowed = re.findall(r"'([^']*)'", context["expected"])
    if path[-1] == "type":
        allowed = _types_at(path[:-1], document, model) or allowed
    if not isinstance(value, str):
        got = "the key has no value" if value is None else f"got {describe(value)}"
        return document.fault(path, f"expected one of {', '.join(allowed)}; {got}")
    hint = suggestion(value, allowed, introduction="Allowed")
    if path[0] == "inputs" and value in _LITERAL_TYPES:
        hint = f"A literal is written without a type: `{path[-2]}: {_LITERAL_TYPES[value]}`. {hint}"
    return document.fault(path, f"{value!r} is not one of the allowed values", hint)


def _unknown_key_hint(path: Path, document: Document, model: type[Spec]) -> str | None:
    owner = _model_at(path[:-1], document, model)
    if owner is None:
        return None
    key = str(path[-1])
    if key not in (allowed := _keys(owner)) and (holder := _holder(owner, key)):
        return f"{key!r} belongs below {holder!r}."
    return suggestion(key, allowed)


def _keys(model: type[Spec]) -> list[str]:
    """The keys that somebody who writes a document may use."""
    return [field.alias or name for name, field in model.model_fields.items() if field.exclude is None]


def _holder(model: type[Spec], key: str) -> str | None:
    """The key of ``model`` whose mapping has a key of exactly this name, if there is just one."""
    holders = []
    for name, field in model.model_fields.items():
        part = _resolve(_annotation(field), {})
        if isinstance(part, type) and issubclass(part, Spec) and key in part.model_fields:
            holders.append(name)
    return holders[0] if len(holders) == 1 else None


def _description(path: Path, document: Document, model: type[Spec]) -> str | None:
    owner = _model_at(path[:-1], document, model) if path else None
    for name, field in owner.model_fields.items() if owner else ():
        if (field.alias or name) == path[-1]:
            return field.description
    return None


def _types_at(path: Path, document: Document, model: type[Spec]) -> list[str]:
    """All values of ``type`` of the mapping at ``path``, which may be of several models."""
    annotation = _annotation_at(path, document, model)
    types: dict[str, None] = {}
    for choice in _choices(annotation):
        for candidate in choice.models:
            field = candidate.model_fields.get("type")
            if field is not None and get_origin(field.annotation) is Literal:
                types.update(dict.fromkeys(get_args(field.annotation)))
    return list(types)


def _choices(annotation: Any) -> Iterator[Choice]:
    for part in _unwrapped(annotation):
        yield from (mark.target() for mark in getattr(part, "__metadata__", ()) if isinstance(mark, Choice))


def _unwrapped(annotation: Any) -> Iterable[Any]:
    """The annotation itself, or what a union with None holds."""
    if get_origin(annotation) in (Union, UnionType):
        return [part for part in get_args(annotation) if part is not type(None)]
    return [annotation]


def _model_at(path: Path, document: Document, model: type[Spec]) -> type[Spec] | None:
    found = _resolve(_annotation_at(path, document, model), document.value(path))
    return found if isinstance(found, type) and issubclass(found, Spec) else None


def _annotation_at(path: Path, document: Document, model: type[Spec]) -> Any:
    """What the value at ``path`` is declared to be."""
    annotation: Any = model
    for length, part in enumerate(path):
        annotation = _step(_resolve(annotation, document.value(path[:length])), part)
    return annotation


def _step(annotation: Any, part: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        fields = {field.alias or name: field for name, field in annotation.model_fields.items()}
        return _annotation(fields[str(part)]) if part in fields else None
    arguments = get_args(annotation)
    return arguments[-1] if arguments and get_origin(annotation) in (dict, list) else None


def _annotation(field: Any) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _resolve(annotation: Any, value: Any) -> Any:
    """The model, list or dict that a declaration comes to for this value."""
    for choice in _choices(annotation):
        return choice.model_for(value)
    if get_origin(annotation) is Annotated:
        return _resolve(get_args(annotation)[0], value)
    parts = list(_unwrapped(annotation))
    return annotation if parts == [annotation] else _resolve(parts[0], value)
