"""Tracebacks that ``rich`` draws in boxes, and what is told of them."""

from __future__ import annotations

import pytest

from tests.explain.place import Place

BOXED = """
from rich.traceback import install

install(show_locals={show_locals})

def load(path):
    numbers = [1, 2, 3]
    return open(path)

def main():
    try:
        load("{path}")
    except OSError as error:
        raise RuntimeError("cannot train") from error

main()
"""


@pytest.mark.parametrize("show_locals", [True, False])
@pytest.mark.parametrize("variables", [{}, {"COLUMNS": "73"}, {"PYTHONIOENCODING": "ascii:backslashreplace"}], ids=str)
def test_a_traceback_in_a_box(place: Place, variables: dict[str, str], show_locals: bool) -> None:
    place.write(train_py=BOXED.format(show_locals=show_locals, path="no.csv"))
    raised = place.cause("python train.py; code=$?; echo bye; exit $code", **variables).exception
    assert raised is not None
    assert (raised.type, raised.message.partition("\n")[0]) == ("RuntimeError", "cannot train")
    assert (raised.file, raised.line, raised.function) == ("train.py", 14, "main")
    assert raised.code == 'raise RuntimeError("cannot train") from error'
    assert raised.caused_by is not None and raised.caused_by.endswith(" 'no.csv' at train.py:8")


def test_a_box_is_read_where_it_breaks_lines(place: Place) -> None:
    path = f"{place.root}/{'a' * 60}/no data/{'b' * 60}.csv"
    place.write(train_py=BOXED.format(show_locals=True, path=path))
    cause = place.cause(f"python {place.root}/work/train.py", COLUMNS="50")
    assert (cause.code, cause.message) == ("missing_file", f"There is no {path!r}.")


def test_a_box_whose_top_is_not_in_the_tail(place: Place) -> None:
    place.write(
        train_py="""
        from rich.traceback import install

        install(max_frames=0, width=100)

        def again(times):
            x = "a line of source that makes the frame a large one, as it is shown with those around it"
            return again(times - 1) if times else 1 / 0

        again(200)
        """
    )
    cause = place.cause("python train.py")
    assert place.log.stat().st_size > 100_000
    assert cause.message == "ZeroDivisionError: division by zero"
    assert cause.exception is not None and (cause.exception.file, cause.exception.line) == ("train.py", 8)


def test_a_group_in_boxes_names_its_members(place: Place) -> None:
    place.write(
        train_py="""
        from rich.traceback import install

        install()

        def one():
            raise TypeError("b")

        errors = [ValueError("a")]
        try:
            one()
        except TypeError as error:
            errors.append(error)
        raise ExceptionGroup("many", errors)
        """
    )
    cause = place.cause("python train.py")
    assert cause.message == "ExceptionGroup: many (2 sub-exceptions): ValueError: a; TypeError: b at train.py:7"


def test_a_syntax_error_in_a_box(place: Place) -> None:
    place.write(
        train_py="from rich.traceback import install\n\ninstall()\nimport helper\n", helper_py="def f(:\n    pass\n"
    )
    cause = place.cause("python train.py")
    assert cause.message == "Python could not read helper.py, line 1: invalid syntax."
