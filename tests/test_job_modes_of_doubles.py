"""What jobs read and write of datastores that no real server is here for: Azure Files, by a double of its REST API."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from engines.jobs import inputs, outputs
from store import database
from store.datastores.cached import PARTIAL
from store.datastores.keeping import keep
from store.layout import Layout
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
