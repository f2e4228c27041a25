"""Watched paths of datastores elsewhere: S3, SFTP and Azure's blobs by real servers, and a real agent."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from store import database
from store.data import assets, events, watches
from store.data.watched_source import open_source
from store.data.watches import Watch
from store.datastores import registry
from store.datastores.filesystems import open_filesystem
from store.layout import Layout
from store.uris import Resolver
from store.vault import open_vault
from tests.conftest import Cli
from tests.data.test_watched_folders import seen, wait_for
from tests.services.azurite import ACCOUNT, KEY, Azurite
from tests.services.dropping import dropping_proxy
from tests.services.file_servers import HOST, KEY_ID, SECRET, Served, SshServed
from tests.services.network_mount import NetworkMount
from tests.services.running import free_port

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Storage:
    """A container of its own on a server: the document of its datastore by the port to go through."""

    port: int
    document: Callable[[int], dict[str, Any]]
    remove: Callable[[], object]
    make: Callable[[], object]


def sftp(served: SshServed, name: str, tmp_path: Path) -> Storage:
    folder = served.folder / name

    def document(port: int) -> dict[str, Any]:
        known = tmp_path / f"known_hosts-{port}"
        known.write_text(served.known_hosts.read_text().replace(f":{served.port} ", f":{port} "))
        login = {"username": served.user, "private_key": served.key.read_text()}
        known_hosts = {"known_hosts": str(known), "credentials": login}
        return {"type": "sftp", "host": HOST, "port": port, "path": str(folder), **known_hosts}

    return Storage(served.port, document, lambda: shutil.rmtree(folder), folder.mkdir)


def s3(served: Served, name: str, tmp_path: Path) -> Storage:
    import s3fs

    url = f"http://{HOST}:{served.port}"
    system = s3fs.S3FileSystem(key=KEY_ID, secret=SECRET, endpoint_url=url, skip_instance_cache=True)

    def document(port: int) -> dict[str, Any]:
        login = {"access_key_id": KEY_ID, "secret_access_key": SECRET}
        return {"type": "s3", "bucket": name, "endpoint_url": f"http://{HOST}:{port}", "credentials": login}

    def remove() -> None:
        system.invalidate_cache()
        system.rm(name, recursive=True)

    return Storage(served.port, document, remove, lambda: system.mkdir(name))


def azure_blob(served: Azurite, name: str, tmp_path: Path) -> Storage:
    blob = pytest.importorskip("azure.storage.blob", reason="the extra azure is not installed")
    service = blob.BlobServiceClient(served.url, credential=KEY)

    def document(port: int) -> dict[str, Any]:
        place = {"account_name": ACCOUNT, "container_name": name, "endpoint": f"{HOST}:{port}", "protocol": "http"}
        return {"type": "azure_blob", **place, "credentials": {"account_key": KEY}}

    return Storage(
        served.port, document, lambda: service.delete_container(name), lambda: service.create_container(name)
    )


KINDS: dict[str, Callable[[Any, str, Path], Storage]] = {"ssh_server": sftp, "s3_server": s3, "azurite": azure_blob}


@pytest.fixture(params=KINDS)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A new container on each kind of server."""
    served, name = request.getfixturevalue(request.param), f"watched-{uuid.uuid4().hex[:12]}"
    made = KINDS[request.param](served, name, tmp_path)
    made.make()
    return made


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    opened = database.connect(layout.database)
    yield opened
    opened.close()


@pytest.fixture
def write(connection: sqlite3.Connection, layout: Layout) -> Callable[[str, bytes], None]:
    """Write a file of the datastore, as others would."""

    def written(path: str, content: bytes) -> None:
        system, root = open_filesystem(registry.get(connection, layout, "inbox"), open_vault(layout))
        with contextlib.suppress(FileExistsError):
            system.makedirs(f"{root}/{path}".rpartition("/")[0], exist_ok=True)
        system.pipe_file(f"{root}/{path}", content)

    return written


