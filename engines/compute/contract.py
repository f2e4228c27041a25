"""The tests that every compute engine has to pass.

A package that brings an engine runs them by deriving from the class, in a test module of its own:

    class TestMyEngine(EngineContract):
        @pytest.fixture
        def engine(self) -> Engine:
            return MyEngine()

``pytest.register_assert_rewrite("engines.compute.contract")`` before the import makes failures tell more. Tasks run
``/bin/sh``. Paths are those of a shared file system; an engine that copies them overrides ``place``.
"""

# ruff: noqa: S101

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engines.compute.base import Engine, ExitRecord, Process, Task, TaskState

PATIENCE = 30.0
"""Seconds to wait for what takes a moment; only a broken engine takes as long."""


def wait_until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
    """Return as soon as the condition holds; fail the test if it does not come to hold."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with one attempt in it, and what tests do with that."""

    engine: Engine
    folder: Path

    @property
    def attempt(self) -> Path:
        return self.folder / "attempts" / "1"

    @property
    def log(self) -> Path:
        return self.folder / "user_logs" / "std_log.txt"

    def task(self, *commands: str, **fields: Any) -> Task:
        """A task of as many processes as there are commands."""
        logs = (
            [self.log] if len(commands) == 1 else [self.log.with_name(f"{rank}.txt") for rank in range(len(commands))]
        )
        processes = [
            Process(["/bin/sh", "-c", command], {"RANK": str(rank)}, str(log))
            for rank, (command, log) in enumerate(zip(commands, logs, strict=True))
        ]
        made: dict[str, Any] = {"token": secrets.token_hex(16), "name": "job", "grace": 1.0, **fields}
        return Task(directory=str(self.folder), processes=tuple(processes), **made)

    def start(self, *commands: str, environment: dict[str, str] | None = None, **fields: Any) -> Task:
        """Start a task; returns it."""
        task = self.task(*commands, **fields)
        self.engine.start(self.attempt, task, {"PATH": os.defpath, **(environment or {})})
        return task

    def wait(self) -> ExitRecord:
        """The exit record, when there is one."""
        state = TaskState("not_started")

        def ended() -> bool:
            nonlocal state
            state = self.engine.poll(self.attempt)
            assert state.kind != "lost"
            return state.kind == "exited"

        wait_until(ended, "the exit record")
        assert state.record is not None
        return state.record

    def wait_for(self, name: str) -> Path:
        """A file in the folder, when it is there and has been written to."""
        path = self.folder / name
        wait_until(lambda: path.exists() and path.stat().st_size, f"{path} to be written")
        return path


