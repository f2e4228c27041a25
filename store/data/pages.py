"""Data assets and their versions a page at a time, by key: a list of 100,000 opens as fast as one of ten."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store.data import assets
from store.data.assets import SELECT, DataVersion


@dataclass(frozen=True, slots=True)
class DataFilter:
    """Which assets: every one of ``words`` is in the name; ``archived`` wants active ones (False), archived ones (True)
    or all (None); ``types`` are those of the latest version, any where there are none."""

    words: tuple[str, ...] = ()
    archived: bool | None = False
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asset:
    """A data asset by its latest version; ``archived`` where the whole asset, or every version, is."""

    latest: DataVersion
    versions: int
    archived: bool
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A version as a list shows it; ``id`` orders versions by when they were made."""

    id: int
    data: DataVersion
    labels: tuple[str, ...] = ()


def page(
    connection: sqlite3.Connection,
    wanted: DataFilter,
    limit: int,
    *,
    after: str | None = None,
    before: str | None = None,
    start: str | None = None,
) -> list[Asset]:
    """Assets by name: behind ``after``, from ``start`` on, the last ones before ``before``; without any the first."""
    marks = ", ".join("?" * len(wanted.types))
    clauses = [
        *(["name > ?"] if after is not None else []),
        *(["name >= ?"] if start is not None else []),
        *(["name < ?"] if before is not None else []),
        *("instr(lower(name), lower(?)) > 0" for _ in wanted.words),
        *([f"(SELECT type FROM data WHERE data.id = latest) IN ({marks})"] if wanted.types else []),
    ]
    values: list[Any] = [each for each in (after, start, before) if each is not None]
    values += [*wanted.words, *wanted.types, limit]
    if wanted.archived is not None:
        clauses.append("hidden" if wanted.archived else "NOT hidden")
    rows = connection.execute(
        "SELECT name, latest, hidden, (SELECT count(*) FROM data WHERE data.name = found.name) FROM"
        " (SELECT name, archived OR NOT EXISTS (SELECT 1 FROM data WHERE data.name = container.name AND NOT archived)"
        f"  AS hidden, {_LATEST} AS latest FROM data_container AS container) AS found"
        f" WHERE latest IS NOT NULL{''.join(f' AND {each}' for each in clauses)}"
        f" ORDER BY name {'DESC' if before is not None else ''} LIMIT ?",
        values,
    ).fetchall()
    return _read(connection, rows[::-1] if before is not None else rows)


_LATEST = (
    "coalesce((SELECT max(id) FROM data WHERE data.name = container.name AND NOT archived),"
    " (SELECT max(id) FROM data WHERE data.name = container.name))"
)


def beginning(connection: sqlite3.Connection, text: str, limit: int) -> list[str]:
    """Names of assets that begin so; behind a name and a colon its versions, the newest first."""
    name, colon, _ = text.partition(":")
    if colon:
        rows = connection.execute("SELECT version FROM data WHERE name = ? ORDER BY id DESC LIMIT ?", (name, limit))
        return [each for row in rows if (each := f"{name}:{row[0]}").startswith(text)]
    rows = connection.execute("SELECT name FROM data_container WHERE name >= ? ORDER BY name LIMIT ?", (name, limit))
    return [str(row[0]) for row in rows if str(row[0]).startswith(name)]


def last(connection: sqlite3.Connection, wanted: DataFilter, limit: int) -> list[Asset]:
    """The last assets by name."""
    return page(connection, wanted, limit, before=chr(0x10FFFF))


def _read(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[Asset]:
    found: list[Asset] = []
    for _, latest, hidden, versions in rows:
        row = connection.execute(f"{SELECT} WHERE id = ?", (latest,)).fetchone()
        data = assets.read(row)
        found.append(Asset(data, versions, bool(hidden), assets.labels(connection, data)))
    return found


def versions(
    connection: sqlite3.Connection,
    name: str,
    limit: int,
    *,
    older: int | None = None,
    newer: int | None = None,
    start: int | None = None,
) -> list[Version]:
    """Every version of an asset, the newest first: those made before or after the one with an id, or from it on."""
    clauses, values = ["name = ?"], list[Any]([name])
    for sign, key in (("<", older), (">", newer), ("<=", start)):
        if key is not None:
            clauses.append(f"id {sign} ?")
            values.append(key)
    order = "" if newer is not None else "DESC"
    rows = connection.execute(
        f"{SELECT.replace('SELECT ', 'SELECT id, ', 1)} WHERE {' AND '.join(clauses)} ORDER BY id {order} LIMIT ?",
        (*values, limit),
    ).fetchall()
    labels = dict[str, list[str]]()
    for row in connection.execute("SELECT version, label FROM data_label WHERE name = ? ORDER BY label", (name,)):
        labels.setdefault(row[0], []).append(row[1])
    newest = connection.execute("SELECT max(id) FROM data WHERE name = ?", (name,)).fetchone()[0]
    found: list[Version] = []
    for row in reversed(rows) if newer is not None else rows:
        data = assets.read(tuple(row)[1:])
        own = labels.get(data.version, [])
        found.append(Version(row[0], data, (*own, *([assets.LATEST] if row[0] == newest else []))))
    return found


def newest(connection: sqlite3.Connection, limit: int) -> list[DataVersion]:
    """The versions that were made last, whatever their asset; archived ones are left out."""
    rows = connection.execute(
        f"{SELECT} JOIN data_container USING (name) WHERE NOT data.archived AND NOT data_container.archived"
        " ORDER BY data.id DESC LIMIT ?",
        (limit,),
    )
    return [assets.read(row) for row in rows]


def count(connection: sqlite3.Connection) -> int:
    """How many assets there are, archived ones among them."""
    found: int = connection.execute("SELECT count(*) FROM data_container").fetchone()[0]
    return found


def is_archived(connection: sqlite3.Connection, name: str) -> bool:
    """Whether an asset is hidden from lists as a whole."""
    row = connection.execute("SELECT archived FROM data_container WHERE name = ?", (name,)).fetchone()
    return bool(row and row[0])
