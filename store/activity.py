"""What goes on in a workspace: what runs, waits, ended lately and was made, for a screen that asks at every change.

Children show through their parents. Every question goes through an index, to its newest rows alone: the cost is the
same with ten jobs and with a hundred thousand.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store.jobs import ACTIVE
from store.queue import HOLDS_SLOTS

LOOKED_AT = 200
"""The newest jobs of a state that are looked at for those that ended last."""

EARLIER = 15
"""So many earlier runs tell how long a run takes: code and data change, so that older ones tell little."""

BY_STATUS = "INDEXED BY job_by_status"
"""Left alone, SQLite may read all jobs that are not archived instead."""

BRIEF = "name, display_name, experiment_name, type, status, compute, slots, created_at, started_at, ended_at"


@dataclass(frozen=True, slots=True)
class BriefJob:
    """A job in the few words that a glance takes."""

    name: str
    display_name: str
    experiment_name: str
    type: str
    status: str
    compute: str
    slots: int
    created_at: float
    started_at: float | None
    ended_at: float | None
    document: dict[str, Any] | None = None
    cause: dict[str, Any] | None = None
    outputs: dict[str, str] | None = None


def running(connection: sqlite3.Connection, limit: int = 100) -> list[BriefJob]:
    """Jobs that are under way, archived ones too, in order of submission, with their documents."""
    marks = ", ".join("?" * len(ACTIVE))
    rows = connection.execute(
        f"SELECT {BRIEF}, document FROM job {BY_STATUS} WHERE status IN ({marks}) AND parent_job_name IS NULL"
        " ORDER BY id LIMIT ?",
        (*ACTIVE, limit),
    )
    return [_brief(row, document=_read(row["document"])) for row in rows]


def holders(connection: sqlite3.Connection) -> list[BriefJob]:
    """Every job that may hold slots, children too, with their documents."""
    marks = ", ".join("?" * len(ACTIVE))
    rows = connection.execute(
        f"SELECT {BRIEF}, document FROM job {BY_STATUS} WHERE status IN ({marks}) ORDER BY id", ACTIVE
    )
    return [_brief(row, document=_read(row["document"])) for row in rows]


def queue(connection: sqlite3.Connection, compute: str, limit: int = 200) -> list[BriefJob]:
    """The jobs that wait for a compute, in the order in which they will start."""
    found: list[BriefJob] = []
    rank = 1 << 30
    while len(found) < limit:  # rank by rank the index gives them in order
        row = connection.execute(
            "SELECT max(rank) FROM job WHERE status = 'Queued' AND compute = ? AND rank < ?", (compute, rank)
        ).fetchone()
        if row[0] is None:
            break
        rank = row[0]
        rows = connection.execute(
            f"SELECT {BRIEF} FROM job WHERE status = 'Queued' AND compute = ? AND rank = ? AND wanted = 'run'"
            " ORDER BY id LIMIT ?",
            (compute, rank, limit - len(found)),
        )
        found += map(_brief, rows)
    fresh = f"SELECT {BRIEF} FROM job WHERE status = 'NotStarted' AND compute = ? ORDER BY rank DESC, id LIMIT ?"
    found += map(_brief, connection.execute(fresh, (compute, limit - len(found))))
    return found


def queue_lengths(connection: sqlite3.Connection) -> dict[str, int]:
    """How many jobs wait for each compute that any waits for."""
    rows = connection.execute(
        "SELECT compute, count(*) FROM job WHERE status IN ('NotStarted', 'Queued') GROUP BY compute"
    )
    return {row[0]: row[1] for row in rows}


def slots_in_use(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """How many jobs hold slots of each compute on which any runs, and how many slots those are."""
    marks = ", ".join("?" * len(HOLDS_SLOTS))
    rows = connection.execute(
        f"SELECT compute, count(*), sum(slots) FROM job {BY_STATUS} WHERE status IN ({marks}) GROUP BY compute",
        HOLDS_SLOTS,
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def ended_lately(
    connection: sqlite3.Connection, statuses: Sequence[str], limit: int, since: float = 0.0
) -> list[BriefJob]:
    """Jobs that came to one of some ends, the last one first, with why; among the newest of each end."""
    found: list[tuple[float, int]] = []
    for status in statuses:
        rows = connection.execute(
            f"SELECT id, ended_at FROM (SELECT id, ended_at, parent_job_name, archived FROM job {BY_STATUS}"
            " WHERE status = ? ORDER BY id DESC LIMIT ?)"
            " WHERE parent_job_name IS NULL AND archived = 0 AND ended_at > ?",
            (status, LOOKED_AT, since),
        )
        found += [(row[1], row[0]) for row in rows]
    found.sort(reverse=True)
    return [_whole(connection, number) for _, number in found[:limit]]


def made_lately(connection: sqlite3.Connection, limit: int) -> list[BriefJob]:
    """The newest completed jobs that have named outputs, with their places."""
    rows = connection.execute(
        f"SELECT id, ended_at FROM (SELECT id, ended_at, outputs, archived FROM job {BY_STATUS}"
        " WHERE status = 'Completed' ORDER BY id DESC LIMIT ?)"
        " WHERE archived = 0 AND outputs IS NOT NULL AND outputs != '{}'",
        (LOOKED_AT,),
    ).fetchall()
    newest = sorted(((row[1] or 0.0, row[0]) for row in rows), reverse=True)[:limit]
    return [_whole(connection, number) for _, number in newest]


def durations(connection: sqlite3.Connection, experiment: str, kind: str) -> list[float]:
    """How long the last completed runs of an experiment took, of one kind of job: the newest first."""
    rows = connection.execute(
        "SELECT ended_at - started_at FROM (SELECT type, status, started_at, ended_at FROM job"
        " INDEXED BY job_by_experiment WHERE experiment_name = ? ORDER BY id DESC LIMIT ?)"
        " WHERE status = 'Completed' AND type = ?"
        " AND ended_at >= started_at LIMIT ?",
        (experiment, LOOKED_AT, kind, EARLIER),
    )
    return [row[0] for row in rows]


def children(connection: sqlite3.Connection, parent: str) -> dict[str, int]:
    """How many children of a job are in each state."""
    rows = connection.execute(
        "SELECT status, count(*) FROM job INDEXED BY job_by_parent WHERE parent_job_name = ? GROUP BY status", (parent,)
    )
    return {row[0]: row[1] for row in rows}


def is_new(connection: sqlite3.Connection) -> bool:
    """Whether no job was ever submitted."""
    return connection.execute("SELECT 1 FROM job LIMIT 1").fetchone() is None


def _whole(connection: sqlite3.Connection, number: int) -> BriefJob:
    row = connection.execute(f"SELECT {BRIEF}, document, cause, outputs FROM job WHERE id = ?", (number,)).fetchone()
    return _brief(row, document=_read(row["document"]), cause=_read(row["cause"]), outputs=_read(row["outputs"]))


def _brief(row: sqlite3.Row, **more: Any) -> BriefJob:
    return BriefJob(*tuple(row)[: len(BRIEF.split(", "))], **more)


def _read(text: str | None) -> Any:
    """A column's JSON, nothing for what is none: one row that cannot be read does not hide the others."""
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
