"""The secrets of datastores: taken out of documents into the vault, and put back where a connection is made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from store.datastores.registry import Datastore
from store.errors import NotFoundError
from store.specs.secrets import RESERVED

SECRET = re.compile(r"\$\{\{\s*secrets\.([\w.-]+)\s*\}\}")
"""A value that names a secret of the user's own: it stays in the document as it is."""


class Secrets(Protocol):
    """What is asked of a vault."""

    def get(self, name: str) -> str | None:
        """A secret's value; None where there is none."""


def secret_fields(kind: str) -> tuple[str, ...]:
    """The fields of the credentials of a type that are secret."""
    from store.specs.datastores import allowed_credentials

    return tuple(dict.fromkeys(field for model in allowed_credentials(kind) for field in model.secrets))


def label(datastore: Datastore) -> str:
    """How a datastore logs in, in words; empty where there is nothing to log in to."""
    from store.specs.datastores import allowed_credentials

    given, models = datastore.document.get("credentials") or {}, allowed_credentials(datastore.type)
    if not given:
        return "identity" if models else ""
    return max(models, key=lambda model: len(given.keys() & model.model_fields.keys())).label


def take_out(
    document: Mapping[str, Any], fields: Iterable[str], generation: int = 1
) -> tuple[dict[str, Any], dict[str, str]]:
    """A document without its secrets, and the secrets by the name that the vault has for each."""
    credentials = dict(document.get("credentials") or {})
    taken = dict[str, str]()
    for field in fields:
        value = credentials.get(field)
        if isinstance(value, str) and not SECRET.fullmatch(value.strip()):
            taken[key(document["name"], field, generation)] = value
            credentials[field] = None  # says that there is one
    kept = {name: value for name, value in document.items() if name != "credentials"}
    return ({**kept, "credentials": credentials} if credentials else kept), taken


def key(datastore: str, field: str, generation: int = 1) -> str:
    """What the vault calls a secret of a datastore; one that was changed has the number of its generation behind it."""
    return f"{RESERVED}{datastore}/{field}" + (f".{generation}" if generation > 1 else "")


def keys(datastore: Datastore) -> set[str]:
    """What the vault calls the secrets that a datastore has there."""
    credentials = datastore.document.get("credentials") or {}
    return {key(datastore.name, field, datastore.generation) for field, value in credentials.items() if value is None}


def put_back(datastore: Datastore, secrets: Secrets) -> dict[str, Any]:
    """The credentials of a datastore with every secret in its place. Raises NotFoundError for one that is gone."""
    found = dict(datastore.document.get("credentials") or {})
    for field, value in found.items():
        named = SECRET.fullmatch(value.strip()) if isinstance(value, str) else None
        if value is not None and named is None:
            continue
        name = named[1] if named else key(datastore.name, field, datastore.generation)
        secret = secrets.get(name)
        if secret is None:
            again = f"Give it anew: workbench datastore update {datastore.name} --secret {field}"
            hint = f"Set it: workbench secret set {name}" if named else again
            raise NotFoundError(f"datastore {datastore.name!r}: its {field} is not in the vault", hint=hint)
        found[field] = secret
    return found
