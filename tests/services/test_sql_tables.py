"""Tables and queries of databases, wherever a table is read: PostgreSQL for real, and SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store import database
from store.datastores import registry
from store.layout import Layout
from store.vault import open_vault
from tests.services.postgresql import PASSWORD, PostgreSQL
from workbench.cli.main import exit_code

TABLE = "CREATE TABLE sale (id INTEGER, price NUMERIC(10, 2), shop TEXT)"
ROWS = [(number, f"{number}.25", "north" if number % 2 else "south") for number in range(1, 7)]


@pytest.fixture
def lite(layout: Layout, tmp_path: Path) -> Layout:
    """A workspace with a datastore ``shop``, a database of SQLite."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute(TABLE)
        connection.executemany("INSERT INTO sale VALUES (?, ?, ?)", ROWS)
    kept(layout, {"type": "sql", "name": "shop", "database_url": f"sqlite:///{tmp_path}/shop.db"})
    return layout


@pytest.fixture
def postgres(layout: Layout, postgresql: PostgreSQL) -> Iterator[Layout]:
    """A workspace with a datastore ``shop``, a database of PostgreSQL with a password in the vault."""
    psycopg = pytest.importorskip("psycopg", reason="the extra postgresql is not installed")
    login = {"host": "127.0.0.1", "port": postgresql.port, "user": "postgres", "password": PASSWORD}
    with psycopg.connect(**login, dbname="postgres", autocommit=True) as connection:
        connection.execute(TABLE)
        connection.cursor().executemany("INSERT INTO sale VALUES (%s, %s, %s)", ROWS)
        open_vault(layout).set("datastore/shop/password", PASSWORD)
        credentials = {"username": "postgres", "password": None}
        kept(layout, {"type": "sql", "name": "shop", "database_url": postgresql.url, "credentials": credentials})
        yield layout
        connection.execute("DROP TABLE sale")


@pytest.fixture(params=["lite", pytest.param("postgres", marks=pytest.mark.slow)])
def shop(request: pytest.FixtureRequest) -> Layout:
    """Each of the two."""
    found: Layout = request.getfixturevalue(request.param)
    return found


def kept(layout: Layout, document: dict[str, object]) -> None:
    with closing(database.connect(layout.database)) as connection:
        registry.create(connection, document)


