"""``workbench experiment``, ``runs`` and ``mlflow``, as a user calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing

import pytest

from store.layout import Layout
from store.tracking import runs
from workbench.cli.runs import metrics_in_short, metrics_named

TITLES = {"job_2": "a wider net"}
"""Display names that are not the job's name."""

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def with_runs(layout: Layout) -> Layout:
    """A workspace with three runs in two experiments."""
    with closing(runs.connect(layout)) as connection:
        for number, experiment in enumerate(("apples", "apples", "pears")):
            job = f"job_{number}"
            runs.create_run(
                connection,
                layout,
                job=job,
                experiment=experiment,
                display_name=TITLES.get(job, job),
                user="ann",
                start_ms=number + 1,
            )
            connection.execute("INSERT INTO latest_metrics VALUES ('acc', ?, 1, 1, 0, ?)", (number * 0.4, job))
    return layout


def test_experiment_list_and_show(with_runs: Layout, cli: Cli) -> None:
    found = json.loads(cli("experiment", "list", "-o", "json").stdout)
    assert {each["name"]: each["runs"] for each in found} == {"apples": 2, "pears": 1, "Default": 0}
    table = cli("experiment", "list", "-o", "table").stdout
    assert "apples" in table
    assert "last run" in table
    shown = json.loads(cli("experiment", "show", "apples", "-o", "json").stdout)
    assert shown["runs_by_status"] == {"Running": 2}
    missing = cli("experiment", "show", "aples")
    assert missing.returncode == 3
    assert "Did you mean 'apples'?" in missing.stderr


def test_without_a_workspace(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> None:
    nowhere = str(tmp_path_factory.mktemp("empty") / "ws")
    listed = cli("experiment", "list", "-w", nowhere, "-o", "json")
    assert (listed.returncode, json.loads(listed.stdout)) == (0, [])
    assert cli("experiment", "show", "apples", "-w", nowhere).returncode == 3
    assert cli("runs", "search", "", "-w", nowhere).returncode == 3
    assert not os.path.exists(nowhere)


def test_a_search_shows_the_metrics_that_it_asks_about() -> None:
    row = {"metrics": {"a": 1.0, "acc": 0.9, "loss of all": 2.0, "system/cpu": 3.0}}

    def shown(*asked: str) -> str:
        return metrics_in_short(row, metrics_named(asked))

    assert shown("metrics.acc > 0.5 AND params.a = '1'", "metrics.`loss of all` DESC") == "acc=0.9\nloss of all=2"
    assert shown("params.a = '1'") == shown("metrics.none > 1") == "a=1\nacc=0.9\nloss of all=2"


@pytest.mark.slow
def test_runs_search(with_runs: Layout, cli: Cli) -> None:
    found = json.loads(cli("runs", "search", "metrics.acc > 0.3", "-o", "json").stdout)
    assert [each["name"] for each in found] == ["job_2", "job_1"]
    found = json.loads(cli("runs", "search", "metrics.acc > 0.3", "--experiment", "apples", "-o", "json").stdout)
    assert [each["name"] for each in found] == ["job_1"]
    table = cli("runs", "search", "--all", "--order-by", "metrics.acc", "-o", "table").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["name", "job_0", "job_1", "job_2"]
    assert table[-1].startswith("job_2 (a wider net)")
    assert table[-1].endswith("acc=0.8")
    assert cli("runs", "search", "--all", "--experiment", "apples").returncode == 2
    bad = cli("runs", "search", "acc >> 1")
    assert bad.returncode == 2
    assert "cannot be read" in bad.stderr
    assert cli("runs", "search", "", "--experiment", "plums").returncode == 3


@pytest.mark.slow
def test_a_script_of_one_s_own_works_against_the_printed_address(with_runs: Layout, cli: Cli) -> None:
    address = cli("mlflow", "uri").stdout.strip()
    assert address == f"sqlite:///{with_runs.mlflow_database}"
    code = (
        "import mlflow;"
        "print(sorted(mlflow.search_runs(search_all_experiments=True)['run_id']));"
        "print(list(mlflow.search_runs(experiment_names=['pears'])['metrics.acc']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"MLFLOW_TRACKING_URI": address},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "['job_0', 'job_1', 'job_2']\n[0.8]\n"
