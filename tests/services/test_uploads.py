"""`data create --upload` into a datastore of another machine, over SFTP: verified, and with connections that drop."""

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

from store import database
from store.data import assets, registering
from store.data.registering import register
from store.datastores import registry, transfers
from store.datastores.cached import Wanted, copy_of
from store.datastores.checking import CheckError
from store.datastores.listing import page
from store.errors import MachineError, NotFoundError
from store.layout import Layout
from store.vault import open_vault
from tests.file_trees import fill, small_disk
from tests.services.dropping import DroppingProxy, dropping_proxy
from tests.services.file_servers import HOST, SshServed

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(layout.database)) as opened:
        yield opened


@pytest.fixture
def proxy(ssh_server: SshServed) -> Iterator[DroppingProxy]:
    with dropping_proxy(ssh_server.port) as found:
        yield found


@pytest.fixture
def away(
    connection: sqlite3.Connection, layout: Layout, ssh_server: SshServed, proxy: DroppingProxy, tmp_path: Path
) -> Path:
    """The folder of the datastore ``away``, which is reached through a proxy."""
    known, folder = tmp_path / "known_hosts", ssh_server.folder / tmp_path.name
    known.write_text(ssh_server.known_hosts.read_text().replace(f":{ssh_server.port} ", f":{proxy.port} "))
    folder.mkdir()
    document: dict[str, Any] = {
        "type": "sftp",
        "name": "away",
        "host": HOST,
        "port": proxy.port,
        "path": str(folder),
        "known_hosts": str(known),
        "credentials": {"username": ssh_server.user, "private_key": None},
    }
    open_vault(layout).set("datastore/away/private_key", ssh_server.key.read_text())
    registry.create(connection, document)
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    fill(tmp_path / "set", {"a.csv": "a", "deep/b.csv": "b"})
    (tmp_path / "set/large.bin").write_bytes(os.urandom(6_000_000))
    return tmp_path / "set"


def made(connection: sqlite3.Connection, layout: Layout, path: Path) -> assets.DataVersion:
    kind = "uri_folder" if path.is_dir() else "uri_file"
    document = {"name": "churn", "path": str(path), "type": kind, "datastore": "away"}
    return register(connection, layout, document, upload=True).version


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_folder_is_copied_and_removed_again(
    connection: sqlite3.Connection, layout: Layout, away: Path, source: Path
) -> None:
    version = made(connection, layout, source)
    assert content(away / version.path.partition("/paths/")[2]) == content(source)
    assert registering.delete(connection, layout, "churn", version.version).copy_removed
    assert content(away) == {}


def test_a_connection_that_drops_in_an_upload_leaves_no_version(
    connection: sqlite3.Connection, layout: Layout, away: Path, source: Path, proxy: DroppingProxy
) -> None:
    proxy.drop_uploads(times=1, after=3_000_000)
    with pytest.raises(CheckError):
        made(connection, layout, source)
    assert proxy.dropped == 1
    assert list(assets.find(connection)) == []
    assert not [path for path in content(away) if path.endswith("large.bin")], "a part of it counts as the whole"
    version = made(connection, layout, source)
    assert content(away / version.path.partition("/paths/")[2]) == content(source), "a part is left"
    registering.delete(connection, layout, "churn", version.version)
    assert content(away) == {}


