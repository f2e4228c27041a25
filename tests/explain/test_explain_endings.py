"""Ends that the exit record tells: signals, limits, a lost supervisor."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import pytest

from engines.jobs.explain import Cause, explain_log
from tests.explain.place import Place


def test_a_signal_to_the_shell(place: Place) -> None:
    cause = place.cause("kill -KILL $$")
    assert (cause.code, cause.message.split(":")[0]) == ("signal", "The job was ended by SIGKILL")


def test_a_signal_to_a_program_of_the_command(place: Place) -> None:
    cause = place.cause("python -c 'import os; os.kill(os.getpid(), 11)'; exit $?")
    assert cause.code == "signal"
    assert "SIGSEGV" in cause.message and "(exit code 139)" in cause.message


def test_a_crash_with_faulthandler_shows_the_users_line(place: Place) -> None:
    place.write(train_py="import os\n\ndef f():\n    os.kill(os.getpid(), 11)\n\nf()\n")
    cause = place.cause("python -X faulthandler train.py; exit $?")
    assert cause.exception is not None
    assert (cause.exception.file, cause.exception.line) == ("train.py", 4)
    assert cause.exception.code == "os.kill(os.getpid(), 11)"
    assert cause.hint is None  # it need not be told to use faulthandler


@pytest.mark.parametrize("number", sorted(signal.Signals))
def test_every_signal_has_words(place: Place, number: int) -> None:
    record = {"outcome": "signaled", "exit_code": None, "signal": int(number)}
    assert signal.Signals(number).name in explain_log(record, place.log, place.facts).message


@pytest.mark.parametrize(
    ("record", "code", "words"),
    [
        (None, "supervisor_lost", "watched over the job"),
        ({"outcome": "timeout", "wall_seconds": 61.2}, "time_limit", "time limit of 60 s"),
        ({"outcome": "canceled", "wall_seconds": 600.0}, "canceled", "cancelled after 10 min"),
        ({"outcome": "out_of_memory", "peak_memory_bytes": 3 << 30}, "out_of_memory", "3.0 GiB"),
        ({"outcome": "spawn_failed", "message": "[Errno 7] Argument list too long"}, "not_started", "Argument list"),
        ({"outcome": "exited", "exit_code": 0}, "completed", "completed"),
    ],
)
def test_endings_that_the_record_tells(place: Place, record: dict[str, Any] | None, code: str, words: str) -> None:
    cause = explain_log(record, place.log, place.facts)
    assert cause.code == code
    assert words in cause.message
    assert Cause.read(cause.document()) == cause


def test_the_process_that_failed_is_named(place: Place) -> None:
    record = {"outcome": "exited", "exit_code": 3, "failed_process": 1}
    cause = explain_log(record, place.log, replace(place.facts, processes=2))
    assert cause.message == "Process 1 of 2 (counted from 0) left with exit code 3."


EATEN = "python -c 'import os; os.kill(os.getpid(), 9)'"


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])
@pytest.mark.parametrize(
    "command",
    [
        f"{EATEN} || exit 3",
        f"{EATEN} || {{ echo it failed; exit 3; }}",
        f"{EATEN}; exit $?",
        "python train.py",
        "python pool.py || exit 4",
    ],
)
def test_memory_that_ran_out_behind_an_exit_code_of_the_commands_own(place: Place, command: str, shell: str) -> None:
    place.write(
        train_py="""
        import subprocess, sys

        subprocess.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], check=True)
        """,
        pool_py="""
        import os
        from concurrent.futures import ProcessPoolExecutor

        if __name__ == "__main__":
            with ProcessPoolExecutor(1) as pool:
                pool.submit(os.kill, 0, 0).result()
                pool.submit(os._exit, 9).result()
        """,
    )
    record = place.run(command, shell=shell)
    told = explain_log(record | {"memory_kills": 0}, place.log, place.facts)
    assert told.code in ("signal", "worker_killed"), told
    told = explain_log(record | {"memory_kills": 1, "peak_memory_bytes": 3 << 30}, place.log, place.facts)
    assert told.code == "out_of_memory", told
    words = "The system ended one of its processes because memory ran out. It had used 3.0 GiB at most."
    assert told.message == words


def test_memory_that_ran_out_somewhere_is_mentioned(place: Place) -> None:
    record = place.run("echo working; exit 3")
    cause = explain_log(record | {"memory_kills": 1}, place.log, place.facts)
    assert cause.code == "exit_code"
    assert cause.hint is not None and "memory ran out" in cause.hint


def test_a_crash_that_is_no_lack_of_memory(place: Place) -> None:
    record = place.run("python -c 'import os; os.kill(os.getpid(), 11)' || exit 3")
    cause = explain_log(record | {"memory_kills": 1}, place.log, place.facts)
    assert (cause.code, "SIGSEGV" in cause.message) == ("signal", True)


def test_a_program_that_was_killed_long_before_the_end_is_not_the_cause(place: Place) -> None:
    record = place.run(f"{EATEN}; for i in 1 2 3 4 5 6 7 8; do echo $i; done; exit 3")
    assert explain_log(record, place.log, place.facts).code == "exit_code"
