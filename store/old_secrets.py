"""Secrets of addresses that older versions stored with a job, in clear: taken out of a database of theirs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from store.addresses import HIDDEN, hide, split_secrets
from store.errors import MachineError

LAST_REVISION = "0003"
"""Versions that stored them had this revision, or one before; so had some that no longer did."""

ADDRESSES = ("inputs", "outputs", "environment_variables")
"""Where a document has addresses: no command of a job is changed."""
COLUMNS = ("document", "source", "inputs", "outputs", "cause")
ROWS = (
    f"SELECT id, name, {', '.join(COLUMNS)} FROM job WHERE status IN ('Completed', 'Failed', 'Canceled')"
    " AND (instr(document, '://') OR instr(inputs, '://') OR instr(outputs, '://'))"
)
"""A job that has not ended needs its addresses: it keeps them."""


def forget_secrets(database: Path) -> int:
    """Put a mark in place of each, leaving none in free pages of the file; returns how many jobs had some.

    Raises MachineError when there is no room, or when the database is not to be written.
    """
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            changed = sum(_forget(connection, row) for row in connection.execute(ROWS).fetchall())
            connection.execute("COMMIT")
            if changed:  # what was deleted or rewritten earlier may still stand in pages that are free
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        raise MachineError(
            f"the passwords in addresses that an older version stored could not be taken out of {database}: {error}",
            hint="Free some room and try again; the database is as it was.",
        ) from error
    return changed


def _forget(connection: sqlite3.Connection, row: tuple[Any, ...]) -> bool:
    """One job; whether it had secrets."""
    number, name, *texts = row
    try:
        values = {column: json.loads(text) for column, text in zip(COLUMNS, texts, strict=True) if text}
        document = values["document"]
        parts = [document.get(section) for section in ADDRESSES] + [values.get("inputs"), values.get("outputs")]
    except (ValueError, AttributeError):  # a row that nobody can read
        return False
    secrets = sorted({each for text in _texts(parts) for each in split_secrets(text)[1]} - {HIDDEN})
    if not secrets:
        return False
    document |= {key: _changed(document[key], secrets) for key in ADDRESSES if key in document}
    values = {key: value if key == "document" else _changed(value, secrets) for key, value in values.items()}
    assignments = ", ".join(f"{column} = ?" for column in values)
    connection.execute(f"UPDATE job SET {assignments} WHERE id = ?", (*map(json.dumps, values.values()), number))
    for event, message in connection.execute(
        "SELECT id, message FROM job_event WHERE job_name = ? AND message IS NOT NULL", (name,)
    ).fetchall():
        connection.execute("UPDATE job_event SET message = ? WHERE id = ?", (_changed(message, secrets), event))
    return True


def _texts(value: Any) -> Iterator[str]:
    """Every text within some JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _changed(value: Any, secrets: list[str]) -> Any:
    """The same JSON with a mark in place of each secret."""
    if isinstance(value, str):
        return hide(split_secrets(value)[0], secrets) if "://" in value else value
    if isinstance(value, dict):
        return {key: _changed(each, secrets) for key, each in value.items()}
    return [_changed(each, secrets) for each in value] if isinstance(value, list) else value
