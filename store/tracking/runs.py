"""Run rows, tags, params and experiments of ``mlflow.db``, written as MLflow's own client would.

A job's run has the job's name as its id.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from store.database import open_unchecked, write
from store.errors import ConflictError, NotFoundError
from store.layout import Layout
from store.tracking.schema import JOB_TAG, check_revision

LONGEST_PARAM = 6000
LONGEST_TAG = 8000
"""MLflow's own limits (``mlflow/utils/validation.py``); what is longer is cut, as MLflow does."""

SET_TAG = """
    INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)
    ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value
"""

ADD_RUN = """
    INSERT INTO runs (
        run_uuid, name, experiment_id, user_id, status, start_time, artifact_uri, source_type, source_name,
        entry_point_name, source_version, lifecycle_stage)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'UNKNOWN', '', '', '', 'active') ON CONFLICT DO NOTHING
"""


def connect(layout: Layout) -> sqlite3.Connection:
    """Open a workspace's ``mlflow.db``.

    Raises NotFoundError when there is none, ConflictError when it is of an MLflow that this program does not know.
    """
    if not layout.mlflow_database.exists():
        raise NotFoundError(f"{layout.mlflow_database} is missing", hint="`workbench doctor` says how to mend it.")
    connection = open_unchecked(layout.mlflow_database)
    try:
        check_revision(connection)
    except ConflictError:
        connection.close()
        raise
    return connection


def create_run(
    connection: sqlite3.Connection,
    layout: Layout,
    *,
    job: str,
    experiment: str,
    display_name: str,
    user: str,
    start_ms: int,
    tags: Mapping[str, object] | None = None,
    params: Mapping[str, object] | None = None,
    status: str = "RUNNING",
) -> str:
    """Make the run of a job, and its experiment where it is new; returns the experiment's number.

    A run that is there already keeps what it has.
    """
    own = {"mlflow.runName": display_name, "mlflow.user": user, "mlflow.source.type": "JOB", JOB_TAG: job}
    with write(connection):
        number = _experiment(connection, layout, experiment)
        place = layout.artifacts(job).as_uri()
        made = connection.execute(ADD_RUN, (job, display_name, number, user, status, start_ms, place)).rowcount
        if made:
            _set_tags(connection, job, own | dict(tags or {}))
            _set_params_if_absent(connection, job, params or {})
    return str(number)


def exists(connection: sqlite3.Connection, run_id: str) -> bool:
    """Whether there is a run of that id."""
    return connection.execute("SELECT 1 FROM runs WHERE run_uuid = ?", (run_id,)).fetchone() is not None


def start_run(connection: sqlite3.Connection, run_id: str, start_ms: int) -> None:
    """Have a run that was scheduled run from now on."""
    with write(connection):
        connection.execute(
            "UPDATE runs SET status = 'RUNNING', start_time = ? WHERE run_uuid = ? AND status = 'SCHEDULED'",
            (start_ms, run_id),
        )


def finish_run(
    connection: sqlite3.Connection,
    run_id: str,
    status: str,
    end_ms: int,
    *,
    start_ms: int | None = None,
    tags: Mapping[str, object] | None = None,
    params: Mapping[str, object] | None = None,
) -> None:
    """End a job's run as FINISHED, FAILED or KILLED, and with it the runs that its process left open.

    What the process itself said about its run's end (MLflow does at exit) gives way: it cannot know of a kill.
    ``start_ms`` corrects when it began: a run is made before its processes are. ``params`` are those that the script
    did not log itself.
    """
    with write(connection):
        _set_tags(connection, run_id, tags or {})
        _set_params_if_absent(connection, run_id, params or {})
        connection.execute(
            "UPDATE runs SET status = ?, end_time = ?, start_time = coalesce(?, start_time) WHERE run_uuid = ?",
            (status, end_ms, start_ms, run_id),
        )
        connection.execute(
            "UPDATE runs SET status = ?, end_time = ? WHERE status IN ('RUNNING', 'SCHEDULED') AND run_uuid IN"
            f" (SELECT run_uuid FROM tags WHERE key = '{JOB_TAG}' AND value = ?)",
            (status, end_ms, run_id),
        )


def set_tags(connection: sqlite3.Connection, run_id: str, tags: Mapping[str, object]) -> None:
    """Set tags of a run; a tag that is there gets the new value."""
    with write(connection):
        _set_tags(connection, run_id, tags)


def set_params_if_absent(connection: sqlite3.Connection, run_id: str, params: Mapping[str, object]) -> None:
    """Log params that the run does not have; those that it has stay."""
    with write(connection):
        _set_params_if_absent(connection, run_id, params)


def params(connection: sqlite3.Connection, run_id: str) -> dict[str, str]:
    """The params of a run by name."""
    return _pairs(connection, "params", run_id)


def tags(connection: sqlite3.Connection, run_id: str) -> dict[str, str]:
    """The tags of a run by name."""
    return _pairs(connection, "tags", run_id)


def ensure_experiment(connection: sqlite3.Connection, layout: Layout, name: str) -> int:
    """The number of an experiment, made or brought back from deletion where need be (its deleted runs stay deleted)."""
    with write(connection):
        return _experiment(connection, layout, name)


def experiment_artifacts(layout: Layout, experiment_id: int) -> str:
    """Where the artifacts of an experiment's models and of runs made by scripts lie."""
    return (layout.blobstore / "mlflow" / str(experiment_id)).as_uri()


def _experiment(connection: sqlite3.Connection, layout: Layout, name: str) -> int:
    found = connection.execute(
        "SELECT experiment_id, lifecycle_stage FROM experiments WHERE workspace = 'default' AND name = ?", (name,)
    ).fetchone()
    now = time.time_ns() // 1_000_000
    if found is None:
        made = connection.execute(
            "INSERT INTO experiments (name, lifecycle_stage, creation_time, last_update_time, workspace)"
            " VALUES (?, 'active', ?, ?, 'default')",
            (name, now, now),
        )
        number = int(made.lastrowid or 0)
        connection.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
            (experiment_artifacts(layout, number), number),
        )
        return number
    if found[1] != "active":
        connection.execute(
            "UPDATE experiments SET lifecycle_stage = 'active', last_update_time = ? WHERE experiment_id = ?",
            (now, found[0]),
        )
    return int(found[0])


def _set_tags(connection: sqlite3.Connection, run_id: str, tags: Mapping[str, object]) -> None:
    rows = [(key, str(value)[:LONGEST_TAG], run_id) for key, value in tags.items()]
    connection.executemany(SET_TAG, rows)
    if "mlflow.runName" in tags:
        connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", (str(tags["mlflow.runName"]), run_id))


def _set_params_if_absent(connection: sqlite3.Connection, run_id: str, params: Mapping[str, object]) -> None:
    rows = [(key, str(value)[:LONGEST_PARAM], run_id) for key, value in params.items()]
    connection.executemany("INSERT OR IGNORE INTO params (key, value, run_uuid) VALUES (?, ?, ?)", rows)


def _pairs(connection: sqlite3.Connection, table: str, run_id: str) -> dict[str, Any]:
    found = connection.execute(f"SELECT key, value FROM {table} WHERE run_uuid = ? ORDER BY key", (run_id,))
    return {str(key): value for key, value in found}
