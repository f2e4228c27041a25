"""Compute targets in the store."""

from __future__ import annotations

import difflib
import json
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from store import jobs
from store.database import write
from store.errors import ConflictError, MachineError, NotFoundError, UsageError
from store.times import timestamp


def create(connection: sqlite3.Connection, document: Mapping[str, Any], slots: int) -> None:
    """Add a compute target, or replace its document when the name and the type are the same.

    Raises ConflictError when a job that waits for it is wider than ``slots``: it would hold up all behind it for ever.
    """
    name, kind = document["name"], document["type"]
    with write(connection):
        row = connection.execute("SELECT type FROM compute WHERE name = ?", (name,)).fetchone()
        if row is not None and row["type"] != kind:
            raise ConflictError(f"there is a compute named {name!r} already, of type {row['type']}")
        refuse_too_narrow(connection, name, slots)
        connection.execute(
            "INSERT INTO compute (name, type, document, created_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET document = excluded.document",
            (name, kind, json.dumps(dict(document)), time.time()),
        )


def refuse_too_narrow(connection: sqlite3.Connection, name: str, slots: int) -> None:
    """Raise ConflictError where an unfinished job of a compute takes more slots than it is to have."""
    marks = ", ".join("?" * len(jobs.UNFINISHED))
    wide = connection.execute(
        f"SELECT name, slots FROM job WHERE compute = ? AND slots > ? AND status IN ({marks}) ORDER BY id LIMIT 1",
        (name, slots, *jobs.UNFINISHED),
    ).fetchone()
    if wide is not None:
        raise ConflictError(
            f"job {wide['name']} takes {wide['slots']} slots of the compute {name!r}, which would have {slots}",
            hint=f"Cancel it first: workbench job cancel {wide['name']}",
        )


def get(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """A compute's document, with ``created_on``. Raises NotFoundError, offering what there is."""
    row = connection.execute("SELECT * FROM compute WHERE name = ?", (name,)).fetchone()
    if row is None:
        there = [r[0] for r in connection.execute("SELECT name FROM compute ORDER BY name")]
        close = difflib.get_close_matches(name, there, n=1)
        offer = f"Did you mean {close[0]!r}? " if close else ""
        raise NotFoundError(
            f"this workspace has no compute named {name!r}; it has {', '.join(there)}",
            hint=f"{offer}A job runs elsewhere with `--set compute=local`; a pool of that name is made by:\n"
            f"  workbench compute create --name {name} --type amlcompute --max-instances 2",
        )
    return read(row)


def read(row: sqlite3.Row) -> dict[str, Any]:
    """A row of the table, as a flat document. Raises MachineError for one that cannot be read."""
    try:
        return {**json.loads(row["document"]), "created_on": timestamp(row["created_at"])}
    except (ValueError, TypeError) as error:
        raise MachineError(
            f"the row of compute {row['name']!r} cannot be read: its document is no JSON object ({error})",
            hint="`workbench compute create -f FILE` writes it anew.",
        ) from error


def find(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every compute target, by name."""
    return [read(row) for row in connection.execute("SELECT * FROM compute ORDER BY name")]


def names(connection: sqlite3.Connection) -> list[str]:
    """The name of every compute target, also of one that cannot be read."""
    return [row[0] for row in connection.execute("SELECT name FROM compute ORDER BY name")]


def delete(connection: sqlite3.Connection, name: str) -> None:
    """Remove a compute target. Raises ConflictError while jobs wait for it or run on it."""
    if name == "local":
        raise UsageError("the compute 'local' is this machine and cannot be deleted")
    with write(connection):
        get(connection, name)
        marks = ", ".join("?" * len(jobs.UNFINISHED))
        busy = connection.execute(
            f"SELECT count(*) FROM job WHERE compute = ? AND status IN ({marks})", (name, *jobs.UNFINISHED)
        ).fetchone()[0]
        if busy:
            raise ConflictError(f"{busy} unfinished job(s) use the compute {name!r}", hint="Cancel them first.")
        connection.execute("DELETE FROM compute WHERE name = ?", (name,))
