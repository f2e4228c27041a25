"""JSON Schema of the documents, for editors that complete and check while the user types."""

from __future__ import annotations

from typing import Any

from store.specs.loading import kinds, model_of

__all__ = ["json_schema", "kinds"]


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind; ``kinds()`` lists them."""
    model = model_of(kind)
    model.model_rebuild()
    schema = model.model_json_schema(by_alias=True)
    _tidy(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": kind, **schema}


def _tidy(part: Any) -> None:
    """Leave away what says nothing to an editor: titles made from names, and defaults that only mean absent."""
    if isinstance(part, list):
        for item in part:
            _tidy(item)
    if not isinstance(part, dict):
        return
    if isinstance(part.get("title"), str):
        del part["title"]
    if "default" in part and part["default"] is None:
        del part["default"]
    if "patternProperties" in part:
        part.setdefault("additionalProperties", False)
    for item in part.values():
        _tidy(item)
