"""The MLflow run of every job, however the job ends: real jobs, read back from ``mlflow.db``."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from store import database, jobs
from store.layout import Layout
from store.tracking import runs
from tests.conftest import Cli


def write(folder: Path, command: str, more: str = "") -> Path:
    file = folder / "job.yml"
    file.write_text(f"command: {json.dumps(command)}\n{more}")
    return file


def run_of(layout: Layout, job: str) -> tuple[str, int, int]:
    """State, start and end of a job's run, the times in milliseconds."""
    with closing(runs.connect(layout)) as connection:
        found = connection.execute(
            "SELECT status, start_time, end_time FROM runs WHERE run_uuid = ?", (job,)
        ).fetchone()
    return tuple(found)


def test_a_run_begins_when_the_process_does(layout: Layout, tmp_path: Path, cli: Cli) -> None:
    assert cli("run", write(tmp_path, "true"), "--name", "quick").returncode == 0
    with closing(database.connect(layout.database)) as connection:
        job = jobs.get(connection, "quick")
    assert job.started_at is not None and job.ended_at is not None
    assert run_of(layout, "quick") == ("FINISHED", int(job.started_at * 1000), int(job.ended_at * 1000))


def test_a_job_cancelled_in_the_queue_has_a_run(layout: Layout, tmp_path: Path, cli: Cli) -> None:
    made = cli("compute", "create", "--name", "one", "--type", "amlcompute", "--max-instances", "1")
    assert made.returncode == 0, made.stderr
    file = write(tmp_path, "sleep 60", "compute: azureml:one\ninputs: {rate: 0.5}\n")
    for name in ("first", "second"):
        assert cli("run", file, "--detach", "--name", name).returncode == 0
    for name in ("second", "first"):
        assert cli("job", "cancel", name).returncode == 0
        cli("job", "stream", name)
    assert run_of(layout, "second")[0] == "KILLED"
    with closing(runs.connect(layout)) as connection:
        assert runs.tags(connection, "second")["workbench.cause"] == "canceled"
        assert runs.params(connection, "second") == {"rate": "0.5"}


def test_outputs_that_cannot_be_kept_end_the_run_too(layout: Layout, tmp_path: Path, cli: Cli) -> None:
    place = layout.artifacts("lost").parent
    ran = cli("run", write(tmp_path, f"echo x > outputs/x; rm -rf '{place}'; touch '{place}'"), "--name", "lost")
    assert ran.returncode == 1
    assert "Its outputs could not be collected" in ran.stderr
    assert run_of(layout, "lost")[0] == "FAILED"
    shown = json.loads(cli("job", "show", "lost").stdout)
    assert (shown["cause"]["code"], shown["exit_code"]) == ("collection_failed", 0)


def test_a_database_that_is_moved_away_is_made_again(layout: Layout, tmp_path: Path, cli: Cli) -> None:
    line = '{"r":"mover","k":"acc","v":0.5,"t":1,"s":0}'
    journal = layout.job("mover").journal
    command = f"echo '{line}' >> '{journal}'; rm -f '{layout.mlflow_database}'*"
    assert cli("run", write(tmp_path, command), "--name", "mover").returncode == 0
    assert run_of(layout, "mover")[0] == "FINISHED"
    assert json.loads(cli("job", "show", "mover", "--query", "metrics").stdout)["acc"] == 0.5
    for path in layout.root.glob("mlflow.db*"):
        path.unlink()
    assert cli("run", write(tmp_path, "true"), "--name", "after").returncode == 0
    assert run_of(layout, "after")[0] == "FINISHED"
