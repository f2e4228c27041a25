"""The quick way into ``workbench.db``: the standard library's sqlite3, over the tables of ``tables.py``.

Reads are short; writes are ``BEGIN IMMEDIATE``, so that a writer waits for its turn at the start and never fails in
the middle. Every commit is flushed to the disk (``synchronous=FULL``): what was accepted survives a power cut.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from store.disk import is_full
from store.errors import ConflictError, MachineError, NotFoundError

REVISION = "0004"
"""The newest Alembic revision; a test holds it against the migrations."""

BUSY_SECONDS = 60.0
PRIMARY_CODE = 0xFF
"""SQLite's result codes carry the reason above this."""


def connect(database: Path) -> sqlite3.Connection:
    """Open an existing workspace database of this program's revision.

    Raises NotFoundError when there is none, ConflictError when its revision is another than this program's, and
    MachineError when it cannot be opened or is damaged.
    """
    if not database.exists():
        raise NotFoundError(f"{database.parent} is not a workspace: it has no {database.name}")
    connection = open_unchecked(database)
    try:
        found = revision(connection)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise damaged(database, error) from error
    if found != REVISION:
        connection.close()
        raise RevisionError(database, found)
    return connection


def open_unchecked(database: Path) -> sqlite3.Connection:
    """Open a database without looking at its revision; one that nobody can write to, as it stands in its file."""
    address = f"file:{quote(str(database))}?mode=ro&immutable=1" if is_frozen(database) else database
    try:
        connection = sqlite3.connect(
            address, uri=address != database, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        raise damaged(database, error) from error
    return connection


def is_frozen(database: Path) -> bool:
    """Whether SQLite cannot make the shared memory that reading takes, in a folder that is read-only, nor find any.

    Where there is some, the database is in use, or was: then all of it can be read.
    """
    return is_read_only(database) and not _beside(database, "-shm").exists() and database.exists()


def is_read_only(database: Path) -> bool:
    """Whether nothing can be made beside a database."""
    return database.parent.is_dir() and not os.access(database.parent, os.W_OK)


def left_out(database: Path) -> Path | None:
    """The write-ahead log that cannot be read with a frozen database; None where nothing is missing."""
    log = _beside(database, "-wal")
    return log if is_frozen(database) and log.exists() and log.stat().st_size else None


def _beside(database: Path, ending: str) -> Path:
    return database.with_name(database.name + ending)


class RevisionError(ConflictError):
    """The database has another revision than this program; ``found`` is None for an empty database."""

    def __init__(self, database: Path, found: str | None) -> None:
        self.database, self.found = database, found
        super().__init__(
            f"{database} has revision {found}, this program works with {REVISION}",
            hint="Install the version of Workbench that wrote it, or a newer one; nothing was changed.",
        )


def revision(connection: sqlite3.Connection) -> str | None:
    """The Alembic revision of a database, None when it has no tables of ours."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    return str(row[0]) if row else None


@contextmanager
def write(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One short write transaction; rolled back whole when the block raises. Within another it is a part of that one.

    Raises MachineError for a full disk, a read-only workspace or a database that stays locked.
    """
    if connection.in_transaction:
        with _part(connection):
            yield connection
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise unwritable(connection, error) from error


@contextmanager
def _part(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk may have ended it
            connection.execute("ROLLBACK TO part")
            connection.execute("RELEASE part")
        raise
    connection.execute("RELEASE part")


def is_taken(connection: sqlite3.Connection, seconds: float) -> bool:
    """Whether somebody else writes, or holds the database for writing, for so long; what else is wrong is not asked."""
    patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & PRIMARY_CODE == sqlite3.SQLITE_BUSY
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")
    return False


def is_closed(database: Path, seconds: float) -> bool:
    """Whether somebody else keeps everybody from reading, for so long; what else is wrong is not asked."""
    if is_frozen(database) or not database.exists():
        return False
    connection = sqlite3.connect(database, timeout=seconds)
    try:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode & PRIMARY_CODE == sqlite3.SQLITE_BUSY
    finally:
        connection.close()
    return False


def data_version(connection: sqlite3.Connection) -> int:
    """A number that changes when another connection has written (SQLite's ``PRAGMA data_version``)."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


class StoreError(MachineError):
    """The store cannot be written now: no room, read-only, locked. Nothing was changed; it may be tried again."""


def damaged(database: Path, error: sqlite3.Error) -> MachineError:
    """The error for a database that does not open. To open one takes some room, and the right to write."""
    if isinstance(error, sqlite3.OperationalError) and database.exists():
        if is_full(database):
            return no_room(database)
        if not os.access(database, os.W_OK) or not os.access(database.parent, os.W_OK):
            return read_only(database, error)
    return MachineError(f"{database} cannot be opened: {error}", hint="`workbench doctor` looks for the reason.")


def no_room(database: Path | str) -> StoreError:
    """The error for a full disk."""
    return StoreError(
        f"no room left on the disk that holds {database}; nothing was written",
        hint="Free some room and try again: what was accepted before is kept, and goes on by itself.",
    )


def read_only(database: Path | str, error: sqlite3.Error | str) -> StoreError:
    """The error for a workspace that this user may not write."""
    return StoreError(
        f"{database} cannot be written ({error}); nothing was changed",
        hint="Check who owns the workspace folder and whether its file system is read-only.",
    )


def unwritable(connection: sqlite3.Connection, error: sqlite3.OperationalError) -> StoreError:
    """The error for a write that the machine refused, in words."""
    place = connection.execute("PRAGMA database_list").fetchone()[2]
    text = str(error)
    if "full" in text or ("I/O" in text and is_full(Path(place))):
        return no_room(place)
    if "readonly" in text or "unable to open" in text:
        return read_only(place, error)
    if "locked" in text or "busy" in text:
        return StoreError(f"{place} stayed locked for {BUSY_SECONDS:.0f} s", hint="`workbench doctor` shows by whom.")
    return StoreError(f"{place}: {text}", hint="`workbench doctor` looks for the reason.")
