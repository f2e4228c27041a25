"""SQL databases as datastores: PostgreSQL for real, and SQLite, which everybody has."""

from __future__ import annotations

import datetime as dt
import resource
import sqlite3
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from store.datastores import checking, filesystems, sql, sql_types
from store.datastores.registry import Datastore
from store.errors import NotFoundError, UsageError
from tests.services.postgresql import PASSWORD, PostgreSQL
from tests.services.running import free_port

LOGIN = {"username": "postgres", "password": PASSWORD}
VAULT = {"datastore/shop/password": PASSWORD}


def shop(url: str, username: str = "postgres") -> Datastore:
    """A datastore as the registry keeps it."""
    return Datastore("shop", "sql", {"database_url": url, "credentials": {"username": username, "password": None}})


@pytest.fixture(scope="module")
def database(postgresql: PostgreSQL) -> Iterator[Datastore]:
    """A database with a table of many types."""
    psycopg = pytest.importorskip("psycopg", reason="the extra postgresql is not installed")
    with psycopg.connect(
        host="127.0.0.1", port=postgresql.port, user="postgres", password=PASSWORD, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute("""
            CREATE TABLE kinds (
                small smallint, whole integer, big bigint, price numeric(12, 2), free numeric, single real, twice
                double precision, yes boolean, name text, fixed char(3), day date, moment timestamp,
                instant timestamptz, clock time, span interval, blob bytea, id uuid, doc jsonb, list integer[]
            )""")
        connection.execute(
            "INSERT INTO kinds VALUES (1, 2, 9007199254740993, 1234567890.12, 0.000000000000000001, 1.5, 0.1, true,"
            " 'ü', 'abc', '2026-02-28', '2026-02-28 12:00:00.000001', '2026-02-28 12:00:00+02', '23:59:59',"
            " '1 day 2 hours', '\\x00ff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\": [1]}', '{1,NULL,3}')"
        )
        connection.execute("INSERT INTO kinds (small) VALUES (NULL)")
        connection.execute("CREATE SCHEMA other; CREATE VIEW other.few AS SELECT 1 AS one")
        connection.execute("CREATE ROLE nobody LOGIN PASSWORD 'x'")
        connection.execute("CREATE TABLE long AS SELECT i, repeat('x', 100) AS t FROM generate_series(1, 400000) i")
    yield shop(postgresql.url)


TYPES = {
    "small": pa.int16(),
    "whole": pa.int32(),
    "big": pa.int64(),
    "price": pa.decimal128(12, 2),
    "free": pa.decimal128(38, 18),
    "single": pa.float32(),
    "twice": pa.float64(),
    "yes": pa.bool_(),
    "name": pa.string(),
    "fixed": pa.string(),
    "day": pa.date32(),
    "moment": pa.timestamp("us"),
    "instant": pa.timestamp("us", "UTC"),
    "clock": pa.time64("us"),
    "span": pa.duration("us"),
    "blob": pa.binary(),
    "id": pa.string(),
    "doc": pa.string(),
    "list": pa.list_(pa.int64()),
}
ROW = {
    "small": 1,
    "whole": 2,
    "big": 9007199254740993,
    "price": Decimal("1234567890.12"),
    "free": Decimal("0.000000000000000001"),
    "single": 1.5,
    "twice": 0.1,
    "yes": True,
    "name": "ü",
    "fixed": "abc",
    "day": dt.date(2026, 2, 28),
    "moment": dt.datetime(2026, 2, 28, 12, 0, 0, 1),
    "instant": dt.datetime(2026, 2, 28, 10, tzinfo=dt.UTC),
    "clock": dt.time(23, 59, 59),
    "span": dt.timedelta(days=1, hours=2),
    "blob": b"\x00\xff",
    "id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "doc": '{"a": [1]}',
    "list": [1, None, 3],
}


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ["kinds", "public.kinds", "SELECT * FROM kinds"])
def test_types_and_values_of_postgresql(wanted: str, database: Datastore) -> None:
    table = pa.Table.from_batches(sql.read(database, LOGIN, wanted))

    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == TYPES
    assert table.to_pylist() == [ROW, dict.fromkeys(ROW)]


@pytest.mark.slow
def test_a_query_without_rows_has_its_types(database: Datastore) -> None:
    batches = list(sql.read(database, LOGIN, "SELECT whole, instant, price FROM kinds WHERE false"))

    assert [(each.num_rows, each.schema.types) for each in batches] == [
        (0, [pa.int32(), pa.timestamp("us", "UTC"), pa.decimal128(12, 2)])
    ]


@pytest.mark.slow
def test_colons_in_a_query_are_no_parameters(database: Datastore) -> None:
    (batch,) = sql.read(database, LOGIN, "SELECT '12:30'::text AS t, 'a\\b' AS b, 5 % 3 AS m")

    assert batch.to_pylist() == [{"t": "12:30", "b": "a\\b", "m": 2}]


@pytest.mark.slow
def test_a_long_table_streams(database: Datastore) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = [batch.num_rows for batch in sql.read(database, LOGIN, "long")]

    assert (sum(rows), max(rows)) == (400_000, sql.BATCH_ROWS)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB; all rows at once take more


