"""What jobs read and write of datastores that no real server is here for: Azure Files, by a double of its REST API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engines.jobs import inputs, outputs
from store import cache, database
from store.datastores.keeping import keep
from store.errors import MachineError
from store.layout import Layout
from store.unfinished import PARTIAL
from tests import file_trees
from tests.file_trees import fill, tree
from tests.services.test_azure_file import KEY, Account, account
from tests.stored_jobs import stored_job

__all__ = ["account"]
NAME = "brave_owl_1"


@pytest.fixture
def away(layout: Layout, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The share as the datastore ``away``."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    document = {
        "type": "azure_file",
        "name": "away",
        "account_name": "acme",
        "file_share_name": "data",
        "endpoint": f"127.0.0.1:{account.server_port}",
        "protocol": "http",
        "credentials": {"account_key": KEY},
    }
    with closing(database.connect(layout.database)) as connection:
        keep(layout, connection, document, lambda _: None)
    return account


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
def test_a_folder_of_azure_files(layout: Layout, away: Account, mode: str) -> None:
    away.folders |= {"sets", "sets/deep"}
    away.files |= {"sets/a.csv": bytearray(b"a"), "sets/deep/b.csv": bytearray(b"b")}
    given = {"d": {"path": "azureml://datastores/away/paths/sets", "mode": mode}}
    found = inputs.place_inputs(stored_job(NAME, document={"inputs": given}), layout, print, lambda: False)
    assert tree(Path(found["inputs.d"].text)) == {"a.csv": "a", "deep/b.csv": "b"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from file_trees.small_disk(tmp_path / "disk")


def test_a_cache_on_another_disk(
    layout: Layout, away: Account, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(small_disk))
    away.folders.add("sets")
    away.files["sets/a.csv"] = bytearray(b"a")
    job = stored_job(NAME, document={"inputs": {"d": {"path": "azureml://datastores/away/paths/sets"}}})
    found = Path(inputs.place_inputs(job, layout, print, lambda: False)["inputs.d"].text)
    assert tree(found) == {"a.csv": "a"}
    assert (found / "a.csv").stat().st_dev != small_disk.stat().st_dev


def test_a_cache_that_is_full_leaves_nothing_that_looks_whole(
    layout: Layout, away: Account, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(small_disk))
    away.folders.add("sets")
    away.files |= {"sets/a.csv": bytearray(b"a"), "sets/b.bin": bytearray(2_000_000)}
    job = stored_job(NAME, document={"inputs": {"d": {"path": "azureml://datastores/away/paths/sets"}}})
    with pytest.raises(MachineError, match=r"input 'd'.*(needs 2000000 bytes|No space|disk)"):
        inputs.place_inputs(job, layout, print, lambda: False)
    assert [entry.complete for entry in cache.entries()] == [False]
    assert list(layout.job(NAME).inputs.glob("*")) == []


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_an_output_on_azure_files(layout: Layout, away: Account, mode: str) -> None:
    given = {"o": {"path": "azureml://datastores/away/paths/made/${{name}}", "mode": mode}}
    job = stored_job(NAME, document={"name": NAME, "outputs": given})
    fill(Path(outputs.prepare_outputs(job, layout)["outputs.o"].text), {"x.csv": "x", "deep/y.csv": "y"})
    outputs.collect_outputs(job, layout)
    assert {name: bytes(content) for name, content in away.files.items()} == {
        f"made/{NAME}/x.csv": b"x",
        f"made/{NAME}/deep/y.csv": b"y",
    }
    assert PARTIAL not in str(away.files)
