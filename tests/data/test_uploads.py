"""Copies in datastores of this machine: whole or not there, verified, and removed with what needs them last."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store import database, workspace
from store.data import assets, registering, uploads
from store.data.registering import register
from store.datastores import registry
from store.errors import ConflictError, MachineError, NoRoomError
from store.layout import Layout
from tests.file_trees import fill, small_disk, tree

ROOT = Path(__file__).parents[2]


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(layout.database)) as opened:
        yield opened


@pytest.fixture
def source(tmp_path: Path) -> Path:
    fill(tmp_path / "set", {"a.csv": "a", "deep/b.csv": "b"})
    return tmp_path / "set"


def made(connection: sqlite3.Connection, layout: Layout, path: Path, **more: Any) -> assets.DataVersion:
    return register(connection, layout, {"name": "churn", "path": str(path), **more}, upload=True).version


def left(layout: Layout) -> list[str]:
    """What lies in the folder of uploads, and the notes that are not struck off."""
    folder = layout.blobstore / uploads.FOLDER
    notes = [each.name for each in (layout.run / "uploads").glob(f"*{uploads.SUFFIX}")]
    return [*(os.listdir(folder) if folder.exists() else []), *notes]


def test_a_copy_lies_under_its_fingerprint(connection: sqlite3.Connection, layout: Layout, source: Path) -> None:
    version = made(connection, layout, source)
    assert version.path == f"azureml://datastores/workspaceblobstore/paths/LocalUpload/{version.fingerprint}/set"
    assert tree(layout.blobstore / "LocalUpload" / str(version.fingerprint) / "set") == tree(source)
    assert left(layout) == [version.fingerprint]


def test_what_is_shared_with_other_workspaces_has_a_folder_of_its_own(
    connection: sqlite3.Connection, layout: Layout, source: Path, tmp_path: Path
) -> None:
    registry.create(connection, {"type": "local", "name": "inbox", "path": str(tmp_path / "inbox")})
    theirs = made(connection, layout, source, datastore="inbox")
    other = Layout(tmp_path / "other")
    workspace.create(other, {"name": "other"}, lambda _: None)
    with closing(database.connect(other.database)) as second:
        registry.create(second, {"type": "local", "name": "inbox", "path": str(tmp_path / "inbox")})
        ours = made(second, other, source, datastore="inbox")
        assert registering.delete(second, other, "churn", ours.version).copy_removed
    assert uploads.fingerprint.take(tmp_path / "inbox" / theirs.path.partition("/paths/")[2]).hash == theirs.fingerprint


def test_a_copy_goes_with_the_last_version_that_needs_it(
    connection: sqlite3.Connection, layout: Layout, source: Path
) -> None:
    first, second = made(connection, layout, source), made(connection, layout, source)
    assert not registering.delete(connection, layout, "churn", first.version).copy_removed
    inner = register(connection, layout, {"name": "inner", "path": f"{second.path}/deep"}).version
    assert not registering.delete(connection, layout, "churn", second.version).copy_removed, "a part of it is needed"
    assert not registering.delete(connection, layout, "inner", inner.version).copy_removed
    third = made(connection, layout, source)
    assert registering.delete(connection, layout, "churn", third.version).copy_removed
    assert left(layout) == []
    assert tree(source), "the original stays"


def test_a_copy_of_a_version_that_cannot_be_is_removed(
    connection: sqlite3.Connection, layout: Layout, source: Path, tmp_path: Path
) -> None:
    made(connection, layout, source, version="1")
    fill(tmp_path / "more", {"c.csv": "c"})
    before = left(layout)
    with pytest.raises(ConflictError):
        made(connection, layout, tmp_path / "more", version="1")
    assert left(layout) == before


def test_a_copy_that_was_spoiled_is_made_anew(connection: sqlite3.Connection, layout: Layout, source: Path) -> None:
    version = made(connection, layout, source)
    copy = layout.blobstore / "LocalUpload" / str(version.fingerprint) / "set"
    (copy / "a.csv").write_text("spoiled")
    made(connection, layout, source)
    assert tree(copy) == tree(source)
    assert left(layout) == [version.fingerprint]


def test_what_changes_while_it_is_copied_is_refused(
    connection: sqlite3.Connection, layout: Layout, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = uploads.trees.survey

    def late(path: Path) -> object:
        (source / "a.csv").write_text("written to after it was hashed")
        return survey(path)

    monkeypatch.setattr(uploads.trees, "survey", late)
    with pytest.raises(MachineError, match="changed while it was being copied"):
        made(connection, layout, source)
    assert list(assets.find(connection)) == []
    assert [each for each in left(layout) if not each.endswith(uploads.SUFFIX)] == []


# Killed in between

STEPS = {
    "before the version is forgotten": ("store.data.assets", "delete"),
    "before the copy is removed": ("store.data.uploads", "finish"),
    "in the middle of the removal": ("shutil", "rmtree"),
    "before the note is struck off": ("pathlib.Path", "unlink"),
}
KILLED = """
import os, signal, sys, importlib
from pathlib import Path
from store import database
from store.data import registering
from store.layout import Layout
module, name = sys.argv[2:]
owner = Path if module == "pathlib.Path" else importlib.import_module(module)
def killed(*given, **more):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, killed)
layout = Layout(Path(sys.argv[1]))
registering.delete(database.connect(layout.database), layout, "churn", "1")
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_deletion_that_is_killed_leaves_all_or_nothing(
    step: str, connection: sqlite3.Connection, layout: Layout, source: Path, tmp_path: Path
) -> None:
    version = made(connection, layout, source)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(layout.root), *STEPS[step]], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    copy = layout.blobstore / "LocalUpload" / str(version.fingerprint) / "set"
    if found := list(assets.find(connection)):
        assert (found, tree(copy)) == ([version], tree(source))
        registering.delete(connection, layout, "churn", "1")
    else:
        assert not copy.exists() or tree(copy) == tree(source)
        fill(tmp_path / "more", {"c.csv": "c"})
        other = made(connection, layout, tmp_path / "more")
        registering.delete(connection, layout, "churn", other.version)
    assert left(layout) == []


