"""Experiments as documents."""

from __future__ import annotations

import sqlite3

import pytest
from tracked_jobs import MakeRun

from store.errors import NotFoundError
from store.layout import Layout
from store.tracking import runs
from store.tracking.experiments import list_experiments, show_experiment


def test_the_one_with_the_latest_run_comes_first(
    database: sqlite3.Connection, tracked: Layout, new_run: MakeRun
) -> None:
    new_run("job_1", "apples")
    new_run("job_2", "pears")
    new_run("job_3", "pears")
    database.execute("UPDATE runs SET start_time = 4000000000000 WHERE run_uuid = 'job_1'")
    found = list_experiments(database)
    assert [(each["name"], each["runs"]) for each in found] == [("apples", 1), ("pears", 2), ("Default", 0)]
    assert found[0] == {
        "name": "apples",
        "experiment_id": "1",
        "runs": 1,
        "last_run_time": "2096-10-02T07:06:40.000Z",
        "creation_time": found[0]["creation_time"],
        "last_update_time": found[0]["creation_time"],
        "archived": False,
        "artifact_location": (tracked.blobstore / "mlflow" / "1").as_uri(),
    }


def test_deleted_ones_are_shown_when_asked_for(database: sqlite3.Connection, new_run: MakeRun) -> None:
    new_run("job_1", "apples")
    database.execute("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'apples'")
    assert [each["name"] for each in list_experiments(database)] == ["Default"]
    assert [(each["name"], each["archived"]) for each in list_experiments(database, deleted=True)] == [
        ("apples", True),
        ("Default", False),
    ]


def test_one_by_name_or_number(database: sqlite3.Connection, new_run: MakeRun) -> None:
    for number in range(3):
        new_run(f"job_{number}", "apples")
    runs.finish_run(database, "job_0", "FINISHED", 5)
    runs.finish_run(database, "job_1", "KILLED", 5)
    database.execute("INSERT INTO experiment_tags VALUES ('colour', 'red', 1)")
    found = show_experiment(database, "apples")
    assert found["runs_by_status"] == {"Completed": 1, "Canceled": 1, "Running": 1}
    assert found["tags"] == {"colour": "red"}
    assert show_experiment(database, "1") == found
    assert show_experiment(database, "0")["name"] == "Default"


def test_an_unknown_one_is_answered_with_the_nearest(database: sqlite3.Connection, new_run: MakeRun) -> None:
    new_run("job_1", "apples")
    with pytest.raises(NotFoundError, match="Did you mean 'apples'"):
        show_experiment(database, "aples")
    with pytest.raises(NotFoundError, match="workbench experiment list"):
        show_experiment(database, "zzz")
