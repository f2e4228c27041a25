"""What every test has: a home of its own, and workspaces whose agents end with the test."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from engines.compute import leftovers
from store import jobs
from store import workspace as workspaces
from store.layout import Layout
from workbench.agent import start

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of a test run: the template of mlflow.db is made once."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session", autouse=True)
def home(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home and XDG folders of the tests' own; nothing of the user's is read or written."""
    folder = tmp_path_factory.mktemp("home")
    runtime = tmp_path_factory.mktemp("r")
    runtime.chmod(0o700)
    patch = pytest.MonkeyPatch()
    patch.setenv("HOME", str(folder))
    patch.setenv("XDG_DATA_HOME", str(folder / "data"))
    patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    patch.setenv("XDG_CACHE_HOME", str(shared_folder / "cache"))
    patch.setenv("XDG_RUNTIME_DIR", str(runtime))
    patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    patch.setenv("WORKBENCH_AGENT_IDLE_SECONDS", "20")
    patch.delenv("WORKBENCH_WORKSPACE", raising=False)
    for name in [name for name in os.environ if name.startswith("MLFLOW_") and name != "MLFLOW_DISABLE_TELEMETRY"]:
        patch.delenv(name)
    yield
    patch.undo()


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """A workspace; its agent, should a test start one, is stopped at the end."""
    found = Layout(tmp_path / "ws")
    workspaces.create(found, {"name": "ws"}, lambda _: None)
    yield found
    start.stop(found)
    end_processes(found)


def end_processes(found: Layout) -> None:
    """A test that failed in the middle leaves no process behind."""
    if not found.database.exists():
        return
    connection = sqlite3.connect(found.database)
    with closing(connection), suppress(sqlite3.DatabaseError):  # some tests damage it
        unfinished = f"SELECT token FROM job WHERE token IS NOT NULL AND status IN {jobs.UNFINISHED}"
        for (token,) in connection.execute(unfinished):
            leftovers.end(token)


Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(layout: Layout) -> Cli:
    """Run ``workbench ...`` as a process of its own, in a workspace of the test's own."""

    def run(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workbench.cli.main", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root), **(env or {})},
        )

    return run