@pytest.mark.slow
def test_an_upload_that_is_killed_is_not_there_and_can_be_done_again(
    connection: sqlite3.Connection, layout: Layout, source: Path
) -> None:
    script = (
        "import sys; from pathlib import Path; from store import database, trees; from store.data import registering;"
        "from store.layout import Layout; layout = Layout(Path(sys.argv[1]));\n"
        "def slow(items, target, *, writable):\n"
        "    for each in copy(items, target, writable=writable):\n"
        "        print('copied', flush=True); sys.stdin.read()\n"
        "copy, trees.copy_items = trees.copy_items, slow\n"
        "registering.register(database.connect(layout.database), layout,"
        " {'name': 'churn', 'path': sys.argv[2]}, upload=True)"
    )
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script, str(layout.root), str(source)], cwd=ROOT, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"copied\n"
        process.kill()
    assert list(assets.find(connection)) == []
    assert [each for each in left(layout) if not each.startswith(".") and not each.endswith(uploads.SUFFIX)] == []
    version = made(connection, layout, source)
    registering.delete(connection, layout, "churn", version.version)
    assert left(layout) == []


# A disk that is full


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of the test's own."""
    yield from small_disk(tmp_path / "disk")


@pytest.mark.slow
def test_an_upload_that_finds_no_room_is_not_there(
    connection: sqlite3.Connection, layout: Layout, source: Path, disk: Path
) -> None:
    registry.create(connection, {"type": "local", "name": "small", "path": str(disk)})
    (source / "large.bin").write_bytes(os.urandom(2_000_000))
    with pytest.raises(NoRoomError, match="the disk is full"):
        made(connection, layout, source, datastore="small")
    assert (list(assets.find(connection)), tree(disk)) == ([], {})
    (source / "large.bin").write_bytes(b"small")
    assert tree(disk / made(connection, layout, source, datastore="small").path.partition("/paths/")[2]) == tree(source)
