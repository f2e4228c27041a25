"""The JSON Schema of each kind is what an editor needs, and says the same as the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import dialect_oracle as oracle
import pytest

from store.specs.json_schema import json_schema, kinds


def properties(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property that the schema describes, wherever it stands; what a reference leads to is a part of it."""
    for key, part in schema.get("properties", {}).items():
        yield key, forms(root, part)[0] | part
        yield from properties(part, root)
    for part in [*schema.get("$defs", {}).values(), *schema.get("patternProperties", {}).values()]:
        yield from properties(part, root)
    for part in [schema.get("additionalProperties"), schema.get("items"), *schema.get("anyOf", ())]:
        yield from properties(part, root) if isinstance(part, dict) else ()


@pytest.mark.parametrize("kind", kinds())
def test_every_property_is_described(kind: str) -> None:
    schema = json_schema(kind)
    json.dumps(schema)
    assert schema["title"] == kind and schema["description"] and schema["additionalProperties"] is False
    described = list(properties(schema, schema))
    assert len(described) >= len(schema["properties"])
    for key, part in described:
        assert part.get("description", "").endswith("."), f"{key} is not described: {part}"


@pytest.mark.parametrize("kind", oracle.KINDS)
def test_the_properties_are_the_dialects(kind: str) -> None:
    schema = json_schema(kind)
    fields = oracle.fields_of(kind)
    assert set(schema["properties"]) == {*fields, "$schema"}
    assert set(schema.get("required", ())) == {
        field for field, spec in fields.items() if spec.get("req") and (kind, field) not in oracle.MAY_BE_ABSENT
    }
    for field, spec in fields.items():
        if "def" in spec:
            assert schema["properties"][field]["default"] == spec["def"]
        if spec.get("ro"):
            assert schema["properties"][field]["readOnly"] is True


def forms(schema: dict[str, Any], part: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a part, with references followed."""
    (part,) = part.get("allOf", [part])  # how older versions of pydantic put a description beside a reference
    if "$ref" in part:
        part = schema["$defs"][part["$ref"].removeprefix("#/$defs/")]
    return [form for each in part["anyOf"] for form in forms(schema, each)] if "anyOf" in part else [part]


def test_an_editor_completes_the_values_of_a_job() -> None:
    schema = json_schema("job.command")
    inputs = forms(schema, next(iter(schema["properties"]["inputs"]["patternProperties"].values())))
    types = [value for form in inputs for value in enumeration(form.get("properties", {}).get("type", {}))]
    assert types == ["uri_file", "uri_folder", "custom_model", "mlflow_model", "triton_model", "mltable"]
    assert {"type": ["string", "number", "boolean"]} in inputs
    distributions = forms(schema, schema["properties"]["distribution"])
    assert [enumeration(form["properties"]["type"]) for form in distributions] == [
        ["pytorch"],
        ["tensorflow"],
        ["mpi"],
        ["ray"],
    ]
    (limits,) = forms(schema, schema["properties"]["limits"])
    assert (limits["properties"]["timeout"]["type"], limits["properties"]["timeout"]["minimum"]) == ("integer", 1)
    assert {form.get("type") for form in forms(schema, schema["properties"]["environment"])} >= {"object", "string"}


def enumeration(part: dict[str, Any]) -> list[str]:
    return part.get("enum") or ([part["const"]] if "const" in part else [])


def test_names_have_their_patterns() -> None:
    schema = json_schema("job.command")
    assert schema["properties"]["name"]["pattern"] == "^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$"
    assert list(schema["properties"]["inputs"]["patternProperties"]) == ["^[a-zA-Z_][a-zA-Z0-9_]*$"]
    assert schema["properties"]["inputs"]["additionalProperties"] is False
