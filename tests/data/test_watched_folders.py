"""Watched folders: real files, a real agent, and whatever is killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from engines.jobs import watched
from store import database, jobs
from store.data import assets, events, gathering, watches
from store.data.sightings import Found
from store.data.watched_source import open_source
from store.data.watches import Watch
from store.datastores import registry
from store.errors import ConflictError, NotFoundError
from store.layout import Layout
from store.uris import Resolver
from tests.conftest import Cli
from workbench.agent import lock, start

JOB = "command: ls ${{inputs.data}}\ninputs:\n  data:\n    type: uri_folder\n    path: azureml:daily@latest\n"
WATCH_CREATE = ("data", "watch", "create", "--datastore", "inbox", "--path", "daily/*.csv", "--register", "daily")


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    opened = database.connect(layout.database)
    yield opened
    opened.close()


@pytest.fixture
def daily(connection: sqlite3.Connection, tmp_path: Path) -> Path:
    """The folder ``daily`` of the datastore ``inbox``."""
    folder = tmp_path / "inbox" / "daily"
    folder.mkdir(parents=True)
    registry.create(connection, {"name": "inbox", "type": "local", "path": str(folder.parent)})
    return folder


def made(connection: sqlite3.Connection, layout: Layout, **more: object) -> Watch:
    """A watch whose baseline is what is there."""
    document = {"path": "daily/*.csv", "register": "daily", **more}
    watch = Watch("daily", "inbox", document)
    return watches.create(connection, watch, open_source(connection, layout, watch).list())


def fire(connection: sqlite3.Connection, layout: Layout, watch: Watch) -> bool:
    source = open_source(connection, layout, watch)
    return watched.fire(connection, layout, watch, source, list(watches.unseen(connection, watch.name, source.list())))


def names_in(connection: sqlite3.Connection, layout: Layout, version: str) -> list[str]:
    """The files of a version."""
    folder = Resolver(layout, connection).find(assets.get(connection, "daily", version).path).path
    assert folder is not None
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def seen(connection: sqlite3.Connection) -> list[str]:
    """Every path of every event, with repetitions."""
    return [path for event in events.find(connection, limit=10_000) for path in event.document.get("paths", ())]


def test_a_version_has_all_files_so_far(connection: sqlite3.Connection, layout: Layout, daily: Path) -> None:
    (daily / "old.csv").write_text("0")
    watch = made(connection, layout)
    for name in ("a.csv", "b.csv"):
        (daily / name).write_text("1")
        assert fire(connection, layout, watch)
    assert names_in(connection, layout, "1") == ["a.csv", "old.csv"]
    assert names_in(connection, layout, "2") == ["a.csv", "b.csv", "old.csv"]
    assert seen(connection) == ["b.csv", "a.csv"]
    assert (assets.get(connection, "daily").files, assets.get(connection, "daily").bytes) == (3, 3)


def test_a_version_has_the_new_files_alone(connection: sqlite3.Connection, layout: Layout, daily: Path) -> None:
    watch = made(connection, layout, mode="replace")
    for name in ("a.csv", "b.csv"):
        (daily / name).write_text("1")
        fire(connection, layout, watch)
    assert [names_in(connection, layout, version) for version in "12"] == [["a.csv"], ["b.csv"]]


def test_a_version_keeps_a_file_that_is_replaced_or_removed(
    connection: sqlite3.Connection, layout: Layout, daily: Path
) -> None:
    watch = made(connection, layout)
    (daily / "a.csv").write_text("before")
    fire(connection, layout, watch)
    (daily / "new").write_text("after it")
    (daily / "new").replace(daily / "a.csv")
    fire(connection, layout, watch)
    folders = [Resolver(layout, connection).find(assets.get(connection, "daily", each).path).path for each in "12"]
    assert [(folder / "a.csv").read_text() for folder in folders if folder] == ["before", "after it"]


def test_the_same_files_do_not_fire_twice(connection: sqlite3.Connection, layout: Layout, daily: Path) -> None:
    watch = made(connection, layout)
    (daily / "a.csv").write_text("1")
    source = open_source(connection, layout, watch)
    taken = list(source.list())
    assert watched.fire(connection, layout, watch, source, taken)
    assert not watched.fire(connection, layout, watch, source, taken)
    assert len(events.find(connection)) == 1


def test_a_deleted_watch_does_not_fire(connection: sqlite3.Connection, layout: Layout, daily: Path) -> None:
    watch = made(connection, layout)
    watches.delete(connection, "daily")
    (daily / "a.csv").write_text("1")
    assert not fire(connection, layout, watch)
    assert not events.find(connection)


def test_a_job_gets_exactly_the_files_of_the_version(
    connection: sqlite3.Connection, layout: Layout, daily: Path, tmp_path: Path
) -> None:
    (tmp_path / "job.yml").write_text(JOB)
    watch = made(connection, layout, run=str(tmp_path / "job.yml"))
    (daily / "a.csv").write_text("1")
    fire(connection, layout, watch)
    event = events.find(connection)[0].flat()
    job = jobs.get(connection, event["job"])
    assert event["data"] == "azureml:daily:1"
    place = Resolver(layout, connection).find(job.document["inputs"]["data"]["path"]).path
    assert place is not None
    assert os.listdir(place) == ["a.csv"]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (None, "job.yml"),
        ("komand: x\n" + JOB, "komand"),
        ("command: echo\n", "0 data inputs"),
        (JOB.replace("uri_folder", "uri_file"), "uri_folder"),
        (JOB + "  more:\n    type: uri_folder\n    path: .\n", "2 data inputs"),
        ("compute: nowhere\n" + JOB, "nowhere"),
    ],
)
def test_a_job_that_cannot_be_is_said_and_the_next_files_try_again(
    document: str | None, told: str, connection: sqlite3.Connection, layout: Layout, daily: Path, tmp_path: Path
) -> None:
    file = tmp_path / "job.yml"
    if document is not None:
        file.write_text(document)
    watch = made(connection, layout, run=str(file))
    (daily / "a.csv").write_text("1")
    fire(connection, layout, watch)
    assert told in events.find(connection)[0].document["error"]
    assert assets.get(connection, "daily").version == "1"
    file.write_text(JOB)
    (daily / "b.csv").write_text("1")
    fire(connection, layout, watch)
    assert [bool(event.document.get("job")) for event in events.find(connection)] == [True, False]


def test_an_event_that_is_not_written_leaves_nothing(
    connection: sqlite3.Connection, layout: Layout, daily: Path, tmp_path: Path
) -> None:
    (tmp_path / "job.yml").write_text(JOB)
    watch = made(connection, layout, run=str(tmp_path / "job.yml"))
    connection.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON watched_file BEGIN SELECT RAISE(ABORT, 'no ledger'); END"
    )
    (daily / "a.csv").write_text("1")
    with pytest.raises(sqlite3.IntegrityError, match="no ledger"):
        fire(connection, layout, watch)
    assert not events.find(connection)
    assert not jobs.find(connection, jobs.Filter(), 10)
    assert not list(assets.find(connection))
    assert not [each for each in os.listdir(gathering.home(layout, "daily")) if not each.startswith(".")]
    connection.execute("DROP TRIGGER broken")
    assert fire(connection, layout, watch)


def test_what_a_killed_firing_left_is_swept(connection: sqlite3.Connection, layout: Layout, daily: Path) -> None:
    watch = made(connection, layout)
    (daily / "a.csv").write_text("1")
    fire(connection, layout, watch)
    home = gathering.home(layout, "daily")
    kept = os.listdir(home)
    gathering.gather(layout, "daily", open_source(connection, layout, watch), [Found("a.csv", 1, "1")], "uri_folder")
    watched.sweep(connection, layout, watch)
    assert os.listdir(home) == kept


def test_a_table_names_its_files(connection: sqlite3.Connection, layout: Layout, daily: Path) -> None:
    watch = made(connection, layout, type="mltable")
    (daily / "a.csv").write_text("x\n1\n")
    fire(connection, layout, watch)
    version = assets.get(connection, "daily")
    assert version.type == "mltable"
    assert names_in(connection, layout, "1") == ["MLTable", "a.csv"]


def test_names_and_mistakes(connection: sqlite3.Connection, layout: Layout, daily: Path) -> None:
    made(connection, layout)
    with pytest.raises(ConflictError, match="daily"):
        made(connection, layout)
    with pytest.raises(NotFoundError, match="Did you mean 'daily'"):
        watches.get(connection, "dayly")


@pytest.mark.slow
def test_an_agent_notices_what_comes_and_what_came_while_there_was_none(
    connection: sqlite3.Connection, layout: Layout, daily: Path, tmp_path: Path, cli: Cli
) -> None:
    (tmp_path / "job.yml").write_text(JOB)
    (daily / "old.csv").write_text("0")
    done = cli(*WATCH_CREATE, "--run", tmp_path / "job.yml", env={"WORKBENCH_AGENT_IDLE_SECONDS": "0.2"})
    assert done.returncode == 0, done.stderr
    (daily / "a.csv").write_text("1")
    wait_for(lambda: seen(connection) == ["a.csv"])
    job = events.find(connection)[0].document["job"]
    wait_for(lambda: jobs.get(connection, job).status == "Completed")
    assert layout.job(job).log.read_text() == "a.csv\nold.csv\n"
    assert json.loads(cli("agent", "status").stdout)["watching"] == ["daily"], "it stays though it may idle for 0.2 s"
    start.stop(layout)
    (daily / "b.csv").write_text("1")
    assert cli("data", "watch", "list").returncode == 0  # which starts an agent
    wait_for(lambda: seen(connection) == ["b.csv", "a.csv"])


@pytest.mark.slow
def test_a_folder_that_goes_away_is_said_and_goes_on_when_it_is_back(
    connection: sqlite3.Connection, layout: Layout, daily: Path, cli: Cli
) -> None:
    assert cli(*WATCH_CREATE).returncode == 0
    (daily / "a.csv").write_text("1")
    wait_for(lambda: seen(connection) == ["a.csv"])
    shutil.rmtree(daily)
    wait_for(lambda: events.trouble(connection, "daily"))
    assert json.loads(cli("data", "watch", "show", "daily").stdout)["state"] == "Waiting"
    daily.mkdir()
    (daily / "b.csv").write_text("1")
    wait_for(lambda: seen(connection) == ["b.csv", "a.csv"])
    assert [event.kind for event in events.find(connection)] == ["new_files", "back", "lost", "new_files"]


@pytest.mark.slow
def test_a_folder_that_is_not_there_yet_is_watched_and_its_files_are_new(
    connection: sqlite3.Connection, layout: Layout, daily: Path, cli: Cli
) -> None:
    daily.rmdir()
    done = cli(*WATCH_CREATE)
    assert (done.returncode, "there is no folder" in done.stderr) == (0, True), done.stderr
    daily.mkdir()
    (daily / "a.csv").write_text("1")
    wait_for(lambda: seen(connection) == ["a.csv"])
    assert names_in(connection, layout, "1") == ["a.csv"]


def test_a_watch_of_no_datastore_or_of_a_file_is_refused(
    connection: sqlite3.Connection, layout: Layout, daily: Path, cli: Cli
) -> None:
    (daily.parent / "file").write_text("1")
    done = cli(*WATCH_CREATE[:6], "file", *WATCH_CREATE[7:])
    assert (done.returncode, "goes on" in done.stderr) == (3, False), done.stderr
    shutil.rmtree(daily.parent)
    done = cli(*WATCH_CREATE)
    assert (done.returncode, f"mkdir -p {daily.parent}" in done.stderr) == (3, True), done.stderr
    assert watches.find(connection) == []


@pytest.mark.slow
def test_a_burst_that_overflows_the_kernels_queue_is_one_event(
    connection: sqlite3.Connection, layout: Layout, daily: Path, cli: Cli
) -> None:
    """An agent that is stopped reads no events: 20,000 of 10,000 files are more than the kernel keeps (16,384)."""
    assert cli(*WATCH_CREATE).returncode == 0
    (daily / "first.csv").write_text("1")
    wait_for(lambda: seen(connection) == ["first.csv"])
    holder = lock.holder(layout)
    assert holder is not None
    os.kill(holder.pid, signal.SIGSTOP)
    try:
        for number in range(10_000):
            (daily / f"{number}.csv").write_text("1")
    finally:
        os.kill(holder.pid, signal.SIGCONT)
    wait_for(lambda: len(events.find(connection)) > 1)
    assert [event.files for event in events.find(connection)] == [10_000, 1]


@pytest.mark.slow
def test_a_folder_that_was_made_while_the_kernels_queue_overflowed_is_watched(
    connection: sqlite3.Connection, layout: Layout, daily: Path, cli: Cli
) -> None:
    """Its event is lost; so are those of 10,000 files that no look takes notice of."""
    assert cli(*WATCH_CREATE, "--path", "daily/**/*.csv").returncode == 0
    (daily / "first.csv").write_text("1")
    wait_for(lambda: seen(connection) == ["first.csv"])
    holder = lock.holder(layout)
    assert holder is not None
    os.kill(holder.pid, signal.SIGSTOP)
    try:
        for number in range(10_000):
            (daily / f"{number}.tmp").write_text("1")
        (daily / "late").mkdir()
    finally:
        os.kill(holder.pid, signal.SIGCONT)
    (daily / "second.csv").write_text("1")
    wait_for(lambda: seen(connection) == ["second.csv", "first.csv"])
    wait_for(lambda: rests(holder.pid))  # it has read its queue to the end: what comes now, it has to be told of
    (daily / "late" / "third.csv").write_text("1")
    wait_for(lambda: seen(connection)[0] == "late/third.csv")


def rests(pid: int) -> bool:
    """Whether a process does next to nothing for a while."""
    process = psutil.Process(pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(0.5)
    return sum(process.cpu_times()[:2]) - before < 0.02


@pytest.mark.slow
def test_a_file_is_written_under_another_name_and_renamed(
    connection: sqlite3.Connection, layout: Layout, daily: Path, cli: Cli
) -> None:
    assert cli(*WATCH_CREATE).returncode == 0
    with (daily / "a.csv.part").open("w") as file:
        file.write("half")
        file.flush()
        (daily / "b.csv").write_text("1")
        wait_for(lambda: seen(connection) == ["b.csv"])
        file.write(" and half")
    (daily / "a.csv.part").rename(daily / "a.csv")
    wait_for(lambda: seen(connection) == ["a.csv", "b.csv"])
    folder = Resolver(layout, connection).find(assets.get(connection, "daily", "2").path).path
    assert folder is not None
    assert (folder / "a.csv").read_text() == "half and half"


@pytest.mark.slow
def test_markers_disabling_and_scans(connection: sqlite3.Connection, layout: Layout, daily: Path, cli: Cli) -> None:
    assert cli(*WATCH_CREATE, "--marker", "_SUCCESS", "--include-existing").returncode == 0
    assert cli("data", "watch", "disable", "daily").returncode == 0
    (daily / "a.csv").write_text("1")
    assert json.loads(cli("data", "watch", "scan", "daily").stdout) == []
    (daily / "_SUCCESS").touch()
    assert [event["paths"] for event in json.loads(cli("data", "watch", "scan", "daily").stdout)] == [["a.csv"]]
    (daily / "b.csv").write_text("1")
    assert cli("data", "watch", "enable", "daily").returncode == 0
    wait_for(lambda: seen(connection) == ["b.csv", "a.csv"])
    assert cli("data", "watch", "delete", "daily", "--yes").returncode == 0
    assert len(json.loads(cli("data", "events", "daily").stdout)) == 2


@pytest.mark.storm
@pytest.mark.timeout(600)
def test_agents_that_are_killed_lose_nothing_and_repeat_nothing(
    connection: sqlite3.Connection, layout: Layout, daily: Path, tmp_path: Path, cli: Cli
) -> None:
    (tmp_path / "job.yml").write_text(JOB)
    assert cli(*WATCH_CREATE, "--run", tmp_path / "job.yml", "--quiet", "0.1").returncode == 0
    dice, written = random.Random(7), list[str]()
    for _ in range(60):
        for _ in range(dice.randrange(1, 30)):
            written.append(f"{len(written)}.csv")
            (daily / "draft").write_text("1")
            (daily / "draft").replace(daily / written[-1])
        time.sleep(dice.uniform(0, 0.5))  # the moments of the kills are what the test is about
        if (holder := lock.holder(layout)) is not None:
            with suppress(ProcessLookupError):
                os.kill(holder.pid, signal.SIGKILL)
        start.ensure(layout)

    def all_are_in_events() -> bool:
        if lock.holder(layout) is None:  # the last one was poked while it died: the next command starts another
            start.ensure(layout)
        return sum(event.files for event in events.find(connection, limit=10_000)) >= len(written)

    wait_for(all_are_in_events)
    found = events.find(connection, limit=10_000)
    assert sorted(each.path for each in watches.ledger(connection, "daily")) == sorted(written)
    assert sum(event.files for event in found) == len(written), "a file is in two events"
    assert (
        len({event.document["job"] for event in found}) == len(found) == len(jobs.find(connection, jobs.Filter(), 999))
    )
    assert len(names_in(connection, layout, str(len(found)))) == len(written)
