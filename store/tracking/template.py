"""A new ``mlflow.db`` is a copy of a template that MLflow makes once per version and user.

MLflow's own way there takes seconds: it is imported and runs all its migrations.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from store.database import open_unchecked
from store.disk import locked
from store.errors import MachineError
from store.layout import Layout
from store.telling import Say
from store.tracking.runs import experiment_artifacts
from store.tracking.schema import OWN_TABLES, check_installed, check_revision, installed_version, revision

MAKE = """
import sqlite3, sys
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
store = SqlAlchemyStore("sqlite:///" + sys.argv[1], "file:///artifacts")
store.engine.dispose()
database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA journal_mode = WAL")
database.execute("VACUUM")
database.close()
"""
"""Run by a child process, which alone pays for MLflow. The journal mode is kept in the file."""


def ensure_mlflow_database(layout: Layout, say: Say) -> bool:
    """Make the workspace's ``mlflow.db`` where there is none, and check one that is there; whether it was made now.

    ``say`` is told what takes long. Raises ConflictError for a database of another MLflow, MachineError when none can
    be made.
    """
    database, made = layout.mlflow_database, False
    if not database.exists():
        with locked(layout.root):
            if not database.exists():
                with template(say) as source:
                    copy_template(source, layout)
                made = True
    with closing(open_unchecked(database)) as connection:
        check_revision(connection)
        connection.executescript(OWN_TABLES)
        check_installed(connection)
    return made


def template_path() -> Path:
    """Where the template of the installed MLflow lies: in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "workbench" / f"mlflow-{installed_version()}.db"


@contextmanager
def template(say: Say) -> Iterator[Path]:
    """The template, made first where it is missing; in a folder that is thrown away where the cache cannot be kept."""
    path = template_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(path.parent):
            if not is_template(path):
                say(f"Preparing the tracking database for MLflow {installed_version()} (once, some seconds) ...")
                make_template(path)
    except OSError:
        with tempfile.TemporaryDirectory() as folder:
            make_template(Path(folder) / path.name)
            yield Path(folder) / path.name
    else:
        yield path


def make_template(path: Path) -> None:
    """Have MLflow make an empty database of its own, in a child process; ``path`` appears whole or not at all."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    own = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    try:
        made = subprocess.run(
            [sys.executable, "-P", "-c", MAKE, str(new)],
            env=own | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode or not is_template(new):
            cause = (made.stderr.strip() or f"exit code {made.returncode}").splitlines()[-1]
            raise MachineError(
                f"MLflow {installed_version()} could not make its database: {cause}",
                hint=f"`{sys.executable} -c 'import mlflow'` tells whether MLflow itself is whole.",
            )
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def is_template(path: Path) -> bool:
    """Whether there is a whole database of MLflow's."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path)) as connection:
            return revision(connection) is not None
    except sqlite3.DatabaseError:
        return False


def copy_template(source: Path, layout: Layout) -> None:
    """Put a copy in the workspace, with our tables and the workspace's own artifact location; whole or not at all."""
    new = layout.root / f".mlflow.db.{os.getpid()}"
    now = time.time_ns() // 1_000_000
    try:
        shutil.copyfile(source, new)
        new.chmod(0o600)
        with closing(open_unchecked(new)) as connection:
            connection.executescript(OWN_TABLES)
            connection.execute(
                "UPDATE experiments SET artifact_location = ?, creation_time = ?, last_update_time = ?"
                " WHERE experiment_id = 0",
                (experiment_artifacts(layout, 0), now, now),
            )
            connection.execute(
                "INSERT INTO workbench_mlflow (version, revision) VALUES (?, ?)",
                (installed_version(), revision(connection)),
            )
        new.replace(layout.mlflow_database)
    except OSError as error:
        raise MachineError(f"{layout.mlflow_database} cannot be made: {error.strerror}") from error
    finally:
        new.unlink(missing_ok=True)
