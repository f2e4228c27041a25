"""``workbench.Dataset``: tables and files in Python."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import fsspec
import pytest

from store import database
from store.data import assets
from store.data.assets import DataVersion
from store.datastores import registry
from store.errors import ConflictError, NotFoundError, UsageError
from store.layout import Layout
from workbench import Dataset
from workbench.dataset import DataType, PromoteHeadersBehavior


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
    with pytest.raises(UsageError, match="is a table of a database, and no file"):
        Dataset.File.from_files(address)


def test_the_keywords_of_version_1_have_their_meaning(folder: Path) -> None:
    made = folder / "north/2026/05"
    made.mkdir(parents=True)
    (made / "s.csv").write_text("id;ok;day\n007;ja;2026-05-01\n010;nein;2026-05-02\n")
    kinds = {
        "id": DataType.to_string(),
        "ok": DataType.to_bool(["ja"], ["nein"]),
        "day": DataType.to_datetime("%Y-%m-%d"),
    }
    read = Dataset.Tabular.from_delimited_files
    data = read(
        str(made / "*.csv"), True, True, True, kinds, ";", True, "/{store}/{month:yyyy/MM}/s.csv", encoding="utf8"
    ).to_pandas_dataframe()
    assert (data["id"].tolist(), data["ok"].tolist()) == (["007", "010"], [True, False])
    assert data["day"].dt.day.tolist() == [1, 2]
    assert (data["store"].tolist(), data["month"].dt.month.tolist()) == (["north"] * 2, [5, 5])
    assert data["Path"].str.endswith("s.csv").all()
    for header in (False, PromoteHeadersBehavior.NO_HEADERS, "no_header"):
        assert len(read(folder / "a.csv", header=header).to_pandas_dataframe()) == 101
    for header in (True, PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS):
        assert len(read(folder / "a.csv", header=header).to_pandas_dataframe()) == 100
    lines = Dataset.Tabular.from_json_lines_files(folder / "deep", set_column_types={"a": DataType.to_string()})
    assert lines.to_pandas_dataframe()["a"].tolist() == ["1", "2"]
    lines.table.to_parquet(made / "p.parquet")
    parquet = Dataset.Tabular.from_parquet_files(
        made / "p.parquet", True, True, {"a": DataType.to_long()}, "/{year}/{month}/p.parquet"
    )
    assert parquet.to_pandas_dataframe()[["a", "year"]].values.tolist() == [[1, "2026"], [2, "2026"]]


def test_what_cannot_be_is_said_in_the_words_of_the_call(folder: Path) -> None:
    read = Dataset.Tabular.from_delimited_files
    for wrong, said in (
        ({"header": "some"}, "PromoteHeadersBehavior"),
        ({"encoding": "klingon"}, "encoding: 'klingon'"),
        ({"set_column_types": {"a": "integer"}}, "no type of a column"),
        ({"set_column_types": {"zz": "int"}}, "no column 'zz'"),
    ):
        with pytest.raises(UsageError, match=said) as told:
            read(folder / "a.csv", **wrong)  # type: ignore[arg-type]
        assert "MLTable:" not in str(told.value)
    with pytest.raises(UsageError, match="no path is given"):
        read([])
    for step in (read(folder / "a.csv").take, read(folder / "a.csv").skip):
        with pytest.raises(UsageError, match="-1 is no number of rows"):
            step(-1)


def test_a_datastore_and_a_path_of_it(at_hand: Layout) -> None:
    for path in (("inbox", "a.csv"), [("inbox", "a.csv")], ("inbox", ["a.csv"])):
        assert len(Dataset.Tabular.from_delimited_files(path).to_pandas_dataframe()) == 100  # type: ignore[arg-type]
    assert Dataset.File.from_files(("inbox", "deep")).to_path() == ["/b.jsonl"]


def test_files_of_another_file_system_are_listed_and_brought(tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    system.pipe({"/sets/a.csv": b"a", "/sets/deep/b.csv": b"b"})
    for path, names in (("memory://sets", ["/a.csv", "/deep/b.csv"]), ("memory://sets/*.csv", ["/a.csv"])):
        files = Dataset.File.from_files(path)
        assert files.to_path() == names
    assert [Path(each).read_bytes() for each in Dataset.File.from_files("memory://sets").download(tmp_path / "x")] == [
        b"a",
        b"b",
    ]
    with pytest.raises(NotFoundError):
        Dataset.File.from_files("memory://sets/none.csv")


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = "import workbench, sys; assert not {'pyarrow', 'pandas', 'store'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
