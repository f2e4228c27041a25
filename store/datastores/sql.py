"""SQL databases as datastores: tables and queries, read as streams of Arrow record batches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.datastores.registry import Datastore
from store.errors import NotFoundError, UsageError, WorkbenchError

if TYPE_CHECKING:
    import pyarrow
    from fsspec import AbstractFileSystem
    from sqlalchemy import Connection, Engine

    from store.datastores.checking import Failure, Server

BATCH_ROWS = 20_000
CONNECT_SECONDS = 10

EXTRAS = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sql"}
"""The extra that brings a database's driver."""
PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433, "oracle": 1521}

QUERY = re.compile(
    r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*|\(\s*)*(select|with|values|table|show)\b", re.IGNORECASE | re.DOTALL
)
"""How what is read, and is no table's name, begins."""

READ_ONLY = {
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
"""What refuses writes, where the library has no option for it."""


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """Raises UsageError: a database has no files."""
    raise UsageError(
        f"datastore {datastore.name!r}: a SQL database has tables, not files",
        hint="Name a table or a query of it where a table is read.",
    )


def address(datastore: Datastore, path: str) -> str:
    """The database's URL with the table at its end, and without user and password."""
    from urllib.parse import quote

    from store.addresses import Address

    url = datastore.document["database_url"]
    scheme, _, rest = url.partition("://")
    place, _, _ = rest.partition("?")
    if scheme.startswith("sqlite"):
        return (Path(place.removeprefix("/")).absolute() / path.strip("/")).as_uri()
    host, slash, database = place.partition("/")
    table = f"/{quote(path.strip('/'))}" if path.strip("/") else ""
    return Address.parse(f"{scheme.partition('+')[0]}://{host.rpartition('@')[2]}{slash}{database}{table}").canonical


def tables(datastore: Datastore, credentials: Mapping[str, Any]) -> list[str]:
    """The names of tables and views; with their schema, where it is not the one that the login looks into first."""
    from sqlalchemy import inspect

    with connected(datastore, credentials) as connection:
        found = inspect(connection)
        names = {*found.get_table_names(), *found.get_view_names()}
        for schema in found.get_schema_names():
            if schema not in (
                found.default_schema_name,
                "information_schema",
                "pg_catalog",
                "sys",
                "performance_schema",
            ):
                names |= {
                    f"{schema}.{each}" for each in (*found.get_table_names(schema), *found.get_view_names(schema))
                }
    return sorted(names)


def read(
    datastore: Datastore, credentials: Mapping[str, Any], table_or_query: str, rows: int = BATCH_ROWS
) -> Iterator[pyarrow.RecordBatch]:
    """A table, or what a query finds, batch by batch as the server sends it; at least one batch, which may be empty.

    Nothing is written: only queries are taken, in a transaction that reads. Raises NotFoundError for a table that is
    not there, UsageError for what is no query, and CheckError for what the database refuses.
    """
    from store.datastores import sql_types

    with connected(datastore, credentials) as connection:
        found = connection.execution_options(stream_results=True, max_row_buffer=rows)
        if QUERY.match(table_or_query):
            # As it stands: neither colons nor percent signs in it are parameters.
            result, columns = found.execution_options(no_parameters=True).exec_driver_sql(table_or_query), None
        else:
            statement, columns = _select(found, datastore, table_or_query.strip())
            result = found.execute(statement)
        convert = sql_types.Conversion(result, columns, connection.dialect)
        sent = False
        for chunk in result.partitions(rows):
            sent = True
            yield convert.batch(chunk)
        if not sent:
            yield convert.batch(())


@contextmanager
def connected(datastore: Datastore, credentials: Mapping[str, Any]) -> Iterator[Connection]:
    """A connection that only reads; what it refuses becomes a CheckError. The password goes by the URL's own field."""
    from store.datastores.checking import CheckError

    try:
        engine = _engine(datastore, credentials)
        try:
            with engine.connect() as connection:
                if engine.dialect.name == "postgresql":
                    connection = connection.execution_options(postgresql_readonly=True)
                if once := READ_ONLY.get(engine.dialect.name):
                    connection.exec_driver_sql(once)
                yield connection
        finally:
            engine.dispose()
    except WorkbenchError:
        raise
    except Exception as error:
        failure = explain(error, datastore)
        if failure is None:
            raise
        raise CheckError(datastore, failure) from error


def check(datastore: Datastore, credentials: Mapping[str, Any]) -> str | None:
    """Log in and look for tables; a remark where there are none."""
    return None if tables(datastore, credentials) else "it has no tables yet, or none that this login may see"


def server(datastore: Datastore) -> Server | None:
    """What is connected to; None for databases that are files, and for ports that only the driver knows."""
    from urllib.parse import urlsplit

    from store.datastores.checking import Server

    parts = urlsplit(datastore.document["database_url"])
    kind = parts.scheme.partition("+")[0]
    port = parts.port or PORTS.get(kind)
    return Server(parts.hostname, port, kind) if parts.hostname and port else None


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What an error of SQLAlchemy, or of a driver below it, means."""
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

    from store.datastores.checking import Failure, chain

    for each in chain(error):
        if isinstance(each, (NoSuchModuleError, ArgumentError)):
            hint = "Such as postgresql+psycopg://HOST:5432/DATABASE; another kind of database wants its own package."
            return Failure("answer", f"the database's URL: {each}", hint)
        if isinstance(each, DBAPIError):
            return _refused(each, datastore)
    return None


def _refused(error: Any, datastore: Datastore) -> Failure:
    from store.datastores.checking import Failure

    text = " ".join(str(error.orig).split())[:500]
    state, low = str(getattr(error.orig, "sqlstate", None) or ""), text.lower()

    def says(*words: str) -> bool:
        return any(word in low for word in words)

    if state.startswith("28") or says(
        "password authentication failed", "access denied for user", "no password supplied"
    ):
        return Failure("login", text, "Check user and password: create the datastore again with the right ones.")
    if state == "42501" or says("permission denied", "command denied"):
        return Failure("right", text, "The user needs the right to SELECT from it.")
    if state in ("3D000", "42P01") or says(
        "unknown database", "no such table", "unable to open database", "does not exist", "doesn't exist"
    ):
        return Failure("place", text, "Check how it is written, and the schema: SCHEMA.TABLE.")
    if says("could not translate host name", "failed to resolve host", "name or service not known"):
        return Failure("name resolution", text, "Check how it is written, and the network (VPN, DNS).")
    if says(
        "connection refused", "timeout expired", "can't connect", "server closed the connection", "could not connect"
    ):
        return Failure("connection", text, "Is the server running, and the port right?")
    return Failure("answer", text, "Check the query, or the fields of the datastore.")


def _engine(datastore: Datastore, credentials: Mapping[str, Any]) -> Engine:
    kind = datastore.document["database_url"].partition("://")[0]
    family = kind.partition("+")[0]
    try:
        from sqlalchemy import create_engine, make_url
        from sqlalchemy.pool import NullPool

        url = make_url(datastore.document["database_url"])
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        if url.drivername in ("mysql", "mariadb"):
            url = url.set(drivername=f"{url.drivername}+pymysql")
        if credentials.get("username"):
            url = url.set(username=credentials["username"], password=credentials.get("password"))
        known = (
            {"connect_timeout": CONNECT_SECONDS} if url.get_driver_name() in ("psycopg", "psycopg2", "pymysql") else {}
        )
        return create_engine(url, poolclass=NullPool, connect_args=known, hide_parameters=True)
    except ImportError as error:
        from store.transfer.remote import MissingLibraryError

        extra = EXTRAS.get(family)
        driver = error.name or str(error)
        install = f'pip install "workbench-ml[{extra}]"' if extra and (kind == family or "psycopg" in kind) else ""
        raise MissingLibraryError(
            f"datastore {datastore.name!r}: {driver}, the driver for {kind}:// databases, is not installed",
            hint=f"Install it: {install or f'pip install {driver}'}",
        ) from error


def _select(connection: Connection, datastore: Datastore, wanted: str) -> tuple[Any, list[Any]]:
    """What reads a table whole, and the types of its columns as the database has them."""
    from sqlalchemy import MetaData, Table, select
    from sqlalchemy.exc import NoSuchTableError

    schema, _, name = wanted.rpartition(".")
    try:
        table = Table(name, MetaData(), schema=schema or None, autoload_with=connection)
    except NoSuchTableError as error:
        if re.search(r"[\s;]", wanted):
            raise UsageError(
                f"datastore {datastore.name!r}: only queries are read, and this is none: {wanted[:60]!r}",
                hint="A query begins with SELECT, WITH, VALUES, TABLE or SHOW; a table is named, or SCHEMA.TABLE.",
            ) from error
        raise NotFoundError(
            f"datastore {datastore.name!r} has no table {wanted!r}",
            hint="Check how it is written, and the schema: SCHEMA.TABLE.",
        ) from error
    kinds = [column.type for column in table.columns]
    for column in table.columns:
        _as_the_driver_gives_it(column, connection.dialect.name)
    return select(table), kinds


def _as_the_driver_gives_it(column: Any, database: str) -> None:
    """Keep SQLAlchemy from making less of a value: decimals of ten places of a double, a time of day of a span."""
    from sqlalchemy import types

    from store.datastores import sql_types

    if isinstance(column.type, types.Float):
        column.type.asdecimal = False
    elif isinstance(column.type, types.Time) and database in sql_types.TIMES_ARE_SPANS:
        column.type = types.NullType()
