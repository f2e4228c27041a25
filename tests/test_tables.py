"""The quick SQL is held against the tables, the tables against the migrations."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from store import database, jobs, migrate, tables


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    path = tmp_path / "workbench.db"
    migrate.migrate(path)
    return path


def test_the_migrations_make_the_tables_of_the_metadata(fresh: Path) -> None:
    with create_engine(f"sqlite:///{fresh}").connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_the_program_expects_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(migrate.configuration()).get_heads() == [database.REVISION]


def test_the_dataclass_of_a_job_has_the_columns_of_its_table() -> None:
    assert set(jobs.COLUMNS) == {column.name for column in SQLModel.metadata.tables["job"].columns}
    assert tables.Job.__tablename__ == "job"


def test_a_new_database_is_private_and_in_wal_mode(fresh: Path) -> None:
    assert fresh.stat().st_mode & 0o777 == 0o600
    connection = database.connect(fresh)
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_an_older_program_refuses_a_newer_database_and_touches_nothing(fresh: Path) -> None:
    connection = sqlite3.connect(fresh, isolation_level=None)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = fresh.read_bytes()
    with pytest.raises(database.RevisionError, match="9999"):
        database.connect(fresh)
    with pytest.raises(database.RevisionError, match="9999"):
        migrate.migrate(fresh)
    assert fresh.read_bytes() == before
    assert not list(fresh.parent.glob("*.backup"))


def test_a_database_of_the_first_revision_is_migrated_after_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "workbench.db"
    upgrade = command.upgrade
    with monkeypatch.context() as old:
        old.setattr(command, "upgrade", lambda config, _: upgrade(config, "0001"))
        migrate.migrate(path)
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("INSERT INTO compute VALUES ('pool', 'amlcompute', 'local', '{\"max_instances\": 2}', 1.5)")
    connection.close()
    backup = migrate.migrate(path)
    assert [dict(row) for row in database.connect(path).execute("SELECT * FROM compute")] == [
        {"name": "pool", "type": "amlcompute", "document": '{"max_instances": 2}', "created_at": 1.5}
    ]
    assert backup is not None
    with sqlite3.connect(backup) as copy:
        assert copy.execute("SELECT name, engine FROM compute").fetchall() == [("pool", "local")]
    copy.close()
    assert backup.stat().st_mode & 0o777 == 0o600


def test_a_write_that_raises_leaves_nothing(fresh: Path) -> None:
    connection = database.connect(fresh)
    with pytest.raises(ZeroDivisionError), database.write(connection):
        connection.execute("INSERT INTO workspace VALUES ('id', 'gone', '{}', 0)")
        _ = 1 / 0
    assert connection.execute("SELECT count(*) FROM workspace").fetchone()[0] == 0


def test_a_database_that_is_none_is_told_in_words(tmp_path: Path) -> None:
    broken = tmp_path / "workbench.db"
    broken.write_bytes(b"this is no database" * 100)
    with pytest.raises(database.MachineError, match="cannot be opened"):
        database.connect(broken)
