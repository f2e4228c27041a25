"""Which jobs want the agent's attention now: a page of the store, never the whole of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from store.jobs import SELECT, Job, read_as_it_is

ANY_RANK = 1 << 30
HOLDS_SLOTS = ("Preparing", "Running", "CancelRequested")


@dataclass(frozen=True, slots=True)
class Attention:
    """``jobs`` to be decided on, in order of submission; ``granted`` are the queued ones whose turn has come.

    Those whose rows cannot be read are among them, and say so.
    """

    jobs: list[Job]
    granted: frozenset[str]


def attention(connection: sqlite3.Connection, capacity: Mapping[str, int]) -> Attention:
    """New jobs, those under way, queued ones that are no longer wanted, and queued ones that may start.

    ``capacity`` maps each compute to its slots. A queue is strict: the first job that does not fit holds back those
    behind it, so that a wide job is never passed over for ever.
    """
    due = connection.execute(
        f"{SELECT} WHERE status IN ('NotStarted', 'Preparing', 'Running', 'CancelRequested', 'Finalizing')"
        " OR (status = 'Queued' AND wanted != 'run') ORDER BY id"
    )
    jobs = [read_as_it_is(row) for row in due]
    granted: list[Job] = []
    for compute, slots in capacity.items():
        granted.extend(next_in_line(connection, compute, slots - used(jobs, compute)))
    return Attention([*jobs, *granted], frozenset(job.name for job in granted))


def used(jobs: list[Job], compute: str) -> int:
    """Slots of a compute that are taken."""
    return sum(job.slots for job in jobs if job.compute == compute and job.status in HOLDS_SLOTS)


def next_in_line(connection: sqlite3.Connection, compute: str, free: int) -> list[Job]:
    """The queued jobs of a compute that fit into its free slots, in the order of the queue."""
    chosen: list[Job] = []
    rank = next_rank(connection, compute, ANY_RANK)
    while free > 0 and rank is not None:
        rows = connection.execute(
            f"{SELECT} WHERE status = 'Queued' AND compute = ? AND rank = ? AND wanted = 'run' ORDER BY id LIMIT ?",
            (compute, rank, free),
        )
        for job in map(read_as_it_is, rows):
            if job.slots > free:
                return chosen
            free -= job.slots
            chosen.append(job)
        rank = next_rank(connection, compute, rank)
    return chosen


def next_rank(connection: sqlite3.Connection, compute: str, below: int) -> int | None:
    """The highest rank below another that a queued job of a compute has.

    Rank by rank the index gives the jobs in order; to order by both would sort the whole queue for each free slot.
    """
    found: int | None = connection.execute(
        "SELECT max(rank) FROM job WHERE status = 'Queued' AND compute = ? AND rank < ?", (compute, below)
    ).fetchone()[0]
    return found


def position(connection: sqlite3.Connection, job: Job) -> int:
    """How many queued jobs of the same compute stand before this one."""
    row = connection.execute(
        "SELECT count(*) FROM job WHERE status = 'Queued' AND compute = ? AND (rank > ? OR (rank = ? AND id < ?))",
        (job.compute, job.rank, job.rank, job.id),
    ).fetchone()
    return int(row[0])
