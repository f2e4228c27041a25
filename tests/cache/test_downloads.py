"""Downloads: once, whole, and noticed when they are changed on this disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from store import cache
from tests.cache.contents import CONTENT, leftovers
from tests.data_server import Resource, Server


def test_downloads_once_and_keeps_the_name(server: Server, folder: Path) -> None:
    file = server.resources["/data/iris%20set.csv?v=2"] = Resource(
        CONTENT, last_modified="Tue, 01 Jul 2025 00:00:00 GMT"
    )
    told: list[tuple[int, int | None]] = []
    url = server.url("/data/iris set.csv?v=2")
    path = cache.fetch(url, progress=lambda done, total: told.append((done, total)))
    assert path.name == "iris set.csv"
    assert path.read_bytes() == CONTENT
    assert cache.fetch(server.url("/data/iris%20set.csv?v=2#top")) == path
    assert len(file.requests) == 1
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    entry = cache.show(url)
    assert entry.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (entry.bytes, entry.files, entry.etag, entry.complete, entry.added) == (len(CONTENT), 1, '"1"', True, False)
    assert leftovers(folder) == []


def test_an_empty_file(server: Server) -> None:
    server.resources["/empty"] = Resource(b"")
    assert cache.fetch(server.url("/empty")).read_bytes() == b""


def test_redirects_are_followed(server: Server) -> None:
    server.resources["/a.csv"] = Resource(redirect="/b.csv")
    server.resources["/b.csv"] = Resource(b"b")
    path = cache.fetch(server.url("/a.csv"))
    assert (path.name, path.read_bytes()) == ("a.csv", b"b")


def test_user_and_password_go_into_a_header_and_nowhere_else(server: Server, folder: Path) -> None:
    file = server.resources["/f"] = Resource(b"x")
    cache.fetch(server.url("/f", "ann:pa%20ss"))
    assert file.requests[0]["authorization"] == "Basic YW5uOnBhIHNz"
    assert file.requests[0]["host"] == f"127.0.0.1:{server.server_address[1]}"
    assert not any(b"pa" in each.read_bytes() for each in folder.rglob("entry.json"))


def test_a_file_that_was_changed_is_downloaded_again(server: Server) -> None:
    file = server.resources["/f"] = Resource(b"right")
    path = cache.fetch(server.url("/f"))
    path.chmod(0o600)
    os.utime(path)
    assert cache.fetch(server.url("/f")) == path
    assert len(file.requests) == 1, "another time on it, but the same content"
    path.write_bytes(b"wrong")
    assert cache.fetch(server.url("/f")).read_bytes() == b"right"
    path.unlink()
    assert cache.fetch(server.url("/f")).read_bytes() == b"right"
    assert len(file.requests) == 3


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "workbench/content"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.folder() == tmp_path / "home/.cache/workbench/content"
