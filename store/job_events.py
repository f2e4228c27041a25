"""The steps in the lives of all jobs, the newest first, a page at a time by key."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One step in the life of a job."""

    id: int
    job_name: str
    at: float
    status: str
    message: str | None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: ``statuses`` are those meant, any where there are none; every one of ``words`` is in the job's name
    or the message."""

    statuses: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def page(
    connection: sqlite3.Connection,
    wanted: EventFilter,
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
) -> list[Event]:
    """Events older than the one with the id ``before``, or next newer than ``after``; always the newest first."""
    clauses = ["id > ?"]
    values: list[str | int] = [after or 0]
    if before is not None:
        clauses.append("id < ?")
        values.append(before)
    if wanted.statuses:
        clauses.append(f"status IN ({', '.join('?' * len(wanted.statuses))})")
        values += wanted.statuses
    for word in wanted.words:
        clauses.append("(instr(lower(job_name), lower(?)) > 0 OR instr(lower(coalesce(message, '')), lower(?)) > 0)")
        values += [word, word]
    order = "" if after is not None else " DESC"
    rows = connection.execute(
        f"SELECT id, job_name, at, status, message FROM job_event WHERE {' AND '.join(clauses)}"
        f" ORDER BY id{order} LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [Event(*row) for row in (reversed(rows) if after is not None else rows)]
