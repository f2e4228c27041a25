"""Versions of data assets in the store: names, labels, the archive.

A version is a reference and never changes what it points to; ``latest`` is the one that was made last, not the one with
the highest number, as on Azure ML.
"""

from __future__ import annotations

import difflib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from store.database import write
from store.errors import ConflictError, NotFoundError, UsageError
from store.times import timestamp

LATEST = "latest"
CHANGEABLE = ("description", "tags", "properties")
"""What may be changed of a version; the rest stays as it was made."""


@dataclass(frozen=True, slots=True)
class DataVersion:
    """One version of a data asset; ``document`` has what may be changed of it."""

    name: str
    version: str
    type: str
    path: str
    document: Mapping[str, Any]
    archived: bool = False
    stored: bool = False
    fingerprint: str | None = None
    files: int | None = None
    bytes: int | None = None
    job_name: str | None = None
    job_output: str | None = None
    created_at: float = 0.0

    def __str__(self) -> str:
        return f"azureml:{self.name}:{self.version}"

    def flat(self, labels: tuple[str, ...] = ()) -> dict[str, Any]:
        """As it is shown: the dialect's keys."""
        facts = {"fingerprint": self.fingerprint, "files": self.files, "bytes": self.bytes}
        made_by = {"job_name": self.job_name, "job_output": self.job_output}
        return {
            "name": self.name,
            "version": self.version,
            "type": self.type,
            "path": self.path,
            **self.document,
            "labels": list(labels),
            "archived": self.archived,
            **{key: value for key, value in {**facts, **made_by}.items() if value is not None},
            "created_on": timestamp(self.created_at),
        }


COLUMNS = tuple(field.name for field in fields(DataVersion))
SELECT = f"SELECT {', '.join(f'data.{name}' for name in COLUMNS)} FROM data"


def create(connection: sqlite3.Connection, data: DataVersion) -> DataVersion:
    """Register a version; an empty ``version`` takes the next number. Returns it as it is kept.

    Raises ConflictError for a version that is there with another type or path: a version stays what it is. The same
    once more changes what may be changed.
    """
    with write(connection):
        connection.execute(
            "INSERT OR IGNORE INTO data_container (name, archived, last_number) VALUES (?, 0, 0)", (data.name,)
        )
        version = data.version or next_number(connection, data.name)
        if there := lookup(connection, data.name, version):
            return update(connection, there, data)
        kept = [version, data.type, data.path, json.dumps(dict(data.document)), data.archived, data.stored]
        facts = [
            data.fingerprint,
            data.files,
            data.bytes,
            data.job_name,
            data.job_output,
            data.created_at or time.time(),
        ]
        marks = ", ".join("?" * len(COLUMNS))
        connection.execute(f"INSERT INTO data ({', '.join(COLUMNS)}) VALUES ({marks})", (data.name, *kept, *facts))
        if version.isdigit():
            connection.execute(
                "UPDATE data_container SET last_number = max(last_number, ?) WHERE name = ?", (int(version), data.name)
            )
        return get(connection, data.name, version)


def next_number(connection: sqlite3.Connection, name: str) -> str:
    """The next version of a name: one more than was ever given, deleted versions included."""
    row = connection.execute("SELECT last_number FROM data_container WHERE name = ?", (name,)).fetchone()
    return str(1 + (row[0] if row else 0))


def update(connection: sqlite3.Connection, there: DataVersion, data: DataVersion) -> DataVersion:
    """What creating a version that is there comes to. Inside of a write."""
    if (there.type, there.path) != (data.type, data.path):
        raise ConflictError(
            f"{there} exists and points to {there.path} ({there.type}): a version stays as it is",
            hint="Leave the version away to take the next number.",
        )
    changed = {**there.document, **data.document}
    connection.execute(
        "UPDATE data SET document = ? WHERE name = ? AND version = ?", (json.dumps(changed), there.name, there.version)
    )
    return get(connection, there.name, there.version)


def lookup(connection: sqlite3.Connection, name: str, version: str) -> DataVersion | None:
    """A version by its exact name; None where there is none."""
    row = connection.execute(f"{SELECT} WHERE name = ? AND version = ?", (name, version)).fetchone()
    return read(row) if row else None


def read(row: sqlite3.Row | tuple[Any, ...]) -> DataVersion:
    """A row of the table."""
    known = dict(zip(COLUMNS, row, strict=True))
    known |= {
        "document": json.loads(known["document"]),
        "archived": bool(known["archived"]),
        "stored": bool(known["stored"]),
    }
    return DataVersion(**known)


