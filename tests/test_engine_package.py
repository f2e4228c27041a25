"""A package of somebody else's brings a type of compute: its document, its engine, and jobs that run there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engines.compute import leftovers
from engines.compute.process_identity import ProcessIdentity
from engines.environments.definition import CURRENT, Definition
from store import computes, database, jobs
from store.layout import Layout
from tests.conftest import Cli
from workbench.agent import start

PACKAGE = """
import os
from typing import Literal

from pydantic import Field

from engines.compute.local import LocalEngine
from store.specs.spec import Spec


class ClosetCompute(Spec):
    name: str
    type: Literal["closet"]
    shelves: int = Field(description="How many jobs fit in.")


class ClosetEngine(LocalEngine):
    def start(self, attempt, task, environment):
        super().start(attempt, task, {**environment, "SEEN_BY": "closet"})

    def capacity(self, compute):
        return compute["shelves"]
"""
ENTRY_POINTS = """
[workbench.compute]
closet = closet:ClosetEngine

[workbench.documents]
compute.closet = closet:ClosetCompute
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for packages, into which commands and the agent look."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def install(site: Path, declared: str = ENTRY_POINTS) -> None:
    info = site / "closet-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: closet\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(declared)
    (site / "closet.py").write_text(PACKAGE)


def document(folder: Path, text: str) -> Path:
    file = folder / "document.yml"
    file.write_text(text)
    return file


def test_a_job_runs_there_though_the_agent_is_older_than_the_package(cli: Cli, tmp_path: Path, site: Path) -> None:
    assert cli("run", document(tmp_path, "command: echo here")).stdout == "here\n"
    install(site)
    made = cli("compute", "create", "-f", document(tmp_path, "{name: hall, type: closet, shelves: 2}"))
    assert json.loads(made.stdout)["slots"] == 2, made.stderr
    job = document(tmp_path, "{command: echo seen by $SEEN_BY, compute: hall, resources: {instance_count: 2}}")
    done = cli("run", job)
    assert (done.stdout, done.returncode) == ("seen by closet\n", 0), done.stderr
    wide = cli("run", job, "--set", "resources.instance_count=3")
    assert "instance_count 3 is more than the compute 'hall' has: 2" in wide.stderr


def test_its_documents_are_checked_like_all_others(cli: Cli, tmp_path: Path, site: Path) -> None:
    install(site)
    file = document(tmp_path, "name: hall\ntype: closet\nshelfs: 2\n")
    done = cli("compute", "create", "-f", file)
    assert done.returncode == 2
    assert f"{file}:3:1: " in done.stderr
    assert "did you mean 'shelves'?" in done.stderr
    assert "compute.closet" in cli("schema").stdout.split()
    assert "shelves" in json.loads(cli("schema", "compute.closet").stdout)["properties"]
    unknown = cli("compute", "create", "-f", document(tmp_path, "{name: hall, type: closset}"))
    assert "did you mean 'closet'?" in unknown.stderr


def test_without_the_package_its_computes_say_so_and_the_others_work(cli: Cli, tmp_path: Path, site: Path) -> None:
    install(site)
    assert cli("compute", "create", "-f", document(tmp_path, "{name: hall, type: closet, shelves: 2}")).returncode == 0
    shutil.rmtree(site)
    hall, local = json.loads(cli("compute", "list").stdout)
    assert (local["name"], local["provisioning_state"]) == ("local", "Succeeded")
    assert hall["provisioning_state"] == "Failed"
    assert "no installed package runs jobs on computes of type 'closet'" in hall["provisioning_errors"]
    job = document(tmp_path, "command: echo here")
    assert cli("run", job).stdout == "here\n"
    refused = cli("run", job, "--set", "compute=hall")
    assert refused.returncode == 2
    assert "computes of type 'closet'; there are amlcompute, local" in refused.stderr


def test_a_job_waits_for_its_engine_and_holds_up_no_other(cli: Cli, layout: Layout, tmp_path: Path, site: Path) -> None:
    with closing(database.connect(layout.database)) as connection:
        computes.create(connection, {"name": "hall", "type": "closet", "shelves": 2}, slots=2)
        current = Definition(CURRENT, "").as_dict()
        jobs.submit(connection, jobs.NewJob({"command": "echo seen by $SEEN_BY"}, {}, "hall", current, name="waiting"))
    assert cli("run", document(tmp_path, "command: echo here")).stdout == "here\n"
    assert json.loads(cli("job", "show", "waiting").stdout)["status"] == "Queued"
    assert "compute hall: no installed package" in cli("agent", "logs").stdout
    install(site)
    done = cli("job", "stream", "waiting")
    assert (done.stdout, done.returncode) == ("seen by closet\n", 0), done.stderr


def submitted(layout: Layout, document: dict[str, str], name: str, compute: str = "local") -> None:
    with closing(database.connect(layout.database)) as connection:
        current = Definition(CURRENT, "").as_dict()
        jobs.submit(connection, jobs.NewJob(document, {}, compute, current, name=name))


