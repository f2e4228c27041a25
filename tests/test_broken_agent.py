"""A client whose agent does not begin says so, and loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from engines.compute import leftovers
from store import database, jobs
from store.layout import Layout
from tests.conftest import ROOT, Cli
from tests.test_agent_start import wait_for
from workbench.agent import start

BROKEN = """
import sys
if "workbench.agent" in sys.orig_argv:
    raise SystemExit("broken on purpose")
"""
DEAF = """
import sys
def hook(event, arguments):
    if event == "socket.bind" and "workbench.agent" in sys.orig_argv:
        raise RuntimeError("deaf on purpose")
sys.addaudithook(hook)
"""


def damaged(layout: Layout, statement: str) -> None:
    with closing(database.connect(layout.database)) as connection, database.write(connection):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("column", "content"), [("document", "{"), ("document", "[]"), ("source", "\xff"), ("environment", "1")]
)
def test_a_job_whose_row_cannot_be_read_fails_and_stops_no_other(
    layout: Layout, cli: Cli, column: str, content: str
) -> None:
    with closing(database.connect(layout.database)) as connection:
        jobs.submit(connection, jobs.NewJob({"command": "true"}, {}, "local", name="unreadable"))
        with database.write(connection):
            connection.execute(f"UPDATE job SET {column} = ? WHERE name = 'unreadable'", (content,))
    assert cli("run", ROOT / "examples/hello/job.yml").stdout == "hello, world\n"
    with closing(database.connect(layout.database)) as connection:
        status, cause = connection.execute("SELECT status, cause FROM job WHERE name = 'unreadable'").fetchone()
    assert status == "Failed"
    assert json.loads(cause)["code"] == "unreadable"
    assert f"cannot be read: its {column} is no JSON object" in json.loads(cause)["message"]


def test_a_running_job_whose_row_can_no_longer_be_read_ends_with_its_processes(
    layout: Layout, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "job.yml").write_text(f"command: touch {tmp_path / 'on'}; sleep 600")
    cli("run", tmp_path / "job.yml", "--name", "long", "--detach")
    wait_for((tmp_path / "on").exists)
    start.stop(layout)
    damaged(layout, "UPDATE job SET outputs = '{' WHERE name = 'long'")
    assert cli("run", ROOT / "examples/hello/job.yml").stdout == "hello, world\n"
    with closing(database.connect(layout.database)) as connection:
        status, token, outputs = connection.execute(
            "SELECT status, token, outputs FROM job WHERE name = 'long'"
        ).fetchone()
    assert (status, leftovers.find(token), outputs) == ("Failed", [], "{")


def test_a_compute_whose_row_cannot_be_read_stops_no_other(layout: Layout, cli: Cli) -> None:
    cli("compute", "create", "--name", "pool", "--type", "amlcompute", "--max-instances", "2")
    damaged(layout, "UPDATE compute SET document = '{' WHERE name = 'pool'")
    assert cli("run", ROOT / "examples/hello/job.yml").stdout == "hello, world\n"
    assert "the row of compute 'pool' cannot be read" in cli("agent", "logs").stdout


@pytest.mark.slow
def test_an_agent_that_does_not_begin_is_said_while_the_job_waits(layout: Layout, tmp_path: Path) -> None:
    """The job runs as soon as an agent can."""
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    command = [sys.executable, "-m", "workbench.cli.main", "run", ROOT / "examples/hello/job.yml", "--name", "hello"]
    variables = os.environ | {"WORKBENCH_WORKSPACE": str(layout.root), "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
        assert client.stderr is not None
        assert client.stdout is not None
        assert client.stderr.readline() == "job hello\n"
        told = client.stderr.readline()
        assert "workbench agent logs" in told
        assert "broken on purpose" in "".join(client.stderr.readline() for _ in range(6))
        assert "broken on purpose" in layout.agent_log.read_text()
        start.wake(layout)
        assert client.stdout.read() == "hello, world\n"
        assert client.wait(20) == 0
    assert jobs.get(database.connect(layout.database), "hello").status == "Completed"


@pytest.mark.slow
def test_agents_that_begin_and_end_again_are_not_waited_for_without_end(
    layout: Layout, cli: Cli, tmp_path: Path
) -> None:
    """Each takes its lock, may not listen, and is gone."""
    (tmp_path / "sitecustomize.py").write_text(DEAF)
    done = cli("run", ROOT / "examples/hello/job.yml", "--name", "hello", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "error: no agent stays alive; the job is accepted and waits for one" in done.stderr
    assert "RuntimeError: deaf on purpose" in done.stderr, "the end of its log"
    assert done.stderr.endswith("workbench job stream hello\n")
    assert cli("job", "stream", "hello").stdout == "hello, world\n"
