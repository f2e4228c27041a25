"""What a workspace is at, in a few numbers: cheap enough to be asked again at every change."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from store.jobs import UNFINISHED

LATELY_SECONDS = 24 * 3600.0
MOST_FAILED = 1000
"""Failed jobs are counted among the newest so many: the number is for a glance."""


@dataclass(frozen=True, slots=True)
class Overview:
    """``failed`` counts those that ended within the last 24 hours."""

    workspace: str
    running: int
    waiting: int
    failed: int


def overview(connection: sqlite3.Connection) -> Overview:
    """The workspace's name, and how many jobs run, wait, and failed lately."""
    marks = ", ".join("?" * len(UNFINISHED))
    counts = dict(
        connection.execute(f"SELECT status, count(*) FROM job WHERE status IN ({marks}) GROUP BY status", UNFINISHED)
    )
    waiting = counts.get("NotStarted", 0) + counts.get("Queued", 0)
    failed = connection.execute(
        "SELECT count(*) FROM (SELECT ended_at FROM job WHERE status = 'Failed' ORDER BY id DESC LIMIT ?)"
        " WHERE ended_at > ?",
        (MOST_FAILED, time.time() - LATELY_SECONDS),
    ).fetchone()[0]
    name = connection.execute("SELECT name FROM workspace").fetchone()
    return Overview(name[0] if name else "", sum(counts.values()) - waiting, waiting, failed)
