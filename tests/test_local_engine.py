"""The engine that runs tasks on this machine: real shims, real processes."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engines.compute import leftovers
from engines.compute.base import Engine, Process, Task, TaskState
from engines.compute.contract import EngineContract, Place, wait_until
from engines.compute.local import LocalEngine
from engines.compute.process_identity import ProcessIdentity
from store.errors import MachineError

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
ROOT = Path(__file__).parent.parent


class TestLocalEngine(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return LocalEngine()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(LocalEngine(), tmp_path)


def shim_of(place: Place) -> int:
    """The number of the shim that owns the attempt."""
    started = place.attempt / "started"
    wait_until(lambda: started.exists() and started.stat().st_size, "the claim")
    pid: int = json.loads(started.read_text())["pid"]
    return pid


def gone(pid: int) -> bool:
    return ProcessIdentity.of(pid) is None


# A shim that is killed

FAMILY = """\
echo $$ > main
env -u WORKBENCH_TOKEN bash -c 'echo $$ > stripped; exec sleep 1000' &
setsid bash -c 'trap "" TERM; echo $$ > session; sleep 1000; sleep 1000' &
(setsid bash -c 'echo $$ > daemon; exec sleep 1000' &)
while [ ! -s stripped ] || [ ! -s session ] || [ ! -s daemon ]; do sleep 0.01; done
echo > ready
wait
"""


@needs_proc
def test_a_killed_shim_is_lost_and_its_processes_are_ended(place: Place) -> None:
    task = place.start(FAMILY)
    place.wait_for("ready")
    family = [int((place.folder / name).read_text()) for name in ("main", "stripped", "session", "daemon")]
    os.kill(shim_of(place), signal.SIGKILL)
    wait_until(lambda: place.engine.poll(place.attempt) == TaskState("lost"), "the loss to be noticed")
    assert not any(gone(pid) for pid in family), "a killed shim takes nobody along"
    ended = place.engine.kill_leftovers(task.token)
    assert set(family) <= set(ended)
    assert all(gone(pid) for pid in family)
    assert leftovers.find(task.token) == []
    assert place.engine.kill_leftovers(task.token) == []
    assert place.engine.poll(place.attempt) == TaskState("lost")


@needs_proc
def test_only_the_tasks_own_processes_are_ended(tmp_path: Path) -> None:
    engine, token = LocalEngine(), secrets.token_hex(16)
    places = [Place(engine, tmp_path / name) for name in ("a", "b")]
    for place in places:
        place.folder.mkdir()
        place.start("echo $$ > main; exec sleep 1000", token=f"{token}-{place.folder.name}")
    mains = [int(place.wait_for("main").read_text()) for place in places]
    os.kill(shim_of(places[0]), signal.SIGKILL)
    assert engine.kill_leftovers(f"{token}-a") == [mains[0]]
    assert not gone(mains[1])
    assert engine.kill_leftovers(token) == [], "a part of a token is another token"
    engine.kill(places[1].attempt)
    places[1].wait()


@needs_proc
def test_the_terminal_of_a_process_with_the_token_is_not_the_tasks(tmp_path: Path) -> None:
    """A shell that was not started by the task may hold one that carries its token; the shell stays."""
    token = secrets.token_hex(16)
    script = f"WORKBENCH_TOKEN={token} bash -c 'echo $$ > bearer; exec sleep 1000' & wait; echo > on; sleep 1000"
    shell = subprocess.Popen(["bash", "-c", script], cwd=tmp_path, start_new_session=True)
    try:
        place = Place(LocalEngine(), tmp_path)
        bearer = int(place.wait_for("bearer").read_text())
        assert leftovers.end(token) == [bearer]
        place.wait_for("on")
        assert shell.poll() is None
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def test_the_record_of_a_shim_that_is_gone_counts(place: Place) -> None:
    place.start("exit 0")
    place.wait()
    wait_until(lambda: gone(shim_of(place)), "the shim to leave")
    assert place.engine.poll(place.attempt).kind == "exited"


@pytest.mark.parametrize(
    "claim",
    [
        {"start_time": 1},  # the number belongs to another process by now
        {"boot_id": "another boot"},
        {"pid": 2**22 + 1},
    ],
)
@needs_proc
def test_a_claim_of_a_process_that_is_not_there(place: Place, claim: dict[str, object]) -> None:
    own = ProcessIdentity.of(os.getpid())
    assert own is not None
    content = {"pid": own.pid, "start_time": own.start_time, "boot_id": own.boot_id, "token": "t"}
    place.attempt.mkdir(parents=True)
    (place.attempt / "started").write_text(json.dumps(content))
    assert place.engine.poll(place.attempt) == TaskState("running")
    (place.attempt / "started").write_text(json.dumps({**content, **claim}))
    assert place.engine.poll(place.attempt) == TaskState("lost")


def test_a_claim_that_was_cut_short(place: Place) -> None:
    place.attempt.mkdir(parents=True)
    started = place.attempt / "started"
    started.touch()
    assert place.engine.poll(place.attempt) == TaskState("running"), "it is being written"
    assert not place.engine.revoke(place.attempt)
    os.utime(started, (time.time() - 60, time.time() - 60))
    assert place.engine.poll(place.attempt) == TaskState("lost")
    assert not place.engine.revoke(place.attempt)


def test_a_record_that_is_no_record(place: Place) -> None:
    place.engine.revoke(place.attempt)
    (place.attempt / "exit.json").write_bytes(b"\0" * 4096)
    assert place.engine.poll(place.attempt) == TaskState("not_started")


# Once, and only once


def test_thirty_at_once(tmp_path: Path) -> None:
    engine = LocalEngine()
    places = [Place(engine, tmp_path / str(number)) for number in range(30)]
    for number, place in enumerate(places):
        place.folder.mkdir()
        place.start(f"echo run >> runs; exit {number}")
    started = [shim.pid for shim in engine.shims.values()]
    assert [place.wait()["exit_code"] for place in places] == list(range(30))
    assert all((place.folder / "runs").read_text() == "run\n" for place in places)
    wait_until(lambda: not [place for place in places if not gone(shim_of(place))], "the shims to leave")
    for place in places:
        engine.poll(place.attempt)
    assert engine.shims == {}
    for pid in started:  # of this test alone: others may have left an agent behind
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_started_from_two_sides_it_runs_once(tmp_path: Path) -> None:
    for number in range(20):
        engines = [LocalEngine(), LocalEngine()]
        places = [Place(engine, tmp_path / str(number)) for engine in engines]
        places[0].folder.mkdir()
        task = places[0].start("echo run >> runs")
        engines[1].start(places[1].attempt, task, {"PATH": os.defpath})
        places[0].wait()
        for engine in engines:
            for shim in engine.shims.values():
                assert shim.wait(30) == 0
        assert (places[0].folder / "runs").read_text() == "run\n"


def test_started_or_revoked_but_not_both(tmp_path: Path) -> None:
    engine, revoked = LocalEngine(), 0
    for number in range(20):
        place = Place(engine, tmp_path / str(number))
        place.folder.mkdir()
        place.start("echo run >> runs")
        time.sleep(number / 2000)  # the moment is what the test is about
        won = engine.revoke(place.attempt)
        revoked += won
        assert engine.shims[place.attempt].wait(30) == 0
        assert engine.poll(place.attempt).kind == ("not_started" if won else "exited")
        assert (place.folder / "runs").exists() != won
    assert revoked > 0, "the first is revoked before Python is up"


def test_cancelled_at_any_moment_it_ends(tmp_path: Path) -> None:
    engine = LocalEngine()
    for number in range(20):
        place = Place(engine, tmp_path / str(number))
        place.folder.mkdir()
        place.start("exec sleep 1000")
        time.sleep(number / 1000)  # the moment is what the test is about
        engine.cancel(place.attempt)
        assert place.wait()["outcome"] == "canceled"


# Whoever starts it


def test_it_outlives_whoever_started_it(place: Place) -> None:
    os.mkfifo(place.folder / "go")
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from engines.compute.contract import Place\n"
        "from engines.compute.local import LocalEngine\n"
        "place = Place(LocalEngine(), Path(sys.argv[1]))\n"
        "place.start('echo > begun; read line < go; exit 5')\n"
        "place.wait_for('begun')\n"
        "os.killpg(0, signal.SIGKILL)\n"
    )
    starter = subprocess.run(
        [sys.executable, "-c", script, place.folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    assert starter.returncode == -signal.SIGKILL
    assert place.engine.poll(place.attempt) == TaskState("running")
    (place.folder / "go").write_text("go\n")
    assert place.wait()["exit_code"] == 5


def test_no_zombies_stay_with_whoever_started_it(place: Place) -> None:
    assert isinstance(place.engine, LocalEngine)
    place.start("exit 0")
    place.wait()
    shim = place.engine.shims.get(place.attempt)
    if shim is not None:
        wait_until(lambda: gone(shim.pid), "the shim to leave")
    other = Place(place.engine, place.folder / "other")
    other.folder.mkdir()
    other.start("exec sleep 1000")
    assert list(place.engine.shims) == [other.attempt]
    other.engine.kill(other.attempt)
    other.wait()


@needs_proc
def test_the_shim_runs_from_byte_code(place: Place) -> None:
    place.start("exec sleep 1000")
    arguments = Path(f"/proc/{shim_of(place)}/cmdline").read_bytes().split(b"\0")
    place.engine.kill(place.attempt)
    place.wait()
    assert arguments[1:3] == [b"-I", b"-S"]
    if not sys.dont_write_bytecode and os.access(ROOT / "workbench", os.W_OK):
        assert arguments[3].endswith(b".pyc")


def test_a_python_that_is_not_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(MachineError, match="/no/such/python"):
        place.start("exit 0")


def test_a_shim_that_cannot_begin(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    task = place.start("exit 0")
    record = place.wait()
    assert (record["outcome"], record["token"]) == ("spawn_failed", task.token)
    assert record["message"] == "the supervisor could not begin: it left with status 1"
    assert LocalEngine().poll(place.attempt).record == record, "others see it too"
    monkeypatch.undo()
    place.engine.start(place.attempt, task, {"PATH": os.defpath})
    assert place.wait()["outcome"] == "spawn_failed"


def test_an_environment_that_no_process_can_have(place: Place) -> None:
    with pytest.raises(MachineError, match="null"):
        place.start("exit 0", environment={"X": "a\0b"})


def test_the_first_log_of_several_is_the_tasks(place: Place) -> None:
    logs = [place.folder / "user_logs" / f"std_log_process_{rank}.txt" for rank in range(2)]
    processes = tuple(Process(["/bin/sh", "-c", f"echo {rank}"], {}, str(log)) for rank, log in enumerate(logs))
    place.engine.start(place.attempt, Task(secrets.token_hex(16), "job", str(place.folder), processes), {})
    assert place.wait()["exit_code"] == 0
    assert (place.log.is_symlink(), place.log.read_text(), logs[1].read_text()) == (True, "0\n", "1\n")


@pytest.mark.parametrize(
    ("document", "slots"),
    [
        (
            {"name": "local", "type": "local"},
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        ),
        ({"name": "local", "type": "local", "max_instances": None}, None),
        ({"name": "few", "type": "local", "max_instances": 1}, 1),
        ({"name": "pool", "type": "amlcompute", "min_instances": 0, "max_instances": 400}, 400),
    ],
)
def test_room(document: dict[str, object], slots: int | None) -> None:
    found = LocalEngine().capacity(document)
    assert found >= 1 if slots is None else found == slots
