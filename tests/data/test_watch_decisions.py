"""Which files of a watched path are meant, which are settled, and when an event is due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.data.sightings import Decision, Found, Pending, decide, observe, patience
from store.data.watched_paths import WatchedPath
from store.errors import UsageError

QUIET = 0.5


@pytest.mark.parametrize(
    ("pattern", "base", "yes", "no"),
    [
        ("daily/*.csv", "daily", ["a.csv"], ["a.txt", "b/a.csv", ".a.csv"]),
        ("daily", "daily", ["a.csv", "b/c/d.csv"], [".tmp", "b/.hidden"]),
        ("in/**/*.csv", "in", ["a.csv", "b/a.csv", "b/c/a.csv"], ["a.txt", ".git/a.csv"]),
        ("in/2024-*/x.csv", "in", ["2024-01/x.csv"], ["2023-01/x.csv", "x.csv", "2024-01/b/x.csv"]),
        ("/*.csv", "", ["a.csv"], ["b/a.csv"]),
        ("in/[ab].csv", "in", ["a.csv"], ["c.csv"]),
    ],
)
def test_a_path_means_files(pattern: str, base: str, yes: list[str], no: list[str]) -> None:
    path = WatchedPath.parse(pattern)
    assert path.base == base
    assert [each for each in [*yes, *no] if path.matches(each)] == yes


def test_a_path_stays_in_its_datastore() -> None:
    with pytest.raises(UsageError, match="leads out"):
        WatchedPath.parse("../etc/*")


def test_a_marker_is_no_data_and_lies_beside_its_files() -> None:
    path = WatchedPath.parse("in/**", "_SUCCESS")
    assert path.marker_of("a/b.csv") == "a/_SUCCESS"
    assert not path.matches("a/_SUCCESS")
    each = WatchedPath.parse("in/**", "*.done")
    assert each.marker_of("b.csv") == "b.csv.done"
    assert not each.matches("b.csv.done")


def test_a_burst_is_one_event_after_the_quiet_period() -> None:
    pending: dict[str, Pending] = {}
    for step in range(10):  # a file each 0.3 s: shorter than the quiet period
        news = [Found(f"{number}", 1, "m") for number in range(step + 1)]
        pending = observe(pending, news, step * 0.3)
        assert decide(pending, step * 0.3, QUIET).take == ()
    due = decide(pending, 9 * 0.3 + QUIET, QUIET)
    assert len(due.take) == 10


def test_a_file_that_is_written_to_is_not_settled() -> None:
    pending = observe({}, [Found("a", 1, "1")], 0.0)
    pending = observe(pending, [Found("a", 2, "2")], QUIET)
    assert decide(pending, QUIET, QUIET) == Decision(wait=QUIET)


def test_a_file_that_never_rests_holds_up_the_others_for_so_long_and_no_longer() -> None:
    pending, now = observe({}, [Found("rests", 1, "1"), Found("grows", 0, "0")], 0.0), 0.0
    while now < QUIET + patience(QUIET):
        assert decide(pending, now, QUIET).take == ()
        now += 0.25
        pending = observe(pending, [Found("rests", 1, "1"), Found("grows", 1, str(now))], now)
    assert [found.path for found in decide(pending, now, QUIET).take] == ["rests"]


def test_a_file_without_its_marker_is_not_waited_for() -> None:
    assert decide(observe({}, [Found("a", 1, "1", is_whole=False)], 0.0), 99.0, QUIET) == Decision()


def test_a_file_that_is_gone_is_forgotten() -> None:
    assert observe(observe({}, [Found("a", 1, "1")], 0.0), [], 1.0) == {}


contents = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 2), max_size=5)
histories = st.lists(st.tuples(st.floats(0.01, 2.0), contents), max_size=30)


@given(histories)
def test_whatever_happens_every_file_is_taken_once_for_each_content_that_lasts(
    history: list[tuple[float, dict[str, int]]],
) -> None:
    """Against a model: a folder whose content changes at some times, looked at then; the last content stays."""
    ledger, pending, now = dict[str, str](), dict[str, Pending](), 0.0
    since = dict[str, tuple[int, float]]()
    final = history[-1][1] if history else {}
    for pause, content in [*history, *[(QUIET, final)] * 40]:
        now += pause
        since = {
            path: since[path] if path in since and since[path][0] == value else (value, now)
            for path, value in content.items()
        }
        news = [Found(path, 1, str(value)) for path, value in content.items() if ledger.get(path) != str(value)]
        pending = observe(pending, news, now)
        decision = decide(pending, now, QUIET)
        for found in decision.take:
            assert ledger.get(found.path) != found.modified, "it fired twice"
            assert now - since[found.path][1] >= QUIET, "it was not settled"
            ledger[found.path] = found.modified
    assert {path: ledger.get(path) for path in final} == {path: str(value) for path, value in final.items()}


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100))), st.floats(0, 200))
def test_there_is_always_a_time_to_look_again_while_a_file_moves(seen: list[tuple[float, float]], now: float) -> None:
    pending = {str(i): Pending(Found(str(i), 1, "m"), min(since, now)) for i, (since, _) in enumerate(seen)}
    decision = decide(pending, now, QUIET)
    if pending and not decision.take:
        assert decision.wait is not None
        assert 0 < decision.wait <= QUIET