def get(connection: sqlite3.Connection, name: str, version: str | None = None, label: str | None = None) -> DataVersion:
    """A version, by its number or a label; without either the latest. Raises NotFoundError, offering what there is."""
    if version is None:
        version = LATEST if label is None else label
        if version != LATEST:
            row = connection.execute(
                "SELECT version FROM data_label WHERE name = ? AND label = ?", (name, version)
            ).fetchone()
            if row is None:
                raise no_such(connection, name, f"no version with the label {version!r}")
            version = str(row["version"])
        else:
            row = connection.execute(f"{SELECT} WHERE name = ? ORDER BY id DESC LIMIT 1", (name,)).fetchone()
            if row is None:
                raise no_such(connection, name, "no version")
            return read(row)
    found = lookup(connection, name, version)
    if found is None:
        raise no_such(connection, name, f"no version {version!r}")
    return found


def no_such(connection: sqlite3.Connection, name: str, what: str) -> NotFoundError:
    """The error for something that a data asset does not have, or for an asset that there is not."""
    versions = [
        row[0]
        for row in connection.execute("SELECT version FROM data WHERE name = ? ORDER BY id DESC LIMIT 6", (name,))
    ]
    if versions:
        labels = [f"@{row[0]}" for row in connection.execute("SELECT label FROM data_label WHERE name = ?", (name,))]
        return NotFoundError(
            f"the data asset {name!r} has {what}", hint=f"It has {', '.join([*versions, *labels, '@latest'])}."
        )
    names = [row[0] for row in connection.execute("SELECT DISTINCT name FROM data ORDER BY name")]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else "`workbench data list` shows all."
    return NotFoundError(f"there is no data asset named {name!r}", hint=hint)


def find(
    connection: sqlite3.Connection, name: str | None = None, *, archived: bool | None = False
) -> Iterator[DataVersion]:
    """The latest version of every asset by name, or every version of one, newest first.

    ``archived`` says whether active ones (False), archived ones (True) or all (None) are wanted.
    """
    values: list[Any] = [name] if name is not None else []
    wanted = "name = ?" if name is not None else "1"
    if archived is not None:
        wanted += " AND (archived OR name IN (SELECT name FROM data_container WHERE archived)) = ?"
        values.append(archived)
    if name is not None:
        query = f"{SELECT} WHERE {wanted} ORDER BY id DESC"
    else:
        query = f"{SELECT} WHERE id IN (SELECT max(id) FROM data WHERE {wanted} GROUP BY name) ORDER BY name"
    for row in connection.execute(query, values):
        yield read(row)


def twins(connection: sqlite3.Connection, data: DataVersion) -> list[DataVersion]:
    """Other versions, of any asset, with the same content; oldest first."""
    rows = connection.execute(
        f"{SELECT} WHERE fingerprint = ? AND NOT (name = ? AND version = ?) ORDER BY id",
        (data.fingerprint, data.name, data.version),
    )
    return [read(row) for row in rows] if data.fingerprint else []


def labels(connection: sqlite3.Connection, data: DataVersion) -> tuple[str, ...]:
    """The labels of a version, ``latest`` among them."""
    own = connection.execute(
        "SELECT label FROM data_label WHERE name = ? AND version = ? ORDER BY label", (data.name, data.version)
    )
    newest = get(connection, data.name).version == data.version
    return (*(row[0] for row in own), *((LATEST,) if newest else ()))


def label(connection: sqlite3.Connection, name: str, label: str, version: str | None) -> None:
    """Put a label on a version, where it may have been on another; without a version take it away."""
    if label == LATEST:
        raise UsageError("the label 'latest' is always on the version that was made last", hint="Choose another label.")
    with write(connection):
        if version is None:
            connection.execute("DELETE FROM data_label WHERE name = ? AND label = ?", (name, label))
            return
        get(connection, name, version)
        connection.execute(
            "INSERT INTO data_label (name, label, version) VALUES (?, ?, ?)"
            " ON CONFLICT (name, label) DO UPDATE SET version = excluded.version",
            (name, label, version),
        )


def archive(connection: sqlite3.Connection, name: str, version: str | None, *, archived: bool = True) -> None:
    """Hide a version from lists, or the whole asset without a version; or show it again. It stays usable."""
    with write(connection):
        get(connection, name, version)
        if version is None:
            connection.execute("UPDATE data_container SET archived = ? WHERE name = ?", (archived, name))
        else:
            connection.execute("UPDATE data SET archived = ? WHERE name = ? AND version = ?", (archived, name, version))


def delete(connection: sqlite3.Connection, name: str, version: str) -> DataVersion:
    """Forget a version and its labels; what Workbench stored for it is for the caller to remove."""
    with write(connection):
        found = get(connection, name, version)
        connection.execute("DELETE FROM data_label WHERE name = ? AND version = ?", (name, version))
        connection.execute("DELETE FROM data WHERE name = ? AND version = ?", (name, version))
    return found
