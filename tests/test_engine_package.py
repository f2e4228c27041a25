"""A package of somebody else's brings a type of compute: its document, its engine, and jobs that run there."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from engines.environments.definition import CURRENT, Definition
from store import computes, database, jobs
from store.layout import Layout
from tests.conftest import Cli

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


def install(site: Path) -> None:
    info = site / "closet-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: closet\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
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
