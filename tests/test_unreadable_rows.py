"""One row whose JSON cannot be read is told as such, and hides no other job."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from store import activity, database, environments, job_pages, jobs, lineage
from store.errors import MachineError
from store.job_filter import parse
from store.job_pages import JobList
from store.layout import Layout
from tests.conftest import Cli
from tests.many_jobs import add_job


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    add_job(layout, "first", document={"command": "true", "tags": {"team": "a"}})
    add_job(layout, "torn", status="Failed", document='{"command": "tr', cause="nothing")
    add_job(layout, "listed", document="[1]")
    add_job(layout, "last", status="Failed", cause={"code": "ExitCode", "message": "boom"})
    with closing(database.connect(layout.database)) as found:
        yield found


def test_a_list_tells_which_row_cannot_be_read(connection: sqlite3.Connection) -> None:
    rows = {job.name: job.unreadable for job in jobs.find(connection, jobs.Filter(), 10)}
    assert rows["first"] == rows["last"] == ""
    assert rows["torn"].startswith("its document is no JSON object (Unterminated string")
    assert "its cause is no JSON object" in rows["torn"] and "it is a list" in rows["listed"]
    found = {row.name: row.unreadable for row in job_pages.page(connection, JobList(), 10)}
    assert found == {"last": "", "listed": "document", "torn": "document, cause", "first": ""}


@pytest.mark.parametrize(("text", "names"), [("tag:team=a", ["first"]), ("cause:boom", ["last"])])
def test_a_filter_that_looks_into_documents_passes_over_it(
    connection: sqlite3.Connection, text: str, names: list[str]
) -> None:
    assert [row.name for row in job_pages.page(connection, JobList(parse(text)), 10)] == names


def test_what_looks_into_all_documents_passes_over_it(connection: sqlite3.Connection) -> None:
    assert [job.name for job in activity.ended_lately(connection, ("Failed",), 10)] == ["last", "torn"]
    assert [job.name for job in jobs.find(connection, jobs.Filter(tags={"team": "a"}), 10)] == ["first"]
    assert lineage.reruns(connection, "first", 0) == lineage.consumers(connection, "first", 0) == []
    assert environments.last_uses(connection) == {}


def test_such_a_job_itself_is_an_error_with_the_cause(connection: sqlite3.Connection) -> None:
    with pytest.raises(MachineError, match="the row of job 'torn' cannot be read: its document is no JSON object"):
        jobs.get(connection, "torn")


def test_the_command_line_lists_it_as_broken(connection: sqlite3.Connection, cli: Cli) -> None:
    found = {each["name"]: each["unreadable"] for each in json.loads(cli("job", "list").stdout)}
    assert len(found) == 4 and "no JSON object" in found["torn"] and found["last"] is None
    assert "broken: its document" in cli("job", "list", "-o", "table").stdout
