"""Datastores against real servers of SSH, S3, WebDAV and SMB: what they read and write, and what fails by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from store.datastores import checking, transfers
from store.datastores.checking import CheckError
from store.datastores.filesystems import address
from store.datastores.keeping import Draft
from store.datastores.listing import page
from store.datastores.sftp import UnknownHostError
from store.errors import ConflictError, NotFoundError
from store.specs.document import Document
from store.specs.loading import parse
from store.vault import Vault
from tests.services.dropping import dropping_proxy
from tests.services.file_servers import HOST, KEY_ID, PASSWORD, USER, Served, SshServed
from tests.services.file_servers import SECRET as S3_SECRET
from tests.services.running import free_port

pytestmark = pytest.mark.slow

Described = Callable[..., dict[str, Any]]


def draft(tmp_path: Path, **document: Any) -> Draft:
    """A datastore with its secrets, checked as a document is."""
    checked = parse(Document.of({"name": "there", **document}), "datastore").document()
    return Draft(checked, Vault(tmp_path / "vault"))


def sftp(served: SshServed, **changes: Any) -> dict[str, Any]:
    return {
        "type": "sftp",
        "host": HOST,
        "port": served.port,
        "path": str(served.folder),
        "known_hosts": str(served.known_hosts),
        "credentials": {"username": served.user, "private_key": served.key.read_text()},
        **changes,
    }


def s3(served: Served, **changes: Any) -> dict[str, Any]:
    login = {"access_key_id": KEY_ID, "secret_access_key": S3_SECRET}
    url = f"http://{HOST}:{served.port}"
    return {"type": "s3", "bucket": "sales", "endpoint_url": url, "credentials": login, **changes}


def webdav(served: Served, **changes: Any) -> dict[str, Any]:
    login = {"username": USER, "password": PASSWORD}
    return {"type": "webdav", "endpoint_url": f"http://{HOST}:{served.port}", "credentials": login, **changes}


def smb(served: Served, **changes: Any) -> dict[str, Any]:
    import getpass

    login = {"username": getpass.getuser(), "password": PASSWORD}
    return {"type": "smb", "host": HOST, "port": served.port, "share": "data", "credentials": login, **changes}


KINDS: dict[str, Callable[..., dict[str, Any]]] = {"ssh": sftp, "s3": s3, "webdav": webdav, "smb": smb}


@pytest.fixture(params=KINDS)
def described(request: pytest.FixtureRequest) -> Iterator[tuple[str, Described]]:
    """A document of each type, for a server that runs."""
    served = request.getfixturevalue(f"{request.param}_server")
    yield request.param, lambda **changes: KINDS[request.param](served, **changes)


def told(document: dict[str, Any], tmp_path: Path) -> CheckError:
    """The error that a check of a datastore ends with."""
    given = draft(tmp_path, **document)
    with pytest.raises(CheckError) as caught:
        checking.check(given.datastore, given)
    assert caught.value.hint
    return caught.value


def nothing(_done: int, _total: int | None) -> None:
    """Nobody waits."""


def test_a_datastore_that_is_there_passes_its_check(described: tuple[str, Described], tmp_path: Path) -> None:
    given = draft(tmp_path, **described[1]())
    assert checking.check(given.datastore, given) is None


def test_files_go_in_whole_are_listed_come_out_and_are_deleted(
    described: tuple[str, Described], tmp_path: Path
) -> None:
    given = draft(tmp_path, **described[1]())
    there = transfers.opened(given.datastore, given)
    content = os.urandom(3_000_000)
    file = tmp_path / "monday #1.bin"
    file.write_bytes(content)
    seen = list[int]()
    arrived = transfers.upload(there, file, "daily/in/", progress=lambda done, _: seen.append(done))
    assert arrived == "daily/in/monday #1.bin"
    assert seen[-1:] == [len(content)]
    listed, more = page(there.system, there.full("daily/in"))
    assert ([(each.name, each.size, each.is_folder) for each in listed], more) == (
        [("monday #1.bin", len(content), False)],
        False,
    )
    top, _ = page(there.system, there.full(""))
    assert ("daily", True) in [(each.name, each.is_folder) for each in top]
    assert [each.name for each in page(there.system, there.full(""), recursive=True)[0]] == [arrived]
    assert [each.name for each in page(there.system, there.full(arrived))[0]] == ["monday #1.bin"]

    with pytest.raises(ConflictError, match="already"):
        transfers.upload(there, file, arrived, progress=nothing)
    file.write_bytes(content[:10])
    transfers.upload(there, file, arrived, overwrite=True, progress=nothing)
    with there.system.open(there.full(arrived), "rb") as stream:
        assert stream.read() == content[:10]
    assert [each.name for each in page(there.system, there.full("daily/in"))[0]] == ["monday #1.bin"], "a part is left"

    one = transfers.download(there, arrived, tmp_path / "one.bin", progress=nothing)
    assert one.read_bytes() == content[:10]
    folder = transfers.download(there, "daily", tmp_path, progress=nothing)
    assert {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()} == {
        "in/monday #1.bin": content[:10]
    }
    there.system.rm(there.full("daily"), recursive=True)
    assert page(there.system, there.full(""))[0] == []
    with pytest.raises(NotFoundError):
        transfers.download(there, arrived, tmp_path / "two.bin", progress=nothing)


def test_a_listing_goes_on_behind_a_name(described: tuple[str, Described], tmp_path: Path) -> None:
    given = draft(tmp_path, **described[1]())
    there = transfers.opened(given.datastore, given)
    names = [f"{number:02}.txt" for number in range(7)]
    there.system.makedirs(there.full("many"), exist_ok=True)
    for name in names:
        there.system.pipe_file(there.full(f"many/{name}"), b"x")
    first, more = page(there.system, there.full("many"), limit=4)
    rest, no_more = page(there.system, there.full("many"), limit=4, after=first[-1].name)
    there.system.rm(there.full("many"), recursive=True)
    assert ([each.name for each in first], more) == (names[:4], True)
    assert ([each.name for each in rest], no_more) == (names[4:], False)


def test_an_address_has_no_secret_and_leads_there(described: tuple[str, Described], tmp_path: Path) -> None:
    given = draft(tmp_path, **described[1]())
    found = address(given.datastore, "a b/c.csv")
    assert found.endswith("/a%20b/c.csv")
    assert PASSWORD not in found and S3_SECRET not in found


def test_a_port_that_nobody_listens_on_is_a_refused_connection(
    described: tuple[str, Described], tmp_path: Path
) -> None:
    port = free_port()
    change = {"endpoint_url": f"http://{HOST}:{port}"} if described[0] in ("s3", "webdav") else {"port": port}
    error = told(described[1](**change), tmp_path)
    assert error.step == "connection"
    assert f"{HOST}:{port} refuses connections" in str(error)


def test_a_host_that_does_not_exist_fails_at_the_name(described: tuple[str, Described], tmp_path: Path) -> None:
    host = "no-such-host.invalid"
    change = {"endpoint_url": f"http://{host}"} if described[0] in ("s3", "webdav") else {"host": host}
    error = told(described[1](**change), tmp_path)
    assert error.step == "name resolution"
    assert repr(host) in str(error)


def test_a_wrong_secret_fails_at_the_login_and_is_not_told(
    described: tuple[str, Described], ssh_server: SshServed, tmp_path: Path
) -> None:
    kind, describe = described
    document = describe()
    if kind == "ssh":
        other = tmp_path / "other"
        os.system(f"ssh-keygen -q -t ed25519 -N '' -f {other}")
        document["credentials"]["private_key"] = other.read_text()
    else:
        field = "secret_access_key" if kind == "s3" else "password"
        document["credentials"][field] = "wr0ng-s3cret"
    error = told(document, tmp_path)
    assert error.step == "login"
    assert "wr0ng" not in str(error)


MISSING = {
    "ssh": ({"path": "/no/such/folder"}, "/no/such/folder"),
    "s3": ({"bucket": "nosuchbucket"}, "nosuchbucket"),
    "smb": ({"share": "nosuchshare"}, "nosuchshare"),
}


def test_a_place_that_is_missing_is_named(described: tuple[str, Described], tmp_path: Path) -> None:
    kind, describe = described
    if kind == "webdav":
        url = describe()["endpoint_url"] + "/nosuchfolder"
        change, name = {"endpoint_url": url}, "nosuchfolder"
    else:
        change, name = MISSING[kind]
    error = told(describe(**change), tmp_path)
    assert error.step == "place"
    assert name in str(error)


def test_a_folder_of_a_share_that_is_missing_and_a_share_that_is_closed(smb_server: Served, tmp_path: Path) -> None:
    assert told(smb(smb_server, path="/nosuch"), tmp_path).step == "place"
    assert told(smb(smb_server, share="closed"), tmp_path).step == "right"


def test_an_unknown_host_shows_its_fingerprint_and_how_to_accept_it(ssh_server: SshServed, tmp_path: Path) -> None:
    import subprocess

    known = tmp_path / "known_hosts"
    given = draft(tmp_path, **sftp(ssh_server, known_hosts=str(known)))
    with pytest.raises(UnknownHostError) as caught:
        checking.check(given.datastore, given)
    host_key = ssh_server.known_hosts.with_name("host.pub")
    shown = subprocess.run(["ssh-keygen", "-lf", host_key], capture_output=True, text=True, check=True).stdout
    assert shown.split()[1] in str(caught.value)
    command = str(caught.value.hint).partition("Accept it: ")[2]
    subprocess.run(["sh", "-c", command], check=True)
    assert checking.check(given.datastore, given) is None


def test_another_host_key_than_the_known_one_is_refused(ssh_server: SshServed, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"[{HOST}]:{ssh_server.port} {ssh_server.key.with_suffix('.pub').read_text()}")
    error = told(sftp(ssh_server, known_hosts=str(known)), tmp_path)
    assert error.step == "connection"
    assert "another than the one in" in str(error)


def test_a_server_of_another_kind_is_told(webdav_server: Served, tmp_path: Path) -> None:
    document = {
        "type": "sftp",
        "host": HOST,
        "port": webdav_server.port,
        "credentials": {"username": "a", "password": "b"},
    }
    assert told(document, tmp_path).step == "connection"
    document = {"type": "webdav", "endpoint_url": f"https://{HOST}:{webdav_server.port}"}
    assert told(document, tmp_path).step == "TLS"


def test_a_server_that_never_answers_ends_the_check_in_time(tmp_path: Path) -> None:
    import socket
    import time

    with socket.socket() as silent:
        silent.bind((HOST, 0))
        silent.listen()
        port = silent.getsockname()[1]
        given = draft(tmp_path, type="webdav", endpoint_url=f"http://{HOST}:{port}")
        began = time.monotonic()
        with pytest.raises(CheckError) as caught:
            checking.check(given.datastore, given, seconds=1.0)
        assert time.monotonic() - began < 5
        assert caught.value.step == "connection"


def test_a_download_goes_on_where_its_connection_was_dropped(described: tuple[str, Described], tmp_path: Path) -> None:
    kind, describe = described
    content = os.urandom(20_000_000)
    given = draft(tmp_path, **describe())
    there = transfers.opened(given.datastore, given)
    source = tmp_path / "source.bin"
    source.write_bytes(content)
    transfers.upload(there, source, "big.bin", progress=nothing)
    document = describe()
    port = checking.server_of(document["endpoint_url"]).port if "endpoint_url" in document else document["port"]
    with dropping_proxy(port) as proxy:
        if "endpoint_url" in document:
            document["endpoint_url"] = f"http://{HOST}:{proxy.port}"
        else:
            document["port"] = proxy.port
        if kind == "ssh":
            known = tmp_path / "known_hosts"
            known.write_text(Path(document["known_hosts"]).read_text().replace(f":{port} ", f":{proxy.port} "))
            document["known_hosts"] = str(known)
        given = draft(tmp_path, **document)
        through = transfers.opened(given.datastore, given)
        proxy.drop(times=2, after=6_000_000)
        target = transfers.download(through, "big.bin", tmp_path / "big.bin", progress=nothing)
        dropped = proxy.dropped
    there.system.rm(there.full("big.bin"))
    assert dropped == 2
    assert target.read_bytes() == content
    assert list(tmp_path.glob(".staging-*")) == []
