"""A failed job explains itself: real scripts that fail, run by a real shell, and what is said of them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.jobs.explain import Cause, JobFacts, explain_log

BASH = "/bin/bash"


@dataclass
class Place:
    """A working copy, the folder that its code came from, and the log."""

    root: Path

    @property
    def facts(self) -> JobFacts:
        return JobFacts(working_copy=self.root / "work", code=self.root / "src", time_limit=60)

    @property
    def log(self) -> Path:
        return self.root / "std_log.txt"

    def write(self, **files: str) -> None:
        """Put files into the working copy and the code; ``_py`` at the end of a name is a suffix, ``__`` a slash."""
        for name, text in files.items():
            relative = name.replace("__", "/")
            if "_" in relative.rpartition("/")[2]:
                relative = relative[::-1].replace("_", ".", 1)[::-1]
            for root in ("work", "src"):
                path = self.root / root / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(textwrap.dedent(text))

    def run(self, command: str, *, shell: str = BASH, **environment: str) -> dict[str, Any]:
        """Run a command as a job's, and return what the exit record would say."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        with self.log.open("wb") as log:
            done = subprocess.run(
                [shell, "-c", command],
                cwd=self.root / "work",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": path, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", **environment},
                check=False,
            )
        if done.returncode < 0:
            return {"outcome": "signaled", "exit_code": None, "signal": -done.returncode}
        return {"outcome": "exited", "exit_code": done.returncode, "signal": None}

    def cause(self, command: str, facts: JobFacts | None = None, **environment: str) -> Cause:
        """What is said of a command that failed."""
        record = self.run(command, **environment)
        assert record["exit_code"] != 0
        return explain_log(record, self.log, facts or self.facts)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "work").mkdir()
    (tmp_path / "src").mkdir()
    return Place(tmp_path)


# What Python says


def test_an_exception_is_told_with_the_users_own_last_frame(place: Place) -> None:
    place.write(
        train_py="""
        import json
        import steps

        def main():
            steps.load("nonsense")

        main()
        """,
        steps_py="""
        import json

        def load(text):
            return json.loads(
                text)
        """,
    )
    cause = place.cause("echo starting; python train.py")
    raised = cause.exception
    assert raised is not None
    assert (raised.type, raised.file, raised.function) == ("json.decoder.JSONDecodeError", "steps.py", "load")
    assert raised.line in (5, 6)
    assert raised.code is not None and raised.code.startswith("return json.loads(")
    assert cause.code == "unreadable_input"
    assert cause.log_tail[0] == "starting"
    assert cause.log_tail[-1].startswith("json.decoder.JSONDecodeError: Expecting value")


def test_a_plain_exception_is_its_own_explanation(place: Place) -> None:
    place.write(train_py="def f(x):\n    raise ValueError('no good:\\n  at all')\nf(1)\n")
    cause = place.cause("python train.py")
    assert (cause.code, cause.message, cause.hint) == ("exception", "ValueError: no good:", None)
    assert cause.exception is not None
    assert cause.exception.message == "no good:\n  at all"
    assert (cause.exception.file, cause.exception.line, cause.exception.function) == ("train.py", 2, "f")


def test_of_chained_exceptions_the_last_counts_and_the_cause_is_mentioned(place: Place) -> None:
    place.write(
        train_py="""
        def inner():
            {}["x"]

        try:
            inner()
        except KeyError as error:
            raise RuntimeError("cannot train") from error
        """
    )
    cause = place.cause("python train.py")
    assert cause.message == "RuntimeError: cannot train (caused by KeyError: 'x' at train.py:3)"
    assert cause.exception is not None and cause.exception.line == 8


def test_an_exception_from_a_worker_process_tells_where_it_was_raised(place: Place) -> None:
    place.write(
        train_py="""
        import multiprocessing

        def work(x):
            return 1 / x

        if __name__ == "__main__":
            with multiprocessing.Pool(1) as pool:
                pool.map(work, [0])
        """
    )
    assert place.cause("python train.py").message == "ZeroDivisionError: division by zero (raised at train.py:5)"


