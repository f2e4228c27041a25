"""What a process of its own answers of new datastores: their types, logins and fields, and making one."""

from __future__ import annotations

import sqlite3
from typing import Any

from store.errors import DocumentError, UsageError
from store.layout import Layout

LEFT_OUT = frozenset({"schema_address", "name", "id", "type", "tags", "credentials", "description"})
"""What a form does not ask for."""


def datastore_types() -> list[dict[str, Any]]:
    """Every type with its logins, a folder of this machine first."""
    from store.specs.datastores import MODELS, allowed_credentials

    kinds = sorted(MODELS, key=lambda kind: kind != "local")
    return [
        {
            "type": kind,
            "about": _first_line(MODELS[kind]),
            "logins": [{"label": each.label, "about": _first_line(each)} for each in allowed_credentials(kind)],
        }
        for kind in kinds
    ]


def _first_line(model: type) -> str:
    return (model.__doc__ or "").split("\n")[0].rstrip(".")


def datastore_fields(kind: str, login: str) -> list[dict[str, Any]]:
    """The fields of a type and of a login, those that are needed first; secrets are marked."""
    from store.specs.datastores import MODELS, allowed_credentials

    fields: list[tuple[str, Any, bool]] = [(name, field, False) for name, field in MODELS[kind].model_fields.items()]
    for model in allowed_credentials(kind):
        if model.label == login:
            fields += [(name, field, name in model.secrets) for name, field in model.model_fields.items()]
    found = []
    for name, field, secret in fields:
        if name not in LEFT_OUT:
            default = field.get_default()
            is_told = isinstance(default, str | int) and not field.is_required()
            about = field.description or ""
            found.append(
                {
                    "name": name,
                    "about": about if field.is_required() else f"{about} (may stay empty)",
                    "value": str(default) if is_told else "",
                    "secret": secret,
                    "needed": field.is_required(),
                }
            )
    return sorted(found, key=lambda each: not each["needed"])


def connect(layout: Layout, connection: sqlite3.Connection, kind: str, login: str, given: dict[str, str]) -> str | None:
    """Check a document and the datastore itself, and keep it; a remark. Raises WorkbenchError; then nothing is kept."""
    from store.datastores import registry
    from store.datastores.checking import check
    from store.datastores.keeping import Draft, keep
    from store.specs.datastores import allowed_credentials
    from store.specs.document import Document
    from store.specs.loading import parse
    from store.vault import open_vault

    models = [model for model in allowed_credentials(kind) if model.label == login]
    own = {name for model in models for name in model.model_fields}
    data: dict[str, Any] = {"type": kind, **{key: value for key, value in given.items() if value and key not in own}}
    if "artifact" in data:
        data["artifact"] = {"name": data["artifact"]}
    if "port" in data:
        data["port"] = _number(data["port"])
    if secrets := {key: value for key, value in given.items() if value and key in own}:
        data["credentials"] = secrets
    try:
        document = parse(Document.of(data), "datastore").document()
    except DocumentError as error:
        fault = error.faults[0]
        raise UsageError(f"{fault.path}: {fault.message}" if fault.path else fault.message, hint=fault.hint) from error
    registry.refuse_taken(connection, document["name"], kind)
    draft = Draft(document, open_vault(layout))
    remark = check(draft.datastore, draft)
    keep(layout, connection, document, lambda _: None)
    return remark


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
