"""A client whose agent does not begin says so, and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from store import database, jobs
from store.layout import Layout
from tests.conftest import ROOT, Cli
from workbench.agent import start

BROKEN = """
import sys
if "workbench.agent" in sys.orig_argv:
    raise SystemExit("broken on purpose")
"""


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
def test_agents_that_begin_and_end_again_are_not_waited_for_without_end(layout: Layout, cli: Cli) -> None:
    """Each takes its lock, comes upon a row that it cannot read, and is gone."""
    with closing(database.connect(layout.database)) as connection:
        jobs.submit(connection, jobs.NewJob({"command": "true"}, {}, "local", name="unreadable"))
        with database.write(connection):
            connection.execute("UPDATE job SET document = '{' WHERE name = 'unreadable'")
    done = cli("run", ROOT / "examples/hello/job.yml", "--name", "hello")
    assert done.returncode == 1
    assert "error: no agent stays alive; the job is accepted and waits for one" in done.stderr
    assert "JSONDecodeError" in done.stderr, "the end of its log"
    assert done.stderr.endswith("workbench job stream hello\n")
    with closing(database.connect(layout.database)) as connection, database.write(connection):
        connection.execute("UPDATE job SET document = '{\"command\": \"true\"}' WHERE name = 'unreadable'")
    assert cli("job", "stream", "hello").stdout == "hello, world\n"
