"""Addresses beyond http: what fsspec and its libraries reach."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from store import cache
from store.errors import MachineError, NotFoundError, UsageError
from store.transfer.incoming import AbandonedError
from tests.cache.contents import AZURE_URLS, CONTENT


def test_a_file_url_is_its_own_path(tmp_path: Path) -> None:
    assert cache.fetch(f"{(tmp_path / 'a b').as_uri()}") == tmp_path / "a b"
    with pytest.raises(UsageError, match="another machine"):
        cache.fetch("file://host/share/x")


@pytest.mark.skipif(importlib.util.find_spec("adlfs") is not None, reason="adlfs is installed here")
@pytest.mark.parametrize("url", AZURE_URLS[:2])
def test_azure_without_its_library_says_what_to_install(url: str) -> None:
    url = url.replace("core.windows.net", "core.invalid")
    with pytest.raises(MachineError) as caught:
        cache.fetch(url)
    assert 'pip install "workbench-ml[azure]"' in str(caught.value)
    assert f"workbench cache add {url} PATH" in str(caught.value)
    for attempt in (cache.fetch, cache.check):
        with pytest.raises(MachineError, match="library for"):
            attempt(url.rpartition("/")[0], want_folder=True)


def test_a_scheme_that_nothing_knows() -> None:
    with pytest.raises(UsageError, match="nothing here knows addresses that begin with gopher://"):
        cache.fetch("gopher://h/x")


@pytest.mark.parametrize("want_folder", [False, True])
def test_an_address_that_nothing_here_reaches_is_known_before_it_is_asked(tmp_path: Path, want_folder: bool) -> None:
    with pytest.raises(UsageError, match="begin with htp://") as caught:
        cache.check("htp://h/x", want_folder=want_folder)
    assert "Did you mean http://?" in str(caught.value)
    assert "workbench cache add htp://h/x PATH" in str(caught.value)
    missing = next(scheme for scheme, library in LIBRARIES.items() if importlib.util.find_spec(library) is None)
    with pytest.raises(MachineError, match=f"the library for {missing}:// addresses is not installed"):
        cache.check(f"{missing}://h/x", want_folder=want_folder)
    for url in ("https://h/x", "memory://h/x", "wasbs://c@a.blob.core.windows.net/x"):
        cache.check(url, want_folder=False)
    (tmp_path / "x").write_text("x")
    cache.add("htp://h/x", tmp_path / "x")
    cache.check("htp://h/x", want_folder=want_folder)


LIBRARIES = {"s3": "s3fs", "gcs": "gcsfs", "oci": "ocifs", "box": "boxfs"}
"""Some of fsspec's schemes, and the library that each needs: a machine that has them all is not one for this test."""


MEMORY = "memory://bucket"


def test_one_object_by_fsspec() -> None:
    import fsspec

    system = fsspec.filesystem("memory")
    system.pipe("/bucket/a.csv", CONTENT)
    path = cache.fetch(f"{MEMORY}/a.csv")
    assert (path.name, path.read_bytes()) == ("a.csv", CONTENT)
    system.rm("/bucket/a.csv")
    assert cache.fetch(f"{MEMORY}/a.csv") == path
    with pytest.raises(NotFoundError, match="there is nothing"):
        cache.fetch(f"{MEMORY}/b.csv")


def test_a_folder_by_fsspec_goes_on_where_it_was_left() -> None:
    import fsspec

    system = fsspec.filesystem("memory")
    for name in ("a.csv", "sub/b.csv", "sub/deep/c.csv"):
        system.pipe(f"/bucket/set/{name}", name.encode() * 100)
    told: list[tuple[int, int | None]] = []

    def tell(done: int, total: int | None) -> None:
        told.append((done, total))

    with pytest.raises(AbandonedError):
        cache.fetch(f"{MEMORY}/set", want_folder=True, progress=tell, cancelled=lambda: (500, None) in told)
    assert cache.show(f"{MEMORY}/set").files == 1
    path = cache.fetch(f"{MEMORY}/set", want_folder=True, progress=tell)
    assert told[-1] == (2800, None), "the progress of the whole folder"
    found = {str(file.relative_to(path)): file.read_text() for file in path.rglob("*") if file.is_file()}
    assert found == {name: name * 100 for name in ("a.csv", "sub/b.csv", "sub/deep/c.csv")}
    assert cache.fetch(f"{MEMORY}/set/sub/b.csv").read_text() == "sub/b.csv" * 100
    assert (cache.show(f"{MEMORY}/set").files, cache.show(f"{MEMORY}/set").is_folder) == (3, True)