def test_an_exception_in_a_handler_is_not_explained_by_what_was_handled(place: Place) -> None:
    place.write(
        train_py="""
        try:
            open("missing.txt")
        except OSError:
            raise ValueError("no settings")
        """
    )
    cause = place.cause("python train.py")
    assert cause.code == "exception"
    assert cause.message.startswith("ValueError: no settings (while handling FileNotFoundError: [Errno 2]")


def test_an_exception_group_names_its_members(place: Place) -> None:
    place.write(
        train_py="""
        def one():
            raise TypeError("b")

        errors = [ValueError("a")]
        try:
            one()
        except TypeError as error:
            errors.append(error)
        try:
            raise ExceptionGroup("inner", errors)
        except ExceptionGroup as error:
            error.add_note("a note")
            raise ExceptionGroup("outer", [error, ArithmeticError("c")]) from None
        """
    )
    cause = place.cause("python train.py")
    assert cause.message == (
        "ExceptionGroup: outer (2 sub-exceptions): ValueError: a; TypeError: b at train.py:3; ArithmeticError: c"
    )
    assert cause.exception is not None and cause.exception.line == 14


def test_a_group_is_explained_by_what_a_member_means(place: Place) -> None:
    place.write(train_py="raise ExceptionGroup('many', [OSError(28, 'No space left on device')])")
    assert place.cause("python train.py").code == "disk_full"


def test_a_syntax_error_is_told_with_its_place(place: Place) -> None:
    place.write(train_py="import helper", helper_py="def f(:\n    pass\n")
    cause = place.cause("python train.py")
    assert cause.code == "syntax_error"
    assert cause.message == "Python could not read helper.py, line 1: invalid syntax."
    assert cause.exception is not None
    assert (cause.exception.file, cause.exception.line, cause.exception.code) == ("helper.py", 1, "def f(:")


def test_a_syntax_error_in_the_script_itself_has_no_traceback(place: Place) -> None:
    place.write(train_py="x = 1\nif x:\nprint(x)\n")
    cause = place.cause("python train.py")
    assert cause.code == "syntax_error"
    assert "train.py, line 3: expected an indented block" in cause.message


def test_a_memory_error(place: Place) -> None:
    place.write(train_py="bytearray(1 << 60)")
    cause = place.cause("python train.py")
    assert cause.code == "memory"
    assert cause.exception is not None and cause.exception.line == 1


def test_numpys_memory_error_says_how_much(place: Place) -> None:
    place.write(train_py="import numpy\nnumpy.ones((1 << 30, 1 << 20))\n")
    cause = place.cause("python train.py")
    assert cause.code == "memory"
    assert "Unable to allocate 8.00 PiB" in cause.message


def test_a_chain_of_library_frames_leads_to_the_users_line(place: Place) -> None:
    place.write(train_py="import pandas\n\npandas.read_csv('dat.csv')\n", data_csv="a\n1\n")
    cause = place.cause("python train.py")
    assert cause.code == "missing_file"
    assert cause.message == "There is no 'dat.csv'."
    assert cause.hint == "Did you mean 'data.csv'?"
    assert cause.exception is not None
    assert (cause.exception.file, cause.exception.line) == ("train.py", 3)


def test_compiled_code_of_a_library_is_not_the_users(place: Place) -> None:
    place.write(
        train_py="""
        import numpy as np

        def pick():
            return np.random.default_rng().choice(5, size=10, replace=False)

        pick()
        """
    )
    raised = place.cause("python train.py").exception
    assert raised is not None and (raised.file, raised.line, raised.function) == ("train.py", 5, "pick"), raised


def test_python_from_a_here_document(place: Place) -> None:
    cause = place.cause("python - <<'END'\ndef f():\n    1 / 0\nf()\nEND")
    assert cause.message == "ZeroDivisionError: division by zero"
    assert cause.exception is not None
    assert (cause.exception.file, cause.exception.line, cause.exception.function) == ("<stdin>", 2, "f")


