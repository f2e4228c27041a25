"""What goes on in a workspace, asked through indexes alone; events by key."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from store import activity, database, environments, job_events
from store.job_events import EventFilter
from store.layout import Layout
from tests.many_jobs import add_job, add_jobs

Ask = Callable[[sqlite3.Connection], object]


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(layout.database)) as found:
        yield found


def names(jobs: list[activity.BriefJob]) -> list[str]:
    return [job.name for job in jobs]


def test_what_runs_is_told_without_children(layout: Layout, connection: sqlite3.Connection) -> None:
    add_job(layout, "sweep", status="Running", type="sweep")
    add_job(layout, "trial", status="Running", parent_job_name="sweep")
    add_job(layout, "hidden", status="Running", archived=1)
    add_job(layout, "starting", status="Preparing", document={"inputs": {"epochs": 3}})
    found = activity.running(connection)
    assert names(found) == ["sweep", "hidden", "starting"]
    assert found[2].document == {"inputs": {"epochs": 3}}
    assert names(activity.holders(connection)) == ["sweep", "trial", "hidden", "starting"]
    assert activity.children(connection, "sweep") == {"Running": 1}


def test_the_queue_is_in_the_order_of_its_starts(layout: Layout, connection: sqlite3.Connection) -> None:
    for name, status, rank in (("b", "Queued", 0), ("new", "NotStarted", 0), ("a", "Queued", 10), ("c", "Queued", 0)):
        add_job(layout, name, status=status, rank=rank)
    add_job(layout, "elsewhere", status="Queued", compute="pool")
    add_job(layout, "unwanted", status="Queued", wanted="cancel")
    assert names(activity.queue(connection, "local")) == ["a", "b", "c", "new"]
    assert names(activity.queue(connection, "local", 2)) == ["a", "b"]
    assert activity.queue_lengths(connection) == {"local": 5, "pool": 1}


def test_what_ended_last_is_first_whenever_it_was_submitted(layout: Layout, connection: sqlite3.Connection) -> None:
    now = time.time()
    add_job(layout, "long", status="Failed", ended_at=now - 10, cause={"message": "no memory"})
    add_job(layout, "short", status="Failed", ended_at=now - 500)
    add_job(layout, "old", status="Failed", ended_at=now - 90000)
    add_job(layout, "fine", ended_at=now)
    found = activity.ended_lately(connection, ("Failed",), 10, now - 80000)
    assert names(found) == ["long", "short"]
    assert found[0].cause == {"message": "no memory"}
    assert names(activity.ended_lately(connection, ("Completed", "Failed"), 2)) == ["fine", "long"]


def test_the_newest_outputs_are_those_of_completed_jobs(layout: Layout, connection: sqlite3.Connection) -> None:
    for name, outputs in (("none", {}), ("model", {"model": "/m"}), ("data", {"data": "/d"})):
        add_job(layout, name)
        with database.write(connection):
            connection.execute("UPDATE job SET outputs = ? WHERE name = ?", (json.dumps(outputs), name))
    assert [job.outputs for job in activity.made_lately(connection, 5)] == [{"data": "/d"}, {"model": "/m"}]


def test_durations_are_those_of_the_same_kind_that_completed(layout: Layout, connection: sqlite3.Connection) -> None:
    now = time.time()
    add_job(layout, "a", experiment_name="iris", started_at=now - 100, ended_at=now - 40)
    add_job(layout, "b", experiment_name="iris", started_at=now - 100, ended_at=now - 30)
    add_job(layout, "broken", experiment_name="iris", status="Failed")
    add_job(layout, "other", experiment_name="churn")
    add_job(layout, "sweep", experiment_name="iris", type="sweep")
    assert activity.durations(connection, "iris", "command") == pytest.approx([70.0, 60.0])


def test_slots_in_use_count_what_holds_them(layout: Layout, connection: sqlite3.Connection) -> None:
    add_job(layout, "wide", status="Running", slots=3)
    add_job(layout, "narrow", status="Preparing")
    add_job(layout, "ending", status="Finalizing")
    assert activity.slots_in_use(connection) == {"local": (2, 4)}


QUESTIONS: list[Ask] = [
    activity.running,
    activity.holders,
    activity.queue_lengths,
    activity.slots_in_use,
    lambda connection: activity.queue(connection, "local"),
    lambda connection: activity.ended_lately(connection, ("Failed", "Completed"), 20),
    lambda connection: activity.made_lately(connection, 20),
    lambda connection: activity.durations(connection, "iris", "command"),
    lambda connection: activity.children(connection, "job_1"),
    lambda connection: job_events.page(connection, EventFilter(), 100),
    lambda connection: job_events.page(connection, EventFilter(), 100, before=50),
    lambda connection: job_events.page(connection, EventFilter(("Failed",), ("x",)), 100, after=50),
    environments.last_uses,
    lambda connection: environments.unfinished_user(connection, "abc"),
]


def test_no_question_reads_every_row(layout: Layout, connection: sqlite3.Connection) -> None:
    add_jobs(layout, [(f"job_{number}", {"experiment_name": "iris"}, {}) for number in range(200)])
    plans: list[str] = []
    for _ in range(2):
        for ask in QUESTIONS:
            asked: list[str] = []
            connection.set_trace_callback(asked.append)
            ask(connection)
            connection.set_trace_callback(None)
            assert asked
            plans += [row[3] for sql in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        connection.execute("ANALYZE")  # other plans, where the counts are known
    assert not [plan for plan in plans if plan.startswith(("SCAN job", "SCAN job_event"))]


@pytest.fixture
def events(layout: Layout, connection: sqlite3.Connection) -> sqlite3.Connection:
    """Twenty events of two jobs, every fifth a failure that tells why."""
    for name in ("owl", "fox"):
        add_job(layout, name)
    with database.write(connection):
        for number in range(1, 21):
            failed = number % 5 == 0
            connection.execute(
                "INSERT INTO job_event (job_name, at, status, message) VALUES (?, ?, ?, ?)",
                (("owl", "fox")[number % 2], number, "Failed" if failed else "Running", "No Room" if failed else None),
            )
    return connection


def test_events_come_by_key_each_once(events: sqlite3.Connection) -> None:
    met: list[int] = []
    before = None
    while found := job_events.page(events, EventFilter(), 6, before=before):
        met += [event.id for event in found]
        before = found[-1].id
    assert met == list(range(20, 0, -1))
    assert [event.id for event in job_events.page(events, EventFilter(), 3, after=10)] == [13, 12, 11]


def test_the_last_use_of_an_environment_is_the_newest_job(layout: Layout, connection: sqlite3.Connection) -> None:
    for number, name in enumerate(("first", "second", "third")):
        add_job(layout, name, created_at=100.0 + number, status="Running" if name == "second" else "Completed")
        with database.write(connection):
            digest = "abc" if name != "third" else ""
            connection.execute("UPDATE job SET environment = ? WHERE name = ?", (json.dumps({"hash": digest}), name))
    assert environments.last_uses(connection) == {"abc": ("second", 101.0)}
    assert environments.unfinished_user(connection, "abc") == "second"
    assert environments.unfinished_user(connection, "other") is None
