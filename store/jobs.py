"""Jobs in the store: what was submitted, what is wanted, what is so."""

from __future__ import annotations

import difflib
import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from store import names
from store.database import write
from store.errors import ConflictError, MachineError, NotFoundError

TERMINAL = frozenset({"Completed", "Failed", "Canceled"})
UNFINISHED = ("NotStarted", "Queued", "Preparing", "Running", "Finalizing", "CancelRequested")
ACTIVE = ("Preparing", "Running", "Finalizing", "CancelRequested")
"""The states in which a job may hold slots."""

TIERS = {"spot": -1, "null": 0, "basic": 0, "standard": 0, "premium": 1}
PRIORITIES = {"low": -1, "medium": 0, "high": 1}


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as it is submitted; ``name`` is None for a generated one."""

    document: Mapping[str, Any]
    source: Mapping[str, Any]
    compute: str
    environment: Mapping[str, Any] | None = None
    snapshot: str | None = None
    name: str | None = None
    slots: int = 1
    parent_job_name: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job's row, its JSON columns read."""

    id: int
    name: str
    type: str
    display_name: str
    experiment_name: str
    document: dict[str, Any]
    source: dict[str, Any]
    snapshot: str | None
    compute: str
    slots: int
    rank: int
    parent_job_name: str | None
    archived: bool
    wanted: str
    status: str
    attempt: int
    token: str | None
    created_at: float
    started_at: float | None
    ended_at: float | None
    environment: dict[str, Any] | None
    inputs: dict[str, Any] | None
    outputs: dict[str, Any] | None
    cause: dict[str, Any] | None
    exit_code: int | None
    wall_seconds: float | None
    cpu_seconds: float | None
    peak_memory_bytes: int | None
    unreadable: str = ""
    """What is wrong with the row, where a column of it cannot be read; only lists show such a job."""

    @property
    def finished(self) -> bool:
        return self.status in TERMINAL


COLUMNS = tuple(column for column in Job.__dataclass_fields__ if column != "unreadable")
JSON_COLUMNS = frozenset({"document", "source", "environment", "inputs", "outputs", "cause"})
VALID_DOCUMENT = "CASE WHEN json_valid(document) THEN document END"
"""For conditions on what is in documents: one that cannot be read has nothing in it."""
SELECT = f"SELECT {', '.join(COLUMNS)} FROM job"


def read(row: sqlite3.Row) -> Job:
    """A Job from a row of ``SELECT``. Raises MachineError for one that cannot be read."""
    job = read_as_it_is(row)
    if job.unreadable:
        raise MachineError(
            f"the row of job {job.name!r} cannot be read: {job.unreadable}",
            hint="Only this job is concerned; `workbench job list` shows the others.",
        )
    return job


def read_as_it_is(row: sqlite3.Row) -> Job:
    """As ``read``; one that cannot be read says so itself, and has nothing in the columns concerned."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for column in COLUMNS:
        values[column] = row[column]
        if column in JSON_COLUMNS and row[column] is not None:
            try:
                values[column] = _mapping(row[column])
            except (ValueError, TypeError) as error:
                values[column] = {} if column in ("document", "source") else None
                faults.append(f"its {column} is no JSON object ({error})")
    return Job(**{**values, "archived": bool(values["archived"])}, unreadable=", ".join(faults))


def _mapping(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"it is a {type(found).__name__}")
    return found


def rank(document: Mapping[str, Any]) -> int:
    """A job's place in the queue: the tier counts more than the priority; equal ranks start in order of submission."""
    settings = document.get("queue_settings") or {}
    return 10 * TIERS[settings.get("job_tier") or "null"] + PRIORITIES[settings.get("priority") or "medium"]


def submit(connection: sqlite3.Connection, new: NewJob, before_commit: Callable[[str], None] = lambda _: None) -> str:
    """Accept a job and return its name; by then it is on the disk. Raises ConflictError for a taken name.

    ``before_commit`` is called with the name, when it can no longer be another's: for files that go with the job.
    """
    name = new.name or names.generate()
    now = time.time()
    document = dict(new.document)
    with write(connection):
        try:
            connection.execute(
                "INSERT INTO job (name, type, display_name, experiment_name, document, source, snapshot, compute,"
                " slots, rank, parent_job_name, archived, wanted, status, attempt, created_at, environment)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'run', 'NotStarted', 0, ?, ?)",
                (
                    name,
                    document.get("type") or "command",
                    document.get("display_name") or name,
                    document.get("experiment_name") or "Default",
                    json.dumps(document),
                    json.dumps(dict(new.source)),
                    new.snapshot,
                    new.compute,
                    new.slots,
                    rank(document),
                    new.parent_job_name,
                    now,
                    json.dumps(new.environment) if new.environment is not None else None,
                ),
            )
        except sqlite3.IntegrityError as error:
            if "job.name" in str(error):
                raise name_taken(name) from error
            raise
        record_event(connection, name, "NotStarted", at=now)
        before_commit(name)
    return name


def name_taken(name: str) -> ConflictError:
    """The error for a job name that exists."""
    return ConflictError(
        f"there is a job named {name!r} already",
        hint="Leave `name` out for a generated one, or give another with --name.",
    )


def exists(connection: sqlite3.Connection, name: str) -> bool:
    """Whether a job of this name was ever submitted."""
    return connection.execute("SELECT 1 FROM job WHERE name = ?", (name,)).fetchone() is not None


