"""Workspaces of which only the tracking part is there, and processes that log as a job's would."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tracked_jobs import MakeRun, RunJob, StartJob, job_environment, make_run

from store.layout import Layout
from store.tracking import runs
from store.tracking.template import ensure_mlflow_database


@pytest.fixture
def tracked(tmp_path: Path) -> Layout:
    """A workspace with an ``mlflow.db`` and nothing else."""
    layout = Layout(tmp_path / "a workspace, 100%")
    layout.jobs.mkdir(parents=True)
    ensure_mlflow_database(layout, lambda _: None)
    return layout


@pytest.fixture
def database(tracked: Layout) -> Iterator[sqlite3.Connection]:
    """A connection to the workspace's ``mlflow.db``, as the agent has one."""
    with closing(runs.connect(tracked)) as connection:
        yield connection


@pytest.fixture
def new_run(tracked: Layout) -> MakeRun:
    """Make a run in the workspace: ``new_run("name")`` is its journal's path."""
    return lambda job, experiment="exp": make_run(tracked, job, experiment)


@pytest.fixture
def start_job(tracked: Layout, new_run: MakeRun) -> Iterator[StartJob]:
    """Start a script as a job's process: ``start_job("name", "import mlflow ...", "argument")``."""
    started: list[subprocess.Popen[str]] = []

    def start(job: str, script: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        if not tracked.job(job).root.exists():
            new_run(job)
        process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            env=job_environment(tracked, job) | variables,
            cwd=tracked.job(job).root,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run_job(start_job: StartJob) -> RunJob:
    """Run a script as a job's process to its end; returns what it printed."""

    def run(job: str, script: str, *arguments: str, **variables: str) -> str:
        process = start_job(job, script, *arguments, **variables)
        printed, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        return printed

    return run
