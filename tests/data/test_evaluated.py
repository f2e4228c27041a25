"""Tables evaluated into a folder: by a process that ends, whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store import database
from store.data.evaluated import evaluate_apart
from store.datastores import registry
from store.errors import WorkbenchError
from store.layout import Layout
from store.tabular.source import open_table
from store.transfer.incoming import AbandonedError

SLOW = (
    "WITH RECURSIVE count(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM count WHERE i < 1000000000)"
    " SELECT i FROM count WHERE i < 0"
)


@pytest.fixture
def shop(layout: Layout, tmp_path: Path) -> Layout:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE sale AS SELECT 1 AS id, 'ä' AS name UNION ALL SELECT 2, NULL")
    with closing(database.connect(layout.database)) as connection:
        document = {"type": "sql", "name": "shop", "database_url": f"sqlite:///{tmp_path}/shop.db"}
        registry.create(connection, document)
    return layout


def test_a_table_of_a_database_becomes_a_folder_with_a_table(shop: Layout, tmp_path: Path) -> None:
    told = list[int]()
    folder = tmp_path / "job/inputs/sales"
    evaluate_apart(shop, "azureml://datastores/shop/paths/sale", folder, lambda done, _: told.append(done))
    assert open_table(folder).to_arrow().to_pylist() == [{"id": 1, "name": "ä"}, {"id": 2, "name": None}]
    assert sorted(os.listdir(folder)) == ["MLTable", "table.parquet"]
    assert told
    assert os.listdir(folder.parent) == ["sales"], "nothing else is left"


def test_what_is_there_already_stays(shop: Layout, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    assert evaluate_apart(shop, "azureml://datastores/shop/paths/none", tmp_path / "kept") == ()
    assert os.listdir(tmp_path / "kept") == []


def test_a_local_table_is_evaluated_with_its_warnings(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x,z\n3,4\n")
    warnings = evaluate_apart(layout, f"{tmp_path}/*.csv", tmp_path / "out")
    assert len(warnings) == 1 and "b.csv" in warnings[0]


def test_an_error_is_told_as_it_is(shop: Layout, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="has no table 'sales'\n"):
        evaluate_apart(shop, "azureml://datastores/shop/paths/sales", tmp_path / "job/sales")
    assert not (tmp_path / "job/sales").exists()


def test_it_is_called_off_while_the_database_works(shop: Layout, tmp_path: Path) -> None:
    asked = iter([False, False])
    with pytest.raises(AbandonedError):
        evaluate_apart(
            shop, f"azureml://datastores/shop/paths/{SLOW}", tmp_path / "out", cancelled=lambda: next(asked, True)
        )
    assert not (tmp_path / "out").exists()
