"""A workspace with as many finished jobs as a test wants, written without running them."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import Any

from store import database
from store.layout import Layout
from store.tracking import runs

NAMES = [f"job_{number:04d}" for number in range(1000)]
"""Of the thousand jobs of a list that is long."""

COLUMNS = (
    *("name", "type", "display_name", "experiment_name", "document", "source", "compute", "slots", "rank"),
    *("parent_job_name", "archived", "wanted", "status", "attempt", "created_at", "started_at", "ended_at", "cause"),
)
INSERT = f"INSERT INTO job ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


def add_job(layout: Layout, name: str, *, metrics: dict[str, float] | None = None, **columns: Any) -> None:
    """One job that completed an hour ago and ran for a minute; any column can be given."""
    add_jobs(layout, [(name, columns, metrics or {})])


def add_jobs(layout: Layout, jobs: list[tuple[str, dict[str, Any], dict[str, float]]]) -> None:
    """Jobs in order of submission: name, columns, last metrics."""
    now = time.time()
    with closing(database.connect(layout.database)) as connection, database.write(connection):
        for name, columns, _ in jobs:
            row = {
                "name": name,
                "type": "command",
                "display_name": name,
                "experiment_name": "Default",
                "document": {"type": "command", "command": "true"},
                "source": {"file": None, "directory": "/", "user": "me", "host": "here", "git": None},
                "compute": "local",
                "slots": 1,
                "rank": 0,
                "parent_job_name": None,
                "archived": 0,
                "wanted": "run",
                "status": "Completed",
                "attempt": 1,
                "created_at": now - 3600,
                "started_at": now - 3600,
                "ended_at": now - 3540,
                "cause": None,
            } | columns
            values = [json.dumps(row[key]) if isinstance(row[key], dict) else row[key] for key in COLUMNS]
            connection.execute(INSERT, values)
    with closing(runs.connect(layout)) as tracking, database.write(tracking):
        for name, _, metrics in jobs:
            tracking.execute(runs.ADD_RUN, (name, name, 0, "me", "FINISHED", 0, layout.artifacts(name).as_uri()))
            tracking.executemany(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, 0, 0, 0, ?)",
                [(key, value, name) for key, value in metrics.items()],
            )