def test_an_assertion_without_words_shows_the_line(place: Place) -> None:
    place.write(train_py="rows = []\nassert rows\n")
    assert place.cause("python train.py").message == "AssertionError in `assert rows`"


def test_a_prefix_before_every_line_is_seen_through(place: Place) -> None:
    place.write(train_py="def f():\n    raise ValueError('bad')\nf()\n")
    cause = place.cause("python train.py 2>&1 | sed 's/^/[rank1]: /'; exit 1")
    assert cause.message == "ValueError: bad"
    assert cause.exception is not None and cause.exception.line == 2


def test_a_traceback_right_behind_a_progress_bar(place: Place) -> None:
    place.write(
        train_py="""
        import sys
        for i in range(50):
            sys.stderr.write(f"\\r{i}%|####    | {i}/100 [00:01<00:01]")
        raise ValueError("bad")
        """
    )
    cause = place.cause("python train.py")
    assert cause.message == "ValueError: bad"
    assert cause.log_tail[0] == "49%|####    | 49/100 [00:01<00:01]Traceback (most recent call last):"


def test_every_python_at_hand_is_read(place: Place) -> None:
    place.write(train_py="import steps\n\nsteps.go(1)\n", steps_py="def go(x):\n    raise ValueError(x)\n")
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    for python in [Path(sys.executable), *sorted(home.glob(".pyenv/versions/3.*/bin/python"))]:
        cause = place.cause(f"{python} train.py")
        assert cause.exception is not None
        assert (cause.message, cause.exception.file, cause.exception.line) == ("ValueError: 1", "steps.py", 2), python


# Modules


def test_a_missing_module_without_an_environment(place: Place) -> None:
    place.write(train_py="from sklearn_nowhere.svm import SVC")
    cause = place.cause("python train.py")
    assert cause.code == "missing_module"
    assert cause.message == "Python found no module 'sklearn_nowhere'."
    assert cause.hint is not None and "lists sklearn-nowhere" in cause.hint and "--set environment=" in cause.hint


def test_a_missing_module_with_a_conda_file(place: Place) -> None:
    place.write(train_py="import imblearn_missing")
    facts = replace(place.facts, environment="the job's own environment", conda_file="/home/me/conda.yml")
    cause = place.cause("python train.py", facts)
    assert cause.hint == "Add imblearn-missing to the dependencies in /home/me/conda.yml and run it again."


def test_a_missing_module_in_a_named_environment(place: Place) -> None:
    place.write(train_py="import cv2_missing")
    cause = place.cause("python train.py", replace(place.facts, environment="azureml:sklearn-1.5@latest"))
    assert cause.hint is not None and cause.hint.startswith("azureml:sklearn-1.5@latest does not have cv2-missing")


def test_a_module_that_the_environment_lists(place: Place) -> None:
    place.write(train_py="import tables_missing")
    facts = replace(place.facts, environment="azureml:e:1", requirements=("Tables_Missing==3.9",))
    cause = place.cause("python train.py", facts)
    assert cause.hint is not None and "another Python than the environment's ran" in cause.hint


def test_a_module_of_the_users_own_in_another_folder(place: Place) -> None:
    place.write(scripts__train_py="import features", lib__features_py="")
    cause = place.cause("python scripts/train.py")
    assert cause.hint is not None and "PYTHONPATH: lib" in cause.hint


def test_python_m_with_a_missing_module(place: Place) -> None:
    cause = place.cause("python -m torchrun_missing train.py")
    assert (cause.code, cause.message) == ("missing_module", "Python found no module 'torchrun_missing'.")


def test_a_file_named_like_a_library(place: Place) -> None:
    place.write(random_py="", train_py="import random\nrandom.randint(1, 2)\n")
    cause = place.cause("python train.py")
    assert cause.code == "shadowed_module"
    assert cause.message.startswith("Your file random.py has the name of the library 'random'")


@pytest.mark.parametrize(
    "text", ["import random\nrandom.randint(1, 2)\n", "from random import randint\n"], ids=["module", "name"]
)
def test_a_script_named_like_what_it_imports(place: Place, text: str) -> None:
    place.write(random_py=text)
    assert place.cause("python random.py").code == "shadowed_module"


