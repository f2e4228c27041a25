"""Runs written by sqlite3, held against what MLflow's own client writes for the same calls."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from tracked_jobs import MakeRun

from store.layout import Layout
from store.tracking import runs

JOB = "calm_fox_1"


def create(database: sqlite3.Connection, layout: Layout, job: str = JOB, **more: Any) -> str:
    given: dict[str, Any] = {
        "experiment": "exp",
        "display_name": "The fox",
        "user": "ann",
        "start_ms": 1_700_000_000_123,
    }
    return runs.create_run(database, layout, job=job, **{**given, **more})


def rows(layout: Layout, sql: str, *values: object) -> list[dict[str, tuple[type, object]]]:
    """Rows with the type of each value, as SQLite keeps it."""
    with closing(sqlite3.connect(layout.mlflow_database)) as connection:
        connection.row_factory = sqlite3.Row
        return [
            {key: (type(value), value) for key, value in dict(row).items()} for row in connection.execute(sql, values)
        ]


def facts(layout: Layout, run: str) -> dict[str, object]:
    """All that the database holds of a run, but for its id, its place and the tags that only a job's run has."""
    (row,) = rows(layout, "SELECT * FROM runs WHERE run_uuid = ?", run)
    place = row.pop("artifact_uri")
    del row["run_uuid"]
    tags = rows(layout, "SELECT key, value FROM tags WHERE run_uuid = ? ORDER BY key", run)
    params = rows(layout, "SELECT key, value FROM params WHERE run_uuid = ? ORDER BY key", run)
    own = ("workbench.job", "mlflow.source.type")
    return {
        "run": row,
        "place": place[0],
        "tags": [tag for tag in tags if tag["key"][1] not in own],
        "params": params,
    }


@pytest.mark.slow
def test_our_rows_are_those_that_mlflow_writes(database: sqlite3.Connection, tracked: Layout) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tracked.mlflow_database}")
    experiment = create(database, tracked, tags={"colour": "red"})
    # mlflow.user is what MLflow's fluent functions add for the client.
    run = client.create_run(
        experiment, 1_700_000_000_123, {"colour": "red", "mlflow.user": "ann"}, "The fox"
    ).info.run_id
    assert facts(tracked, JOB) == facts(tracked, run)

    runs.set_params_if_absent(database, JOB, {"depth": 3, "long": "y" * 7_000, "empty": ""})
    for key, value in (("depth", 3), ("long", "y" * 7_000), ("empty", "")):
        client.log_param(run, key, value)
    runs.set_tags(database, JOB, {"colour": "blue", "new": 7, "long": "x" * 9_000, "mlflow.runName": "Another fox"})
    for key, tag in (("colour", "blue"), ("new", "7"), ("long", "x" * 9_000), ("mlflow.runName", "Another fox")):
        client.set_tag(run, key, tag)
    assert facts(tracked, JOB) == facts(tracked, run)

    for status in ("FINISHED", "FAILED", "KILLED"):
        runs.finish_run(database, JOB, status, 1_700_000_100_000)
        client.set_terminated(run, status, 1_700_000_100_000)
        assert facts(tracked, JOB) == facts(tracked, run)


@pytest.mark.slow
def test_our_experiments_are_those_that_mlflow_makes(database: sqlite3.Connection, tracked: Layout) -> None:
    from mlflow import MlflowClient

    def facts_of(number: object) -> dict[str, object]:
        (row,) = rows(tracked, "SELECT * FROM experiments WHERE experiment_id = ?", number)
        changing = ("experiment_id", "name", "creation_time", "last_update_time", "artifact_location")
        return {key: value if key not in changing else value[0] for key, value in row.items()}

    client = MlflowClient(f"sqlite:///{tracked.mlflow_database}")
    theirs = client.create_experiment("theirs")
    ours = runs.ensure_experiment(database, tracked, "ours")
    assert facts_of(ours) == facts_of(int(theirs))
    assert runs.ensure_experiment(database, tracked, "theirs") == int(theirs)
    assert runs.ensure_experiment(database, tracked, "Default") == 0
    found = client.get_experiment_by_name("ours")
    assert found is not None
    assert found.artifact_location == (tracked.blobstore / "mlflow" / str(ours)).as_uri()
    client.delete_experiment(str(ours))
    assert runs.ensure_experiment(database, tracked, "ours") == ours
    assert client.get_experiment(str(ours)).lifecycle_stage == "active"


@pytest.mark.slow
def test_mlflow_reads_the_run_as_its_own(database: sqlite3.Connection, tracked: Layout) -> None:
    from mlflow import MlflowClient

    number = create(database, tracked, tags={"mlflow.note.content": "hello"}, params={"depth": 3})
    run = MlflowClient(f"sqlite:///{tracked.mlflow_database}").get_run(JOB)
    assert (run.info.run_id, run.info.run_name, run.info.experiment_id) == (JOB, "The fox", number)
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("RUNNING", 1_700_000_000_123, None)
    assert run.info.artifact_uri == tracked.artifacts(JOB).as_uri()
    assert run.data.params == {"depth": "3"}
    assert run.data.tags == {
        "mlflow.note.content": "hello",
        "mlflow.runName": "The fox",
        "mlflow.source.type": "JOB",
        "mlflow.user": "ann",
        "workbench.job": JOB,
    }


def test_making_a_run_twice_changes_nothing(database: sqlite3.Connection, tracked: Layout) -> None:
    first = create(database, tracked, tags={"colour": "red"}, params={"depth": 3})
    before = facts(tracked, JOB)
    runs.finish_run(database, JOB, "FINISHED", 5)
    assert create(database, tracked, display_name="Other", tags={"colour": "blue"}, params={"depth": 4}) == first
    after = facts(tracked, JOB)
    assert (after["tags"], after["params"]) == (before["tags"], before["params"])
    assert database.execute("SELECT status, end_time, name FROM runs").fetchone()[:] == ("FINISHED", 5, "The fox")


def test_a_scheduled_run_starts_once(database: sqlite3.Connection, tracked: Layout) -> None:
    create(database, tracked, status="SCHEDULED")
    runs.start_run(database, JOB, 77)
    assert database.execute("SELECT status, start_time FROM runs").fetchone()[:] == ("RUNNING", 77)
    runs.finish_run(database, JOB, "FAILED", 88)
    runs.start_run(database, JOB, 99)
    assert database.execute("SELECT status, start_time FROM runs").fetchone()[:] == ("FAILED", 77)


def test_params_of_the_script_win(database: sqlite3.Connection, tracked: Layout) -> None:
    create(database, tracked, params={"depth": "the script's"})
    runs.finish_run(database, JOB, "FINISHED", 5, params={"depth": "ours", "rate": 0.1}, tags={"cause": "completed"})
    assert runs.params(database, JOB) == {"depth": "the script's", "rate": "0.1"}
    assert runs.tags(database, JOB)["cause"] == "completed"


def test_existence(database: sqlite3.Connection, tracked: Layout, new_run: MakeRun) -> None:
    assert not runs.exists(database, JOB)
    new_run(JOB)
    assert runs.exists(database, JOB)
    assert runs.params(database, "unknown") == {}
