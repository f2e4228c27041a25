"""What was fetched, held against its source: taken from here while it is the same, fetched anew when it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from store import cache
from store.errors import MachineError
from tests.cache.contents import CONTENT
from tests.data_server import Resource, Server

OLD, NEW = "Tue, 01 Jul 2025 00:00:00 GMT", "Wed, 02 Jul 2025 00:00:00 GMT"


def lost(line: str) -> None:
    raise AssertionError(line)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (Resource(b"old", etag='"1"'), Resource(b"new", etag='"2"')),
        (Resource(b"old", etag=None, last_modified=OLD), Resource(b"new", etag=None, last_modified=NEW)),
        (Resource(b"old", etag=None), Resource(b"newer", etag=None)),
        (Resource(b"old", etag='W/"1"', last_modified=OLD), Resource(b"new", etag='W/"2"', last_modified=NEW)),
    ],
    ids=["etag", "time", "size", "weak"],
)
def test_a_source_that_has_changed_is_fetched_anew(server: Server, first: Resource, then: Resource) -> None:
    server.resources["/f"] = first
    path = cache.fetch(server.url("/f"), say=lost)
    server.resources["/f"] = then
    assert cache.fetch(server.url("/f")) == path and path.read_bytes() == b"old", "nobody asked"
    assert cache.fetch(server.url("/f"), say=lost) == path
    assert path.read_bytes() == then.content


def test_the_same_is_not_fetched_again(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT * 20)
    told: list[int] = []
    cache.fetch(server.url("/f"), say=lost, progress=lambda done, _: told.append(done))
    told.clear()
    cache.fetch(server.url("/f"), say=lost, progress=lambda done, _: told.append(done))
    assert (told, len(file.requests)) == ([], 2)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_source_that_does_not_answer_leaves_what_is_here_and_is_told(server: Server, status: int) -> None:
    file = server.resources["/f"] = Resource(b"x")
    path = cache.fetch(server.url("/f"), say=lost)
    server.resources["/f"] = replace(file, status=status)
    said: list[str] = []
    assert cache.fetch(server.url("/f"), say=said.append) == path
    assert len(said) == 1 and str(status) in said[0] and "what was fetched there at 20" in said[0]


def test_what_was_put_there_by_hand_is_not_held_against_anything(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    file = server.resources["/f"] = Resource(b"theirs")
    cache.add(server.url("/f"), tmp_path / "mine")
    assert cache.fetch(server.url("/f"), say=lost).read_bytes() == b"mine"
    assert file.requests == []


def test_a_folder_by_number_and_size_of_its_files() -> None:
    import fsspec

    system = fsspec.filesystem("memory")
    for name in ("a.csv", "sub/b.csv"):
        system.pipe(f"/fresh/set/{name}", name.encode())
    path = cache.fetch("memory://fresh/set", want_folder=True, say=lost)
    system.pipe("/fresh/set/c.csv", b"c")
    path = cache.fetch("memory://fresh/set", want_folder=True, say=lost)
    assert sorted(str(file.relative_to(path)) for file in path.rglob("*.csv")) == ["a.csv", "c.csv", "sub/b.csv"]
    system.rm("/fresh/set/c.csv")
    cache.fetch("memory://fresh/set", want_folder=True, say=lost)
    assert cache.show("memory://fresh/set").files == 2


def test_a_source_that_changed_and_breaks_is_an_error(server: Server) -> None:
    server.resources["/f"] = Resource(CONTENT)
    cache.fetch(server.url("/f"))
    server.resources["/f"] = Resource(CONTENT[::-1], etag='"2"', break_after=[0, *[1000] * 100], ranges=False)
    with pytest.raises(MachineError, match="the download stopped"):
        cache.fetch(server.url("/f"), say=lost)