def test_a_script_named_like_a_package(place: Place) -> None:
    place.write(mlflow_py="import mlflow.sklearn\n")
    cause = place.cause("python mlflow.py")
    assert (cause.code, cause.exception and cause.exception.file) == ("shadowed_module", "mlflow.py")


def test_a_circle_in_the_users_own_modules_is_no_shadow(place: Place) -> None:
    place.write(first_py="import second\nx = 1\n", second_py="from first import x\n", train_py="import first\n")
    cause = place.cause("python train.py")
    assert cause.code == "exception"
    assert "circular import" in cause.message


def test_another_version_of_a_package(place: Place) -> None:
    place.write(train_py="import numpy\nnumpy.float(1)\n")
    cause = place.cause("python train.py")
    assert cause.code == "wrong_version"
    assert cause.hint is not None and "Pin the version of numpy" in cause.hint


# Files


def test_a_script_that_does_not_exist(place: Place) -> None:
    place.write(train_py="")
    cause = place.cause("python trian.py")
    assert (cause.code, cause.message, cause.hint) == (
        "missing_file",
        "There is no 'trian.py'.",
        "Did you mean 'train.py'?",
    )


def test_a_file_that_the_snapshot_leaves_out(place: Place) -> None:
    place.write(train_py="open('data/big.csv')")
    (place.root / "src" / "data").mkdir()
    (place.root / "src" / "data" / "big.csv").touch()
    cause = place.cause("python train.py")
    assert cause.message == "There is no 'data/big.csv'."
    assert cause.hint is not None and ".amlignore" in cause.hint


def test_a_file_missing_in_an_input(place: Place) -> None:
    place.write(train_py="import sys\nopen(sys.argv[1] + '/train.csv')")
    data = place.root / "data"
    data.mkdir()
    cause = place.cause(f"python train.py {data}", replace(place.facts, inputs={"images": str(data)}))
    assert cause.message == f"There is no '{data}/train.csv', in the input 'images'."


def test_a_file_in_a_folder_that_is_missing_too(place: Place) -> None:
    place.write(train_py="open('results/scores.txt', 'w')")
    hint = place.cause("python train.py").hint
    assert hint is not None and hint.startswith("There is no folder 'results' either. To write there, make it first")
    place.write(train_py=f"open('{place.root}/elsewhere/scores.txt', 'w')")
    hint = place.cause("python train.py").hint
    assert hint is not None and hint.startswith(f"There is no folder '{place.root}/elsewhere' either;")


def test_a_file_missing_for_another_program(place: Place) -> None:
    cause = place.cause("cat nothing.txt")
    assert (cause.code, cause.message) == ("missing_file", "There is no 'nothing.txt'.")
    assert place.cause("ls nothing.txt").message == "There is no 'nothing.txt'."
    assert place.cause("tar xf data.tgz").message == "There is no 'data.tgz'."
    assert place.cause("cd nowhere && true").message == "There is no 'nowhere'."


def test_a_folder_opened_as_a_file(place: Place) -> None:
    place.write(train_py="import sys\nopen(sys.argv[1])")
    data = place.root / "data"
    data.mkdir()
    cause = place.cause(f"python train.py {data}", replace(place.facts, inputs={"images": str(data)}))
    assert cause.code == "unreadable_input"
    assert cause.hint is not None and cause.hint.startswith("The input 'images' has to be of type uri_file")


def test_unreadable_input(place: Place) -> None:
    place.write(train_py="open('data.csv', encoding='utf-8').read()")
    (place.root / "work" / "data.csv").write_bytes("größe".encode("latin-1"))
    cause = place.cause("python train.py")
    assert cause.code == "unreadable_input"
    assert cause.hint is not None and "latin-1" in cause.hint


def test_permission_denied(place: Place) -> None:
    place.write(train_py="raise PermissionError(13, 'Permission denied', '/etc/motd.new')")
    assert place.cause("python train.py").message == "Permission denied for '/etc/motd.new'."
    command = "sh -c 'echo x > /etc/motd.new'"
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write anywhere")
        command = f"setpriv --reuid 65534 --clear-groups {command}"
    cause = place.cause(command)
    assert (cause.code, cause.message) == ("permission_denied", "Permission denied for '/etc/motd.new'.")


