"""How an agent starts, and what it makes of a workspace that goes away or breaks under it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from engines.compute import attempt as attempts
from store import database, jobs
from store.errors import NotFoundError
from store.layout import Layout
from tests.conftest import Cli
from workbench.agent import lock, start
from workbench.agent.channel import Channel
from workbench.agent.version import VERSION


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What shows of a user's service manager and of a user who lingers; ``systemd-run`` is up to the test."""
    with tempfile.TemporaryDirectory(prefix="wb-") as name:  # its path is short, as that of a runtime folder
        folder = Path(name)
        for each in ("systemd", "bin", "linger"):
            (folder / each).mkdir()
        (folder / "systemd" / "private").touch()
        (folder / "linger" / start.user_name()).touch()
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
        yield folder


def started(folder: Path, systemd_run: str) -> str:
    """What a command prints that is started the way an agent is."""
    program = folder / "bin" / "systemd-run"
    program.write_text(f"#!/bin/sh\n{systemd_run}\n")
    program.chmod(0o700)
    command = [*start.scope(folder / "linger"), "sh", "-c", 'echo "$SCOPE $1"', "sh", "a 'b' $c"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_user_who_lingers_gets_a_scope(systemd: Path) -> None:
    assert started(systemd, 'while case $1 in -*) ;; *) false; esac; do shift; done; SCOPE=yes exec "$@"') == (
        "yes a 'b' $c\n"
    )


def test_an_agent_starts_where_the_service_manager_does_not_answer(systemd: Path) -> None:
    assert started(systemd, "echo 'Failed to connect to bus' >&2; exit 1") == " a 'b' $c\n"
    (systemd / "bin" / "systemd-run").unlink()
    assert started(systemd, "exit 127") == " a 'b' $c\n"


def test_a_user_who_does_not_linger_keeps_the_agent_in_the_session(systemd: Path) -> None:
    (systemd / "linger" / start.user_name()).unlink()
    assert start.scope(systemd / "linger") == []


def pending(pid: int) -> int:
    """The signals that wait for a process, a bit for each."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("ShdPnd:"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")
def test_stopping_reaches_the_agent_that_took_over_from_a_killed_one(layout: Layout) -> None:
    """The one before was asked to leave, and its end did not come of that."""
    mine = lock.AgentLock(layout)
    assert mine.acquire(VERSION)
    with subprocess.Popen(["sleep", "600"]) as killed, subprocess.Popen(["sleep", "600"]) as next_one:
        killed.send_signal(signal.SIGSTOP)
        mine.write(json.dumps(asdict(lock.AgentFacts(killed.pid, VERSION, 1.0))))
        with ThreadPoolExecutor() as pool:
            stopped = pool.submit(start.stop, layout)
            try:
                wait_for(lambda: pending(killed.pid) & 1 << signal.SIGTERM - 1)
                mine.write(json.dumps(asdict(lock.AgentFacts(next_one.pid, VERSION, 2.0))))
                assert next_one.wait(20) == -signal.SIGTERM
            finally:
                killed.kill()
                next_one.kill()
                mine.release()
            assert stopped.result()


def test_an_agent_that_was_just_killed_is_not_taken_for_alive(layout: Layout) -> None:
    """The kernel closes its files one by one: it holds no lock any more, and still hears."""
    with closing(Channel(layout)) as heard:
        heard.open()
        assert start.ensure(layout).pid != os.getpid()


def test_a_signal_that_comes_just_before_the_wait_ends_it(layout: Layout) -> None:
    noted = list[int]()
    before = signal.signal(signal.SIGUSR1, lambda number, _: noted.append(number))
    try:
        with closing(Channel(layout)) as channel:
            channel.hear_signals()
            signal.raise_signal(signal.SIGUSR1)
            assert noted
            channel.wait(600)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("moved", [False, True])
def test_the_agent_leaves_a_workspace_that_is_gone(layout: Layout, moved: bool) -> None:
    start.ensure(layout)
    held = os.open(layout.agent_lock, os.O_RDONLY)
    if moved:
        layout.root.rename(layout.root.with_name("elsewhere"))
    else:
        shutil.rmtree(layout.root)
    wait_for(lambda: not lock.held(Path(f"/proc/self/fd/{held}")))
    os.close(held)
    assert not layout.root.exists()
    assert not layout.agent_socket.exists()
    with pytest.raises(NotFoundError, match="is not there any more"):
        start.wake(layout)
    if moved:
        layout.root.with_name("elsewhere").rename(layout.root)


@pytest.mark.parametrize("outcome", ["Completed", "Failed", "Canceled"])
def test_a_workspace_that_is_moved_keeps_the_ends_of_its_jobs(
    layout: Layout, cli: Cli, tmp_path: Path, outcome: str
) -> None:
    """The supervisor stays in the folder of its attempt, wherever that is now; the next agent takes over there."""
    go = tmp_path / "go"
    code = 3 if outcome == "Failed" else 0
    (tmp_path / "job.yml").write_text(
        f"command: until [ -e {go} ]; do sleep 0.05; done; echo kept > outputs/result; exit {code}"
    )
    name = cli("run", tmp_path / "job.yml", "--detach").stdout.strip()
    wait_for(lambda: (layout.job(name).attempt(1) / "exit.json.tmp").exists())
    moved = Layout(layout.root.rename(tmp_path / "elsewhere"))
    wait_for(lambda: not lock.held(moved.agent_lock))
    here = {"WORKBENCH_WORKSPACE": str(moved.root)}
    try:
        if outcome == "Canceled":
            assert cli("job", "cancel", name, env=here).returncode == 0
        else:
            go.touch()
            wait_for((moved.job(name).attempt(1) / "exit.json").exists)
        streamed = cli("job", "stream", name, env=here)
        ended = jobs.get(database.connect(moved.database), name)
        assert (ended.status, ended.exit_code or 0) == (outcome, code), streamed.stderr
        if outcome != "Canceled":
            assert (moved.artifacts(name) / "outputs" / "result").read_text() == "kept\n"
    finally:
        start.stop(moved)
        moved.root.rename(layout.root)


def test_a_lost_socket_costs_a_moment(layout: Layout, cli: Cli, tmp_path: Path) -> None:
    """As when a clearing of old files, or the end of another session, takes the runtime folder's content."""
    (tmp_path / "job.yml").write_text("command: echo done\n")
    agent = start.ensure(layout)
    wait_for(layout.agent_socket.exists)
    layout.agent_socket.unlink()
    assert cli("run", tmp_path / "job.yml").stdout == "done\n"
    assert lock.holder(layout) == agent


def test_one_job_that_cannot_be_looked_after_stops_no_other(layout: Layout, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: echo done\n")
    agent = start.ensure(layout)
    connection = database.connect(layout.database)
    name = jobs.submit(connection, jobs.NewJob({"type": "of_a_package_that_is_gone"}, {}, "local"))
    assert cli("run", tmp_path / "job.yml").stdout == "done\n"
    assert lock.holder(layout) == agent
    cli("job", "cancel", name)


def test_a_tracking_database_that_is_damaged_holds_jobs_up_and_not_the_agent(
    layout: Layout, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "job.yml").write_text("command: echo done\n")
    agent = start.ensure(layout)
    kept = layout.mlflow_database.rename(tmp_path / "mlflow.db")
    layout.mlflow_database.write_text("no database" * 1000)
    name = cli("run", tmp_path / "job.yml", "--detach").stdout.strip()
    wait_for(lambda: f"{layout.mlflow_database} cannot be opened" in layout.agent_log.read_text())
    assert lock.holder(layout) == agent
    kept.rename(layout.mlflow_database)
    wait_for(lambda: jobs.get(database.connect(layout.database), name).finished)
    assert cli("run", tmp_path / "job.yml").stdout == "done\n"


def test_a_tracking_database_that_goes_while_a_job_runs_is_told_of_once(
    layout: Layout, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "job.yml").write_text(f"command: until [ -e {tmp_path / 'go'} ]; do sleep 0.05; done")
    name = cli("run", tmp_path / "job.yml", "--detach").stdout.strip()
    connection = database.connect(layout.database)
    wait_for(lambda: jobs.get(connection, name).status == "Running")
    layout.mlflow_database.rename(tmp_path / "mlflow.db")
    (tmp_path / "go").touch()
    streamed = cli("job", "stream", name)
    words = f"{layout.mlflow_database} was missing, and an empty one was made"
    assert (streamed.returncode, streamed.stderr.count(words)) == (0, 1), streamed.stderr
    assert (layout.job(name).system_logs / "preparation.log").read_text().count(words) == 1
    assert jobs.get(connection, name).status == "Completed"


@pytest.mark.slow
def test_an_attempt_that_never_began_is_followed_by_another(layout: Layout, cli: Cli, tmp_path: Path) -> None:
    """Somebody else owns the first attempt, so its supervisor leaves, and no process ever runs for it."""
    (tmp_path / "job.yml").write_text("command: echo done\n")
    assert attempts.revoke(layout.job("mine").attempt(1))
    done = cli("run", tmp_path / "job.yml", "--name", "mine")
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    connection = database.connect(layout.database)
    assert jobs.get(connection, "mine").attempt == 2
    told = [row["message"] for row in jobs.events(connection, "mine") if row["status"] == "Queued"]
    assert told == [None, "its process had not started; queued again"]


@pytest.mark.slow
def test_attempts_that_never_begin_come_to_an_end(layout: Layout, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: echo done\n")
    for number in range(1, 9):
        folder = layout.job("mine").attempt(number)
        folder.mkdir(parents=True)
        (folder / "started").symlink_to("revoked")
        (folder / "exit.json").write_text(
            json.dumps({"outcome": "spawn_failed", "message": "no interpreter", "exit_code": None, "signal": None})
        )
    failed = cli("run", tmp_path / "job.yml", "--name", "mine")
    assert failed.returncode == 1
    assert "could not be started: no interpreter" in failed.stderr
    assert jobs.get(database.connect(layout.database), "mine").attempt == 3
