"""Experiments of ``mlflow.db`` as documents, read by sqlite3."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Sequence
from typing import Any

from store.errors import NotFoundError
from store.times import timestamp_of_ms

JOB_STATES = {
    "SCHEDULED": "NotStarted",
    "RUNNING": "Running",
    "FINISHED": "Completed",
    "FAILED": "Failed",
    "KILLED": "Canceled",
}
"""What MLflow calls a run's state, in the dialect's words."""

SELECT = """
    SELECT experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time,
           count(run_uuid) AS runs, max(start_time) AS last_start
    FROM experiments LEFT JOIN (SELECT run_uuid, start_time, experiment_id FROM runs WHERE lifecycle_stage = 'active')
    USING (experiment_id)
"""


def list_experiments(connection: sqlite3.Connection, *, deleted: bool = False) -> list[dict[str, Any]]:
    """The experiments, those with the latest run first; the deleted ones too where asked for."""
    where = "" if deleted else "WHERE lifecycle_stage = 'active'"
    found = connection.execute(
        f"{SELECT} {where} GROUP BY experiment_id ORDER BY coalesce(last_start, creation_time) DESC, experiment_id DESC"
    )
    return [_document(row) for row in found]


def show_experiment(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """One experiment by name or number, with its tags and how many runs are in which state.

    Raises NotFoundError, which names the nearest one.
    """
    found = connection.execute(
        f"{SELECT} WHERE name = ? OR CAST(experiment_id AS TEXT) = ? GROUP BY experiment_id ORDER BY name = ? DESC",
        (name, name, name),
    ).fetchone()
    if found is None:
        raise unknown_experiment(name, experiment_names(connection))
    states = connection.execute(
        "SELECT status, count(*) FROM runs WHERE experiment_id = ? AND lifecycle_stage = 'active' GROUP BY status",
        (found[0],),
    )
    tags = connection.execute(
        "SELECT key, value FROM experiment_tags WHERE experiment_id = ? ORDER BY key", (found[0],)
    )
    return _document(found) | {
        "runs_by_status": {JOB_STATES.get(state, state): count for state, count in states},
        "tags": dict(tags),
    }


def _document(row: Any) -> dict[str, Any]:
    number, name, location, stage, created, updated, runs, last_start = row
    return {
        "name": name,
        "experiment_id": str(number),
        "runs": runs,
        "last_run_time": timestamp_of_ms(last_start),
        "creation_time": timestamp_of_ms(created),
        "last_update_time": timestamp_of_ms(updated),
        "archived": stage != "active",
        "artifact_location": location,
    }


def experiment_names(connection: sqlite3.Connection) -> list[str]:
    """The names of the experiments that are not deleted."""
    return [row[0] for row in connection.execute("SELECT name FROM experiments WHERE lifecycle_stage = 'active'")]


def unknown_experiment(name: str, known: Sequence[str]) -> NotFoundError:
    """The error for an experiment that there is not; names the nearest of those that there are."""
    near = difflib.get_close_matches(name, known, n=1)
    return NotFoundError(
        f"there is no experiment {name!r}",
        hint=f"Did you mean {near[0]!r}?" if near else "`workbench experiment list` lists those that there are.",
    )