def run(layout: Layout, capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    capfd.readouterr()
    found = exit_code(["-w", str(layout.root), *arguments])
    out, err = capfd.readouterr()
    assert found == code, err
    return out, err


QUERY = "azureml://datastores/shop/paths/SELECT id, price FROM sale WHERE shop = 'north' ORDER BY id DESC"


def test_tables_are_listed(shop: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(shop, capfd, "datastore", "ls", "shop")[0])
    assert {"name": "sale", "type": "table"} in found
    assert json.loads(run(shop, capfd, "datastore", "ls", "shop/nowhere")[0]) == []
    out, _ = run(shop, capfd, "datastore", "ls", "shop", "--after", "sale")
    assert "sale" not in [each["name"] for each in json.loads(out)]


def test_a_table_is_previewed_by_its_address(shop: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = run(shop, capfd, "data", "preview", "azureml://datastores/shop/paths/sale", "--rows", "2", "--csv")
    assert out.splitlines() == ['"id","price","shop"', '1,1.25,"north"', '2,2.25,"south"']


def test_a_query_is_previewed(shop: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = run(shop, capfd, "data", "preview", QUERY, "--filter", "id > 1", "--csv")
    assert out.splitlines() == ['"id","price"', "5,5.25", "3,3.25"]


@pytest.mark.parametrize("path", ["azureml://datastores/shop/paths/sale", QUERY])
def test_an_asset_of_a_database_is_previewed_and_profiled(
    shop: Layout, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    made, _ = run(shop, capfd, "data", "create", "--name", "sales", "--type", "mltable", "--path", path)
    assert json.loads(made)["path"] == path
    out, _ = run(shop, capfd, "data", "preview", "sales", "--columns", "id", "--rows", "1")
    assert json.loads(out) == [{"id": 1 if path.endswith("/sale") else 5}]
    found = json.loads(run(shop, capfd, "data", "show", "sales", "--profile")[0])
    assert (found["rows"], found["columns"][0]["max"]) == ((6, 6) if path.endswith("/sale") else (3, 5))


def test_an_mltable_with_a_query(shop: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "table"
    folder.mkdir()
    source = {"handler": "sql", "handler_arguments": {"datastore_name": "shop"}, "query": "SELECT * FROM sale"}
    steps = [{"filter": "col('shop') == 'south'"}, {"keep_columns": ["id"]}, {"take": 2}]
    (folder / "MLTable").write_text(json.dumps({"type": "mltable", "query_source": source, "transformations": steps}))
    run(shop, capfd, "data", "create", "--name", "south", "--type", "mltable", "--path", str(folder))
    out, _ = run(shop, capfd, "data", "preview", "south")
    assert json.loads(out) == [{"id": 2}, {"id": 4}]


def test_a_query_of_another_workspace_is_refused(
    lite: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "table"
    folder.mkdir()
    place = {"subscription": "s", "resource_group": "g", "workspace_name": "other", "datastore_name": "shop"}
    source = {"handler": "sql", "handler_arguments": place, "query": "sale"}
    (folder / "MLTable").write_text(json.dumps({"query_source": source}))
    _, told = run(lite, capfd, "data", "preview", str(folder), code=2)
    assert "names the workspace 'other'" in told


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--type", "mltable", "--path", "azureml://datastores/shop/paths/sales"], 3, "has no table 'sales'"),
        (["--type", "mltable", "--path", "azureml://datastores/shop/paths/"], 2, "names no table"),
        (["--path", "azureml://datastores/shop/paths/sale"], 2, "Say `type: mltable`"),
        (
            ["--type", "mltable", "--path", "azureml://datastores/shop/paths/DELETE FROM sale"],
            2,
            "only queries are read",
        ),
    ],
)
def test_what_is_no_table_of_a_database_is_not_registered(
    lite: Layout, arguments: list[str], code: int, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    _, err = run(lite, capfd, "data", "create", "--name", "sales", *arguments, code=code)
    assert told in err
    assert json.loads(run(lite, capfd, "data", "list")[0]) == []


def test_a_table_of_a_database_is_no_file(lite: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "MLTable").write_text(
        json.dumps({"paths": [{"file": "azureml://datastores/shop/paths/sale"}], "transformations": ["read_parquet"]})
    )
    _, told = run(lite, capfd, "data", "preview", str(tmp_path), code=2)
    assert "is a table of a database, and no file" in told


JOB = """
command: >-
  python -c "import sys, pyarrow.parquet as p; print('rows', p.read_table(sys.argv[1]).num_rows)"
  ${{inputs.sales}}/table.parquet
inputs:
  sales: {type: mltable, path: PATH}
"""


@pytest.mark.slow
def test_a_job_gets_a_table_as_parquet(shop: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(shop, capfd, "data", "create", "--name", "north", "--type", "mltable", "--path", QUERY)
    for path, rows in (("azureml:north@latest", 3), ("azureml://datastores/shop/paths/sale", 6)):
        (tmp_path / "job.yml").write_text(JOB.replace("PATH", path))
        out, _ = run(shop, capfd, "run", str(tmp_path / "job.yml"))
        assert out == f"rows {rows}\n"
    used = json.loads(run(shop, capfd, "data", "lineage", "north")[0])["used_by"]
    assert [each["input"] for each in used] == ["sales"]


@pytest.mark.slow
def test_a_table_that_is_gone_fails_the_job_by_name(
    lite: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "job.yml").write_text(JOB.replace("PATH", "azureml://datastores/shop/paths/sales"))
    _, err = run(lite, capfd, "run", str(tmp_path / "job.yml"), code=1)
    assert "input 'sales'" in err and "has no table 'sales'" in err


def test_a_table_is_no_other_input(lite: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = JOB.replace("PATH", "azureml://datastores/shop/paths/sale").replace("mltable", "uri_folder")
    (tmp_path / "job.yml").write_text(text)
    _, err = run(lite, capfd, "job", "create", "-f", str(tmp_path / "job.yml"), code=2)
    assert "Say `type: mltable`" in err
