"""What this program takes MLflow's database for, held against MLflow itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from store.errors import ConflictError
from store.layout import Layout
from store.tracking import runs, schema
from store.tracking.template import ensure_mlflow_database
from workbench.journal import JOB_TAG


def test_the_two_names_of_the_job_tag_agree() -> None:
    assert schema.JOB_TAG == JOB_TAG


@pytest.mark.slow
def test_the_revision_is_that_of_the_installed_mlflow(database: sqlite3.Connection) -> None:
    from mlflow.store.db.utils import _get_latest_schema_revision

    assert _get_latest_schema_revision() == schema.REVISION
    assert schema.revision(database) == schema.REVISION
    assert schema.installed_revisions()[-1] == schema.REVISION


@pytest.mark.slow
def test_the_installed_revisions_are_those_that_alembic_finds() -> None:
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config

    scripts = ScriptDirectory.from_config(_get_alembic_config(""))
    assert set(schema.installed_revisions()) == {script.revision for script in scripts.walk_revisions()}


@pytest.mark.slow
def test_tables_and_columns_are_those_of_mlflow_s_models(database: sqlite3.Connection) -> None:
    """Names, types (by what SQLite makes of them), nullability and primary keys."""
    from mlflow.store.db.base_sql_model import Base
    from mlflow.store.tracking.dbmodels import models
    from sqlalchemy.dialects import sqlite

    assert models.SqlMetric.metadata is Base.metadata
    dialect = sqlite.dialect()
    for table, columns in schema.COLUMNS.items():
        expected = {
            column.name: (affinity(str(column.type.compile(dialect))), column.primary_key)
            for column in Base.metadata.tables[table].columns
        }
        found = {
            row["name"]: (affinity(row["type"]), bool(row["pk"]))
            for row in database.execute(f"PRAGMA table_info({table})")
        }
        assert found == expected
        assert set(columns.split()) == set(expected)
    assert schema.changed_tables(database) == []


def affinity(declared: str) -> str:
    """SQLite's rule (sqlite.org/datatype3.html) on a column's declared type."""
    for word, kind in (("INT", "INTEGER"), ("CHAR", "TEXT"), ("TEXT", "TEXT"), ("FLOA", "REAL"), ("DOUB", "REAL")):
        if word in declared.upper():
            return kind
    return "NUMERIC"


def test_the_index_that_histories_are_read_by_is_there(database: sqlite3.Connection) -> None:
    columns = [row["name"] for row in database.execute("PRAGMA index_info(index_metrics_run_uuid_key_step)")]
    assert columns == ["run_uuid", "key", "step"]


def rewrite(layout: Layout, sql: str) -> None:
    with closing(sqlite3.connect(layout.mlflow_database, isolation_level=None)) as connection:
        connection.executescript(sql)


def refusal(layout: Layout) -> str:
    """What opening the database is answered with."""
    with pytest.raises(ConflictError) as caught:
        runs.connect(layout)
    with pytest.raises(ConflictError):
        ensure_mlflow_database(layout, lambda _: None)
    return str(caught.value)


def test_a_database_of_a_newer_mlflow_is_refused_with_the_way_out(tracked: Layout) -> None:
    rewrite(tracked, "UPDATE alembic_version SET version_num = 'feedface0000'")
    text = refusal(tracked)
    assert "feedface0000" in text
    assert "a newer MLflow has written it" in text
    assert "pip install --upgrade mlflow" in text


def test_a_database_of_an_older_mlflow_is_refused_with_the_way_out(tracked: Layout) -> None:
    older = schema.installed_revisions()[0]
    rewrite(tracked, f"UPDATE alembic_version SET version_num = '{older}'")
    text = refusal(tracked)
    assert f"works with {schema.REVISION}" in text
    assert f"mlflow db upgrade sqlite:///{tracked.mlflow_database}" in text


def test_another_database_is_refused(tracked: Layout) -> None:
    rewrite(tracked, "DROP TABLE alembic_version")
    assert "is not an MLflow database" in refusal(tracked)


def test_the_newest_revision_passes_though_untested_while_our_tables_are_as_they_were(
    tracked: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "REVISION", "000000000000")
    runs.connect(tracked).close()
    rewrite(tracked, "ALTER TABLE runs ADD COLUMN mood VARCHAR(9)")
    assert "keeps runs in a form that is not known here" in refusal(tracked)


def test_an_mlflow_that_cannot_open_the_database_is_noticed(tracked: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tested revision, but the installed MLflow has moved on."""
    monkeypatch.setattr(schema, "installed_version", lambda: "99.1")
    ensure_mlflow_database(tracked, lambda _: None)  # another version, the same revision
    monkeypatch.setattr(schema, "installed_revisions", lambda: [schema.REVISION, "feedface0000"])
    with pytest.raises(ConflictError, match=r"MLflow 99.1 works with feedface0000"):
        ensure_mlflow_database(tracked, lambda _: None)
