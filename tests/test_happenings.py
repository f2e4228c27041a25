"""Events of jobs and of data in one line of time, by key."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import database, happenings
from store.happenings import Happening, HappeningFilter
from store.job_filter import FilterError
from store.layout import Layout
from tests.many_jobs import add_job

ALL = HappeningFilter()


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(layout.database)) as found:
        yield found


def told(found: Sequence[Happening]) -> list[tuple[str, int]]:
    return [(type(each.event).__name__, each.event.id) for each in found]


def add_job_event(connection: sqlite3.Connection, at: float, *, name: str = "owl", status: str = "Running") -> None:
    with database.write(connection):
        connection.execute("INSERT INTO job_event (job_name, at, status) VALUES (?, ?, ?)", (name, at, status))


def add_data_event(connection: sqlite3.Connection, at: float, *, watch: str = "inbox", **document: object) -> None:
    with database.write(connection):
        connection.execute(
            "INSERT INTO data_event (watch, at, files, bytes, document) VALUES (?, ?, 1, 2, ?)",
            (watch, at, json.dumps({"event": "new_files", **document})),
        )


def in_pages(connection: sqlite3.Connection, wanted: HappeningFilter, limit: int) -> list[Happening]:
    met: list[Happening] = []
    before = None
    while found := happenings.page(connection, wanted, limit, before=before):
        assert len(found) <= limit
        met += found
        before = found[-1].older
    return met


def upward(connection: sqlite3.Connection, wanted: HappeningFilter, limit: int) -> list[Happening]:
    met = happenings.oldest(connection, wanted, limit)
    while found := happenings.page(connection, wanted, limit, after=met[0].newer) if met else []:
        met = [*found, *met]
    return met


def test_both_kinds_stand_in_the_order_of_their_times(layout: Layout, connection: sqlite3.Connection) -> None:
    add_job(layout, "owl")
    for at in (1, 4, 5):
        add_job_event(connection, at)
    for at in (2, 3, 6):
        add_data_event(connection, at)
    found = happenings.page(connection, ALL, 100)
    assert [each.event.at for each in found] == [6, 5, 4, 3, 2, 1]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Two tables of events alone: what is asked of them needs nothing else."""
    with closing(sqlite3.connect(Path(tmp_path_factory.mktemp("rows")) / "events.db", isolation_level=None)) as found:
        found.row_factory = sqlite3.Row
        found.execute("CREATE TABLE job_event (id INTEGER PRIMARY KEY, job_name, at, status, message)")
        found.execute("CREATE TABLE data_event (id INTEGER PRIMARY KEY, watch, at, files, bytes, document)")
        yield found


times = st.lists(st.integers(0, 9), max_size=12)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=times, data=times, limit=st.integers(1, 5))
def test_pages_have_each_event_once_in_both_directions_whatever_the_clock_did(
    rows: sqlite3.Connection, jobs: list[int], data: list[int], limit: int
) -> None:
    rows.execute("DELETE FROM job_event")
    rows.execute("DELETE FROM data_event")
    for at in jobs:
        rows.execute("INSERT INTO job_event (job_name, at, status) VALUES ('owl', ?, 'Running')", (at,))
    for at in data:
        rows.execute("INSERT INTO data_event (watch, at, files, bytes, document) VALUES ('w', ?, 1, 2, '{}')", (at,))
    every = {("Event", number) for number in range(1, len(jobs) + 1)}
    every |= {("DataEvent", number) for number in range(1, len(data) + 1)}
    for met in (told(in_pages(rows, ALL, limit)), told(upward(rows, ALL, limit))):
        assert len(met) == len(every) and set(met) == every
        for kind in ("Event", "DataEvent"):
            ids = [number for name, number in met if name == kind]
            assert ids == sorted(ids, reverse=True)
    if jobs == sorted(jobs) and data == sorted(data):
        line = [each.event.at for each in in_pages(rows, ALL, limit)]
        assert line == sorted(line, reverse=True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("type:data", [("DataEvent", 2), ("DataEvent", 1)]),
        ("type:job", [("Event", 2), ("Event", 1)]),
        ("type:job,data fox", [("Event", 2)]),
        ("state:failed", [("Event", 2)]),
        ("daily", [("DataEvent", 2)]),
        ("三月.csv", [("DataEvent", 1)]),
    ],
)
def test_they_are_narrowed_by_type_state_and_words(
    layout: Layout, connection: sqlite3.Connection, text: str, found: list[tuple[str, int]]
) -> None:
    add_job(layout, "owl")
    add_job(layout, "fox")
    add_job_event(connection, 1)
    add_data_event(connection, 2, paths=["三月.csv"])
    add_job_event(connection, 3, name="fox", status="Failed")
    add_data_event(connection, 4, data="azureml:daily:1")
    assert told(happenings.page(connection, happenings.parse(text), 50)) == found


@pytest.mark.parametrize(("text", "says"), [("metric.loss>1", "state:, type: and by words"), ("type:dat", "'dat'")])
def test_a_filter_that_means_nothing_for_events_is_refused(text: str, says: str) -> None:
    with pytest.raises(FilterError, match=says):
        happenings.parse(text)
