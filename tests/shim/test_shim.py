"""The shim: what it is made of, what it starts and what it cannot, under every Python that is installed here."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.shim.attempts import FOREVER, LINUX, SHIM, Attempt, alive, interpreters, needs_root

# What it is made of


def test_it_imports_the_standard_library_alone() -> None:
    tree = ast.parse(SHIM.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)


def test_python_3_8_is_enough() -> None:
    vermin = Path(sys.executable).with_name("vermin")
    if not vermin.exists():
        pytest.skip("vermin is not installed")
    checked = subprocess.run([vermin, "-t=3.8-", "--no-tips", "--violations", SHIM], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_nothing_slow_is_imported_before_the_processes_run(attempt: Attempt) -> None:
    attempt.write("exit 0")
    with (attempt.folder / "imports").open("wb") as imports:
        subprocess.run(
            [sys.executable, "-X", "importtime", "-I", "-S", SHIM, attempt.attempt], stderr=imports, check=True
        )
    text = (attempt.folder / "imports").read_text() + attempt.complaints()
    imported = set(re.findall(r"\| +([\w.]+)$", text, re.MULTILINE))
    assert "_signal" in imported | set(sys.builtin_module_names)
    assert not imported & {"os", "re", "enum", "json", "signal", "socket", "ctypes", "subprocess", "typing", "pathlib"}


@pytest.mark.parametrize(("version", "python"), sorted(interpreters().items()))
def test_the_whole_under_each_python(attempt: Attempt, version: str, python: Path) -> None:
    attempt.python = python
    journal = attempt.folder / "metrics.jsonl"
    os.mkfifo(attempt.folder / "go")
    attempt.start(
        "(setsid bash -c 'echo $$ > left; exec sleep 1000' &); echo begun; read line < go; exit 7",
        "trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done",
        journal=str(journal),
        sample_every=0.1,
    )
    left = int(attempt.wait_for("left"))
    attempt.wait_for("metrics.jsonl")
    (attempt.folder / "go").write_text("go\n")
    record = attempt.wait()
    assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("exited", 7, 0)
    assert not alive(left)
    assert "asked" in (attempt.folder / "log1").read_text()
    assert all(json.loads(line)["r"] == "job" for line in journal.read_text().splitlines())
    assert attempt.complaints() == ""


# Claiming, starting


def test_the_claim_says_who_owns_the_attempt(attempt: Attempt) -> None:
    shim = attempt.start("exit 0")
    attempt.wait()
    claim = json.loads((attempt.attempt / "started").read_text())
    assert (claim["pid"], claim["token"]) == (shim.pid, attempt.token)
    if LINUX:
        assert claim["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert claim["start_time"] > int(Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19])
    assert stat.S_IMODE((attempt.attempt / "started").stat().st_mode) == 0o600
    assert stat.S_IMODE((attempt.attempt / "exit.json").stat().st_mode) == 0o600
    assert {path.name for path in attempt.attempt.iterdir()} == {"task.json", "started", "exit.json", "shim.log"}


def test_of_two_shims_one_runs_the_task(tmp_path: Path) -> None:
    for number in range(20):
        attempt = Attempt(tmp_path / str(number))
        attempt.write("echo run >> runs")
        shims = [attempt.start(), attempt.start()]
        assert [shim.wait(30) for shim in shims] == [0, 0]
        assert (attempt.folder / "runs").read_text() == "run\n"
        assert attempt.record()["exit_code"] == 0


def test_a_claimed_attempt_is_left_alone(attempt: Attempt) -> None:
    attempt.write("echo run > runs")
    (attempt.attempt / "started").write_text('{"revoked": true}')
    assert attempt.start().wait(30) == 0
    assert {path.name for path in attempt.attempt.iterdir()} == {"task.json", "started", "shim.log"}


def test_what_a_process_gets(attempt: Attempt) -> None:
    script = 'echo "$SHARED $OWN $WORKBENCH_TOKEN"; pwd; cat; echo error >&2; ps -o sid= -p $$; echo $$; trap -p'
    process = {"argv": ["bash", "-c", script], "environment": {"OWN": "ö"}, "log": str(attempt.log)}
    attempt.run(processes=[process], environment={"SHARED": "all"})
    lines = attempt.log.read_text().split()
    assert lines[:5] == ["all", "ö", attempt.token, str(attempt.folder), "error"]
    assert lines[5] == lines[6], "a session of its own"
    assert len(lines) == 7, "no signal is ignored"
    assert stat.S_IMODE(attempt.log.stat().st_mode) == 0o600


def test_a_log_is_appended_to(attempt: Attempt) -> None:
    attempt.log.write_text("before\n")
    attempt.run("echo after")
    assert attempt.log.read_text() == "before\nafter\n"


def test_inherited_signal_settings_do_not_reach_the_task(attempt: Attempt) -> None:
    def spoil() -> None:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR2])

    attempt.start("grep -E '^Sig(Blk|Ign)' /proc/self/status; echo > begun; " + FOREVER, preexec_fn=spoil)
    attempt.wait_for("begun")
    os.kill(attempt.shims[0].pid, signal.SIGTERM)
    assert attempt.wait()["outcome"] == "canceled"
    if LINUX:
        masks = [int(line.split()[1], 16) for line in attempt.log.read_text().splitlines()[:2]]
        assert [mask & 0x7FFF_FFFF for mask in masks] == [0, 0], "but for those that are the C library's own"


def test_names_need_not_be_utf_8(attempt: Attempt) -> None:
    odd = os.fsdecode(bytes(attempt.folder) + b"/\xff\n\xe9")
    os.mkdir(odd)
    process = {
        "argv": [
            "bash",
            "-c",
            'echo > here; echo "$X"',
        ],
        "environment": {"X": "\udce9é"},
        "log": f"{odd}/log",
    }
    attempt.run(processes=[process], directory=odd, environment={"LC_ALL": "POSIX"})
    assert os.path.exists(f"{odd}/here")
    with open(f"{odd}/log", "rb") as log:
        assert log.read() == "\udce9é\n".encode("utf-8", "surrogateescape")


# What cannot be started


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"argv": ["/no/such/program"]}, "cannot start /no/such/program: No such file or directory"),
        ({"argv": ["no-such-program"]}, "cannot start no-such-program: No such file or directory"),
        ({"argv": ["/etc/passwd"]}, "cannot start /etc/passwd: Permission denied"),
        ({"argv": ["/bin/true", "x" * (3 << 20)]}, "cannot start /bin/true: Argument list too long"),
        ({"argv": ["/bin/true", "\0"]}, "cannot start /bin/true: embedded null byte"),
        ({"log": "/no/such/folder/log"}, "cannot open the log /no/such/folder/log: No such file or directory"),
    ],
)
def test_what_cannot_be_started(attempt: Attempt, change: dict[str, Any], message: str) -> None:
    first = {"argv": ["bash", "-c", FOREVER], "environment": {}, "log": str(attempt.log)}
    record = attempt.run(processes=[first, {**first, **change}])
    assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("spawn_failed", None, 1)
    assert record["message"] == message


def test_a_working_directory_that_is_gone(attempt: Attempt) -> None:
    record = attempt.run("echo", directory="/no/such/folder")
    assert (record["outcome"], record["failed_process"]) == ("spawn_failed", None)
    assert record["message"] == "cannot enter the working directory /no/such/folder: No such file or directory"


def test_a_message_can_be_printed_and_stored(attempt: Attempt) -> None:
    message: str = attempt.run("echo", directory="/no/such/\udcff/" + "ö" * 2000)["message"]
    assert message.startswith("cannot enter the working directory /no/such/?/öö")
    assert len(message.encode()) < 4096


@needs_root
def test_no_room_for_another_process(attempt: Attempt, tmp_path: Path) -> None:
    """The limit on a user's processes does not hold for root, so the shim is another user here."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("no Python that other users may run")
    attempt.python = Path(python)
    with contextlib.ExitStack() as stack:
        shared = Path(stack.enter_context(contextlib.closing(SharedFolder())).path)
        attempt.folder = shared
        attempt.program = [str(shutil.copy(SHIM, shared / "shim.py"))]
        attempt.write("echo")
        for path in (shared, attempt.attempt, attempt.attempt / "task.json"):
            os.chown(path, NOBODY, NOBODY)
        few = lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))  # noqa: E731
        record = attempt.run(user=NOBODY, preexec_fn=few)
    assert (record["outcome"], record["message"]) == (
        "spawn_failed",
        "cannot start /bin/bash: Resource temporarily unavailable",
    )


NOBODY = 65_533


class SharedFolder:
    """A folder that other users can reach, which pytest's are not."""

    def __init__(self) -> None:
        import tempfile

        self.path = tempfile.mkdtemp(prefix="workbench-test-")

    def close(self) -> None:
        shutil.rmtree(self.path)


# Telling others


def test_the_end_is_told(attempt: Attempt, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("s") / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(path))
        ear.settimeout(30)
        attempt.start("exit 0", notify=str(path))
        assert ear.recv(100) == b"exit job"
        assert attempt.record()["exit_code"] == 0
    attempt.wait()


@pytest.mark.parametrize("notify", ["/no/such/socket", "/" + "x" * 200])
def test_nobody_listens(attempt: Attempt, notify: str) -> None:
    assert attempt.run("exit 0", notify=notify)["exit_code"] == 0
