"""What the shell and its programs say when they give up, and what is told of it."""

from __future__ import annotations

import pytest

from engines.jobs.explain import explain_log
from tests.explain.place import Place


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
