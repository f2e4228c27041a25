"""A job's metrics as they come: database and journal together, each point once, however they are read."""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracked_jobs import MakeRun

from store.tracking import live
from store.tracking.ingest import ingest
from store.tracking.live import LiveMetrics
from store.tracking.metrics import Point, key_facts, latest_points, metric_history, sketch, thin

JOB = "calm_fox_1"


def write_points(journal: Path, points: list[tuple[str, object, int]], run: str = JOB) -> None:
    """Append (key, value, step) as journal lines."""
    with journal.open("a") as file:
        for key, value, step in points:
            file.write(json.dumps({"r": run, "k": key, "v": value, "t": step, "s": step}) + "\n")


def ingest_all(database: sqlite3.Connection, journal: Path) -> None:
    while not ingest(database, JOB, journal).done:
        pass


def values(metrics: LiveMetrics, key: str) -> list[tuple[float, float]]:
    return [(point.step, point.value) for point in metrics.points(key)]


def test_a_history_goes_on_in_the_journal(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    write_points(journal, [("loss", 3.0, 1), ("acc", 0.1, 1)])
    ingest_all(database, journal)
    write_points(journal, [("loss", 2.0, 2), ("loss", 9.0, 9)])
    write_points(journal, [("loss", 7.0, 7)], run="another")
    metrics = LiveMetrics(JOB, journal)
    assert metrics.poll(database) == []
    assert metrics.keys == ["acc", "loss"]
    (update,) = metrics.load(database, ["loss"])
    assert update.whole and [point.value for point in update.points] == [3.0, 2.0, 9.0]
    assert metrics.facts("loss") == (Point(9, 9, 9.0), 3, 2.0, 9.0)
    assert metrics.facts("acc").total is None

    write_points(journal, [("loss", 1.0, 10), ("new", 5.0, 1)])
    (update,) = metrics.poll(database)
    assert (update.key, update.points, update.whole) == ("loss", [Point(10, 10, 1.0)], False)
    assert metrics.keys == ["acc", "loss", "new"]
    ingest_all(database, journal)
    assert metrics.poll(database) == []
    assert metrics.load(database, ["loss", "gone"])[0].points == metric_history(database, JOB, "loss", 100)


def test_a_torn_line_waits_for_its_end(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    metrics = LiveMetrics(JOB, journal)
    write_points(journal, [("loss", 1.0, 1)])
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-5])
    assert metrics.poll(database) == [] and metrics.keys == []
    journal.write_bytes(whole)
    metrics.poll(database)
    assert metrics.keys == ["loss"]


def test_metrics_that_came_another_way_are_found(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal, elsewhere = new_run(JOB), new_run("elsewhere")
    write_points(journal, [("loss", 1.0, 1)])
    metrics = LiveMetrics(JOB, journal)
    metrics.load(database, ["loss"])
    write_points(elsewhere, [("loss", 2.0, 2), ("acc", 0.5, 2)])
    assert ingest(database, "elsewhere", elsewhere).done
    (update,) = metrics.poll(database)
    assert update.whole and [point.value for point in update.points] == [1.0, 2.0]
    assert metrics.keys == ["acc", "loss"]


def test_another_journal_in_its_place_is_read_anew(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    write_points(journal, [("loss", 1.0, step) for step in range(50)])
    metrics = LiveMetrics(JOB, journal)
    metrics.load(database, ["loss"])
    journal.unlink()
    write_points(journal, [("loss", 5.0, 1)])
    (update,) = metrics.poll(database)
    assert update.whole and [point.value for point in update.points] == [5.0]


def test_a_long_history_is_sketched_first(database: sqlite3.Connection, new_run: MakeRun, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(live, "LONG", 1000)
    journal = new_run(JOB)
    write_points(journal, [("loss", 100.0 if step == 777 else math.sin(step), step) for step in range(5000)])
    ingest_all(database, journal)
    metrics = LiveMetrics(JOB, journal, max_points=200)
    (update,) = metrics.load(database, ["loss"])
    assert update.partial and 100 <= len(update.points) <= 201
    assert metrics.points("loss") == []
    (update,) = metrics.load(database, ["loss"], whole=True)
    assert not update.partial and max(point.value for point in update.points) == 100.0
    assert len(update.points) <= 200 and metrics.facts("loss").total == 5000


def test_what_is_kept_stays_bounded(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    metrics = LiveMetrics(JOB, journal, max_points=100)
    write_points(journal, [("loss", 0.0, 0)])
    metrics.load(database, ["loss"])
    for start in range(1, 5001, 250):
        write_points(
            journal, [("loss", 50.0 if step == 1234 else step % 7, step) for step in range(start, start + 250)]
        )
        metrics.poll(database)
        assert len(metrics.points("loss")) <= 200
    steps = [point.step for point in metrics.points("loss")]
    assert steps == sorted(steps) and (steps[0], steps[-1]) == (0, 5000)
    assert max(value for _, value in values(metrics, "loss")) == 50.0
    assert metrics.facts("loss") == (Point(5000, 5000, 5000 % 7), 5001, 0.0, 50.0)


lines = st.lists(
    st.tuples(st.sampled_from(["loss", "acc"]), st.sampled_from([0.0, 1.5, -2.0, "NaN"]), st.integers(0, 20)),
    max_size=8,
)
steps = st.lists(st.one_of(lines, st.sampled_from(["ingest", "poll", "load"])), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(steps)
def test_in_whatever_order_things_happen_each_point_is_there_once(
    database: sqlite3.Connection, new_run: MakeRun, what: list[object]
) -> None:
    journal = new_run(JOB)
    journal.unlink(missing_ok=True)
    for table in ("metrics", "latest_metrics", "workbench_journal"):
        database.execute(f"DELETE FROM {table}")
    metrics = LiveMetrics(JOB, journal, max_points=1000)
    shown: dict[str, list[Point]] = {}

    def take(updates: list[live.Update]) -> None:
        for update in updates:
            shown[update.key] = ([] if update.whole else shown.get(update.key, [])) + update.points

    for step in [*what, "poll", "load"]:
        if isinstance(step, list):
            write_points(journal, step)
        elif step == "ingest":
            ingest_all(database, journal)
        elif step == "poll":
            take(metrics.poll(database))
        else:
            take(metrics.load(database, ["loss", "acc"]))
    ingest_all(database, journal)
    take(metrics.poll(database))
    for key in metrics.keys:
        expected = {repr(point) for point in metric_history(database, JOB, key, 1000)}
        assert {repr(point) for point in shown[key]} == expected
        facts = key_facts(database, JOB, key, metrics.facts(key).last)
        assert metrics.facts(key)[2:] == facts[2:]


def test_last_points_and_sketches_of_nothing(database: sqlite3.Connection, new_run: MakeRun) -> None:
    new_run(JOB)
    assert latest_points(database, JOB) == {}
    assert sketch(database, JOB, "loss", 100) == []


def test_a_stretch_without_a_number_keeps_its_gap() -> None:
    points = [Point(step, step, math.nan if 300 <= step < 700 or step % 2 else 1.0) for step in range(1000)]
    kept = thin(points, 100)
    assert {point.value for point in kept if not 300 <= point.step < 700} >= {1.0}
    assert any(math.isnan(point.value) for point in kept if 300 <= point.step < 700)
    assert not any(math.isnan(point.value) for point in kept[1:-1] if not 290 <= point.step < 710)
