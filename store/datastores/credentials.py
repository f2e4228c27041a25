"""The secrets of datastores: taken out of documents into the vault, and put back where a connection is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from store.datastores.registry import Datastore
from store.errors import NotFoundError

SECRET = re.compile(r"\$\{\{\s*secrets\.([\w.-]+)\s*\}\}")
"""A value that names a secret of the user's own: it stays in the document as it is."""


class Secrets(Protocol):
    """What is asked of a vault."""

    def get(self, name: str) -> str | None:
        """A secret's value; None where there is none."""


def take_out(document: Mapping[str, Any], fields: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, str]]:
    """A document without its secrets, and the secrets by the name that the vault has for each."""
    credentials = dict(document.get("credentials") or {})
    taken = dict[str, str]()
    for field in fields:
        value = credentials.get(field)
        if isinstance(value, str) and not SECRET.fullmatch(value.strip()):
            taken[key(document["name"], field)] = value
            credentials[field] = None  # says that there is one
    kept = {name: value for name, value in document.items() if name != "credentials"}
    return ({**kept, "credentials": credentials} if credentials else kept), taken


def key(datastore: str, field: str) -> str:
    """What the vault calls a secret of a datastore."""
    return f"datastore/{datastore}/{field}"


def put_back(datastore: Datastore, secrets: Secrets) -> dict[str, Any]:
    """The credentials of a datastore with every secret in its place. Raises NotFoundError for one that is gone."""
    found = dict(datastore.document.get("credentials") or {})
    for field, value in found.items():
        named = SECRET.fullmatch(value.strip()) if isinstance(value, str) else None
        if value is not None and named is None:
            continue
        name = named[1] if named else key(datastore.name, field)
        secret = secrets.get(name)
        if secret is None:
            hint = f"Set it: workbench secret set {name} --stdin" if named else "Create the datastore again."
            raise NotFoundError(f"datastore {datastore.name!r}: its {field} is not in the vault", hint=hint)
        found[field] = secret
    return found
