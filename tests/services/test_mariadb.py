"""Tables and queries of MariaDB as streams of Arrow record batches, and what fails by name."""

from __future__ import annotations

import datetime as dt
import resource
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pytest

from store.datastores import checking, sql
from store.datastores.checking import CheckError
from store.datastores.registry import Datastore
from store.errors import NotFoundError, UsageError
from tests.services.mariadb import PASSWORD, USER, MariaDB

pytestmark = pytest.mark.slow

LOGIN = {"username": USER, "password": PASSWORD}

COLUMNS = {
    "small": ("SMALLINT", pa.int16(), -2),
    "whole": ("INT", pa.int32(), 2),
    "positive": ("INT UNSIGNED", pa.int64(), 4294967295),
    "big": ("BIGINT", pa.int64(), 9007199254740993),
    "price": ("DECIMAL(12, 2)", pa.decimal128(12, 2), Decimal("1234567890.12")),
    "twice": ("DOUBLE", pa.float64(), 0.1),
    "name": ("VARCHAR(20)", pa.string(), "ü"),
    "note": ("TEXT", pa.string(), "it's 5% :off"),
    "kind": ("ENUM('a', 'b')", pa.string(), "b"),
    "day": ("DATE", pa.date32(), dt.date(2026, 2, 28)),
    "moment": ("DATETIME(6)", pa.timestamp("us"), dt.datetime(2026, 2, 28, 12, 0, 0, 1)),
    "clock": ("TIME", pa.duration("us"), dt.timedelta(hours=-30)),
    "bytes": ("BLOB", pa.binary(), b"\x00\xff"),
}
"""Of each column: what MariaDB calls its type, what Arrow does, and a value. Its TIME is a span, from -838 hours on."""


def shop(url: str) -> Datastore:
    """A datastore as the registry keeps it."""
    return Datastore("shop", "sql", {"database_url": url, "credentials": {"username": USER, "password": None}})


@pytest.fixture(scope="module")
def database(mariadb: MariaDB) -> Iterator[Datastore]:
    """A database with a table of many types, and a long one."""
    columns = ", ".join(f"`{name}` {kind}" for name, (kind, _, _) in COLUMNS.items())
    mariadb.execute(
        f"USE shop; CREATE TABLE kinds ({columns}) CHARACTER SET utf8mb4; INSERT INTO kinds VALUES (-2, 2, 4294967295,"
        " 9007199254740993, 1234567890.12, 0.1, 'ü', 'it''s 5% :off', 'b', '2026-02-28', '2026-02-28 12:00:00.000001',"
        " '-30:00:00', x'00ff'); INSERT INTO kinds (small) VALUES (NULL);"
        " CREATE TABLE `long` AS SELECT seq AS i, REPEAT('x', 100) AS t FROM seq_1_to_400000;"
        " CREATE DATABASE other; CREATE TABLE other.closed (i INT)"
    )
    yield shop(mariadb.url)


def test_types_and_values(database: Datastore) -> None:
    table = pa.Table.from_batches(sql.read(database, LOGIN, "kinds"))

    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
        name: kind for name, (_, kind, _) in COLUMNS.items()
    }
    row = {name: value for name, (_, _, value) in COLUMNS.items()}
    assert table.to_pylist() == [row, dict.fromkeys(COLUMNS)]


def test_a_query(database: Datastore) -> None:
    (batch,) = sql.read(database, LOGIN, "SELECT whole, '12:30' AS t, 5 % 3 AS m FROM kinds WHERE small = -2")

    assert batch.to_pylist() == [{"whole": 2, "t": "12:30", "m": 2}]


def test_a_long_table_streams(database: Datastore) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = [batch.num_rows for batch in sql.read(database, LOGIN, "long")]

    assert (sum(rows), max(rows)) == (400_000, sql.BATCH_ROWS)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB; all rows at once take more


def test_tables_are_listed(database: Datastore) -> None:
    assert sql.tables(database, LOGIN) == ["kinds", "long"]
    assert checking.check(database, {"datastore/shop/password": PASSWORD}) is None


@pytest.mark.parametrize("statement", ["DELETE FROM kinds", "SELECT * FROM kinds INTO OUTFILE '/tmp/kinds'"])
def test_nothing_is_written(statement: str, database: Datastore) -> None:
    with pytest.raises((UsageError, CheckError), match=r"only queries are read|Access denied"):
        list(sql.read(database, LOGIN, statement))


@pytest.mark.parametrize(
    ("login", "place", "wanted", "step"),
    [
        ({"password": "wrong:secret"}, "shop", "kinds", "login"),
        ({}, "nowhere", "kinds", "place"),
        ({}, "shop", "SELECT * FROM nothing", "place"),
        ({}, "shop", "SELECT * FROM other.closed", "right"),
    ],
)
def test_what_fails_is_named(login: dict[str, str], place: str, wanted: str, step: str, mariadb: MariaDB) -> None:
    elsewhere = shop(mariadb.url.replace("/shop", f"/{place}"))
    mariadb.execute(f"GRANT SELECT ON nowhere.* TO '{USER}'@'%'")  # so that it may know that there is none

    with pytest.raises(CheckError) as raised:
        list(sql.read(elsewhere, {**LOGIN, **login}, wanted))

    assert raised.value.step == step
    assert "wrong:secret" not in str(raised.value)


def test_a_table_that_is_not_there(database: Datastore) -> None:
    with pytest.raises(NotFoundError, match="has no table 'kind'"):
        list(sql.read(database, LOGIN, "kind"))