def test_the_disk_is_full(place: Place) -> None:
    place.write(train_py="with open('/dev/full', 'w') as file:\n    file.write('x')\n")
    for command in (
        "python train.py",
        "echo x > /dev/full",
        "cp /etc/passwd /dev/full",
        "python -c 'print(1)' >/dev/full",
    ):
        cause = place.cause(command)
        assert cause.code == "disk_full", command
        assert cause.hint is not None and "workbench doctor" in cause.hint


def test_a_disk_full_that_the_script_wraps(place: Place) -> None:
    place.write(
        train_py="""
        import logging
        try:
            with open('/dev/full', 'w') as file:
                file.write('x')
        except OSError as error:
            logging.error("saving failed: %s", error)
        raise SystemExit("giving up")
        """
    )
    cause = place.cause("python train.py")
    assert (cause.code, cause.log_tail[-1]) == ("disk_full", "giving up")


# The shell


def test_a_command_that_is_not_there(place: Place) -> None:
    cause = place.cause("trian --epochs 3")
    assert (cause.code, cause.message) == ("command_not_found", "The command 'trian' was not found.")


def test_a_command_that_is_not_there_in_sh(place: Place) -> None:
    record = place.run("trian --epochs 3", shell="/bin/sh")
    assert explain_log(record, place.log, place.facts).message == "The command 'trian' was not found."


def test_a_script_called_without_its_folder(place: Place) -> None:
    place.write(train_sh="exit 0")
    cause = place.cause("train.sh")
    assert cause.hint is not None and "`./train.sh`" in cause.hint


def test_a_command_that_is_not_there_before_the_last(place: Place) -> None:
    assert place.cause("trian || exit 1").code == "command_not_found"


def test_not_executable(place: Place) -> None:
    place.write(train_sh="#!/bin/sh\n")
    cause = place.cause("./train.sh")
    assert cause.code == "not_executable"
    assert cause.hint is not None and "chmod +x train.sh" in cause.hint


def test_bad_interpreter(place: Place) -> None:
    place.write(train_sh="#!/no/such/shell\n")
    (place.root / "work" / "train.sh").chmod(0o755)
    assert place.cause("./train.sh").code == "not_executable"


@pytest.mark.parametrize("command", ["if true; then", "echo 'open", "echo a\nfi"])
def test_a_command_that_the_shell_cannot_read(place: Place, command: str) -> None:
    cause = place.cause(command)
    assert cause.code == "shell_syntax", cause
    record = place.run(command, shell="/bin/sh")
    assert explain_log(record, place.log, place.facts).code == "shell_syntax"


def test_an_unset_variable(place: Place) -> None:
    cause = place.cause("set -u; echo $LEARNING_RATE")
    assert (cause.code, "$LEARNING_RATE" in cause.message) == ("unset_variable", True)


def test_bad_arguments(place: Place) -> None:
    place.write(train_py="import argparse\np = argparse.ArgumentParser()\np.add_argument('--rate')\np.parse_args()\n")
    cause = place.cause("python train.py --epochs 3")
    assert cause.code == "bad_arguments"
    assert cause.message == "train.py did not accept its arguments: unrecognized arguments: --epochs 3"


def test_a_bare_exit_code(place: Place) -> None:
    cause = place.cause("echo working; exit 3")
    assert cause.code == "exit_code"
    assert cause.message == "The job left with exit code 3; the last it said: working"
    assert cause.log_tail == ["working"]


def test_an_exit_without_a_word(place: Place) -> None:
    cause = place.cause("exit 3")
    assert cause.message == "The job left with exit code 3."
    assert cause.hint is not None and cause.hint.startswith("It printed nothing.")