def get(connection: sqlite3.Connection, name: str) -> Job:
    """A job by name. Raises NotFoundError, with the nearest names."""
    row = connection.execute(f"{SELECT} WHERE name = ?", (name,)).fetchone()
    if row is None:
        recent = [r[0] for r in connection.execute("SELECT name FROM job ORDER BY id DESC LIMIT 500")]
        close = difflib.get_close_matches(name, recent, n=3, cutoff=0.6)
        hint = f"Did you mean {' or '.join(close)}?" if close else "`workbench job list` shows what there is."
        raise NotFoundError(f"there is no job named {name!r}", hint=hint)
    return read(row)


@dataclass(frozen=True, slots=True)
class Filter:
    """What ``job list`` narrows by; ``tags`` maps a key to a value, or to None for any."""

    status: Sequence[str] = ()
    experiment_name: str | None = None
    parent_job_name: str | None = None
    type: str | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    archived: bool | None = False


def find(connection: sqlite3.Connection, wanted: Filter, limit: int, before: int | None = None) -> list[Job]:
    """Jobs, newest first, a page at a time: ``before`` is the id of the last one of the page before."""
    clauses: list[str] = []
    values: list[Any] = []
    for column in ("experiment_name", "parent_job_name", "type"):
        if (value := getattr(wanted, column)) is not None:
            clauses.append(f"{column} = ?")
            values.append(value)
    if wanted.status:
        clauses.append(f"status IN ({', '.join('?' * len(wanted.status))})")
        values.extend(wanted.status)
    if wanted.archived is not None:
        clauses.append("archived = ?")
        values.append(int(wanted.archived))
    for key, value in wanted.tags.items():
        same = "" if value is None else " AND value = ?"
        clauses.append(f"EXISTS (SELECT 1 FROM json_each({VALID_DOCUMENT}, '$.tags') WHERE key = ?{same})")
        values.extend([key] if value is None else [key, value])
    if before is not None:
        clauses.append("id < ?")
        values.append(before)
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    rows = connection.execute(f"{SELECT}{where} ORDER BY id DESC LIMIT ?", (*values, limit))
    return [read_as_it_is(row) for row in rows]


def unfinished(connection: sqlite3.Connection) -> list[Job]:
    """Every job that is not at its end, in order of submission; those that cannot be read say so."""
    marks = ", ".join("?" * len(UNFINISHED))
    rows = connection.execute(f"{SELECT} WHERE status IN ({marks}) ORDER BY id", UNFINISHED)
    return [read_as_it_is(row) for row in rows]


def count_unfinished(connection: sqlite3.Connection) -> int:
    """How many jobs are not at their end."""
    marks = ", ".join("?" * len(UNFINISHED))
    return int(connection.execute(f"SELECT count(*) FROM job WHERE status IN ({marks})", UNFINISHED).fetchone()[0])


def count_by_status(connection: sqlite3.Connection) -> dict[str, int]:
    """How many jobs are in each state."""
    return {row[0]: row[1] for row in connection.execute("SELECT status, count(*) FROM job GROUP BY status")}


def last_completed(connection: sqlite3.Connection, experiment: str, before: int) -> Job | None:
    """The last job of an experiment that completed, submitted before the job with the id ``before``."""
    row = connection.execute(
        f"{SELECT} WHERE experiment_name = ? AND id < ? AND status = 'Completed' ORDER BY id DESC LIMIT 1",
        (experiment, before),
    ).fetchone()
    return read(row) if row else None


def request_cancel(connection: sqlite3.Connection, name: str, *, wanted: str = "cancel") -> Job:
    """Say that a job is no longer wanted. Raises ConflictError when it has ended already."""
    with write(connection):
        job = get(connection, name)
        if job.finished:
            raise ConflictError(f"job {name!r} has ended already: {job.status}")
        connection.execute("UPDATE job SET wanted = ? WHERE name = ? AND wanted != 'kill'", (wanted, name))
    return job


def set_archived(connection: sqlite3.Connection, name: str, archived: bool) -> None:
    """Hide a job from listings, or show it again."""
    with write(connection):
        get(connection, name)
        connection.execute("UPDATE job SET archived = ? WHERE name = ?", (int(archived), name))


def record(connection: sqlite3.Connection, name: str, status: str, message: str | None = None, **facts: Any) -> None:
    """Write what is so of a job: its state and any other columns, with an event. Within the caller's transaction."""
    values = {
        key: json.dumps(value) if key in JSON_COLUMNS and value is not None else value for key, value in facts.items()
    }
    assignments = "".join(f", {column} = ?" for column in values)
    connection.execute(f"UPDATE job SET status = ?{assignments} WHERE name = ?", (status, *values.values(), name))
    record_event(connection, name, status, message)


def record_event(
    connection: sqlite3.Connection, name: str, status: str, message: str | None = None, *, at: float | None = None
) -> None:
    """Add one step to a job's history. Within the caller's transaction."""
    connection.execute(
        "INSERT INTO job_event (job_name, at, status, message) VALUES (?, ?, ?, ?)",
        (name, at or time.time(), status, message),
    )


def events(connection: sqlite3.Connection, name: str, after: int = 0) -> list[sqlite3.Row]:
    """A job's history, oldest first: rows of id, at, status, message."""
    return connection.execute(
        "SELECT id, at, status, message FROM job_event WHERE job_name = ? AND id > ? ORDER BY id", (name, after)
    ).fetchall()