class EngineContract:
    """Derive from it and override ``engine``."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError("a fixture `engine` that makes yours")

    @pytest.fixture
    def place(self, engine: Engine, tmp_path: Path) -> Place:
        return Place(engine, tmp_path)

    def test_a_task_that_succeeds(self, place: Place) -> None:
        task = place.start("echo to stdout; echo to stderr >&2; pwd; cat")
        record = place.wait()
        assert (record["outcome"], record["exit_code"], record["signal"]) == ("exited", 0, None)
        assert (record["token"], record["failed_process"]) == (task.token, None)
        assert place.log.read_text().splitlines() == ["to stdout", "to stderr", str(place.folder)]

    def test_a_task_that_fails(self, place: Place) -> None:
        place.start("exit 3")
        record = place.wait()
        assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("exited", 3, 0)

    def test_a_task_that_dies_of_a_signal(self, place: Place) -> None:
        place.start("kill -ABRT $$")
        record = place.wait()
        assert (record["outcome"], record["signal"]) == ("signaled", 6)

    def test_what_a_task_used_is_recorded(self, place: Place) -> None:
        before = time.time()
        place.start("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
        record = place.wait()
        assert before <= record["started_at"] <= record["ended_at"] <= time.time()
        assert 0 < record["cpu_seconds"] <= record["wall_seconds"] + 1
        assert record["peak_memory_bytes"] > 100_000

    def test_the_environment_reaches_the_task_and_no_file(self, place: Place) -> None:
        task = place.start('echo "$SECRET $RANK $WORKBENCH_TOKEN"', environment={"SECRET": "xyzzy-plugh"})
        place.wait()
        assert place.log.read_text() == f"xyzzy-plugh 0 {task.token}\n"
        for path in place.attempt.rglob("*"):
            assert b"xyzzy-plugh" not in path.read_bytes(), path

    def test_a_program_that_is_not_there(self, place: Place) -> None:
        task = place.task("true")
        missing = Process(["/no/such/program"], {}, task.processes[0].log)
        place.engine.start(place.attempt, Task(task.token, "job", task.directory, (missing,)), {})
        record = place.wait()
        assert record["outcome"] == "spawn_failed"
        assert record["message"] is not None
        assert "/no/such/program" in record["message"]

    def test_the_time_limit(self, place: Place) -> None:
        place.start("trap 'echo asked; exit 0' TERM; while :; do sleep 0.1; done", time_limit=0.3)
        record = place.wait()
        assert record["outcome"] == "timeout"
        assert "asked" in place.log.read_text().splitlines()

    def test_the_time_limit_is_enforced(self, place: Place) -> None:
        place.start("trap '' TERM; while :; do sleep 0.1; done", time_limit=0.2, grace=0.3)
        record = place.wait()
        assert (record["outcome"], record["signal"]) == ("timeout", 9)

    def test_poll_tells_how_far_it_is(self, place: Place) -> None:
        assert place.engine.poll(place.attempt) == TaskState("not_started")
        os.mkfifo(place.folder / "go")
        place.start("echo here > begun; read line < go")
        place.wait_for("begun")
        assert place.engine.poll(place.attempt) == TaskState("running")
        (place.folder / "go").write_text("go\n")
        assert place.wait()["exit_code"] == 0

    def test_cancel(self, place: Place) -> None:
        place.start("trap 'echo asked; exit 0' TERM; echo here > begun; while :; do sleep 0.1; done")
        place.wait_for("begun")
        place.engine.cancel(place.attempt)
        assert place.wait()["outcome"] == "canceled"
        assert "asked" in place.log.read_text().splitlines()

    def test_kill(self, place: Place) -> None:
        place.start("trap '' TERM; echo here > begun; while :; do sleep 0.1; done", grace=3600.0)
        place.wait_for("begun")
        place.engine.kill(place.attempt)
        record = place.wait()
        assert (record["outcome"], record["signal"]) == ("canceled", 9)

    def test_kill_after_a_cancel_that_was_not_heeded(self, place: Place) -> None:
        place.start("trap 'echo asked > asked' TERM; echo > begun; while :; do sleep 0.1; done", grace=3600.0)
        place.wait_for("begun")
        place.engine.cancel(place.attempt)
        place.wait_for("asked")
        place.engine.kill(place.attempt)
        record = place.wait()
        assert (record["outcome"], record["signal"]) == ("canceled", 9)

    def test_cancelled_before_it_started_it_never_runs(self, place: Place) -> None:
        place.engine.cancel(place.attempt)
        place.start("echo > begun")
        record = place.wait()
        assert (record["outcome"], record["exit_code"]) == ("canceled", None)
        assert not (place.folder / "begun").exists()

    def test_started_twice_it_runs_once(self, place: Place) -> None:
        os.mkfifo(place.folder / "go")
        task = place.start("echo run >> runs; read line < go")
        place.engine.start(place.attempt, task, {"PATH": os.defpath})
        place.wait_for("runs")
        (place.folder / "go").write_text("go\n")
        place.wait()
        place.engine.start(place.attempt, task, {"PATH": os.defpath})
        assert place.engine.poll(place.attempt).kind == "exited"
        assert (place.folder / "runs").read_text() == "run\n"

    def test_revoked_it_never_runs(self, place: Place) -> None:
        assert place.engine.revoke(place.attempt)
        place.start("echo > begun")
        assert place.engine.revoke(place.attempt), "revoking twice is revoking"
        assert place.engine.poll(place.attempt).kind == "not_started"
        assert not (place.folder / "begun").exists()

    def test_what_runs_or_ran_is_not_revoked(self, place: Place) -> None:
        os.mkfifo(place.folder / "go")
        place.start("echo > begun; read line < go")
        place.wait_for("begun")
        assert not place.engine.revoke(place.attempt)
        (place.folder / "go").write_text("go\n")
        assert place.wait()["exit_code"] == 0
        assert not place.engine.revoke(place.attempt)

    def test_nothing_outlives_its_task(self, place: Place) -> None:
        place.start("(trap '' HUP; exec sleep 1000) & echo $! > left; exit 0")
        place.wait()
        pid = int(place.wait_for("left").read_text())
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    @pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="without /proc nobody can be found")
    def test_what_a_lost_supervisor_left_is_ended(self, place: Place) -> None:
        task = place.start("echo $$ $PPID > pids; exec sleep 1000")
        main, shim = map(int, place.wait_for("pids").read_text().split())
        os.kill(shim, signal.SIGKILL)
        wait_until(lambda: place.engine.poll(place.attempt).kind == "lost", "the loss to be noticed")
        assert place.engine.kill_leftovers(task.token) == [main]
        assert place.engine.kill_leftovers(task.token) == []

    def test_the_first_failure_ends_the_others(self, place: Place) -> None:
        os.mkfifo(place.folder / "go")
        place.start("sleep 1000", "read line < go; exit 4", "sleep 1000")
        (place.folder / "go").write_text("go\n")
        record = place.wait()
        assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("exited", 4, 1)

    def test_capacity(self, engine: Engine) -> None:
        assert engine.capacity({"name": "pool", "type": "amlcompute", "max_instances": 3}) == 3