def status(layout: Layout, name: str) -> str:
    with closing(database.connect(layout.database)) as connection:
        return jobs.get(connection, name).status


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_job_of_a_type_without_a_package_waits_says_so_and_can_be_cancelled(
    cli: Cli, layout: Layout, tmp_path: Path, site: Path
) -> None:
    submitted(layout, {"type": "sewing", "command": "echo sewn"}, "sewn")
    submitted(layout, {"type": "sewing", "command": "echo sewn"}, "torn")
    assert cli("run", document(tmp_path, "command: echo here")).stdout == "here\n"
    shown = json.loads(cli("job", "show", "sewn").stdout)
    assert shown["status"] == "NotStarted"
    assert "no installed package runs jobs of type 'sewing'; there are command" in shown["waits_for"]["message"]
    assert "workbench job cancel sewn" in shown["waits_for"]["hint"]
    people = cli("job", "show", "sewn", "-o", "table").stdout
    assert "runs jobs of type 'sewing'" in people and "Install the package" in people
    assert "waits: no installed package" in cli("job", "list", "-o", "table").stdout
    cli("job", "cancel", "torn")
    cli("job", "stream", "torn")
    assert (status(layout, "torn"), status(layout, "sewn")) == ("Canceled", "NotStarted")
    command = [sys.executable, "-m", "workbench.cli.main", "--workspace", str(layout.root), "job", "stream", "sewn"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None and watching.stderr is not None
        assert watching.stderr.readline().startswith("waits: no installed package runs jobs of type 'sewing'")
        install(site, "[workbench.jobs]\nsewing = engines.jobs.command:decide\n")
        assert watching.stdout.read() == "sewn\n"
    assert status(layout, "sewn") == "Completed"


def test_a_running_job_whose_engine_was_uninstalled_ends_when_it_is_cancelled(
    cli: Cli, layout: Layout, tmp_path: Path, site: Path
) -> None:
    install(site)
    with closing(database.connect(layout.database)) as connection:
        computes.create(connection, {"name": "hall", "type": "closet", "shelves": 2}, slots=2)
    submitted(layout, {"command": "trap 'echo kept > outputs/late' TERM; : > on; sleep 600 & wait"}, "left", "hall")
    start.ensure(layout)
    wait_for(lambda: (layout.job("left").working_copy / "on").exists())
    start.stop(layout)
    shutil.rmtree(site)
    with layout.job("left").journal.open("a") as journal:
        journal.write('{"r": "left", "k": "loss", "v": 0.5, "t": 1, "s": 0}\n')
    shown = json.loads(cli("job", "show", "left").stdout)
    assert (shown["status"], shown["waits_for"]["message"][:20]) == ("Running", "no installed package")
    assert cli("run", document(tmp_path, "command: echo here")).stdout == "here\n"
    assert status(layout, "left") == "Running"
    assert cli("job", "cancel", "left").returncode == 0
    cli("job", "stream", "left")
    with closing(database.connect(layout.database)) as connection:
        left = jobs.get(connection, "left")
    assert (left.status, leftovers.find(left.token or "")) == ("Canceled", [])
    assert (layout.artifacts("left") / "outputs" / "late").read_text() == "kept\n"
    with closing(sqlite3.connect(layout.mlflow_database)) as tracked:
        assert tracked.execute("SELECT value FROM metrics WHERE key = 'loss'").fetchall() == [(0.5,)]


def test_what_a_lost_job_left_is_brought_in_without_its_engine(
    cli: Cli, layout: Layout, tmp_path: Path, site: Path
) -> None:
    """Its supervisor was killed, and what it ran elsewhere cannot be reached."""
    install(site)
    with closing(database.connect(layout.database)) as connection:
        computes.create(connection, {"name": "hall", "type": "closet", "shelves": 2}, slots=2)
    submitted(layout, {"command": "echo kept > outputs/early; : > on; sleep 600"}, "left", "hall")
    start.ensure(layout)
    wait_for(lambda: (layout.job("left").working_copy / "on").exists())
    start.stop(layout)
    shutil.rmtree(site)
    owner = json.loads((layout.job("left").attempt(1) / "started").read_text())["pid"]
    os.kill(owner, signal.SIGKILL)
    wait_for(lambda: not ProcessIdentity.of(owner))
    cli("job", "cancel", "left")
    cli("job", "stream", "left")
    with closing(database.connect(layout.database)) as connection:
        left = jobs.get(connection, "left")
    assert (left.status, leftovers.find(left.token or "")) == ("Canceled", [])
    assert "cancelled while its package was missing or broken: no installed" in str(left.cause)
    assert (layout.artifacts("left") / "outputs" / "early").read_text() == "kept\n"


def test_a_broken_kind_of_job_stops_no_other(cli: Cli, layout: Layout, tmp_path: Path, site: Path) -> None:
    install(site, "[workbench.jobs]\nsewing = no_such_module:decide\n")
    submitted(layout, {"type": "sewing", "command": "echo sewn"}, "sewn")
    assert cli("run", document(tmp_path, "command: echo here")).stdout == "here\n"
    assert "cannot be loaded: ModuleNotFoundError" in json.loads(cli("job", "list").stdout)[1]["waits_for"]["message"]
    cli("job", "cancel", "sewn")
    cli("job", "stream", "sewn")
    assert status(layout, "sewn") == "Canceled"
