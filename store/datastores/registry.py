"""Datastores in the store. Those that every workspace has are folders of it, and no rows."""

from __future__ import annotations

import difflib
import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from store.database import write
from store.errors import ConflictError, NotFoundError, UsageError
from store.layout import Layout
from store.times import timestamp

DEFAULT = "workspaceblobstore"
BUILT_IN = {
    DEFAULT: "Outputs and artifacts of jobs; the default.",
    "workspacefilestore": "Scripts, notebooks and snapshots of code.",
    "workspaceartifactstore": "As on Azure ML, another name for the place of artifacts.",
    "workspaceworkingdirectory": "As on Azure ML, another name for the place of scripts.",
}
"""The datastores that are there from the start, and what lies there."""


@dataclass(frozen=True, slots=True)
class Datastore:
    """A connection; its document has no secrets."""

    name: str
    type: str
    document: Mapping[str, Any]
    created_at: float | None = None
    generation: int = 1
    """Which of its secrets in the vault are in force; those of the next are put there before they are."""

    def flat(self) -> dict[str, Any]:
        """As it is listed: the dialect's keys."""
        created = {"created_on": timestamp(self.created_at)} if self.created_at is not None else {}
        return {**self.document, "name": self.name, "type": self.type, "is_default": self.name == DEFAULT, **created}


def built_in(layout: Layout) -> dict[str, Datastore]:
    """The datastores of every workspace: folders of it."""
    folders = {
        DEFAULT: layout.blobstore,
        "workspaceartifactstore": layout.blobstore,
        "workspacefilestore": layout.filestore,
        "workspaceworkingdirectory": layout.filestore,
    }
    return {
        name: Datastore(name, "local", {"description": BUILT_IN[name], "path": str(folder)})
        for name, folder in folders.items()
    }


def create(connection: sqlite3.Connection, document: Mapping[str, Any], generation: int = 1) -> None:
    """Add a datastore, or replace the document of one of the same type. The document holds no secrets.

    Raises ConflictError for a name that another type, or the workspace itself, has.
    """
    name, kind = document["name"], document["type"]
    kept = {key: value for key, value in document.items() if key not in ("name", "type")}
    if generation > 1:
        kept["generation"] = generation
    with write(connection):
        refuse_taken(connection, name, kind)
        connection.execute(
            "INSERT INTO datastore (name, type, document, created_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET document = excluded.document",
            (name, kind, json.dumps(kept), time.time()),
        )


def refuse_taken(connection: sqlite3.Connection, name: str, kind: str) -> None:
    """Raises ConflictError for a name that no datastore of this type can have."""
    if name in BUILT_IN:
        raise ConflictError(f"the datastore {name!r} is the workspace's own", hint="Choose another name.")
    row = connection.execute("SELECT type FROM datastore WHERE name = ?", (name,)).fetchone()
    if row is not None and row["type"] != kind:
        raise ConflictError(
            f"there is a datastore named {name!r} already, of type {row['type']}",
            hint=f"Delete it first (workbench datastore delete {name}), or choose another name.",
        )


def find(connection: sqlite3.Connection | None, layout: Layout) -> list[Datastore]:
    """Every datastore: the workspace's own first, then by name."""
    rows = connection.execute("SELECT * FROM datastore ORDER BY name") if connection is not None else ()
    return [*built_in(layout).values(), *(read(row) for row in rows)]


def get(connection: sqlite3.Connection | None, layout: Layout, name: str) -> Datastore:
    """A datastore by its name. Raises NotFoundError, offering what there is."""
    if found := built_in(layout).get(name):
        return found
    row = None
    if connection is not None:
        row = connection.execute("SELECT * FROM datastore WHERE name = ?", (name,)).fetchone()
    if row is not None:
        return read(row)
    there = [each.name for each in find(connection, layout)]
    close = difflib.get_close_matches(name, there, n=1)
    raise NotFoundError(
        f"the workspace has no datastore {name!r}; it has {', '.join(there)}",
        hint=f"Did you mean {close[0]!r}?" if close else "`workbench datastore create --help` tells how to add one.",
    )


def read(row: sqlite3.Row) -> Datastore:
    """A row of the table."""
    document = json.loads(row["document"])
    generation = document.pop("generation", 1)
    return Datastore(row["name"], row["type"], document, row["created_at"], generation)


def delete(connection: sqlite3.Connection, layout: Layout, name: str) -> Datastore:
    """Remove a datastore; what lies there stays. Raises ConflictError while watches use it."""
    if name in BUILT_IN:
        raise UsageError(f"the datastore {name!r} is the workspace's own and cannot be deleted")
    with write(connection):
        found = get(connection, layout, name)
        watch = connection.execute("SELECT name FROM data_watch WHERE datastore = ? LIMIT 1", (name,)).fetchone()
        if watch is not None:
            raise ConflictError(
                f"the watch {watch['name']!r} looks at the datastore {name!r}",
                hint=f"Delete it first: workbench data watch delete {watch['name']}",
            )
        connection.execute("DELETE FROM datastore WHERE name = ?", (name,))
    return found