def inbox(cli: Cli, tmp_path: Path, document: dict[str, Any]) -> None:
    """Make the datastore ``inbox``, if it is not there."""
    file = tmp_path / "inbox.json"
    file.write_text(json.dumps({"name": "inbox", **document}))
    done = cli("datastore", "create", "-f", file)
    assert done.returncode == 0, done.stderr


def watch(cli: Cli, tmp_path: Path, document: dict[str, Any], path: str = "daily/*.bin") -> None:
    """Make the datastore ``inbox``, and watch it."""
    inbox(cli, tmp_path, document)
    done = cli("data", "watch", "create", "-d", "inbox", "--path", path, "--register", "daily", "--poll", "0.5")
    assert done.returncode == 0, done.stderr


def content_of(connection: sqlite3.Connection, layout: Layout, version: str) -> dict[str, bytes]:
    """The files of a version."""
    folder = Resolver(layout, connection).find(assets.get(connection, "daily", version).path).path
    assert folder is not None
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


Write = Callable[[str, bytes], None]


def kinds(connection: sqlite3.Connection) -> list[str]:
    """What happened, the oldest first."""
    return [event.kind for event in events.find(connection)][::-1]


def test_new_files_make_versions_and_a_container_that_is_gone_is_said(
    connection: sqlite3.Connection, layout: Layout, cli: Cli, tmp_path: Path, storage: Storage, write: Write
) -> None:
    inbox(cli, tmp_path, storage.document(storage.port))
    write("daily/old.bin", b"0")
    watch(cli, tmp_path, storage.document(storage.port))
    first, second = os.urandom(100_000), os.urandom(10)
    write("daily/a.bin", first)
    wait_for(lambda: seen(connection) == ["a.bin"])
    write("daily/a.bin", second)
    wait_for(lambda: seen(connection) == ["a.bin", "a.bin"])
    assert content_of(connection, layout, "1") == {"old.bin": b"0", "a.bin": first}
    assert content_of(connection, layout, "2") == {"old.bin": b"0", "a.bin": second}

    storage.remove()
    wait_for(lambda: events.trouble(connection, "daily"))
    assert json.loads(cli("data", "watch", "show", "daily").stdout)["state"] == "Waiting"
    storage.make()
    write("daily/b.bin", b"2")
    wait_for(lambda: seen(connection)[:1] == ["b.bin"])
    assert kinds(connection) == ["new_files", "new_files", "lost", "back", "new_files"]


def test_a_folder_that_is_not_there_yet_is_watched(
    connection: sqlite3.Connection, layout: Layout, cli: Cli, tmp_path: Path, storage: Storage, write: Write
) -> None:
    watch(cli, tmp_path, storage.document(storage.port))
    write("daily/a.bin", b"1")
    wait_for(lambda: seen(connection) == ["a.bin"])
    assert content_of(connection, layout, "1") == {"a.bin": b"1"}
    storage.remove()
    done = cli("data", "watch", "create", "-d", "inbox", "--path", "weekly", "--register", "weekly")
    assert (done.returncode, "weekly" in [each.name for each in watches.find(connection)]) == (3, False), done.stderr


def test_a_server_that_refuses_connections_for_a_while(
    connection: sqlite3.Connection, layout: Layout, cli: Cli, tmp_path: Path, storage: Storage, write: Write
) -> None:
    port = free_port()
    with dropping_proxy(storage.port, port):
        watch(cli, tmp_path, storage.document(port), "*.bin")
        write("a.bin", b"1")
        wait_for(lambda: seen(connection) == ["a.bin"])
    wait_for(lambda: events.trouble(connection, "daily"))
    with dropping_proxy(storage.port, port):
        write("b.bin", b"2")
        wait_for(lambda: seen(connection) == ["b.bin", "a.bin"])
    assert kinds(connection)[:4] == ["new_files", "lost", "back", "new_files"]
    assert content_of(connection, layout, "2") == {"a.bin": b"1", "b.bin": b"2"}


