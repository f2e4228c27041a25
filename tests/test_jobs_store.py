"""Jobs in the store: names, order, filters, and many writers at once."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import computes, database, jobs, names, queue
from store.errors import ConflictError, NotFoundError
from store.jobs import Filter, NewJob
from store.layout import Layout


@pytest.fixture
def connection(layout: Layout) -> sqlite3.Connection:
    return database.connect(layout.database)


def new(name: str | None = None, *, slots: int = 1, compute: str = "local", **document: object) -> NewJob:
    return NewJob(document={"command": "true", **document}, source={}, compute=compute, name=name, slots=slots)


def test_a_submitted_job_reads_back(connection: sqlite3.Connection) -> None:
    name = jobs.submit(connection, new(experiment_name="iris", tags={"a": "b"}))
    job = jobs.get(connection, name)
    assert (job.status, job.wanted, job.experiment_name) == ("NotStarted", "run", "iris")
    assert job.document["tags"] == {"a": "b"}
    assert [event["status"] for event in jobs.events(connection, name)] == ["NotStarted"]


def test_a_name_is_taken_once(connection: sqlite3.Connection) -> None:
    jobs.submit(connection, new("mine"))
    with pytest.raises(ConflictError, match="a job named 'mine' already"):
        jobs.submit(connection, new("mine"))
    assert jobs.count_by_status(connection) == {"NotStarted": 1}


def test_an_unknown_job_offers_the_nearest_name(connection: sqlite3.Connection) -> None:
    jobs.submit(connection, new("happy_panda_1"))
    with pytest.raises(NotFoundError, match="Did you mean happy_panda_1"):
        jobs.get(connection, "happy_pandas_1")


def test_listing_filters_and_pages(connection: sqlite3.Connection) -> None:
    for number in range(5):
        jobs.submit(connection, new(f"a{number}", experiment_name="x", tags={"k": str(number % 2)}))
    jobs.submit(connection, new("other", experiment_name="y"))
    first = jobs.find(connection, Filter(experiment_name="x"), limit=2)
    second = jobs.find(connection, Filter(experiment_name="x"), limit=2, before=first[-1].id)
    assert [job.name for job in first + second] == ["a4", "a3", "a2", "a1"]
    assert [job.name for job in jobs.find(connection, Filter(tags={"k": "1"}), 9)] == ["a3", "a1"]
    assert len(jobs.find(connection, Filter(tags={"k": None}), 9)) == 5
    jobs.set_archived(connection, "a4", True)
    assert [job.name for job in jobs.find(connection, Filter(archived=True), 9)] == ["a4"]
    assert "a4" not in [job.name for job in jobs.find(connection, Filter(), 9)]


def test_a_job_that_has_ended_is_not_cancelled(connection: sqlite3.Connection) -> None:
    jobs.submit(connection, new("done"))
    with database.write(connection):
        jobs.record(connection, "done", "Completed")
    with pytest.raises(ConflictError, match="has ended already: Completed"):
        jobs.request_cancel(connection, "done")


def test_a_kill_is_not_taken_back_by_a_cancel(connection: sqlite3.Connection) -> None:
    jobs.submit(connection, new("j"))
    jobs.request_cancel(connection, "j", wanted="kill")
    jobs.request_cancel(connection, "j", wanted="cancel")
    assert jobs.get(connection, "j").wanted == "kill"


def queue_up(connection: sqlite3.Connection, *submitted: NewJob) -> None:
    for each in submitted:
        name = jobs.submit(connection, each)
        with database.write(connection):
            jobs.record(connection, name, "Queued")


def test_the_queue_keeps_the_order_of_submission(connection: sqlite3.Connection) -> None:
    queue_up(connection, new("a"), new("b"), new("c"))
    assert [job.name for job in queue.attention(connection, {"local": 2}).jobs] == ["a", "b"]
    assert queue.position(connection, jobs.get(connection, "c")) == 2


def test_tier_counts_more_than_priority(connection: sqlite3.Connection) -> None:
    queue_up(
        connection,
        new("spot", queue_settings={"job_tier": "spot", "priority": "high"}),
        new("plain"),
        new("urgent", queue_settings={"priority": "high"}),
        new("premium", queue_settings={"job_tier": "premium", "priority": "low"}),
    )
    order = [job.name for job in queue.attention(connection, {"local": 4}).jobs]
    assert order == ["premium", "urgent", "plain", "spot"]


def test_a_wide_job_is_not_passed_over(connection: sqlite3.Connection) -> None:
    queue_up(connection, new("running"), new("wide", slots=2), new("narrow"))
    with database.write(connection):
        jobs.record(connection, "running", "Running")
    assert queue.attention(connection, {"local": 2}).granted == frozenset()
    assert queue.attention(connection, {"local": 3}).granted == {"wide"}


def test_the_queue_is_in_order_whatever_came_when(connection: sqlite3.Connection) -> None:
    dice = random.Random(1)
    settings = [{"job_tier": tier, "priority": each} for tier in jobs.TIERS for each in jobs.PRIORITIES]
    queue_up(connection, *(new(f"j{number}", queue_settings=dice.choice(settings)) for number in range(60)))
    for name in ("j7", "j8", "j30"):
        jobs.request_cancel(connection, name)
    queued = [job for job in jobs.unfinished(connection) if job.wanted == "run"]
    expected = [job.name for job in sorted(queued, key=lambda job: (-job.rank, job.id))]
    for free in (1, 2, 25, 57, 99):
        assert [job.name for job in queue.next_in_line(connection, "local", free)] == expected[:free]


def test_computes_do_not_share_slots(connection: sqlite3.Connection) -> None:
    computes.create(connection, {"name": "pool", "type": "amlcompute", "max_instances": 1}, slots=1)
    queue_up(connection, new("a"), new("b", compute="pool"), new("c", compute="pool"))
    assert queue.attention(connection, {"local": 1, "pool": 1}).granted == {"a", "b"}


def test_a_busy_compute_is_not_deleted(connection: sqlite3.Connection) -> None:
    computes.create(connection, {"name": "pool", "type": "amlcompute"}, slots=4)
    jobs.submit(connection, new("a", compute="pool"))
    with pytest.raises(ConflictError, match="unfinished job"):
        computes.delete(connection, "pool")


def test_a_compute_is_not_made_narrower_than_a_job_that_waits_for_it(connection: sqlite3.Connection) -> None:
    pool = {"name": "pool", "type": "amlcompute", "max_instances": 2}
    computes.create(connection, pool, slots=2)
    queue_up(connection, new("wide", compute="pool", slots=2))
    with pytest.raises(ConflictError, match=r"job wide takes 2 slots(.|\n)*workbench job cancel wide"):
        computes.create(connection, {**pool, "max_instances": 1}, slots=1)
    assert computes.get(connection, "pool")["max_instances"] == 2
    with database.write(connection):
        jobs.record(connection, "wide", "Completed")
    computes.create(connection, {**pool, "max_instances": 1}, slots=1)


def test_an_unknown_compute_offers_local_and_the_command_that_makes_it(connection: sqlite3.Connection) -> None:
    with pytest.raises(NotFoundError) as error:
        computes.get(connection, "cpu-cluster")
    assert "compute=local" in str(error.value)
    assert "workbench compute create --name cpu-cluster --type amlcompute" in str(error.value)


@given(st.integers(0, 10_000))
def test_generated_names_are_names_that_mlflow_takes(_: int) -> None:
    name = names.generate()
    adjective, noun, suffix = name.split("_")
    assert adjective in names.ADJECTIVES and noun in names.NOUNS and len(suffix) == 10
    assert len(name) <= 32


def submit_many(path: Path, count: int, refused: multiprocessing.Queue[str]) -> None:
    connection = database.connect(path)
    for _ in range(count):
        try:
            jobs.submit(connection, new())
        except Exception as error:  # noqa: BLE001  (whatever it is, the test tells it)
            refused.put(repr(error))


@pytest.mark.slow
def test_fifty_processes_write_at_once(layout: Layout) -> None:
    context = multiprocessing.get_context("fork")
    refused = context.Queue()
    writers = [context.Process(target=submit_many, args=(layout.database, 20, refused)) for _ in range(50)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert refused.empty()
    connection = database.connect(layout.database)
    assert jobs.count_by_status(connection) == {"NotStarted": 1000}
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
