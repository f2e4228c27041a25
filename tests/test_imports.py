"""Nobody imports what they do not need: what is heavy stays off the paths where a user waits."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from store import database, jobs
from store.layout import Layout
from tests.conftest import ROOT, Cli
from workbench.agent import lock

HEAVY = frozenset("pandas numpy sklearn lightgbm mlflow sqlalchemy sqlmodel alembic textual optuna fsspec".split())


def imported(trace: str) -> set[str]:
    """The packages that ``python -X importtime`` tells of."""
    return {found.partition(".")[0] for found in re.findall(r"^import time:.*\|\s+([\w.]+)$", trace, re.MULTILINE)}


@pytest.fixture
def hello(cli: Cli) -> str:
    """The name of a job that has run; by then there is a workspace and an agent."""
    done = cli("run", ROOT / "examples" / "hello" / "job.yml", "--name", "hello")
    assert done.returncode == 0, done.stderr
    return "hello"


def trace(layout: Layout, *arguments: str) -> str:
    """What a command imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "workbench.cli.main", *arguments],
        env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_trace_of_imports_is_read() -> None:
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", "import numpy"], capture_output=True, text=True)
    assert imported(done.stderr) & HEAVY == {"numpy"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["run", str(ROOT / "examples" / "hello" / "job.yml")],
        ["run", str(ROOT / "examples" / "hello" / "job.yml"), "--detach"],
        ["job", "create", "-f", str(ROOT / "examples" / "hello" / "job.yml")],
        ["job", "validate", str(ROOT / "examples" / "hello" / "job.yml")],
        ["job", "list"],
        ["job", "list", "-o", "table"],
        ["job", "show", "hello"],
        ["job", "stream", "hello"],
        ["job", "explain", "hello"],
        ["job", "rerun", "hello"],
        ["compute", "list"],
        ["environment", "list"],
        ["experiment", "list"],
        ["workspace", "show"],
        ["agent", "status"],
        ["cache", "list"],
        ["secret", "list"],
        ["mlflow", "uri"],
        ["completion", "bash"],
    ],
    ids=lambda arguments: " ".join(Path(each).name for each in arguments),
)
def test_commands_import_nothing_heavy(hello: str, layout: Layout, arguments: list[str]) -> None:
    assert imported(trace(layout, *arguments)) & HEAVY == set()


def test_help_imports_no_more_than_the_list_of_commands(layout: Layout) -> None:
    also = {"yaml", "pydantic", "rich", "jmespath", "packaging", "subprocess", "engines"}
    assert imported(trace(layout, "--help")) & (HEAVY | also) == set()


def test_the_agent_imports_nothing_heavy(layout: Layout, cli: Cli) -> None:
    """A job from its submission to its end, with the agent's own imports told by Python itself."""
    log = layout.run / "imports.log"
    with log.open("wb") as stream:
        agent = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-P", "-m", "workbench.agent", str(layout.root)],
            stderr=stream,
            start_new_session=True,
        )
    try:
        while (holder := lock.holder(layout)) is None:
            assert agent.poll() is None, log.read_text()
        assert holder.pid == agent.pid
        done = cli("run", ROOT / "examples" / "hello" / "job.yml", "--name", "hello")
        assert done.returncode == 0, done.stderr
        assert jobs.get(database.connect(layout.database), "hello").status == "Completed"
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait(30)
    found = imported(log.read_text())
    assert "workbench" in found
    assert found & HEAVY == set()