def test_a_program_that_python_did_not_find(place: Place) -> None:
    place.write(train_py="import subprocess\n\nsubprocess.run(['trian'], check=True)\n")
    cause = place.cause("python train.py")
    assert (cause.code, cause.message) == ("command_not_found", "The command 'trian' was not found.")
    assert cause.exception is not None and (cause.exception.file, cause.exception.line) == ("train.py", 3)


def test_an_exception_that_was_survived_is_not_the_cause(place: Place) -> None:
    place.write(
        train_py="""
        import logging
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("never mind")
        for i in range(6):
            print("epoch", i)
        raise SystemExit(3)
        """
    )
    cause = place.cause("python train.py")
    assert cause.code == "exit_code"
    assert cause.exception is not None and cause.exception.type == "ZeroDivisionError"


# Endings


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


# Libraries and the machine


def test_a_port_in_use(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        place.write(train_py=f"import socket\nsocket.create_server(('127.0.0.1', {port}))\n")
        cause = place.cause("python train.py")
    assert cause.code == "port_in_use"
    assert cause.exception is not None and (cause.exception.file, cause.exception.line) == ("train.py", 2)


def test_the_gpu_is_out_of_memory(place: Place) -> None:
    place.write(
        train_py="""
        class OutOfMemoryError(RuntimeError): ...
        OutOfMemoryError.__module__ = "torch"
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 8 GiB")
        """
    )
    assert place.cause("python train.py").code == "gpu_memory"


def test_a_missing_system_library(place: Place) -> None:
    place.write(train_py="import ctypes\nctypes.CDLL('libGL.so.97')\n")
    cause = place.cause("python train.py")
    assert cause.code == "missing_library"
    assert "libGL.so.97" in cause.message


def test_no_network(place: Place) -> None:
    place.write(train_py="import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/x')\n")
    cause = place.cause("python train.py", no_proxy="*")
    assert cause.code == "network"
    assert cause.hint is not None and "workbench cache add" in cause.hint
    said = place.cause("echo 'curl: (7) Failed to connect to 127.0.0.1 port 9'; exit 7").message
    assert said.endswith(" It said: curl: (7) Failed to connect to 127.0.0.1 port 9")


def test_native_code_without_memory(place: Place) -> None:
    cause = place.cause("echo \"terminate called after throwing an instance of 'std::bad_alloc'\"; kill -ABRT $$")
    assert cause.code == "memory"
    assert "SIGABRT" in cause.message


@pytest.mark.slow
def test_set_experiment_under_a_given_run(place: Place) -> None:
    place.write(train_py="import mlflow\n\nmlflow.set_experiment('other')\nmlflow.log_metric('x', 1)\n")
    uri = f"sqlite:///{place.root}/mlflow.db"
    made = subprocess.run(
        [sys.executable, "-c", "import mlflow; print(mlflow.start_run().info.run_id)"],
        env={**os.environ, "MLFLOW_TRACKING_URI": uri},
        cwd=place.root,
        capture_output=True,
        text=True,
        check=True,
    )
    run_id = made.stdout.split()[-1]
    cause = place.cause("python train.py", MLFLOW_TRACKING_URI=uri, MLFLOW_RUN_ID=run_id)
    assert cause.code == "mlflow_experiment", cause
    assert cause.exception is not None and (cause.exception.file, cause.exception.line) == ("train.py", 4)
    assert cause.hint is not None and "experiment_name" in cause.hint


@pytest.mark.slow
def test_a_second_run_while_one_is_active(place: Place) -> None:
    place.write(train_py="import mlflow\n\nmlflow.start_run()\nmlflow.start_run()\n")
    cause = place.cause("python train.py", MLFLOW_TRACKING_URI=f"sqlite:///{place.root}/mlflow.db")
    assert cause.code == "mlflow_active_run", cause


@pytest.mark.slow
@pytest.mark.parametrize("uri", ["sqlite:///own.db", "http://127.0.0.1:9"])
def test_a_script_that_logs_to_a_store_of_its_own(place: Place, uri: str) -> None:
    place.write(train_py=f"import mlflow\n\nmlflow.set_tracking_uri('{uri}')\nmlflow.log_metric('x', 1)\n")
    cause = place.cause(
        "python train.py",
        replace(place.facts, job="brave_owl_1"),
        MLFLOW_RUN_ID="brave_owl_1",
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
        no_proxy="*",
    )
    assert cause.code == "mlflow_other_store", cause
    assert cause.hint is not None and cause.hint.startswith("Take mlflow.set_tracking_uri() out")


# The log


def test_a_huge_log_is_read_at_its_end_only(place: Place) -> None:
    with place.log.open("wb") as log:
        log.truncate(1 << 30)
        log.seek(0, os.SEEK_END)
        log.write(b'\nTraceback (most recent call last):\n  File "<string>", line 1, in <module>\nValueError: bad\n')
    cause = explain_log({"outcome": "exited", "exit_code": 1}, place.log, place.facts)
    assert cause.message == "ValueError: bad"
    assert read_bytes(lambda: explain_log(None, place.log, place.facts)) < 256 << 10


def read_bytes(act: Callable[[], object]) -> int:
    """How many bytes were read meanwhile by this process (Linux)."""
    counters = Path("/proc/self/io")
    if not counters.exists():
        pytest.skip("needs /proc")
    before = int(counters.read_text().split()[1])
    act()
    return int(counters.read_text().split()[1]) - before


def test_what_a_terminal_would_show(place: Place) -> None:
    place.log.write_bytes(
        b"\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07\n"
        b"\r 10%|#\r 50%|#####\r100%|##########\r\n"
        b"1/3\x08\x08\x082/3\x08\x08\x083/3\n"
        b"bell\x07 and \xff\xfe bytes\r\n\n\n\n\n"
        b"\ttab\n" + b"x" * 1000 + b"\n\n\n"
    )
    tail = explain_log(None, place.log, place.facts).log_tail
    assert tail[:6] == ["red link", "100%|##########", "3/3", "bell and \ufffd\ufffd bytes", "", "    tab"]
    assert len(tail) == 7 and len(tail[6]) == 300


def test_a_log_that_is_no_file(place: Place) -> None:
    assert explain_log(None, place.log, place.facts).log_tail == []
    os.mkfifo(place.log)
    assert explain_log(None, place.log, place.facts).log_tail == []
    assert explain_log(None, place.root, place.facts).log_tail == []


FRAGMENTS = st.sampled_from(
    [
        b"Traceback (most recent call last):\n",
        b'  File "/x/y.py", line 3, in f\n',
        b'  File "bad.py", line 99999999999999999999\n',
        b"    x = 1\n    ^^^^^\n",
        b"ValueError: bad\n",
        b"  + Exception Group Traceback (most recent call last):\n",
        b"  | ExceptionGroup: a (1 sub-exception)\n",
        b"  +-+---------------- 1 ----------------\n",
        b"    +------------------------------------\n",
        b"    | ",
        b"\nThe above exception was the direct cause of the following exception:\n\n",
        b"\nDuring handling of the above exception, another exception occurred:\n\n",
        b"ModuleNotFoundError: No module named 'x.y'\n",
        b"FileNotFoundError: [Errno 2] No such file or directory: 'a\\x00b'\n",
        b"bash: line 1: foo: command not found\n",
        b"Fatal Python error: Aborted\n",
        b"\r",
        b"\x1b[",
        b"\n",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    data=st.lists(FRAGMENTS | st.binary(max_size=200), max_size=30).map(b"".join),
    outcome=st.sampled_from(["exited", "signaled", "timeout", "out_of_memory", "spawn_failed", "", "odd"]),
    code=st.integers(-300, 300) | st.none(),
)
def test_nothing_in_a_log_makes_it_raise(
    data: bytes, outcome: str, code: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.getbasetemp() / "explained"
    root.mkdir(exist_ok=True)
    log = root / "log.txt"
    log.write_bytes(data)
    record = {"outcome": outcome, "exit_code": code, "signal": code, "failed_process": code, "wall_seconds": code}
    cause = explain_log(record, log, JobFacts(working_copy=root, code=root, processes=2))
    assert cause.message
    assert Cause.read(cause.document()) == cause
