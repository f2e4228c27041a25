"""Watches in the store: which paths of datastores are watched, what for, and the ledger of the files that were seen."""

from __future__ import annotations

import difflib
import json
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from store.data import events
from store.data.sightings import Found
from store.data.watched_paths import WatchedPath
from store.database import write
from store.errors import ConflictError, NotFoundError, UsageError
from store.times import timestamp

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
QUIET_SECONDS = 0.5
POLL_SECONDS = 30.0
BATCH = 500
UPSERT = (
    "INSERT INTO watched_file (watch, path, size, modified, event_id) VALUES (?, ?, ?, ?, ?) ON CONFLICT (watch, path)"
    " DO UPDATE SET size = excluded.size, modified = excluded.modified, event_id = excluded.event_id"
)


@dataclass(frozen=True, slots=True)
class Watch:
    """A watched path; ``document`` has ``path``, ``register``, ``type``, ``mode``, ``run``, ``quiet``, ..."""

    name: str
    datastore: str
    document: Mapping[str, Any]
    enabled: bool = True
    created_at: float = 0.0

    @property
    def path(self) -> WatchedPath:
        return WatchedPath.parse(self.document["path"], self.document.get("marker"))

    @property
    def quiet(self) -> float:
        """Seconds without a change after which files are settled."""
        return float(self.document.get("quiet", QUIET_SECONDS))

    @property
    def poll(self) -> float:
        """Seconds between two listings where nothing tells of changes."""
        return float(self.document.get("poll", POLL_SECONDS))

    @property
    def appends(self) -> bool:
        """Whether a new version has the files of all versions before."""
        return bool(self.document.get("mode", "append") == "append")

    def flat(self) -> dict[str, Any]:
        """As it is shown."""
        created = timestamp(self.created_at)
        head = {"name": self.name, "datastore": self.datastore}
        return {**head, **self.document, "enabled": self.enabled, "created_on": created}


def create(connection: sqlite3.Connection, watch: Watch, baseline: Iterable[Found]) -> Watch:
    """Add a watch with the files that count as seen. Raises ConflictError for a name that is taken."""
    if not NAME.fullmatch(watch.name):
        raise UsageError(f"{watch.name!r} cannot be a watch's name", hint="Letters, digits, - and _; --name gives one.")
    with write(connection):
        if connection.execute("SELECT 1 FROM data_watch WHERE name = ?", (watch.name,)).fetchone():
            raise ConflictError(
                f"there is a watch named {watch.name!r} already",
                hint=f"Delete it first (workbench data watch delete {watch.name}), or give another --name.",
            )
        made = time.time()
        connection.execute(
            "INSERT INTO data_watch (name, datastore, document, enabled, created_at) VALUES (?, ?, ?, ?, ?)",
            (watch.name, watch.datastore, json.dumps(dict(watch.document)), watch.enabled, made),
        )
        note(connection, watch.name, baseline, None)
    return get(connection, watch.name)


def note(connection: sqlite3.Connection, watch: str, files: Iterable[Found], event: int | None) -> None:
    """Write files into the ledger. Inside of a write."""
    connection.executemany(UPSERT, ((watch, each.path, each.size, each.modified, event) for each in files))


def get(connection: sqlite3.Connection, name: str) -> Watch:
    """A watch by its name. Raises NotFoundError, offering what there is."""
    row = connection.execute("SELECT * FROM data_watch WHERE name = ?", (name,)).fetchone()
    if row is not None:
        return read(row)
    there = [each.name for each in find(connection)]
    close = difflib.get_close_matches(name, there, n=1)
    has = f"it has {', '.join(there)}" if there else "it has none"
    raise NotFoundError(
        f"the workspace has no watch {name!r}; {has}",
        hint=f"Did you mean {close[0]!r}?" if close else "`workbench data watch create --help` tells how to make one.",
    )


def read(row: sqlite3.Row) -> Watch:
    """A row of the table."""
    return Watch(row["name"], row["datastore"], json.loads(row["document"]), bool(row["enabled"]), row["created_at"])


def find(connection: sqlite3.Connection, *, enabled: bool = False) -> list[Watch]:
    """All watches, or those that are enabled, by name."""
    where = "WHERE enabled" if enabled else ""
    return [read(row) for row in connection.execute(f"SELECT * FROM data_watch {where} ORDER BY name")]


def any_enabled(connection: sqlite3.Connection) -> bool:
    """Whether there is anything to watch over."""
    return connection.execute("SELECT 1 FROM data_watch WHERE enabled LIMIT 1").fetchone() is not None


def enable(connection: sqlite3.Connection, name: str, *, enabled: bool = True) -> Watch:
    """Switch a watch on or off; what comes while it is off is new when it is on again."""
    with write(connection):
        get(connection, name)
        connection.execute("UPDATE data_watch SET enabled = ? WHERE name = ?", (enabled, name))
    return get(connection, name)


def delete(connection: sqlite3.Connection, name: str) -> Watch:
    """Forget a watch and its ledger; its events and the versions that it made stay."""
    with write(connection):
        found = get(connection, name)
        connection.execute("DELETE FROM watched_file WHERE watch = ?", (name,))
        connection.execute("DELETE FROM data_watch WHERE name = ?", (name,))
    return found


def unseen(connection: sqlite3.Connection, watch: str, listing: Iterable[Found]) -> Iterator[Found]:
    """The files of a listing that the ledger does not have, or has with other content."""
    files = iter(listing)
    while batch := list(islice(files, BATCH)):
        marks = ", ".join("?" * len(batch))
        rows = connection.execute(
            f"SELECT path, size, modified FROM watched_file WHERE watch = ? AND path IN ({marks})",
            (watch, *(each.path for each in batch)),
        )
        known = {row[0]: (row[1], row[2]) for row in rows}
        yield from (each for each in batch if known.get(each.path) != (each.size, each.modified))


def ledger(connection: sqlite3.Connection, watch: str) -> Iterator[Found]:
    """All files that a watch has seen, by path."""
    rows = connection.execute("SELECT path, size, modified FROM watched_file WHERE watch = ? ORDER BY path", (watch,))
    return (Found(row[0], row[1], row[2]) for row in rows)


def lose(connection: sqlite3.Connection, watch: str, message: str) -> bool:
    """Say in the events that a watch sees nothing; whether that is news."""
    with write(connection):
        if events.trouble(connection, watch) is not None:
            return False
        events.add(connection, watch, (), {"event": events.LOST, "message": message})
    return True


def refuse(connection: sqlite3.Connection, watch: str, why: Mapping[str, str]) -> bool:
    """Say in the events that new files cannot be had, by path; whether one of them is news."""
    with write(connection):
        news = sorted(why.keys() - events.unread(connection, watch))
        if not news:
            return False
        first, count = why[news[0]], len(news)
        message = f"{first}; it is tried again" if count == 1 else f"{count} files are tried again: {first}, ..."
        document = {"event": events.UNREAD, "message": message, "paths": news[: events.FIRST_PATHS]}
        events.add(connection, watch, (), document)
    return True


def regain(connection: sqlite3.Connection, watch: str) -> bool:
    """Say in the events that a watch sees again what it watches; whether it did not before."""
    if events.trouble(connection, watch) is None:
        return False
    with write(connection):
        events.add(connection, watch, (), {"event": events.BACK, "message": "it is there again"})
    return True
