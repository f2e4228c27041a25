"""What belongs to a job: its children, those that ran it again or took its outputs, the data that it read and made."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Read:
    """A version of data that a job read; the fingerprints are None where they are not known."""

    data: str
    input: str
    fingerprint: str | None
    """Of the bytes that the job was given."""
    registered: str | None
    """Of those that the version had at first."""
    made_by: str | None
    """The job that made the version."""
    changed_for: str | None
    """The first later job that was given other bytes."""

    @property
    def changed(self) -> str | None:
        """What there is to say of bytes that changed behind the version; None where nothing is known to have."""
        if self.registered and self.fingerprint and self.registered != self.fingerprint:
            return "this job was given other bytes than the version was made with"
        return f"the bytes have changed since: {self.changed_for} was given others" if self.changed_for else None

    def flat(self) -> dict[str, Any]:
        """As it is shown."""
        return {**asdict(self), "changed": self.changed}


@dataclass(frozen=True, slots=True)
class Made:
    """A version of data that a job made of one of its outputs."""

    data: str
    output: str
    fingerprint: str | None

    def flat(self) -> dict[str, Any]:
        """As it is shown."""
        return asdict(self)


def data_read(connection: sqlite3.Connection, job: str) -> list[Read]:
    """The versions of data that a job read, in order of its inputs."""
    rows = connection.execute(
        "SELECT 'azureml:' || used.name || ':' || used.version, used.input, used.fingerprint, data.fingerprint,"
        " data.job_name, (SELECT later.user_name FROM data_use AS later WHERE later.name = used.name"
        " AND later.version = used.version AND later.id > used.id AND later.fingerprint != used.fingerprint"
        " ORDER BY later.id LIMIT 1)"
        " FROM data_use AS used LEFT JOIN data ON data.name = used.name AND data.version = used.version"
        " WHERE used.user_kind = 'job' AND used.user_name = ? ORDER BY used.id",
        (job,),
    )
    return [Read(*row) for row in rows]


def data_made(connection: sqlite3.Connection, job: str) -> list[Made]:
    """The versions of data that a job made."""
    rows = connection.execute(
        "SELECT 'azureml:' || name || ':' || version, job_output, fingerprint FROM data WHERE job_name = ? ORDER BY id",
        (job,),
    )
    return [Made(*row) for row in rows]


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

    ``places`` are paths of its outputs, by which an input may name them too; as may a version that was made of one.
    """
    signs = [f"azureml://jobs/{name}/", f"runs:/{name}/", *places]
    named = " OR ".join("instr(input.value, ?)" for _ in signs)
    rows = connection.execute(
        "SELECT name, display_name, status FROM job WHERE id > ? AND id <= ? AND (EXISTS"
        f" (SELECT 1 FROM json_each({VALID_DOCUMENT}, '$.inputs') AS input WHERE {named}) OR name IN"
        " (SELECT used.user_name FROM data_use AS used JOIN data ON data.name = used.name AND"
        " data.version = used.version WHERE used.user_kind = 'job' AND data.job_name = ?)) ORDER BY id LIMIT ?",
        (after, after + LOOKED_AT, *signs, name, limit),
    )
    return [Relative(*row) for row in rows]
