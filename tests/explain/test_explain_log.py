"""How the end of a log is read, whatever stands in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.jobs.explain import Cause, JobFacts, explain_log
from tests.explain.place import Place


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
        "╭──── Traceback (most recent call last) ────╮\n".encode(),
        "│ /x/y.py:3 in f │\n".encode(),
        "│ ❱ 3 │   x = 1 │\n".encode(),
        "╭───────────╮\n".encode(),
        "╰───────────╯\n".encode(),
        "╭──── Sub-exception #1 ────╮\n".encode(),
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
