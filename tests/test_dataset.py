"""``workbench.Dataset``: tables and files in Python."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from store import database
from store.data import assets
from store.data.assets import DataVersion
from store.datastores import registry
from store.errors import ConflictError, NotFoundError, UsageError
from store.layout import Layout
from workbench import Dataset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f"{number},x{number}\n" for number in range(100)))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    return tmp_path


def test_a_table_goes_through_its_steps(folder: Path) -> None:
    data = Dataset.Tabular.from_delimited_files(str(folder / "*.csv"))
    assert data.skip(10).take(3).to_pandas_dataframe()["a"].tolist() == [10, 11, 12]
    assert data.filter("a > 97").keep_columns("b").to_pandas_dataframe()["b"].tolist() == ["x98", "x99"]
    assert list(data.drop_columns(["a"]).to_pandas_dataframe()) == ["b"]
    assert Dataset.Tabular.from_json_lines_files(folder / "deep").to_pandas_dataframe()["a"].tolist() == [1, 2]
    data.table.to_parquet(folder / "c.parquet")
    assert len(Dataset.Tabular.from_parquet_files([folder / "c.parquet"]).to_pandas_dataframe()) == 100
    with pytest.raises(UsageError, match="no column 'zz'"):
        data.keep_columns("zz")


@pytest.mark.parametrize("seed", [1, None])
def test_a_split_shares_out_every_row_once(folder: Path, seed: int | None) -> None:
    data = Dataset.Tabular.from_delimited_files(folder / "a.csv")
    one, other = (set(part.to_pandas_dataframe()["a"]) for part in data.random_split(0.7, seed))
    assert one | other == set(range(100)) and not one & other
    assert 40 < len(one) < 95


def test_files_are_listed_and_copied(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    files, target = Dataset.File.from_files(folder), tmp_path_factory.mktemp("target")
    assert files.to_path() == ["/a.csv", "/deep/b.jsonl"]
    made = files.download(target)
    assert [Path(each).read_bytes() for each in made] == [
        (folder / name).read_bytes() for name in ("a.csv", "deep/b.jsonl")
    ]
    with pytest.raises(ConflictError, match="exists already"):
        files.download(target)
    assert files.download(target, overwrite=True) == made
    with pytest.raises(NotFoundError):
        Dataset.File.from_files(folder / "none")


@pytest.fixture
def at_hand(layout: Layout, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """The workspace that is found, with an asset, a datastore and a database."""
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(layout.root))
    with closing(sqlite3.connect(folder / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE sale AS SELECT 1 AS id UNION ALL SELECT 2")
    with closing(database.connect(layout.database)) as connection:
        registry.create(connection, {"type": "local", "name": "inbox", "path": str(folder)})
        registry.create(connection, {"type": "sql", "name": "shop", "database_url": f"sqlite:///{folder}/shop.db"})
        assets.create(connection, DataVersion("numbers", "", "uri_file", str(folder / "a.csv"), {}))
        assets.create(connection, DataVersion("deep", "", "uri_folder", str(folder / "deep"), {}))
    return layout


@pytest.mark.parametrize(
    "path", ["azureml:numbers:1", "azureml:numbers@latest", "azureml://datastores/inbox/paths/*.csv"]
)
def test_addresses_of_the_workspace_at_hand(at_hand: Layout, path: str) -> None:
    assert len(Dataset.Tabular.from_delimited_files(path).to_pandas_dataframe()) == 100


def test_an_asset_that_is_a_folder(at_hand: Layout) -> None:
    assert Dataset.Tabular.from_json_lines_files("azureml:deep:1").to_pandas_dataframe()["a"].tolist() == [1, 2]
    assert Dataset.File.from_files("azureml:deep").to_path() == ["/b.jsonl"]
    with pytest.raises(NotFoundError, match="no data asset named 'depe'"):
        Dataset.File.from_files("azureml:depe")


@pytest.mark.parametrize(
    "query", [("shop", "sale"), ("shop", "SELECT * FROM sale"), "azureml://datastores/shop/paths/sale"]
)
def test_a_query_of_a_database(at_hand: Layout, query: str | tuple[str, str]) -> None:
    sale = Dataset.Tabular.from_sql_query(query)
    assert sale.filter("id > 1").to_pandas_dataframe()["id"].tolist() == [2]
    assert sale.to_pandas_dataframe()["id"].tolist() == [1, 2]


def test_a_database_has_no_files(at_hand: Layout) -> None:
    address = "azureml://datastores/shop/paths/sale"
    with pytest.raises(UsageError, match="is a table of a database, and no file"):
        Dataset.Tabular.from_parquet_files(address)
    with pytest.raises(UsageError, match="on another machine"):
        Dataset.File.from_files(address)


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = "import workbench, sys; assert not {'pyarrow', 'pandas', 'store'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
