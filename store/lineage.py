"""Which jobs belong together: children, those that ran another again, those that took another's outputs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from store.jobs import VALID_DOCUMENT

NEAREST = 20
"""More relatives of one kind are counted, not listed."""

LOOKED_AT = 5_000
"""How many later jobs are looked through for one's name: the documents of all would take seconds."""


@dataclass(frozen=True, slots=True)
class Relative:
    """Another job, as a line tells of it."""

    name: str
    display_name: str
    status: str


def relatives(connection: sqlite3.Connection, names: Sequence[str]) -> list[Relative]:
    """Jobs by name, those that there are."""
    marks = ", ".join("?" * len(names))
    rows = connection.execute(
        f"SELECT name, display_name, status FROM job WHERE name IN ({marks}) ORDER BY id", list(names)
    )
    return [Relative(*row) for row in rows]


def children(connection: sqlite3.Connection, parent: str, limit: int = NEAREST) -> list[Relative]:
    """The first children of a job."""
    rows = connection.execute(
        "SELECT name, display_name, status FROM job WHERE parent_job_name = ? ORDER BY id LIMIT ?", (parent, limit)
    )
    return [Relative(*row) for row in rows]


def count_children(connection: sqlite3.Connection, parent: str) -> dict[str, int]:
    """How many children of a job are in each state."""
    rows = connection.execute("SELECT status, count(*) FROM job WHERE parent_job_name = ? GROUP BY status", (parent,))
    return {row[0]: row[1] for row in rows}


def reruns(connection: sqlite3.Connection, name: str, after: int, limit: int = NEAREST) -> list[Relative]:
    """The jobs, submitted after the one with the id ``after``, that run a job again."""
    rows = connection.execute(
        "SELECT name, display_name, status FROM job WHERE id > ? AND id <= ?"
        " AND iif(json_valid(source), json_extract(source, '$.rerun_of'), NULL) = ? ORDER BY id LIMIT ?",
        (after, after + LOOKED_AT, name, limit),
    )
    return [Relative(*row) for row in rows]


def consumers(
    connection: sqlite3.Connection, name: str, after: int, places: Sequence[str] = (), limit: int = NEAREST
) -> list[Relative]:
    """The jobs, submitted after the one with the id ``after``, that name a job's outputs in their inputs.

    ``places`` are paths of its outputs, by which an input may name them too.
    """
    signs = [f"azureml://jobs/{name}/", f"runs:/{name}/", *places]
    named = " OR ".join("instr(input.value, ?)" for _ in signs)
    rows = connection.execute(
        "SELECT name, display_name, status FROM job WHERE id > ? AND id <= ? AND EXISTS"
        f" (SELECT 1 FROM json_each({VALID_DOCUMENT}, '$.inputs') AS input WHERE {named}) ORDER BY id LIMIT ?",
        (after, after + LOOKED_AT, *signs, limit),
    )
    return [Relative(*row) for row in rows]
