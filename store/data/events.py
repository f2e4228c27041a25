"""What happened to watched paths: new files and what they set off, folders that went away and came back."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.data.sightings import Found
from store.times import timestamp

NEW_FILES = "new_files"
UNREAD = "unread"
LOST = "lost"
BACK = "back"
FIRST_PATHS = 100
"""So many paths are in the event itself; all are in the ledger."""


@dataclass(frozen=True, slots=True)
class DataEvent:
    """One event of a watch."""

    id: int
    watch: str
    at: float
    files: int
    bytes: int
    document: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.document["event"])

    def flat(self) -> dict[str, Any]:
        """As it is shown."""
        counts = {"files": self.files, "bytes": self.bytes} if self.kind == NEW_FILES else {}
        return {"id": str(self.id), "watch": self.watch, "created_on": timestamp(self.at), **self.document, **counts}


def add(connection: sqlite3.Connection, watch: str, taken: Sequence[Found], document: Mapping[str, Any]) -> int:
    """Write an event; returns its number. Inside of a write."""
    values = (watch, time.time(), len(taken), sum(found.size for found in taken), json.dumps(dict(document)))
    cursor = connection.execute(
        "INSERT INTO data_event (watch, at, files, bytes, document) VALUES (?, ?, ?, ?, ?)", values
    )
    return int(cursor.lastrowid or 0)


def find(connection: sqlite3.Connection, watch: str | None = None, limit: int = 100) -> list[DataEvent]:
    """Events, the newest first."""
    where, values = ("WHERE watch = ?", [watch]) if watch is not None else ("", [])
    rows = connection.execute(f"SELECT * FROM data_event {where} ORDER BY id DESC LIMIT ?", (*values, limit))
    return [read(row) for row in rows]


def page(
    connection: sqlite3.Connection,
    words: Sequence[str],
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
) -> list[DataEvent]:
    """Events older than the one with the id ``before``, or next newer than ``after``; always the newest first.

    Every one of ``words`` is in the watch's name or in what the event tells.
    """
    clauses, values = ["id > ?"], list[Any]([after or 0])
    if before is not None:
        clauses.append("id < ?")
        values.append(before)
    for word in words:
        clauses.append("(instr(lower(watch), lower(?)) > 0 OR instr(lower(document), lower(?)) > 0)")
        values += [word, json.dumps(word)[1:-1]]
    order = "" if after is not None else " DESC"
    rows = connection.execute(
        f"SELECT * FROM data_event WHERE {' AND '.join(clauses)} ORDER BY id{order} LIMIT ?", (*values, limit)
    ).fetchall()
    return [read(row) for row in (reversed(rows) if after is not None else rows)]


def last(connection: sqlite3.Connection, watch: str) -> DataEvent | None:
    """The newest event of a watch."""
    return next(iter(find(connection, watch, 1)), None)


def trouble(connection: sqlite3.Connection, watch: str) -> str | None:
    """Why a watch sees nothing at present; None when all is well."""
    newest = last(connection, watch)
    return str(newest.document["message"]) if newest is not None and newest.kind == LOST else None


def unread(connection: sqlite3.Connection, watch: str) -> set[str]:
    """The files that events tell of as those that cannot be had, and no later event as new."""
    found, came = set[str](), set[str]()
    for event in find(connection, watch):
        paths = set(event.document.get("paths", ()))
        if event.kind == NEW_FILES:
            came |= paths
        elif event.kind == UNREAD:
            found |= paths - came
    return found


def read(row: sqlite3.Row) -> DataEvent:
    """A row of the table."""
    return DataEvent(row["id"], row["watch"], row["at"], row["files"], row["bytes"], json.loads(row["document"]))