def test_a_file_whose_download_breaks_each_time_holds_up_no_others(
    connection: sqlite3.Connection, layout: Layout, cli: Cli, tmp_path: Path, storage: Storage, write: Write
) -> None:
    large = os.urandom(1_000_000)
    with dropping_proxy(storage.port) as proxy:
        watch(cli, tmp_path, storage.document(proxy.port), "*.bin")
        proxy.drop(times=10**9, after=300_000)
        write("a-large.bin", large)
        write("small.bin", b"1")
        wait_for(lambda: {"new_files", "unread"} <= set(kinds(connection)))
        assert came(connection) == {"small.bin"}
        assert content_of(connection, layout, "1") == {"small.bin": b"1"}
        proxy.drop(times=0, after=0)
        wait_for(lambda: came(connection) == {"a-large.bin", "small.bin"})
    assert content_of(connection, layout, "2") == {"a-large.bin": large, "small.bin": b"1"}
    assert sorted(kinds(connection)) == ["new_files", "new_files", "unread"], "it is said once"


@pytest.mark.parametrize("storage", ["ssh_server", "s3_server"], indirect=True)
def test_a_large_file_is_taken_up_where_its_connection_broke(
    connection: sqlite3.Connection, layout: Layout, cli: Cli, tmp_path: Path, storage: Storage, write: Write
) -> None:
    large = os.urandom(8_000_000)
    with dropping_proxy(storage.port) as proxy:
        watch(cli, tmp_path, storage.document(proxy.port), "*.bin")
        write("large.bin", large)
        proxy.drop(times=3, after=2_500_000)
        wait_for(lambda: came(connection) == {"large.bin"})
        assert proxy.dropped
    assert content_of(connection, layout, "1") == {"large.bin": large}
    assert kinds(connection) == ["new_files"]


def came(connection: sqlite3.Connection) -> set[str]:
    """The files of all events that tell of new ones."""
    return {path for event in events.find(connection) if event.kind == "new_files" for path in event.document["paths"]}


def test_a_mounted_folder_of_another_machine_is_polled(
    connection: sqlite3.Connection, cli: Cli, tmp_path: Path, network_mount: NetworkMount
) -> None:
    watch(cli, tmp_path, {"type": "local", "path": str(network_mount.folder)}, "*.bin")
    for name in ("a.bin", "b.bin"):
        (network_mount.behind / name).write_bytes(b"1")
        wait_for(lambda name=name: seen(connection)[:1] == [name])


@pytest.mark.parametrize("storage", ["s3_server", "azurite"], indirect=True)
def test_a_folder_that_is_but_the_beginning_of_names_may_be_empty(
    connection: sqlite3.Connection, cli: Cli, tmp_path: Path, storage: Storage, write: Write
) -> None:
    watch(cli, tmp_path, storage.document(storage.port))
    write("daily/a.bin", b"1")
    wait_for(lambda: seen(connection) == ["a.bin"])
    assert kinds(connection) == ["new_files"]


def test_looking_again_and_again_leaves_no_connections_open(
    connection: sqlite3.Connection, layout: Layout, cli: Cli, tmp_path: Path, storage: Storage
) -> None:
    inbox(cli, tmp_path, storage.document(storage.port))
    watched = Watch("daily", "inbox", {"path": "*.bin", "register": "daily"})
    before = open_to(storage.port)
    for _ in range(10):
        with contextlib.closing(open_source(connection, layout, watched)) as source:
            assert list(source.list()) == []
    wait_for(lambda: open_to(storage.port) <= before + 2)


def open_to(port: int) -> int:
    """How many connections of this process lead to a port."""
    found = psutil.Process().net_connections("tcp")
    return sum(bool(each.raddr) and each.raddr.port == port and each.status == "ESTABLISHED" for each in found)
