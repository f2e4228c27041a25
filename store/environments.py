"""Registered environments in the store."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from store.database import write
from store.errors import ConflictError
from store.jobs import UNFINISHED


def create(connection: sqlite3.Connection, document: Mapping[str, Any]) -> str:
    """Register an environment and return its version.

    Without a version, equal content keeps the newest version and other content takes the next number, as Azure ML
    does. Raises ConflictError when a given version exists with other content.
    """
    name, given = document["name"], document.get("version")
    content = {key: value for key, value in document.items() if key != "version"}
    with write(connection):
        rows = connection.execute(
            "SELECT version, document FROM environment WHERE name = ? ORDER BY created_at DESC, rowid DESC", (name,)
        ).fetchall()
        if given is None:
            if rows and json.loads(rows[0]["document"]) == content:
                return str(rows[0]["version"])
            given = str(1 + max((int(row["version"]) for row in rows if row["version"].isdigit()), default=0))
        for row in rows:
            if row["version"] == given:
                if json.loads(row["document"]) != content:
                    raise ConflictError(
                        f"environment {name}:{given} exists with other content: a version stays as it is"
                    )
                return str(given)
        connection.execute(
            "INSERT INTO environment (name, version, document, created_at, archived) VALUES (?, ?, ?, ?, 0)",
            (name, given, json.dumps(content), time.time()),
        )
    return str(given)


def lookup(connection: sqlite3.Connection, name: str, version: str | None) -> dict[str, Any] | None:
    """A registered environment's document, the newest without a version or for ``latest``; None when there is none."""
    if version is None or version == "latest":
        row = connection.execute(
            "SELECT * FROM environment WHERE name = ? ORDER BY created_at DESC, rowid DESC LIMIT 1", (name,)
        ).fetchone()
    else:
        row = connection.execute("SELECT * FROM environment WHERE name = ? AND version = ?", (name, version)).fetchone()
    return read(row) if row else None


def read(row: sqlite3.Row) -> dict[str, Any]:
    """A row of the table, as a flat document."""
    return {**json.loads(row["document"]), "name": row["name"], "version": row["version"]}


def find(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every registered environment that is not archived, by name, newest version first."""
    return [
        read(row)
        for row in connection.execute("SELECT * FROM environment WHERE NOT archived ORDER BY name, created_at DESC")
    ]


LOOKED_AT = 2000
"""So many of the newest jobs are asked for the environment that they ran in."""


def last_uses(connection: sqlite3.Connection) -> dict[str, tuple[str, float]]:
    """The newest job of each built environment, by the environment's hash: its name and when it was submitted."""
    rows = connection.execute(
        "SELECT iif(json_valid(environment), json_extract(environment, '$.hash'), NULL), name, created_at FROM ("
        " SELECT environment, name, created_at FROM job WHERE id > 0 ORDER BY id DESC LIMIT ?)",
        (LOOKED_AT,),
    )
    found: dict[str, tuple[str, float]] = {}
    for digest, name, at in rows:
        if digest and digest not in found:
            found[digest] = (name, at)
    return found


def unfinished_user(connection: sqlite3.Connection, digest: str) -> str | None:
    """A job that has not ended and runs, or will run, in the built environment of a hash."""
    marks = ", ".join("?" * len(UNFINISHED))
    row = connection.execute(
        f"SELECT name FROM job INDEXED BY job_by_status WHERE status IN ({marks})"
        " AND iif(json_valid(environment), json_extract(environment, '$.hash'), NULL) = ? LIMIT 1",
        (*UNFINISHED, digest),
    ).fetchone()
    return str(row[0]) if row else None
