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


def last(connection: sqlite3.Connection, watch: str) -> DataEvent | None:
    """The newest event of a watch."""
    return next(iter(find(connection, watch, 1)), None)


def trouble(connection: sqlite3.Connection, watch: str) -> str | None:
    """Why a watch sees nothing at present; None when all is well."""
    newest = last(connection, watch)
    return str(newest.document["message"]) if newest is not None and newest.kind == LOST else None


def read(row: sqlite3.Row) -> DataEvent:
    """A row of the table."""
    return DataEvent(row["id"], row["watch"], row["at"], row["files"], row["bytes"], json.loads(row["document"]))
