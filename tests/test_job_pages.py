"""Pages of jobs by key: every order and filter gives each job once, in order, whatever the page's size."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator

import pytest

from store import database, job_pages
from store.job_filter import Sort, parse
from store.job_pages import JobList, JobRow
from store.layout import Layout
from store.tracking import runs

STATES = ("Completed", "Failed", "Canceled", "Running", "Queued")


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    """A hundred jobs with many equal values; every tenth has three children, every third a metric and a parameter."""
    found = database.connect(layout.database)
    found.execute("ATTACH DATABASE ? AS tracking", (str(layout.mlflow_database),))
    chance = random.Random(7)
    with database.write(found):
        for number in range(100):
            add(found, f"job_{number:03d}", chance)
            if number % 10 == 0:
                for child in range(3):
                    add(found, f"job_{number:03d}_{child}", chance, parent=f"job_{number:03d}")
    with database.write(found):
        for number in range(0, 100, 3):
            name = f"job_{number:03d}"
            found.execute(
                runs.ADD_RUN.replace("INTO runs", "INTO tracking.runs"), (name, name, 0, "", "FINISHED", 0, "")
            )
            found.execute(
                "INSERT INTO tracking.latest_metrics VALUES ('accuracy', ?, 0, 0, ?, ?)",
                (number / 100, int(number == 99), name),
            )
            found.execute("INSERT INTO tracking.params VALUES ('lr', ?, ?)", (str(number % 4 / 10), name))
            given = {"stage": "prod"} if number % 2 else {"stage": "test", "team": "c"}
            found.executemany(
                "INSERT INTO tracking.tags (key, value, run_uuid) VALUES (?, ?, ?)",
                [(key, value, name) for key, value in given.items()],
            )
            depth = ("None", "0", "7", "l2", "1e1")[number % 5]
            found.execute("INSERT INTO tracking.params VALUES ('depth', ?, ?)", (depth, name))
    yield found
    found.close()


def add(connection: sqlite3.Connection, name: str, chance: random.Random, parent: str | None = None) -> None:
    status = chance.choice(STATES)
    started = chance.choice([None, 100.0, 200.0]) if status == "Queued" else 100.0
    document = {"command": "true", "tags": {"team": chance.choice("ab")}}
    connection.execute(
        "INSERT INTO job (name, type, display_name, experiment_name, document, source, compute, slots, rank,"
        " parent_job_name, archived, wanted, status, attempt, created_at, started_at, ended_at, cause)"
        " VALUES (?, 'command', ?, ?, ?, '{}', 'local', 1, 0, ?, ?, 'run', ?, 1, ?, ?, ?, ?)",
        (
            name,
            f"Display {name}",
            chance.choice(["iris", "Churn", "iris-2"]),
            json.dumps(document),
            parent,
            int(chance.random() < 0.1),
            status,
            chance.choice([1000.0, 2000.0]),
            started,
            None if status in ("Running", "Queued") else 100.0 + chance.choice([5, 50, 500]),
            json.dumps({"code": "out_of_memory", "message": "killed"}) if status == "Failed" else None,
        ),
    )


def walk(connection: sqlite3.Connection, wanted: JobList, size: int, *, backwards: bool = False) -> list[JobRow]:
    """Every row, a page after the other."""
    rows: list[JobRow] = []
    while True:
        edge = (rows[0] if backwards else rows[-1]).key if rows else None
        found = job_pages.page(connection, wanted, size, edge, backwards=backwards)
        if not found:
            return rows
        rows = [*found, *rows] if backwards else [*rows, *found]


ORDERS = [
    "created",
    "-created",
    "name",
    "-name",
    "experiment",
    "-state",
    "compute",
    "type",
    "-metric.accuracy",
    "metric.accuracy",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("unfolded", [frozenset(), frozenset({"job_010", "job_050"})])
def test_pages_give_every_job_once_in_order(
    connection: sqlite3.Connection, order: str, unfolded: frozenset[str]
) -> None:
    wanted = JobList(parse("archived:yes"), parse(f"sort:{order}").sort or Sort(), unfolded)
    whole = job_pages.page(connection, wanted, 1000)
    names = [row.name for row in whole]
    assert len(names) == len(set(names)) == job_pages.count(connection, wanted) == 100 + 3 * len(unfolded)
    for size in (1, 7, 200):
        assert [row.name for row in walk(connection, wanted, size)] == names
        assert [row.name for row in walk(connection, wanted, size, backwards=True)] == names
    for number in (0, 17, len(whole) - 1):
        assert job_pages.place(connection, wanted, whole[number].key) == number
        assert job_pages.key_at(connection, wanted, number) == whole[number].key
        assert job_pages.key_of(connection, wanted, whole[number].name) == whole[number].key
    assert job_pages.key_at(connection, wanted, len(whole)) is None


def test_children_stand_under_their_parent(connection: sqlite3.Connection) -> None:
    wanted = JobList(parse("archived:yes"), Sort("name", False), frozenset({"job_010"}))
    names = [row.name for row in job_pages.page(connection, wanted, 1000)]
    at = names.index("job_010")
    assert names[at : at + 5] == ["job_010", "job_010_0", "job_010_1", "job_010_2", "job_011"]


def test_a_parent_tells_how_many_children_it_has(connection: sqlite3.Connection) -> None:
    found = {row.name: row.children for row in job_pages.page(connection, JobList(parse("archived:yes")), 1000)}
    assert found["job_010"] == 3 and found["job_011"] == 0


def test_the_order_of_names_is_that_of_the_names_shown(connection: sqlite3.Connection) -> None:
    with database.write(connection):
        connection.execute("UPDATE job SET display_name = '' WHERE name = 'job_001'")
        connection.execute("UPDATE job SET display_name = 'Aardvark' WHERE name = 'job_099'")
    found = [row.name for row in walk(connection, JobList(parse("sort:name archived:yes")), 7)]
    assert found[0] == "job_099" and found[-1] == "job_001"
    assert found[1:-1] == sorted(found[1:-1])


def columns(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    return connection.execute("SELECT * FROM job").fetchall()


def with_depth(*depths: str) -> set[str]:
    """The jobs of ``connection`` whose parameter ``depth`` is one of these."""
    return {f"job_{n:03d}" for n in range(0, 100, 3) if ("None", "0", "7", "l2", "1e1")[n % 5] in depths}


def number_of(row: sqlite3.Row) -> int:
    """The number of a job that has a run; -1 where it has none."""
    return int(row["name"][4:]) if len(row["name"]) == 7 and int(row["name"][4:]) % 3 == 0 else -1


def gave_itself(row: sqlite3.Row) -> bool:
    """Whether a job gave its run another team than the document has."""
    return number_of(row) >= 0 and number_of(row) % 2 == 0


FILTERS = {
    "state:failed": lambda row: row["status"] == "Failed",
    "-state:failed,completed": lambda row: row["status"] not in ("Failed", "Completed"),
    "exp:IRIS": lambda row: "iris" in row["experiment_name"],
    "exp=iris": lambda row: row["experiment_name"] == "iris",
    "exp:churn tag:team=a": lambda row: (
        row["experiment_name"] == "Churn" and '"team": "a"' in row["document"] and not gave_itself(row)
    ),
    "tag:team=c": gave_itself,
    "-tag:team=c": lambda row: not gave_itself(row),
    "tag:team": lambda row: True,
    "tag:stage": lambda row: number_of(row) >= 0,
    "tag:stage=prod": lambda row: number_of(row) >= 0 and number_of(row) % 2 == 1,
    "tag:stage=prod,team=c": lambda row: number_of(row) >= 0,
    "tag:nothing": lambda row: False,
    "-tag:nothing": lambda row: True,
    "parent:job_010": lambda row: row["parent_job_name"] == "job_010",
    "cause:memory": lambda row: row["status"] == "Failed",
    "-cause:memory": lambda row: row["status"] != "Failed",
    "_01": lambda row: "_01" in row["name"],
    "-Display": lambda row: False,
    "since:1970-01-01T00:25:00+00:00": lambda row: row["created_at"] == 2000.0,
    "duration>1m": lambda row: row["started_at"] is not None and (row["ended_at"] or 2e9) - row["started_at"] > 60,
    "metric.accuracy>=0.9": lambda row: row["name"] in ("job_090", "job_093", "job_096"),
    "-metric.accuracy>=0": lambda row: row["name"] == "job_099" or len(row["name"]) > 7 or int(row["name"][4:]) % 3,
    "metric.accuracy=nan": lambda row: row["name"] == "job_099",
    "metric.accuracy!=nan metric.accuracy>=0.96": lambda row: row["name"] == "job_096",
    "metric.accuracy=0.9,0.93": lambda row: row["name"] in ("job_090", "job_093"),
    "param.depth=0": lambda row: row["name"] in with_depth("0"),
    "param.depth<5": lambda row: row["name"] in with_depth("0"),
    "param.depth>=7": lambda row: row["name"] in with_depth("7", "1e1"),
    "param.depth!=0": lambda row: row["name"] in with_depth("None", "7", "l2", "1e1"),
    "param.depth=None,7": lambda row: row["name"] in with_depth("None", "7"),
    "param.depth!=None,10": lambda row: row["name"] in with_depth("0", "7", "l2"),
    "param.lr=0.1": lambda row: row["name"] in {f"job_{n:03d}" for n in range(0, 100, 3) if n % 4 == 1},
}


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_finds_what_it_says(connection: sqlite3.Connection, text: str) -> None:
    wanted = JobList(parse(f"{text} archived:yes"))
    expected = {row["name"] for row in columns(connection) if FILTERS[text](row)}
    assert {row.name for row in walk(connection, wanted, 50)} == expected
    assert job_pages.count(connection, wanted) == len(expected)


def test_tags_of_documents_are_found_without_a_tracking_database(connection: sqlite3.Connection) -> None:
    expected = {row["name"] for row in columns(connection) if '"team": "a"' in row["document"]}
    connection.execute("DETACH DATABASE tracking")
    assert {row.name for row in walk(connection, JobList(parse("tag:team=a archived:yes")), 50)} == expected
    assert job_pages.count(connection, JobList(parse("tag:stage archived:yes"))) == 0


def test_archived_jobs_are_left_out_unless_asked_for(connection: sqlite3.Connection) -> None:
    archived = {row["name"] for row in columns(connection) if row["archived"]}
    assert not archived & {row.name for row in walk(connection, JobList(), 50)}
    only = walk(connection, JobList(parse("archived:only job")), 50)
    assert {row.name for row in only} == archived


def test_nothing_that_is_typed_becomes_sql(connection: sqlite3.Connection) -> None:
    for text in ('name:"\'; DROP TABLE job; --"', "tag:\"a' OR '1'='1\"", 'metric."x\') OR 1=1 --">0'):
        assert walk(connection, JobList(parse(text)), 50) == []
    assert job_pages.count(connection, JobList(parse("archived:yes"))) == 100


@pytest.mark.parametrize("text", ["", "state:failed", "exp:iris", "owl"])
def test_lists_are_read_from_an_index(connection: sqlite3.Connection, text: str) -> None:
    plans: list[str] = []
    connection.set_trace_callback(plans.append)
    job_pages.page(connection, JobList(parse(text)), 100)
    connection.set_trace_callback(None)
    plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {plans[0]}")]
    assert any("INDEX job_listing" in line or "job_by_status" in line for line in plan), plan
    assert not any("SCAN job" in line and "INDEX" not in line for line in plan), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan


def test_experiments_are_listed_once(connection: sqlite3.Connection) -> None:
    assert job_pages.experiments(connection) == ["Churn", "iris", "iris-2"]
