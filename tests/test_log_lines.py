"""Lines, line numbers and places found in a log of any bytes, against the plain way of doing it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import log_lines, log_search
from store.errors import UsageError
from store.log_index import LineIndex
from store.log_lines import BLOCK, Line, OpenLog, backwards, forwards, overwritten, pieces, start_of, window
from store.log_search import Pattern, Search
from store.log_text import coloured, last_state, plain

UNIT = 16
"""In place of a block, so that short logs have long lines."""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "BLOCK", UNIT)
    monkeypatch.setattr(log_lines, "CHUNK", 4 * UNIT)
    monkeypatch.setattr(log_lines, "KEPT", 16 * UNIT)


def stored(folder: Path, data: bytes) -> Path:
    path = folder / "log.txt"
    path.write_bytes(data)
    return path


def reference(data: bytes) -> list[Line]:
    """Lines as ``split`` has them, and those that fill blocks broken at the beginning of a character."""
    found: list[Line] = []
    at = 0
    for whole in re.findall(rb"[^\n]*\n|[^\n]+", data):
        cuts = [at]
        for block in range(0, len(data), UNIT):
            if at <= block - UNIT and block < at + len(whole):
                cut = block
                while cut < block + 4 and cut < at + len(whole) and 0x80 <= data[cut] < 0xC0:
                    cut += 1
                cut = block if cut == block + 4 else cut
                cuts += [cut] if cut < at + len(whole) else []
        cuts.append(at + len(whole))
        found += [Line(low, data[low:high]) for low, high in pairwise(cuts)]
        at += len(whole)
    return found


PARTS = st.one_of(
    st.sampled_from(
        [b"\n", b"\r\n", b"\r", b"a", b"b" * 20, b"\xe6\x97\xa5", b"\x80" * 9, b"\x1b[31m", b"\0", b"error\n"]
    ),
    st.binary(max_size=40),
)
BYTES = st.lists(PARTS, max_size=60).map(b"".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@given(data=BYTES, at=st.integers(0, 2000))
def test_lines_are_those_of_splitting_from_any_place(folder: Path, data: bytes, at: int) -> None:
    lines = reference(data)
    with OpenLog(stored(folder, data)) as log:
        assert pieces(log, 0, log.size) == lines
        assert [line for low in range(0, log.size, UNIT) for line in pieces(log, low, low + UNIT)] == lines
        if lines:
            at = min(at, len(data) - 1)
            assert start_of(log, at) == max(line.start for line in lines if line.start <= at)


@given(data=BYTES, at=st.integers(0, 2000))
def test_forwards_and_backwards_leave_out_what_a_progress_bar_overwrote(folder: Path, data: bytes, at: int) -> None:
    lines = reference(data)
    shown = [line for line, then in pairwise([*lines, None]) if line and (not then or not overwritten(line, then))]
    with OpenLog(stored(folder, data)) as log:
        assert list(forwards(log, 0)) == shown
        assert list(backwards(log, log.size)) == shown[::-1]
        start = start_of(log, at) if data else 0
        assert list(backwards(log, start)) == [line for line in shown if line.start < start][::-1]


@given(data=BYTES, at=st.integers(0, 2000), before=st.integers(1, 9), after=st.integers(1, 9))
def test_a_window_is_a_part_of_the_lines(folder: Path, data: bytes, at: int, before: int, after: int) -> None:
    with OpenLog(stored(folder, data)) as log:
        everything = list(forwards(log, 0))
        found = window(log, at, before, after)
    own = [line for line in found.lines if line in everything]
    index = everything.index(own[0]) if own else 0
    assert own == everything[index : index + len(own)]
    assert len(found.lines) - len(own) <= 1  # the one asked for is shown, overwritten or not
    assert not found.at_start or not own or index == 0
    assert not found.at_end or not own or own[-1] == everything[-1]
    assert found.at_start or found.index_of(at) >= before


@given(data=BYTES, cuts=st.lists(st.integers(0, 2000)), spacing=st.sampled_from([4, 16, 1 << 20]))
def test_line_numbers_whatever_the_chunks(folder: Path, data: bytes, cuts: list[int], spacing: int) -> None:
    index = LineIndex(spacing, most=8)
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    for low, high in pairwise(places):
        index.feed(data[low:high])
    starts = [0, *(match.end() for match in re.finditer(b"\n", data))]
    with OpenLog(stored(folder, data)) as log:
        assert index.extend(log, 1) and index.ends == len(starts) - 1
        for offset in range(0, len(data), 3):
            assert index.number_at(log, offset) == data.count(b"\n", 0, offset) + 1
        assert [index.offset_of(log, number + 1) for number in range(len(starts))] == starts
        assert index.offset_of(log, len(starts) + 1) is None
        assert index.number_at(log, len(data) + 1) is None


def test_a_count_goes_on_where_it_was(tmp_path: Path) -> None:
    index, path = LineIndex(), stored(tmp_path, b"a\nb\n")
    with OpenLog(path) as log:
        assert not index.extend(log, 3) and index.ends == 1
        assert index.number_at(log, 4) is None
        assert index.extend(log, 3) and index.ends == 2
    with path.open("ab") as file:
        file.write(b"c\nd")
    with OpenLog(path) as log:
        assert index.extend(log, 100) and index.number_at(log, 6) == 4


# -- search -------------------------------------------------------------------------------------------------------


def everything(search: Search, path: Path) -> list[int]:
    with OpenLog(path) as log:
        while search.step(log):
            pass
    return places(search)


def places(search: Search) -> list[int]:
    found, at = [], 0
    while (place := search.next_after(at)) is not None:
        found.append(place)
        at = place + 1
    backwards, at = [], 1 << 40
    while (before := search.last_before(at)) is not None:
        backwards.append(before)
        at = before
    assert backwards == found[::-1] and search.count == len(found)
    assert [search.rank(place) for place in found] == list(range(1, len(found) + 1))
    assert (search.first(), search.last()) == ((found[0], found[-1]) if found else (None, None))
    return found


@settings(deadline=None)
@given(
    data=BYTES,
    origin=st.integers(0, 2000),
    text=st.sampled_from(["error", "b", "A", "日", "re:b+$", "re:^a", r"re:\Aa"]),
)
def test_every_line_is_found_once_from_any_place(folder: Path, data: bytes, origin: int, text: str) -> None:
    log_search.PART, kept = 1 << 10, log_search.PART
    try:
        path = stored(folder, data)
        with OpenLog(path) as log:
            start = start_of(log, origin) if data else 0
        pattern = Pattern(text)
        found = everything(Search(pattern, start), path)
    finally:
        log_search.PART = kept
    lines, at = [], 0
    for raw in data.split(b"\n"):
        lines += [(at, at + len(raw))] if pattern.found_in(plain(raw)) else []
        at += len(raw) + 1
    if start and data[start - 1 : start] != b"\n":
        return  # begins within a long line, of which either part may hold it
    assert [any(low <= place <= high for place in found) for low, high in lines] == [True] * len(lines)
    assert len(found) == len(lines)


def test_parts_of_a_search_end_where_lines_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_search, "PART", 64)
    path = stored(tmp_path, b"".join(b"line %03d\n" % number for number in range(200)))
    found = everything(Search(Pattern("re:^line ..[37]$"), 900), path)
    assert [place // 9 for place in found] == [number for number in range(200) if number % 10 in (3, 7)]


def test_what_is_added_is_searched_and_an_unfinished_line_again(tmp_path: Path) -> None:
    path = stored(tmp_path, b"one hit\ntwo hi")
    search = Search(Pattern("hit"), 0)
    assert everything(search, path) == [4]
    with path.open("ab") as file:
        file.write(b"t\nthree hit")
    assert everything(search, path) == [4, 12, 22]
    with path.open("ab") as file:
        file.write(b"s and more")
    assert len(everything(search, path)) == 3


def test_case_counts_where_a_capital_is_typed() -> None:
    assert Pattern("error").found_in("An ERROR") and not Pattern("Error").found_in("An ERROR")
    assert Pattern(r"re:\Sx").found_in("aX") and Pattern("a.c").spans("abc a.c") == [(4, 7)]
    with pytest.raises(UsageError, match="no regular expression: missing"):
        Pattern("re:(")


def test_what_is_searched_is_what_is_shown(tmp_path: Path) -> None:
    path = stored(tmp_path, b" 10% slow\r 20% slow\r done\n\x1b[31mERR\x1b[0mOR: x\r\n")
    assert everything(Search(Pattern("slow"), 0), path) == []
    assert len(everything(Search(Pattern("ERROR:"), 0), path)) == 1
    assert len(everything(Search(Pattern("re:x$"), 0), path)) == 1


# -- text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b" 5%|# |\r10%|##|\r\n", "10%|##|"),
        (b"a\r\n", "a"),
        (b"a\r   \r\n", "a"),
        (b"abc\x08\x08xy", "xy"),
        (b"\x1b]0;title\x07x\x1b[2Ky\x1b[?25l", "xy"),
        (b"\x1b[1mbold\x1b[0m", "bold"),
        ("a\u202eb".encode(), "ab"),
        (b"\xff\x00z", "\ufffdz"),
        (b"", ""),
    ],
)
def test_the_last_state_of_a_line(data: bytes, text: str) -> None:
    assert plain(data) == text


def test_colours_stay_and_other_escapes_go() -> None:
    assert coloured(b"\x1b[31mred\x1b[K\x1b[0m\x1b") == "\x1b[31mred\x1b[0m"


@given(st.binary(max_size=200))
def test_no_bytes_leave_anything_that_moves_the_cursor(data: bytes) -> None:
    assert all(sign.isprintable() or sign in "\t " or ord(sign) > 0x9F for sign in plain(data))
    assert b"\r" not in last_state(data)


def test_blocks_are_large_enough() -> None:
    assert BLOCK == 16 << 10


def names(found: Iterable[Line]) -> list[bytes]:
    return [line.data for line in found]


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        OpenLog(tmp_path)
    (tmp_path / "empty").touch()
    with OpenLog(tmp_path / "empty") as log:
        assert window(log, 0, 5, 5).lines == () and names(forwards(log, 0)) == []


def test_an_expression_is_searched_for_elsewhere_and_given_up_when_it_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store import bounded_search
    from store.bounded_search import BoundedSearch
    from store.time_limit import TooSlowError

    data = b"".join(b"line %d\n" % number for number in range(1000))
    pattern = Pattern("re:^line ..[37]$")
    bounded = BoundedSearch(pattern.text)
    assert bounded.hits(pattern, data, 5) == list(log_search.hits(pattern, data, 5))
    assert bounded.hits(pattern, b"", 5) == []
    bounded.close()
    monkeypatch.setattr(bounded_search, "LIMIT_SECONDS", 0.2)
    slow = BoundedSearch("re:(a+)+$")
    with pytest.raises(TooSlowError):
        slow.hits(Pattern("re:(a+)+$"), b"a" * 60 + b"!", 0)
    assert slow._process is not None and slow._process.poll() is not None
    drawn = Pattern("re:(a+)+$")
    assert drawn.spans("aa") == [(0, 2)] and drawn.spans("a" * 60 + "!") == [] and drawn.too_slow
