"""Reading metrics: last values, histories for a plot, journals that grow."""

from __future__ import annotations

import json
import math
import sqlite3
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracked_jobs import MakeRun

from store.tracking.ingest import ingest
from store.tracking.metrics import Point, Tail, last_metrics, metric_history, thin

JOB = "calm_fox_1"


def write_points(journal: Path, points: list[tuple[str, object, int, int]], run: str = JOB) -> None:
    """Append (key, value, time, step) as journal lines."""
    with journal.open("a") as file:
        for key, value, time, step in points:
            file.write(json.dumps({"r": run, "k": key, "v": value, "t": time, "s": step}) + "\n")


def ingest_all(database: sqlite3.Connection, journal: Path) -> None:
    while not ingest(database, JOB, journal).done:
        pass


def test_last_metrics_with_and_without_what_waits(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    write_points(journal, [("loss", 0.5, 1, 1), ("acc", 0.9, 1, 1), ("odd", "NaN", 1, 1)])
    ingest_all(database, journal)
    write_points(journal, [("loss", 0.4, 2, 2), ("acc", 0.1, 1, 0), ("new", 7, 1, 1)])
    write_points(journal, [("loss", 99.0, 9, 9)], run="another")
    assert repr(last_metrics(database, JOB)) == "{'acc': 0.9, 'loss': 0.5, 'odd': nan}"
    assert repr(last_metrics(database, JOB, journal=journal)) == "{'acc': 0.9, 'loss': 0.4, 'odd': nan, 'new': 7.0}"
    assert last_metrics(database, "another", journal=journal, job=JOB) == {"loss": 99.0}
    assert last_metrics(database, "unknown") == {}


def test_an_infinity_is_told_as_one(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    write_points(journal, [("up", "Infinity", 1, 1), ("down", "-Infinity", 1, 1)])
    assert last_metrics(database, JOB, journal=journal) == {"up": math.inf, "down": -math.inf}
    ingest_all(database, journal)
    assert last_metrics(database, JOB) == {"up": math.inf, "down": -math.inf}


def test_a_short_history_is_whole(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    write_points(journal, [("loss", 0.3, 9, 3), ("loss", "NaN", 5, 2), ("loss", 0.1, 7, 1)])
    ingest_all(database, journal)
    write_points(journal, [("loss", 0.2, 6, 2), ("loss", 0.3, 9, 3), ("other", 5.0, 1, 1)])
    expected = [Point(1, 7, 0.1), Point(2, 5, math.nan), Point(2, 6, 0.2), Point(3, 9, 0.3)]
    assert metric_history(database, JOB, "loss", 10, journal=journal) == expected
    assert metric_history(database, JOB, "loss", 10) == [expected[0], expected[1], expected[3]]
    assert metric_history(database, JOB, "none", 10) == []


HISTORY = st.lists(
    st.tuples(
        st.one_of(st.floats(allow_nan=False, allow_infinity=False, width=32), st.just("NaN")),
        st.integers(0, 50),
        st.integers(-5, 300),
    ),
    max_size=120,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=HISTORY, split=st.integers(0, 120), most=st.integers(4, 40), same_step=st.booleans())
def test_a_thinned_history_keeps_the_peaks_and_the_ends(
    points: list[tuple[object, int, int]],
    split: int,
    most: int,
    same_step: bool,
    database: sqlite3.Connection,
    new_run: MakeRun,
) -> None:
    """Whatever part is ingested already, whichever axis there is."""
    journal = new_run(JOB)
    journal.unlink(missing_ok=True)
    for table in ("metrics", "latest_metrics", "workbench_journal"):
        database.execute(f"DELETE FROM {table}")
    lines = [("loss", value, time, 0 if same_step else step) for value, time, step in points]
    write_points(journal, lines[:split])
    ingest_all(database, journal)
    write_points(journal, lines[split:])
    history = metric_history(database, JOB, "loss", most, journal=journal)
    known = {Point(step, time, math.nan if value == "NaN" else float(str(value))) for _, value, time, step in lines}
    assert set(history) <= known
    assert [point[:2] for point in history] == sorted(point[:2] for point in history)
    if len(lines) <= most:
        assert set(history) == known
        return
    assert len(history) <= max(most, len({line[1:] for line in lines}))
    numbers = sorted(point for point in known if not math.isnan(point.value))
    if len(set(lines)) > most and numbers:
        assert len(history) <= most
        values = [point.value for point in history]
        assert (min(values), max(values)) == (min(p.value for p in numbers), max(p.value for p in numbers))
        assert (history[0][:2], history[-1][:2]) == (numbers[0][:2], numbers[-1][:2])


def test_a_long_history_is_thinned_evenly(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    write_points(journal, [("loss", math.sin(step / 50), step, step) for step in range(5_000)])
    write_points(journal, [("loss", 77.0, 2_500, 2_500)])
    ingest_all(database, journal)
    history = metric_history(database, JOB, "loss", 100)
    assert 90 <= len(history) <= 100
    assert Point(2_500, 2_500, 77.0) in history
    gaps = [after.step - before.step for before, after in pairwise(history)]
    assert max(gaps) < 2 * 5_000 / 49
    assert history == thin(history, 100)


def test_thinning_leaves_one_place_alone() -> None:
    points = [Point(1, 1, float(value)) for value in range(50)]
    assert {point.value for point in thin(points, 4)} == {0.0, 49.0}


def test_a_tail_follows_whole_lines(tmp_path: Path) -> None:
    journal = tmp_path / "metrics.jsonl"
    tail = Tail(journal)
    assert tail.read() == []
    write_points(journal, [("loss", 0.5, 1, 1)])
    assert [row[:3] for row in tail.read()] == [("loss", 0.5, 1)]
    assert tail.read() == []
    with journal.open("a") as file:
        file.write('{"r":"calm_fox_1","k":"loss","v":0.25,')
        file.flush()
        assert tail.read() == []
        file.write('"t":2,"s":2}\n')
    assert [row[4] for row in tail.read()] == [2]
    journal.unlink()
    write_points(journal, [("loss", 0.75, 1, 9)])
    assert [row[4] for row in tail.read()] == [9]
