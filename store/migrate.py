"""Bring ``workbench.db`` to this program's revision, with a copy kept first.

Slow to import (Alembic, SQLModel): only for a new workspace and for a database of an older program.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from store.database import REVISION, RevisionError, open_unchecked, revision
from store.errors import MachineError
from store.old_secrets import LAST_REVISION, forget_secrets

_ALEMBIC = threading.Lock()
"""Alembic hands its context to migrations through globals: one upgrade at a time in a process."""


def configuration() -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(database: Path) -> Path | None:
    """Create or upgrade a database; returns the backup that was taken, None for a new database.

    Must run with no agent alive. Raises RevisionError, having touched nothing, when the database is newer.
    """
    backup = None
    if database.exists():
        connection = open_unchecked(database)
        try:
            found = revision(connection)
            refuse_newer(database, found)
            if found == REVISION:
                return None
            if found is not None:
                backup = back_up(connection, database, found)
                if found <= LAST_REVISION:
                    for each in (backup, database):
                        forget_secrets(each)
        finally:
            connection.close()
    upgrade(database)
    return backup


def refuse_newer(database: Path, found: str | None) -> None:
    """Raise RevisionError for a revision that this program does not know."""
    if found is None:
        return
    try:
        ScriptDirectory.from_config(configuration()).get_revision(found)
    except CommandError as error:
        raise RevisionError(database, found) from error


def back_up(connection: sqlite3.Connection, database: Path, found: str) -> Path:
    """Copy the database beside itself with SQLite's backup API, which also takes what is still in the WAL."""
    target = database.with_name(f"{database.name}.{found}.{time.strftime('%Y%m%dT%H%M%S')}.backup")
    try:
        with sqlite3.connect(target) as copy:
            connection.backup(copy)
        copy.close()
        target.chmod(0o600)
    except sqlite3.OperationalError as error:
        target.unlink(missing_ok=True)
        raise MachineError(f"no backup of {database} could be taken: {error}; it was not migrated") from error
    return target


def upgrade(database: Path) -> None:
    """Run the migrations up to the newest in one transaction: a kill in the middle leaves the old database."""
    engine = create_engine(f"sqlite:///{database}", isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            config = configuration()
            config.attributes["connection"] = connection
            with _ALEMBIC:
                command.upgrade(config, "head")
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise MachineError(f"{database} could not be migrated: {error.orig}; it is as it was") from error
    finally:
        engine.dispose()
    database.chmod(0o600)
