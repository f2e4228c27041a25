"""How the shim ends a task, and what the task left behind: real processes that will and will not go."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.shim.attempts import FOREVER, SHIM, Attempt, alive, needs_linux

# Ends


def test_death_by_a_signal(attempt: Attempt) -> None:
    record = attempt.run("kill -SEGV $$")
    assert (record["outcome"], record["signal"], record["exit_code"]) == ("signaled", signal.SIGSEGV, None)


def test_a_hang_up_is_nothing_to_it(attempt: Attempt) -> None:
    os.mkfifo(attempt.folder / "go")
    shim = attempt.start("echo > begun; read line < go")
    attempt.wait_for("begun")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        shim.send_signal(number)
    (attempt.folder / "go").write_text("go\n")
    assert attempt.wait()["exit_code"] == 0


def test_the_time_limit(attempt: Attempt) -> None:
    record = attempt.run("trap 'exit 0' TERM; while :; do sleep 0.05; done", time_limit=0.2)
    assert (record["outcome"], record["exit_code"]) == ("timeout", 0)
    assert record["message"] == "ran longer than 0.2 seconds"
    assert 0.2 <= record["wall_seconds"] < 1


def test_the_time_limit_ends_what_will_not_end(attempt: Attempt) -> None:
    record = attempt.run("trap '' TERM; sleep 1000 & echo $! > left; wait; sleep 1000", time_limit=0.2, grace=0.3)
    assert (record["outcome"], record["signal"]) == ("timeout", 9)
    assert 0.5 <= record["wall_seconds"] < 5
    assert not alive(int((attempt.folder / "left").read_text()))


def test_a_stopped_process_hears_that_it_shall_end(attempt: Attempt) -> None:
    attempt.start("trap 'echo asked; exit 0' TERM; echo $$ > begun; while :; do sleep 0.05; done", grace=3600)
    os.killpg(int(attempt.wait_for("begun")), signal.SIGSTOP)
    (attempt.attempt / "cancel").touch()
    os.kill(attempt.shims[0].pid, signal.SIGTERM)
    assert attempt.wait()["outcome"] == "canceled"
    assert "asked" in attempt.log.read_text().splitlines()


def test_a_signal_cancels(attempt: Attempt) -> None:
    shim = attempt.start("echo > begun; " + FOREVER)
    attempt.wait_for("begun")
    shim.terminate()
    record = attempt.wait()
    assert (record["outcome"], record["signal"]) == ("canceled", signal.SIGTERM)


def test_a_file_cancels(attempt: Attempt) -> None:
    attempt.start("echo > begun; " + FOREVER)
    attempt.wait_for("begun")
    (attempt.attempt / "cancel").touch()
    assert attempt.wait()["outcome"] == "canceled"


@pytest.mark.parametrize("name", ["cancel", "kill"])
def test_cancelled_before_the_start(attempt: Attempt, name: str) -> None:
    attempt.write("echo > begun")
    (attempt.attempt / name).touch()
    record = attempt.run()
    assert (record["outcome"], record["exit_code"], record["signal"]) == ("canceled", None, None)
    assert not (attempt.folder / "begun").exists()


def test_kill_waits_for_nothing(attempt: Attempt) -> None:
    command = "trap '' TERM; setsid bash -c 'trap \"\" TERM; echo $$ > left; sleep 1000; sleep 1000'; sleep 1000"
    attempt.start(command, grace=3600)
    left = int(attempt.wait_for("left"))
    (attempt.attempt / "kill").touch()
    record = attempt.wait()
    assert (record["outcome"], record["signal"]) == ("canceled", 9)
    assert not alive(left)


def test_the_end_of_the_task_comes_before_a_cancellation_of_what_it_left(attempt: Attempt) -> None:
    attempt.start(
        "(trap '' TERM; echo > begun; while :; do sleep 0.05; done) & while [ ! -s begun ]; do :; done", grace=0.2
    )
    attempt.wait_for("begun")
    os.kill(attempt.shims[0].pid, signal.SIGTERM)
    assert attempt.wait()["outcome"] in ("exited", "canceled")


def test_one_of_several_fails(attempt: Attempt) -> None:
    os.mkfifo(attempt.folder / "go")
    attempt.start("trap 'exit 9' TERM; echo > begun; while :; do sleep 0.05; done", "read line < go; exit 3", FOREVER)
    attempt.wait_for("begun")
    (attempt.folder / "go").write_text("go\n")
    record = attempt.wait()
    assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("exited", 3, 1)


def test_services_end_with_those_they_serve(attempt: Attempt) -> None:
    processes = [
        {"argv": ["bash", "-c", command], "environment": {}, "log": str(attempt.log), "service": service}
        for command, service in [("exit 0", False), ("sleep 0.1", False), (FOREVER, True)]
    ]
    record = attempt.run(processes=processes)
    assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("exited", 0, None)


def test_services_are_asked_to_end_after_those_they_serve(attempt: Attempt) -> None:
    commands = [
        ("trap 'echo > asked; read line < go; echo worker >> order; exit 1' TERM; echo > begun", False),
        ("trap 'echo service >> order; exit 0' TERM; echo > serving", True),
    ]
    os.mkfifo(attempt.folder / "go")
    attempt.start(
        grace=60,
        processes=[
            {
                "argv": ["bash", "-c", f"{command}; while :; do sleep 0.05; done"],
                "environment": {},
                "log": str(attempt.log),
                "service": service,
            }
            for command, service in commands
        ],
    )
    attempt.wait_for("begun")
    attempt.wait_for("serving")
    (attempt.attempt / "cancel").touch()
    attempt.wait_for("asked")
    (attempt.folder / "go").write_text("go\n")
    assert attempt.wait()["outcome"] == "canceled"
    assert (attempt.folder / "order").read_text().split() == ["worker", "service"]


ANSWERS_ONCE = """
import socket
listener = socket.socket(fileno=0)
client, _ = listener.accept()
client.sendall(b"served at port %d\\n" % listener.getsockname()[1])
"""
ASKS = """
place=${ADDRESS#http://}
exec 3<> "/dev/tcp/${place%:*}/${place#*:}"
read -r line <&3
[ "$line" = "served at port ${place#*:}" ] || exit 7
while (exec 3<> "/dev/tcp/${place%:*}/${place#*:}") 2> /dev/null; do sleep 0.01; done
"""


def test_a_service_has_a_port_of_its_own_that_is_gone_with_it(attempt: Attempt) -> None:
    common = {"environment": {}, "log": str(attempt.log)}
    service = {"argv": [sys.executable, "-c", ANSWERS_ONCE], "service": True, "address_variable": "ADDRESS", **common}
    record = attempt.run(processes=[{"argv": ["bash", "-c", ASKS], **common}, service])
    assert (record["outcome"], record["exit_code"]) == ("exited", 0), attempt.log.read_text()


@needs_linux
def test_it_sleeps_meanwhile(attempt: Attempt) -> None:
    os.mkfifo(attempt.folder / "go")
    shim = attempt.start("sleep 0.7; echo > late; read line < go")
    attempt.wait_for("late")
    status = Path(f"/proc/{shim.pid}/status").read_text()
    (attempt.folder / "go").write_text("go\n")
    attempt.wait()
    assert int(re.findall(r"\nvoluntary_ctxt_switches:\s+(\d+)", status)[0]) < 30


# What is left over

DAEMONS = """\
(setsid bash -c 'echo $$ > a; exec sleep 1000' &)
(setsid env -u WORKBENCH_TOKEN bash -c 'trap "" TERM; echo $$ > b; while :; do sleep 1000; done' &)
sleep 1000 & echo $! > c; disown
while [ ! -s a ] || [ ! -s b ]; do sleep 0.01; done
exit 5
"""


@needs_linux
def test_daemons_are_ended(attempt: Attempt) -> None:
    record = attempt.run(DAEMONS, grace=0.3)
    assert (record["outcome"], record["exit_code"]) == ("exited", 5)
    assert [name for name in "abc" if alive(int((attempt.folder / name).read_text()))] == []


@needs_linux
def test_daemons_are_ended_where_python_lacks_ctypes_and_the_c_library_new_sessions(attempt: Attempt) -> None:
    """Of those that changed session and threw the token away, none can be known then."""
    attempt.program = [
        "-c",
        "import posix, sys\n"
        "sys.modules['_ctypes'] = None\n"
        "spawn = posix.posix_spawnp\n"
        "def old(*arguments, setsid=False, **options):\n"
        "    if setsid: raise NotImplementedError\n"
        "    return spawn(*arguments, **options)\n"
        "posix.posix_spawnp = old\n"
        f"sys.argv[0] = {str(SHIM)!r}\n"
        f"exec(compile(open({str(SHIM)!r}).read(), 'shim.py', 'exec'))",
    ]
    record = attempt.run(DAEMONS.replace("env -u WORKBENCH_TOKEN ", ""), grace=0.3)
    assert (record["outcome"], record["exit_code"]) == ("exited", 5)
    assert [name for name in "abc" if alive(int((attempt.folder / name).read_text()))] == []
    assert attempt.complaints() == ""


@needs_linux
def test_processes_that_fork_while_they_are_ended(attempt: Attempt) -> None:
    fork_on = "f() { echo $BASHPID >> pids; sleep 0.02; (trap '' TERM; f &); }; trap '' TERM; f & "
    fork_on += "while [ ! -s pids ]; do :; done"
    attempt.run(fork_on, grace=0.1)
    assert [pid for pid in (attempt.folder / "pids").read_text().split() if alive(int(pid))] == []
