"""What of MLflow's database this program writes by sqlite3, and the check that it is what it is taken for."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from store.errors import ConflictError

REVISION = "dc11669786a5"
"""The Alembic revision of MLflow 3.17, which this program's SQL is tested against."""

JOB_TAG = "workbench.job"
"""The tag that names the job of a run, on the job's own run and on those that its process made."""

COLUMNS = {
    "experiments": ("experiment_id name artifact_location lifecycle_stage creation_time last_update_time workspace"),
    "runs": (
        "run_uuid name source_type source_name entry_point_name user_id status start_time end_time source_version"
        " lifecycle_stage artifact_uri experiment_id deleted_time"
    ),
    "tags": "key value run_uuid",
    "params": "key value run_uuid",
    "metrics": "key value timestamp run_uuid step is_nan",
    "latest_metrics": "key value timestamp step is_nan run_uuid",
    "logged_models": (
        "model_id experiment_id name artifact_location creation_timestamp_ms last_updated_timestamp_ms status"
        " lifecycle_stage model_type source_run_id status_message"
    ),
    "logged_model_metrics": (
        "model_id metric_name metric_timestamp_ms metric_step metric_value experiment_id run_id dataset_uuid"
        " dataset_name dataset_digest"
    ),
}
"""The tables that this program reads and writes, with all their columns in order."""

OWN_TABLES = f"""
    CREATE TABLE IF NOT EXISTS workbench_journal (job TEXT PRIMARY KEY, offset INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS workbench_mlflow (version TEXT NOT NULL, revision TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS workbench_runs_of_job ON tags (value) WHERE key = '{JOB_TAG}';
"""
"""What stands beside MLflow's tables: how far each journal is in, who made the database, and a way to a job's runs."""


def installed_version() -> str:
    """The version of the installed MLflow, found without importing it."""
    from importlib.metadata import version  # a tenth of a command's start, for what few commands ask

    return version("mlflow")


def revision(connection: sqlite3.Connection) -> str | None:
    """The Alembic revision of a database, None where it has none."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    return str(row[0]) if row else None


def check_revision(connection: sqlite3.Connection) -> None:
    """Raise ConflictError unless ``mlflow.db`` is laid out as this program's SQL expects it.

    A revision other than the tested one passes when the installed MLflow works with it and the tables that matter here
    have not changed.
    """
    found = revision(connection)
    if found == REVISION:
        return
    known = installed_revisions()
    if [found] == known[-1:] and not changed_tables(connection):
        return
    raise mismatch(connection, found, known)


def check_installed(connection: sqlite3.Connection) -> None:
    """Raise ConflictError when the installed MLflow is another than the one that made the database, and cannot open it.

    Jobs would fail at their first call of MLflow, with a message that names no way out.
    """
    made_by = connection.execute("SELECT version FROM workbench_mlflow").fetchone()
    if made_by is not None and made_by[0] == installed_version():
        return
    found, known = revision(connection), installed_revisions()
    if [found] != known[-1:]:
        raise mismatch(connection, found, known)


def changed_tables(connection: sqlite3.Connection) -> list[str]:
    """The tables whose columns are not those that this program knows."""
    return [
        table
        for table, columns in COLUMNS.items()
        if {row[1] for row in connection.execute(f"PRAGMA table_info({table})")} != set(columns.split())
    ]


def installed_revisions() -> list[str]:
    """The revisions that the installed MLflow knows, its newest last; read from its migrations as text."""
    from importlib.metadata import distribution

    folder = distribution("mlflow").locate_file("mlflow/store/db_migrations/versions")
    texts = [file.read_text(encoding="utf-8") for file in sorted(Path(str(folder)).glob("*.py"))]
    known = [found[1] for text in texts if (found := re.search(r'^revision\b.*?=\s*["\'](\w+)', text, re.M))]
    followed = {
        name for text in texts for line in re.findall(r"^down_revision\b.*", text, re.M) for name in _names(line)
    }
    return sorted(known, key=lambda name: name not in followed)


def _names(line: str) -> list[str]:
    return re.findall(r'["\'](\w+)["\']', line)


def mismatch(connection: sqlite3.Connection, found: str | None, known: list[str]) -> ConflictError:
    """The error for a database of another MLflow, with the way out."""
    database = connection.execute("PRAGMA database_list").fetchone()[2]
    version = installed_version()
    if found is None:
        return ConflictError(
            f"{database} is not an MLflow database", hint="Move it away: Workbench makes a new one at the next command."
        )
    if found not in known:
        return ConflictError(
            f"{database} has revision {found}, which MLflow {version} does not know: a newer MLflow has written it",
            hint="Install that MLflow beside Workbench again (`pip install --upgrade mlflow`); nothing was changed.",
        )
    if [found] != known[-1:]:
        return ConflictError(
            f"{database} has revision {found}, MLflow {version} works with {known[-1]}",
            hint=f"`workbench agent stop`, copy the file, then `mlflow db upgrade sqlite:///{database}`.",
        )
    return ConflictError(
        f"{database}: MLflow {version} keeps {', '.join(changed_tables(connection))} in a form that is not known here",
        hint="Update Workbench, or install the MLflow that it names; nothing was changed.",
    )
