"""The last points of a job's main metric, from database and journal, each once."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from store.layout import Layout
from store.tracking import runs
from store.tracking.recent import RecentMetric
from tests.tui.charted_jobs import JOB, add_job, log, take_in


@pytest.fixture
def tracking(layout: Layout) -> Iterator[sqlite3.Connection]:
    add_job(layout)
    with closing(runs.connect(layout)) as connection:
        yield connection


def values(metric: RecentMetric) -> list[float]:
    return [point.value for point in metric.points]


def test_points_come_from_the_journal_as_they_are_logged(layout: Layout, tracking: sqlite3.Connection) -> None:
    journal = layout.job(JOB).journal
    metric = RecentMetric(JOB, journal, {}, points=3)
    assert not metric.poll(tracking, changed=True) and metric.key is None
    log(journal, [("loss", 1.0, 0, 1), ("loss", 0.5, 1, 2)])
    assert metric.poll(tracking, changed=False)
    assert (metric.key, values(metric), metric.first_step) == ("loss", [1.0, 0.5], 1)
    log(journal, [("loss", value, 2 + value, 3) for value in (0.4, 0.3)])
    assert metric.poll(tracking, changed=False)
    assert values(metric) == [0.5, 0.3, 0.4]  # in the order of time where the step is the same
    assert not metric.poll(tracking, changed=False)


def test_what_is_ingested_meanwhile_counts_once(layout: Layout, tracking: sqlite3.Connection) -> None:
    journal = layout.job(JOB).journal
    log(journal, [("loss", 1.0 / step, step, step) for step in range(1, 6)])
    metric = RecentMetric(JOB, journal, {})
    metric.poll(tracking, changed=True)
    take_in(layout)
    log(journal, [("loss", 9.0, 6, 6)])
    metric.poll(tracking, changed=True)
    assert values(metric) == [1.0, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 9.0]


def test_one_who_comes_late_sees_the_last_points_of_the_database(layout: Layout, tracking: sqlite3.Connection) -> None:
    journal = layout.job(JOB).journal
    log(journal, [("loss", float(step), step, step) for step in range(100)])
    take_in(layout)
    metric = RecentMetric(JOB, journal, {}, points=4)
    assert metric.poll(tracking, changed=True)
    assert values(metric) == [96.0, 97.0, 98.0, 99.0]
    assert metric.first_step == 0


def test_a_better_metric_takes_over(layout: Layout, tracking: sqlite3.Connection) -> None:
    journal = layout.job(JOB).journal
    metric = RecentMetric(JOB, journal, {})
    log(journal, [("loss", 1.0, 0, 0), ("system/cpu", 5.0, 0, 0)])
    metric.poll(tracking, changed=True)
    assert metric.key == "loss"
    log(journal, [("val_accuracy", 0.5, 1, 0)])
    metric.poll(tracking, changed=False)
    assert (metric.key, values(metric)) == ("val_accuracy", [0.5])


def test_without_a_database_the_journal_is_enough(layout: Layout, tracking: sqlite3.Connection) -> None:
    log(layout.job(JOB).journal, [("loss", math.nan, 0, 0), ("loss", 2.0, 1, 1)])
    metric = RecentMetric(JOB, layout.job(JOB).journal, {})
    assert metric.poll(None, changed=True)
    assert math.isnan(metric.points[0].value) and metric.points[1].value == 2.0
