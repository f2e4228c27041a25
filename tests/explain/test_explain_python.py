"""What Python says: real scripts that raise, run by a real shell, and what is told of them."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

from tests.explain.place import Place


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
    cause = place.cause("python train.py")
    raised = cause.exception
    assert raised is not None
    assert (raised.type, raised.file, raised.function) == ("json.decoder.JSONDecodeError", "steps.py", "load")
    assert raised.line in (5, 6)
    assert raised.code is not None and raised.code.startswith("return json.loads(")
    assert cause.code == "unreadable_input"
    assert [line for line in cause.log_tail if "steps.load" in line]  # how far back the tail goes, Python decides
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


def test_a_memory_error_behind_an_exit_code_of_the_commands_own(place: Place) -> None:
    place.write(train_py="def load():\n    return bytearray(1 << 60)\n\nload()\n")
    cause = place.cause("python train.py || { for i in 1 2 3 4 5 6 7 8 9; do echo $i; done; exit 3; }")
    assert cause.code == "memory"
    assert cause.exception is not None and cause.exception.line == 2


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