def test_other_bytes_of_the_same_size_do_not_count(
    connection: sqlite3.Connection, layout: Layout, away: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = transfers._put

    def spoiling(system: Any, file: Path, full: str, *more: Any) -> None:
        other = file.with_name("other")
        other.write_bytes(file.read_bytes()[::-1])
        put_file = system.put_file
        monkeypatch.setattr(system, "put_file", lambda _, *rest, **named: put_file(str(other), *rest, **named))
        put(system, file, full, *more)

    monkeypatch.setattr(transfers, "_put", spoiling)
    with pytest.raises(MachineError, match="other bytes arrived than were sent"):
        made(connection, layout, source / "large.bin")
    assert (list(assets.find(connection)), content(away)) == ([], {})


def test_what_changed_since_it_was_hashed_does_not_count(
    connection: sqlite3.Connection, layout: Layout, away: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = transfers._put

    def late(system: Any, file: Path, *more: Any) -> None:
        file.write_bytes(file.read_bytes()[::-1])
        put(system, file, *more)

    monkeypatch.setattr(transfers, "_put", late)
    with pytest.raises(MachineError, match="changed while it was being copied"):
        made(connection, layout, source / "large.bin")
    assert (list(assets.find(connection)), content(away)) == ([], {})


def test_a_removal_that_cannot_be_now_is_made_later(
    connection: sqlite3.Connection, layout: Layout, away: Path, source: Path, proxy: DroppingProxy
) -> None:
    first, target = made(connection, layout, source / "a.csv"), proxy.target
    proxy.target = (HOST, 1)
    gone = registering.delete(connection, layout, "churn", first.version)
    assert not gone.copy_removed and "could not be removed yet" in gone.notes[0]
    assert len(content(away)) == 1
    proxy.target = target
    second = made(connection, layout, source / "deep/b.csv")
    assert registering.delete(connection, layout, "churn", second.version).notes == ()
    assert content(away) == {}


KILLED = """
import os, signal, sys
from pathlib import Path
from store import database
from store.data.registering import register
from store.datastores import transfers
from store.layout import Layout
def killed(*given):
    os.kill(os.getpid(), signal.SIGKILL)
transfers.verify = killed  # all bytes are there, under a hidden name
layout = Layout(Path(sys.argv[1]))
document = {"name": "churn", "path": sys.argv[2], "datastore": "away"}
register(database.connect(layout.database), layout, document, upload=True)
"""


def test_an_upload_that_is_killed_leaves_nothing_that_counts(
    connection: sqlite3.Connection, layout: Layout, away: Path, source: Path
) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(layout.root), str(source)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list(assets.find(connection)) == []
    assert [Path(path).name[0] for path in content(away)] == ["."], "a hidden part alone"
    version = made(connection, layout, source)
    assert content(away / version.path.partition("/paths/")[2]) == content(source), "the part is left"
    registering.delete(connection, layout, "churn", version.version)
    assert content(away) == {}


KILLED_FILE = """
import os, signal, sys
from store.datastores import transfers
transfers.verify = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
from workbench.cli.main import main
main(["datastore", "upload", sys.argv[2], "away/in/large.bin", "--workspace", sys.argv[1]])
"""


def test_a_file_whose_upload_was_killed_is_listed_and_brought_by_nobody(
    connection: sqlite3.Connection, layout: Layout, away: Path, source: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", KILLED_FILE, str(layout.root), str(source / "large.bin")]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert [Path(path).name[0] for path in content(away)] == ["."], "a hidden part alone"
    vault = open_vault(layout)
    datastore = registry.get(connection, layout, "away")
    there = transfers.opened(datastore, vault)
    assert page(there.system, there.full("in")) == ([], False)
    with pytest.raises(NotFoundError), copy_of(Wanted(datastore, "in", vault)):
        raise AssertionError("a job got it")
    transfers.upload(there, source / "a.csv", "in/", progress=lambda done, total: None)
    with copy_of(Wanted(datastore, "in", vault)) as copy:
        assert content(copy) == {"a.csv": b"a"}
    assert content(transfers.download(there, "in", tmp_path / "got", progress=lambda *_: None)) == {"a.csv": b"a"}
    transfers.upload(there, source / "large.bin", "in/", progress=lambda done, total: None)
    assert sorted(content(away)) == ["in/a.csv", "in/large.bin"], "the part is left"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    yield from small_disk(tmp_path / "disk")


def test_a_download_that_finds_no_room_leaves_nothing(
    connection: sqlite3.Connection, layout: Layout, away: Path, source: Path, disk: Path
) -> None:
    (away / "large.bin").write_bytes((source / "large.bin").read_bytes())
    there = transfers.opened(registry.get(connection, layout, "away"), open_vault(layout))
    with pytest.raises(MachineError, match="needs 6000000 bytes, and the disk has"):
        transfers.download(there, "large.bin", disk / "large.bin", progress=lambda done, total: None)
    assert content(disk) == {}
