"""Built environments: what there is, and giving their room back where no job needs it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engines.environments import stock
from engines.environments.built import READY
from engines.environments.definition import Definition
from engines.environments.interpreters import own
from store import database, disk
from store import workspace as workspaces
from store.disk_usage import room_of, size_of
from store.errors import ConflictError, NotFoundError
from store.layout import Layout
from tests.many_jobs import add_job


@pytest.fixture
def workspace(tmp_path: Path) -> Layout:
    found = Layout(tmp_path / "ws")
    workspaces.create(found, {"name": "ws"}, lambda _: None)
    return found


@pytest.fixture
def connection(workspace: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(workspace.database)) as found:
        yield found


def put(layout: Layout, name: str, built_at: float = 1.0) -> Definition:
    """A folder as a build leaves it, with one package."""
    definition = Definition(name, "1", own(), requirements=(name,))
    place = layout.environments / definition.hash
    (place / "lib/python3.11/site-packages/Some_Package-1.2.dist-info").mkdir(parents=True)
    (place / READY).write_text(json.dumps({"built_at": built_at, "seconds": 2.0, "definition": definition.as_dict()}))
    return definition


def use(layout: Layout, connection: sqlite3.Connection, name: str, definition: Definition, status: str) -> None:
    add_job(layout, name, status=status, created_at=100.0)
    with database.write(connection):
        text = json.dumps(definition.as_dict())
        connection.execute("UPDATE job SET environment = ? WHERE name = ?", (text, name))


def test_the_last_one_built_is_first_and_its_last_user_known(workspace: Layout, connection: sqlite3.Connection) -> None:
    old, new = put(workspace, "old", 1.0), put(workspace, "new", 2.0)
    use(workspace, connection, "owl", old, "Completed")
    (workspace.environments / "unfinished").mkdir()
    first, second = stock.built_environments(workspace, connection)
    assert (first.definition, first.last_used, first.last_job) == (new, None, None)
    assert (second.definition, second.last_used, second.last_job) == (old, 100.0, "owl")
    assert stock.packages(first.place) == ["some-package==1.2"]


def test_one_that_a_job_needs_stays(workspace: Layout, connection: sqlite3.Connection) -> None:
    definition = put(workspace, "a")
    use(workspace, connection, "owl", definition, "Queued")
    with pytest.raises(ConflictError, match="job owl needs this environment"):
        stock.remove(workspace, connection, definition.hash)
    assert (workspace.environments / definition.hash / READY).exists()


def test_one_that_is_being_built_stays(workspace: Layout, connection: sqlite3.Connection) -> None:
    definition = put(workspace, "a")
    with disk.locked(workspace.environments / f"{definition.hash}.lock"), pytest.raises(ConflictError, match="built"):
        stock.remove(workspace, connection, definition.hash)
    assert (workspace.environments / definition.hash / READY).exists()


def test_what_no_job_needs_goes(workspace: Layout, connection: sqlite3.Connection) -> None:
    definition = put(workspace, "a")
    use(workspace, connection, "owl", definition, "Completed")
    stock.remove(workspace, connection, definition.hash)
    assert not (workspace.environments / definition.hash).exists()
    with pytest.raises(NotFoundError):
        stock.remove(workspace, connection, definition.hash)


def test_a_file_with_several_names_takes_room_once(tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/file").write_bytes(b"x" * 100_000)
    (tmp_path / "round").symlink_to(tmp_path)
    once = size_of(tmp_path)
    (tmp_path / "again").hardlink_to(tmp_path / "deep/er/file")
    assert once.whole and size_of(tmp_path).bytes == once.bytes >= 100_000
    assert not size_of(tmp_path, seconds=-1.0).whole
    assert room_of(tmp_path / "nowhere") is None and room_of(tmp_path) is not None
