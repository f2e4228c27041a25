"""What a form's fields say, to and from the values of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from store.specs.outline import Outline

SCALAR_KINDS = frozenset({"text", "integer", "number", "boolean", "value", "choice", "list"})


def scalar(text: str, kind: str) -> Any:
    """What a typed text means: in a field of texts itself, elsewhere what YAML takes it for. None for nothing."""
    if not text.strip():
        return None
    if kind in ("text", "choice"):
        return text
    if kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    value = _read(text)
    return value if isinstance(value, str | int | float) else text


def written(value: Any, kind: str) -> str:
    """The text that means a value."""
    if value is None:
        return ""
    if kind == "list":
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if kind in ("text", "choice") or _read(value) == value:
            return value
        import json

        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        import yaml

        return str(yaml.safe_dump(value)).split("\n")[0]  # 1e30 is a text in YAML 1.1, 1.0e+30 a number
    return str(value)


def _read(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def fits(outline: Outline, value: Any) -> bool:
    """Whether a form can show a value; one that it cannot show it keeps as it is."""
    if value is None:
        return True
    match outline.kind:
        case "text":
            return isinstance(value, str) and ("\n" not in value or outline.key in LONG)
        case "integer" | "number" | "boolean" | "value":
            return isinstance(value, str | int | float) and "\n" not in str(value)
        case "choice":
            return value in outline.choices
        case "list":
            return isinstance(value, list) and all(isinstance(each, str) and "," not in each for each in value)
        case "map":
            element = outline.element
            return (
                isinstance(value, Mapping)
                and element is not None
                and all(isinstance(key, str) and (each is None or fits(element, each)) for key, each in value.items())
            )
        case "block":
            return isinstance(value, Mapping) and fit_parts(outline, value)
    form = form_of(outline, value)
    if form is None:
        return False
    if not isinstance(value, Mapping):
        return fits(form, value)
    return fit_parts(form, {key: each for key, each in value.items() if key != "type"})


def fit_parts(outline: Outline, value: Mapping[str, Any]) -> bool:
    """Whether a block has a field for each key, and each can show its value."""
    parts = {part.key: part for part in outline.parts}
    return all(key in parts and each is not None and fits(parts[key], each) for key, each in value.items())


def form_of(outline: Outline, value: Any) -> Outline | None:
    """The form that a value has; the one of folders where a mapping does not say, and a literal before anything is."""
    if isinstance(value, Mapping):
        blocks = [form for form in outline.forms if form.kind == "block"]
        stated = value.get("type")
        if stated is None:
            return next((form for form in blocks if form.key == "uri_folder"), None)
        return next((form for form in blocks if form.key == stated), None)
    if value is None:
        usual = [form for form in outline.forms if form.kind != "block" or form.key == "uri_folder"]
        return usual[0] if usual else outline.forms[0]
    return next((form for form in outline.forms if form.kind != "block"), None)


def principal(form: Outline) -> Outline | None:
    """The part of a block that stands beside its name in a row: where it is."""
    return next((part for part in form.parts if part.key == "path"), form.parts[0] if form.parts else None)


LONG = frozenset({"command", "description"})
"""Texts that may have several lines."""
