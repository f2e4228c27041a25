"""Types of fields that several kinds of documents share."""

import os
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from store.specs.references import LocalPath, Reference, ReferenceFault, Url, asset_reference, parse_reference
from store.specs.spec import expected, refusal, snake_case


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _snake(value: object) -> object:
    return snake_case(value) if isinstance(value, str) else value


def _pascal(value: object) -> object:
    return "".join(part.capitalize() for part in value.split("_")) if isinstance(value, str) else value


AnyCase = BeforeValidator(_lower)
"""Marks a Literal of the dialect's *enum*: any case is read, lower case is kept."""
SnakeOrCamel = BeforeValidator(_snake)
"""Marks a Literal of the dialect's *enum_snake*: CamelCase or snake_case is read, snake_case is kept."""
PascalCase = BeforeValidator(_pascal)
"""Marks a Literal of the dialect's *enum_pascal*: any case is read, PascalCase is kept."""


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise expected("a whole number")
    return value


_NO_BOOLEAN = BeforeValidator(_no_boolean)
Integer = Annotated[int, _NO_BOOLEAN]
"""A whole number; a quoted one is read too, as by the dialect's own tools."""
Natural = Annotated[int, Field(ge=0), _NO_BOOLEAN]
"""A whole number of at least 0."""
Count = Annotated[int, Field(ge=1), _NO_BOOLEAN]
"""A whole number of at least 1."""


def _version(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


Version = Annotated[str, BeforeValidator(_version), WithJsonSchema({"type": ["string", "number"]})]
"""A version: a text, and a number is taken as one."""


def _empty_text(value: object) -> object:
    return "" if value is None else value


TextMap = dict[str, Annotated[str, BeforeValidator(_empty_text), WithJsonSchema({"type": ["string", "null"]})]]
"""Keys with texts; an empty value is the empty text."""


def _texts(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {key: "" if item is None else item if isinstance(item, str) else str(item) for key, item in value.items()}


def _variable_name(value: str) -> str:
    if not value or "=" in value or "\0" in value:
        raise refusal(f"{value!r} cannot be the name of an environment variable", "It may not be empty or hold '='.")
    return value


def _variable(value: str) -> str:
    if "\0" in value:
        raise refusal(f"{value!r} cannot be the value of an environment variable", "It may hold no NUL character.")
    return value


Variables = Annotated[
    dict[Annotated[str, AfterValidator(_variable_name)], Annotated[str, AfterValidator(_variable)]],
    BeforeValidator(_texts),
    WithJsonSchema({"type": "object", "additionalProperties": True}),
]
"""Environment variables: any value is taken as its text, ``true`` as ``True``, as by the dialect's own tools."""


_JOB_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}"
_ASSET_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}"


def _pattern(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


def _job_name(value: str) -> str:
    if not re.fullmatch(_JOB_NAME, value):
        raise _bad_name(
            value, "a job's name", "letters, digits, '_' and '-', at most 255, a letter or digit first", "_-"
        )
    return value


def _asset_name(value: str) -> str:
    if not re.fullmatch(_ASSET_NAME, value):
        allowed = "letters, digits, '_', '-' and '.', at most 255, a letter or digit first"
        raise _bad_name(value, "a name", allowed, "_.-")
    return value


def _port_name(value: str) -> str:
    if not (value.isascii() and value.isidentifier()):
        allowed = "letters, digits and '_', no digit first"
        raise _bad_name(value, "the name of an input or output", allowed, "_", first="_")
    return value


def _bad_name(value: str, what: str, allowed: str, signs: str, first: str = "") -> Exception:
    better = re.sub(rf"[^a-zA-Z0-9{re.escape(signs)}]+", "_", value)[:255]
    better = (better if first else better.lstrip("_.-")) if re.search("[a-zA-Z0-9]", better) else ""
    better = first + better if first and better[:1].isdigit() else better
    hint = f"Allowed: {allowed}." + (f" How about {better!r}?" if better and better != value else "")
    return refusal(f"{value!r} cannot be {what}", hint)


JobName = Annotated[str, AfterValidator(_job_name), _pattern(_JOB_NAME)]
"""A job's name, which is its MLflow run's id and a folder's name too."""
AssetName = Annotated[str, AfterValidator(_asset_name), _pattern(_ASSET_NAME)]
"""The name of a workspace, compute, environment or data asset."""
PortName = Annotated[str, AfterValidator(_port_name), _pattern("[a-zA-Z_][a-zA-Z0-9_]*")]
"""The name of an input or output."""


def read_reference(text: str) -> Reference:
    """``parse_reference`` for validators."""
    try:
        return parse_reference(text)
    except ReferenceFault as fault:
        raise refusal(fault.message, fault.hint) from None


def environment_reference(value: object) -> str:
    """A reference to a registered or curated environment; the only other form it may take is a mapping."""
    if not isinstance(value, str):
        raise expected("a reference such as azureml:NAME@latest, or a mapping")
    try:
        return str(asset_reference(value, "environments"))
    except ReferenceFault as fault:
        hint = fault.hint
        if value.endswith((".yml", ".yaml")):
            hint = f"An environment in a file is written 'file:{value}'."
        raise refusal(fault.message, hint) from None


def absolute(path: str, info: ValidationInfo) -> str:
    """A local path, which is relative to the folder of the document, as an absolute one."""
    folder = (info.context or {}).get("folder")
    return os.path.abspath(os.path.join(folder, path)) if folder is not None else path


def existing(path: str, info: ValidationInfo, what: str) -> str:
    """An absolute path to something that is there."""
    full = absolute(path, info)
    if os.path.exists(full):
        return full
    folder, name = os.path.split(full)
    from store.specs.nearest import nearest

    try:
        found = nearest(name, os.listdir(folder))
    except (OSError, ValueError):  # no such folder, none that may be read, or no path at all
        found = None
    near = os.path.join(os.path.dirname(path), found) if found else None
    hint = f"did you mean {near!r}?" if near else "Relative paths are relative to the folder of the document."
    raise refusal(f"there is no {what} {path!r} (looked for {full})", hint)


def _data_path(value: str, info: ValidationInfo) -> str:
    if value.lstrip().startswith("${{"):
        return value
    reference = read_reference(value)
    return absolute(reference.path, info) if isinstance(reference, LocalPath) else str(reference)


DataPath = Annotated[str, AfterValidator(_data_path)]
"""Where data is: a local path, a URL, or an ``azureml:`` reference. A local one is not looked for until it is used."""


def _conda_file(value: object, info: ValidationInfo) -> Any:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str):
        return existing(value.removeprefix("file:"), info, "conda file")
    raise expected("the path of a conda file, or its content")


CondaFile = Annotated[str | dict[str, Any], BeforeValidator(_conda_file)]
"""The path of a conda file, or its content in place."""


def _context_path(value: str, info: ValidationInfo) -> str:
    reference = read_reference(value)
    return value if isinstance(reference, Url) else existing(value, info, "folder or file")


ContextPath = Annotated[str, AfterValidator(_context_path)]
"""An existing folder, or a URL."""
