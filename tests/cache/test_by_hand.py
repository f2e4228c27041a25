"""What is put in the cache ahead of time, listed and removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from store import cache
from store.errors import MachineError, NotFoundError, UsageError
from tests.cache.contents import AZURE_URLS, CONTENT, leftovers
from tests.data_server import Resource, Server


def test_what_was_added_and_then_changed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.csv").write_text("a")
    entry = cache.add("https://h/d", tmp_path / "d")
    (entry.path / "a.csv").chmod(0o600)
    (entry.path / "a.csv").write_text("b")
    for url in ("https://h/d", "https://h/d/a.csv"):
        with pytest.raises(MachineError, match="is not what was put there"):
            cache.fetch(url)
    assert cache.add("https://h/d", tmp_path / "d").complete
    assert cache.fetch("https://h/d/a.csv").read_text() == "a"


def test_a_file_put_there_serves_its_address_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("1")
    entry = cache.add("https://nowhere.invalid/data/iris.csv", tmp_path / "mine.csv")
    path = cache.fetch("https://nowhere.invalid/data/iris.csv")
    assert (path, path.name, path.read_text(), entry.added) == (entry.path, "iris.csv", "1", True)
    (tmp_path / "mine.csv").write_text("2")
    assert path.read_text() == "1"
    cache.add("https://nowhere.invalid/data/iris.csv", tmp_path / "mine.csv")
    assert cache.fetch("https://nowhere.invalid/data/iris.csv").read_text() == "2"


def test_a_folder_put_there_serves_every_address_below(tmp_path: Path) -> None:
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "data/a.csv").write_text("a")
    (tmp_path / "data/sub/b c.csv").write_text("b")
    cache.add("https://nowhere.invalid/data/", tmp_path / "data")
    assert cache.fetch("https://nowhere.invalid/data/sub/b%20c.csv?raw=1").read_text() == "b"
    assert (cache.fetch("https://nowhere.invalid/data", want_folder=True) / "a.csv").read_text() == "a"
    assert (cache.fetch("https://nowhere.invalid/data/sub/", want_folder=True) / "b c.csv").read_text() == "b"
    cache.check("https://nowhere.invalid/data/sub", want_folder=True)
    for url in ("https://nowhere.invalid/data/c.csv", "https://nowhere.invalid/data/%2E%2E/x"):
        with pytest.raises(NotFoundError, match="in the cache as a folder"):
            cache.fetch(url)


@pytest.mark.parametrize("added", AZURE_URLS)
def test_all_spellings_of_a_blob_are_one(added: str, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "t.csv").write_text("t")
    cache.add(added, tmp_path / "t.csv")
    assert {cache.fetch(url).read_text() for url in AZURE_URLS} == {"t"}
    assert "SECRET" not in "".join(file.read_text() for file in folder.rglob("*.json"))


def test_a_folder_of_blobs(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/t.csv").write_text("t")
    cache.add("wasbs://data@account.blob.core.windows.net/titanic", tmp_path / "data")
    assert {cache.fetch(url).read_text() for url in AZURE_URLS} == {"t"}


def test_only_what_can_be_downloaded_can_be_added(tmp_path: Path) -> None:
    for url in ("file:///x", "azureml://datastores/a/paths/b", "not a url"):
        with pytest.raises(UsageError):
            cache.add(url, tmp_path)
    with pytest.raises(UsageError, match="there is no"):
        cache.add("https://h/x", tmp_path / "nope")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no files"):
        cache.add("https://h/x", tmp_path / "empty")


def test_listing_showing_and_removing(tmp_path: Path, server: Server, folder: Path) -> None:
    assert cache.entries() == []
    (tmp_path / "a").write_text("a")
    cache.add("https://b/x", tmp_path / "a")
    cache.add("https://a/x", tmp_path / "a")
    server.resources["/f"] = Resource(CONTENT, break_after=[9, 0, 0, 0, 0, 0])
    with pytest.raises(MachineError):
        cache.fetch(server.url("/f"))
    listed = [(entry.url, entry.complete, entry.bytes) for entry in cache.entries()]
    assert listed == [(server.url("/f"), False, 9), ("https://a/x", True, 1), ("https://b/x", True, 1)]
    for entry in cache.entries():
        assert cache.remove(entry.url) == entry
    assert cache.entries() == []
    assert leftovers(folder) == []
    with pytest.raises(NotFoundError):
        cache.show("https://a/x")
    with pytest.raises(NotFoundError):
        cache.remove("https://a/x")
