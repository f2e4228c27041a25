"""Datastores with their secrets: the row in the database and the values in the vault, changed as one.

The secrets of a change are put into the vault under names that nothing reads yet; the row that is written then reads
them. Whatever is killed in between, the datastore is the old one or the new one, and what is left over in the vault is
swept by the next change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from store.datastores import credentials, registry
from store.datastores.registry import Datastore
from store.disk import locked
from store.layout import Layout
from store.specs.secrets import RESERVED
from store.telling import Say
from store.vault import Vault, open_vault


class Draft:
    """A datastore that is not kept yet, with the secrets of its document (``credentials.Secrets``)."""

    def __init__(self, document: Mapping[str, Any], vault: Vault) -> None:
        shown, self.taken = credentials.take_out(document, credentials.secret_fields(document["type"]))
        kept = {key: value for key, value in shown.items() if key not in ("name", "type")}
        self.datastore = Datastore(document["name"], document["type"], kept)
        self.vault = vault

    def get(self, name: str) -> str | None:
        """A secret of the document, else of the vault."""
        return self.taken.get(name) or self.vault.get(name)


def keep(layout: Layout, connection: sqlite3.Connection, document: Mapping[str, Any], say: Say) -> Datastore:
    """Write a datastore, in place of one of its name and type. Raises ConflictError for a name that is taken."""
    vault, name = open_vault(layout, say), document["name"]
    with locked(layout.run / "datastores.lock"):
        sweep(connection, vault)
        registry.refuse_taken(connection, name, document["type"])
        there = {each.name: each for each in registry.find(connection, layout)}.get(name)
        generation = there.generation + 1 if there else 1
        shown, taken = credentials.take_out(document, credentials.secret_fields(document["type"]), generation)
        try:
            for secret, value in taken.items():
                vault.set(secret, value)
            registry.create(connection, shown, generation)
        finally:
            sweep(connection, vault)
    return registry.get(connection, layout, name)


def remove(layout: Layout, connection: sqlite3.Connection, name: str) -> Datastore:
    """Delete a datastore and its secrets; what lies there stays. Raises ConflictError while watches use it."""
    with locked(layout.run / "datastores.lock"):
        found = registry.delete(connection, layout, name)
        sweep(connection, open_vault(layout))
    return found


def sweep(connection: sqlite3.Connection, vault: Vault) -> None:
    """Remove the secrets of datastores that no datastore reads."""
    kept = [name for name in vault.names() if name.startswith(RESERVED)]
    if not kept:
        return
    rows = connection.execute("SELECT * FROM datastore").fetchall()
    read = {name for row in rows for name in credentials.keys(registry.read(row))}
    for name in kept:
        if name not in read:
            vault.delete(name)


def whole(datastore: Datastore, vault: Vault) -> dict[str, Any]:
    """The document of a datastore with its own secrets in it, for a change; those of the user stay named."""
    document = {"name": datastore.name, "type": datastore.type, **datastore.document}
    given = dict(datastore.document.get("credentials") or {})
    for field, value in given.items():
        if value is None:
            given[field] = vault.get(credentials.key(datastore.name, field, datastore.generation))
    found = {field: value for field, value in given.items() if value is not None}
    return {**document, "credentials": found} if given else document
