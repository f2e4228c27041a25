"""Searching runs in MLflow's filter language."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from tracked_jobs import MakeRun

from store.errors import NotFoundError, UsageError
from store.layout import Layout
from store.tracking import runs
from store.tracking import search as module
from store.tracking.search import search_runs

pytestmark = pytest.mark.slow  # MLflow's import alone takes a second


@pytest.fixture
def searched(database: sqlite3.Connection, tracked: Layout, new_run: MakeRun) -> Layout:
    """Four runs in two experiments with accuracies 0.0, 0.3, 0.6 and 0.9."""
    for number in range(4):
        job = f"job_{number}"
        new_run(job, "apples" if number % 2 else "pears")
        runs.set_params_if_absent(database, job, {"depth": number})
        database.execute("INSERT INTO latest_metrics VALUES ('acc', ?, 1, 1, 0, ?)", (number * 0.3, job))
        database.execute("UPDATE runs SET start_time = ? WHERE run_uuid = ?", (number, job))
    runs.finish_run(database, "job_3", "FINISHED", 99)
    return tracked


def names(found: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in found]


def test_all_experiments_unless_one_is_named(searched: Layout) -> None:
    assert names(search_runs(searched)) == ["job_3", "job_2", "job_1", "job_0"]
    assert names(search_runs(searched, "metrics.acc > 0.5")) == ["job_3", "job_2"]
    assert names(search_runs(searched, "metrics.acc > 0.5", experiments=["apples"])) == ["job_3"]
    assert names(search_runs(searched, "params.depth = '2'")) == ["job_2"]
    assert names(search_runs(searched, "attributes.status = 'FINISHED'")) == ["job_3"]
    assert names(search_runs(searched, "status = 'Completed' and metrics.acc > 0.5")) == ["job_3"]
    assert names(search_runs(searched, "attributes.status != 'completed' and metrics.acc > 0.5")) == ["job_2"]
    assert names(search_runs(searched, "params.status = 'Completed'")) == []
    with pytest.raises(UsageError, match="asks for a status that no run has: 'Done'"):
        search_runs(searched, "status = 'Done'")
    assert names(search_runs(searched, order_by=["metrics.acc ASC"], max_results=2)) == ["job_0", "job_1"]


def test_a_document_is_flat_with_the_dialect_s_words(searched: Layout) -> None:
    (found,) = search_runs(searched, "attributes.run_id = 'job_3'")
    tags = found.pop("tags")
    assert tags["workbench.job"] == "job_3"
    assert found == {
        "name": "job_3",
        "display_name": "job_3",
        "experiment_name": "apples",
        "status": "Completed",
        "start_time": "1970-01-01T00:00:00.003Z",
        "end_time": "1970-01-01T00:00:00.099Z",
        "metrics": {"acc": pytest.approx(0.9)},
        "params": {"depth": "3"},
    }


def test_more_than_a_page(searched: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 1)
    assert len(search_runs(searched)) == 4
    assert len(search_runs(searched, max_results=3)) == 3


def test_what_cannot_be_read_or_found_is_said(searched: Layout) -> None:
    with pytest.raises(UsageError, match=r"the filter 'acc >> 1' cannot be read: "):
        search_runs(searched, "acc >> 1")
    with pytest.raises(UsageError, match=r"the order 'nonsense' cannot be read"):
        search_runs(searched, "metrics.acc > 0", order_by=["nonsense"])
    with pytest.raises(UsageError, match=r"the filter 'acc >> 1' cannot be read"):
        search_runs(searched, "acc >> 1", order_by=["metrics.acc"])
    with pytest.raises(UsageError, match="there is no attribute 'acc'; there are Created, Run Name") as refused:
        search_runs(searched, "acc > 1")
    assert refused.value.hint is not None and "metrics.acc" in refused.value.hint
    with pytest.raises(UsageError) as refused:
        search_runs(searched, "metrics.acc > 1 or metrics.acc < 0")
    assert refused.value.hint == "The language has no `or`: search once for each side."
    with pytest.raises(NotFoundError, match="there is no experiment 'plums'"):
        search_runs(searched, experiments=["plums"])