@pytest.mark.slow
def test_tables_are_listed(database: Datastore) -> None:
    assert sql.tables(database, LOGIN) == ["kinds", "long", "other.few"]
    assert checking.check(database, VAULT) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM kinds", "DROP TABLE kinds", "WITH gone AS (DELETE FROM kinds RETURNING *) SELECT * FROM gone"],
)
def test_nothing_is_written(statement: str, database: Datastore) -> None:
    with pytest.raises(
        (UsageError, checking.CheckError), match=r"only queries are read|must not contain data-modifying"
    ):
        list(sql.read(database, LOGIN, statement))

    assert pa.Table.from_batches(sql.read(database, LOGIN, "kinds")).num_rows == 2


@pytest.mark.slow
def test_a_table_that_is_not_there(database: Datastore) -> None:
    with pytest.raises(NotFoundError, match="has no table 'kind'"):
        list(sql.read(database, LOGIN, "kind"))
    with pytest.raises(checking.CheckError, match='relation "kind" does not exist') as raised:
        list(sql.read(database, LOGIN, "SELECT * FROM kind"))
    assert raised.value.step == "place"


@pytest.mark.slow
def test_a_table_that_the_user_may_not_read(database: Datastore) -> None:
    with pytest.raises(checking.CheckError, match="permission denied") as raised:
        list(sql.read(database, {"username": "nobody", "password": "x"}, "SELECT * FROM kinds"))

    assert raised.value.step == "right"


@pytest.mark.slow
def test_a_wrong_password(database: Datastore) -> None:
    with pytest.raises(checking.CheckError) as raised:
        checking.check(database, {"datastore/shop/password": "wrong:secret"})

    assert raised.value.step == "login"
    assert "wrong:secret" not in str(raised.value)


@pytest.mark.slow
def test_a_database_that_is_not_there(database: Datastore) -> None:
    elsewhere = shop(database.document["database_url"].replace("/postgres", "/nowhere"))

    with pytest.raises(checking.CheckError, match='"nowhere" does not exist') as raised:
        checking.check(elsewhere, VAULT)

    assert raised.value.step == "place"


def test_nobody_listens() -> None:
    with pytest.raises(checking.CheckError) as raised:
        checking.check(shop(f"postgresql+psycopg://127.0.0.1:{free_port()}/x"), VAULT)

    assert raised.value.step == "connection"


def test_a_host_that_has_no_address() -> None:
    with pytest.raises(checking.CheckError, match=r"database\.invalid") as raised:
        checking.check(shop("postgresql://database.invalid/x"), VAULT)

    assert raised.value.step == "name resolution"


@pytest.fixture
def lite(tmp_path: Path) -> Datastore:
    """A database of SQLite."""
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute(
            "CREATE TABLE sale (id INTEGER, price NUMERIC(10, 2), day DATE, t TIMESTAMP, b BLOB, n TEXT)"
        )
        connection.execute(
            "INSERT INTO sale VALUES (4294967296, 1.25, '2026-02-28', '2026-02-28 12:00:00', x'00', 'a')"
        )
        connection.execute("INSERT INTO sale VALUES (NULL, NULL, NULL, NULL, NULL, NULL)")
    connection.close()
    return Datastore("shop", "sql", {"database_url": f"sqlite:///{tmp_path}/shop.db"})


def test_a_table_of_sqlite(lite: Datastore) -> None:
    table = pa.Table.from_batches(sql.read(lite, {}, "sale"))

    assert table.schema.types == [
        pa.int64(), pa.decimal128(10, 2), pa.date32(), pa.timestamp("us"), pa.binary(), pa.string()
    ]  # fmt: skip
    assert table.to_pylist()[0] == {
        "id": 4294967296,
        "price": Decimal("1.25"),
        "day": dt.date(2026, 2, 28),
        "t": dt.datetime(2026, 2, 28, 12),
        "b": b"\x00",
        "n": "a",
    }
    assert sql.tables(lite, {}) == ["sale"]


def test_a_value_that_does_not_fit_names_its_column(lite: Datastore) -> None:
    with sqlite3.connect(lite.document["database_url"].removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE sale SET id = 'many'")
    connection.close()

    with pytest.raises(sql_types.UnfitError, match="the column 'id'"):
        list(sql.read(lite, {}, "sale"))


def test_sqlite_refuses_writes_too(lite: Datastore) -> None:
    with pytest.raises(UsageError):
        list(sql.read(lite, {}, "INSERT INTO sale (id) VALUES (1)"))


def test_a_database_has_no_files(lite: Datastore) -> None:
    with pytest.raises(UsageError, match="tables, not files"):
        filesystems.open_filesystem(lite, {})


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [
        ("postgresql+psycopg://db.acme:5432/shop?sslmode=require", "sale", "postgresql://db.acme:5432/shop/sale"),
        ("postgresql://me@db.acme/shop", "", "postgresql://db.acme/shop"),
        ("sqlite:////data/shop.db", "", "file:///data/shop.db"),
    ],
)
def test_addresses_tell_no_user(url: str, path: str, expected: str) -> None:
    assert filesystems.address(Datastore("shop", "sql", {"database_url": url}), path) == expected


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)  # as if it were not there
    port = free_port()

    with pytest.raises(Exception, match=r'pip install "workbench-ml\[mysql\]"'):
        sql.tables(shop(f"mysql://127.0.0.1:{port}/shop"), LOGIN)
