"""A new ``mlflow.db``: a copy of a template that MLflow itself has made."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from store.errors import MachineError, NotFoundError
from store.layout import Layout
from store.tracking import runs, template
from store.tracking.template import ensure_mlflow_database, template_path

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fresh(tmp_path: Path) -> Layout:
    """A workspace folder with nothing in it."""
    layout = Layout(tmp_path / "ws")
    layout.root.mkdir()
    return layout


def test_the_copy_is_whole_private_and_the_workspace_s_own(fresh: Layout) -> None:
    ensure_mlflow_database(fresh, lambda _: None)
    assert [file.name for file in fresh.root.iterdir()] == ["mlflow.db"]
    assert fresh.mlflow_database.stat().st_mode & 0o777 == 0o600
    with closing(runs.connect(fresh)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("SELECT artifact_location FROM experiments").fetchone()[0] == (
            f"file://{fresh.root}/blobstore/mlflow/0"
        )
        assert connection.execute("SELECT version FROM workbench_mlflow").fetchone()[0] == template.installed_version()


def test_a_database_that_is_there_stays(fresh: Layout) -> None:
    ensure_mlflow_database(fresh, lambda _: None)
    with closing(runs.connect(fresh)) as connection:
        connection.execute("UPDATE experiments SET name = 'mine'")
        connection.execute("DROP TABLE workbench_journal")
    ensure_mlflow_database(fresh, lambda text: pytest.fail(text))
    with closing(runs.connect(fresh)) as connection:
        assert connection.execute("SELECT name FROM experiments").fetchone()[0] == "mine"
        assert connection.execute("SELECT count(*) FROM workbench_journal").fetchone()[0] == 0


def test_a_missing_database_is_named(fresh: Layout) -> None:
    with pytest.raises(NotFoundError, match=r"mlflow\.db is missing"):
        runs.connect(fresh)


def test_mlflow_is_not_imported(fresh: Layout) -> None:
    code = (
        "import sys; from pathlib import Path; from store.layout import Layout;"
        " from store.tracking.template import ensure_mlflow_database as ensure;"
        " import store.tracking.ingest, store.tracking.metrics, store.tracking.search, store.tracking.experiments,"
        " store.tracking.plugin;"
        " ensure(Layout(Path(sys.argv[1])), print);"
        " print(sorted({'mlflow', 'sqlalchemy', 'alembic', 'pandas'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code, fresh.root], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout == "[]\n"


@pytest.mark.slow
def test_two_processes_at_once_make_one_template_and_one_database(fresh: Layout, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from store.layout import Layout;"
        " from store.tracking.template import ensure_mlflow_database as ensure;"
        " ensure(Layout(Path(sys.argv[1])), print)"
    )
    cache = tmp_path / "cache"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, fresh.root],
            env=os.environ | {"XDG_CACHE_HOME": str(cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(3)
    ]
    printed = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], printed
    assert "".join(out for out, _ in printed).count("Preparing the tracking database for MLflow") == 1
    assert [file.name for file in (cache / "workbench").iterdir()] == [template_path().name]
    assert [file.name for file in fresh.root.iterdir()] == ["mlflow.db"]
    runs.connect(fresh).close()


@pytest.mark.slow
def test_a_damaged_template_is_made_anew(fresh: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    template_path().parent.mkdir(parents=True)
    template_path().write_bytes(b"no database at all")
    said: list[str] = []
    ensure_mlflow_database(fresh, said.append)
    assert len(said) == 1
    runs.connect(fresh).close()


@pytest.mark.slow
def test_a_cache_that_cannot_be_kept_is_done_without(
    fresh: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    ensure_mlflow_database(fresh, lambda _: None)
    connection = runs.connect(fresh)
    assert connection.execute("SELECT name FROM experiments").fetchall()[0][0] == "Default"
    connection.close()


def test_an_mlflow_that_does_not_work_is_an_error_that_shows_why(
    fresh: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "broken" / "mlflow").mkdir(parents=True)
    (tmp_path / "broken" / "mlflow" / "__init__.py").write_text("raise ImportError('libfoo.so is missing')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    with pytest.raises(MachineError, match=r"could not make its database: ImportError: libfoo\.so is missing"):
        ensure_mlflow_database(fresh, lambda _: None)
    assert list(fresh.root.iterdir()) == []
    assert list((tmp_path / "cache" / "workbench").iterdir()) == []


@pytest.mark.slow
def test_mlflow_opens_the_copy_as_its_own(fresh: Layout) -> None:
    from mlflow import MlflowClient

    ensure_mlflow_database(fresh, lambda _: None)
    client = MlflowClient(f"sqlite:///{fresh.mlflow_database}")
    assert [experiment.name for experiment in client.search_experiments()] == ["Default"]
    run = client.create_run("0")
    client.log_metric(run.info.run_id, "loss", 0.5)
    assert run.info.artifact_uri == f"file://{fresh.root}/blobstore/mlflow/0/{run.info.run_id}/artifacts"
    client.set_terminated(run.info.run_id)
    assert client.get_run(run.info.run_id).data.metrics == {"loss": 0.5}


@pytest.mark.slow
def test_mlflow_s_own_upgrade_leaves_our_tables_alone(fresh: Layout) -> None:
    """``mlflow db upgrade`` runs its migrations over a database that has ours beside its own."""
    from mlflow.store.db.utils import _upgrade_db
    from sqlalchemy import create_engine

    ensure_mlflow_database(fresh, lambda _: None)
    with closing(sqlite3.connect(fresh.mlflow_database, isolation_level=None)) as connection:
        connection.execute("INSERT INTO workbench_journal VALUES ('job', 7)")
    engine = create_engine(f"sqlite:///{fresh.mlflow_database}")
    _upgrade_db(engine)
    engine.dispose()
    with closing(runs.connect(fresh)) as connection:
        assert connection.execute("SELECT offset FROM workbench_journal").fetchone()[0] == 7
