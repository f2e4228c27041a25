"""The MLflow tracking store that runs inside jobs: metrics go to a journal, everything else to MLflow's own store.

The entry point ``mlflow.tracking_store`` names ``tracking_store``. It answers for addresses of two forms:

    workbench:///path/of/workspace?job=NAME    metrics are appended to ``jobs/NAME/metrics.jsonl``
    workbench:///path/of/workspace             MLflow's own store on the workspace's ``mlflow.db``

A metric is one line (see ``journal_lines.py``), appended with one ``write`` on an ``O_APPEND`` file: threads and forked
processes share a journal without a lock, and nobody waits for a database. The agent ingests the journal; until it has,
reads inside the job see the journal's tail through temporary views that stand in front of MLflow's tables.

This file, ``journal_lines.py`` and ``run_context.py`` run beside a user's code in any environment that has MLflow. They
import nothing else of ours, nothing of MLflow at module level (MLflow loads entry points while it imports itself), and
stay on Python 3.10.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from workbench.journal_lines import KEEP_LATEST, Lines, latest, parse, read_chunk, stored_number
from workbench.run_context import TAG, starts_by_itself

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlflow.entities import LoggedModel, Metric, Param, Run, RunTag
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy.orm import Session
else:
    SqlAlchemyStore = object

JOB_TAG = "workbench.job"
"""The tag of every run that a job makes, so that none of them stays RUNNING when the job is killed."""

REMEMBERED_NAMES = 100_000
"""How many metrics' names a process keeps as checked; more are checked anew each time."""


class Journal:
    """The end of a journal that is written to; may be shared between threads and across ``fork``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._torn = b""

    def append(self, data: bytes) -> None:
        """Append whole lines with one write.

        A write is short only when the disk is full or over quota. The second try then says so by its OSError; what
        was half written is ended by a newline before the next line, and what was written twice is kept once.
        """
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        data = self._torn + data
        while os.write(self._file, data) != len(data):
            self._torn = b"\n"
            data = b"\n" + data
        self._torn = b""

    def size(self) -> int:
        """How many bytes it holds; 0 where nothing was logged yet."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0


class JournalStore(SqlAlchemyStore):  # type: ignore[misc]
    """MLflow's SQLAlchemy store with metrics kept in a journal (``tracking_store`` puts the base class in place)."""

    def __init__(self, workspace: Path, job: str) -> None:
        self._job = job
        self._journal = Journal(workspace / "jobs" / job / "metrics.jsonl")
        self._heads: dict[tuple[str, str], str] = {}
        self._runs: set[str] = set()
        self._models: set[str] = set()
        self._tail_sessions: Any = None
        self._drained = 0
        super().__init__(*addresses(workspace))
        self._plain_sessions: Any = self.ManagedSessionMaker
        self.ManagedSessionMaker: Any = self._session
        os.register_at_fork(after_in_child=self._leave_connections)

    def log_metric(self, run_id: str, metric: Metric) -> None:
        self._append(self._line(run_id, metric))

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        from mlflow.utils import validation

        validation._validate_run_id(run_id)
        validation._validate_batch_log_limits(metrics, params, tags)
        lines = [self._line(run_id, metric, f"metrics[{index}]") for index, metric in enumerate(metrics)]
        if params or tags or not metrics:
            super().log_batch(run_id, [], params, tags)
        self._append("".join(lines))

    def create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: Sequence[RunTag] | None, run_name: str | None
    ) -> Run:
        """As MLflow's, but that logging without a ``start_run`` goes on in the job's run.

        MLflow takes MLFLOW_RUN_ID away once it has started that run: after autologging has ended it, and in a process
        that the script starts, ``log_metric`` would begin a run of its own. Who calls ``start_run`` wants a new one.
        """
        from mlflow.entities import RunStatus, RunTag

        tags = tags or ()
        asked = [tag for tag in tags if tag.key != TAG]
        if (len(asked) < len(tags) or starts_by_itself()) and self._is_here(experiment_id):
            self.update_run_info(self._job, RunStatus.RUNNING, None, None)
            return self.get_run(self._job)
        asked.append(RunTag(JOB_TAG, self._job))
        return super().create_run(experiment_id, user_id, start_time, asked, run_name)

    def _is_here(self, experiment_id: str) -> bool:
        """Whether the job's run is one of that experiment that can be logged to."""
        found = self.search_runs([experiment_id], f"attributes.run_id = '{self._job}'", 1, 1)  # 1: the active ones
        return len(found) == 1

    def create_logged_model(
        self, experiment_id: str, name: str | None = None, source_run_id: str | None = None, *rest: Any, **more: Any
    ) -> LoggedModel:
        """As MLflow's, but a model that is logged while no run is active is one of the job's run.

        MLflow 3 logs a model without starting a run: after autologging has ended the job's run, and in a script that
        logs nothing else, the model would belong to no run, and ``runs:/JOB/model`` would lead nowhere.
        """
        if source_run_id or not self._is_here(experiment_id):
            return super().create_logged_model(experiment_id, name, source_run_id, *rest, **more)
        from mlflow.entities import LoggedModelOutput

        model = super().create_logged_model(experiment_id, name, self._job, *rest, **more)
        self.log_outputs(self._job, [LoggedModelOutput(model.model_id, step=0)])
        return model

    def delete_run(self, run_id: str) -> None:
        self._runs.discard(run_id)
        self._heads.clear()
        super().delete_run(run_id)

    # ------------------------------------------------------------------------------------------------------- writing

    def _append(self, lines: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._journal.append(lines.encode())
        except OSError as error:
            raise MlflowException(f"Metrics cannot be written to {self._journal.path}: {error.strerror}") from error

    def _line(self, run_id: str, metric: Metric, path: str = "") -> str:
        """The line of a metric, checked as MLflow's own store would; ``path`` is its place in a batch, for errors."""
        value, timestamp, step = metric.value, metric.timestamp, metric.step
        head = self._heads.get((run_id, metric.key))
        plain = type(value) is float and type(timestamp) is int and type(step) is int
        if head is None or not plain or not 0 <= timestamp < 2**63 > abs(step):
            head, value, timestamp, step = self._checked(run_id, metric, path)
        if value - value == 0.0:
            line = f'{head}{value!r},"t":{timestamp},"s":{step}'
        else:
            name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
            line = f'{head}"{name}","t":{timestamp},"s":{step}'
        if metric.model_id is not None:
            line += self._links(metric)
        return line + "}\n"

    def _checked(self, run_id: str, metric: Metric, path: str) -> tuple[str, float, float, float]:
        from mlflow.exceptions import MlflowException
        from mlflow.utils.validation import _validate_metric

        _validate_metric(metric.key, metric.value, metric.timestamp, metric.step, path)
        try:
            timestamp, step = _plain_number(metric.timestamp), _plain_number(metric.step)
        except (TypeError, ValueError, OverflowError) as error:
            raise MlflowException.invalid_parameter_value(
                f"Metric {metric.key!r}: timestamp {metric.timestamp} and step {metric.step} must be 64-bit integers"
            ) from error
        if run_id not in self._runs:
            with self._plain_sessions() as session:
                self._check_run_is_active(self._get_run(session, run_id))
            self._runs.add(run_id)
        head = f'{{"r":{json.dumps(run_id)},"k":{json.dumps(metric.key)},"v":'
        if len(self._heads) < REMEMBERED_NAMES:
            self._heads[run_id, metric.key] = head
        return head, float(metric.value), timestamp, step

    def _links(self, metric: Metric) -> str:
        if metric.model_id not in self._models:
            self.get_logged_model(metric.model_id)  # raises when there is none
            self._models.add(metric.model_id)
        links = (("m", metric.model_id), ("d", metric.dataset_name), ("g", metric.dataset_digest))
        return "".join(f',"{name}":{json.dumps(text)}' for name, text in links if text is not None)

    # ------------------------------------------------------------------------------------------------------- reading

    @contextmanager
    def _session(self, read_only: bool = True) -> Iterator[Session]:
        """MLflow's session; one that reads sees the journal's tail, where there is one."""
        size = self._journal.size() if read_only else 0
        if size in (0, self._drained):
            with self._plain_sessions(read_only=read_only) as session:
                yield session
            return
        with self._sessions_with_tail()(read_only=True) as session:
            connection = session.connection().connection
            overlay = connection.info.get("overlay")
            if overlay is None:
                overlay = Overlay(connection.driver_connection, self._journal.path, self._job)
                connection.info["overlay"] = overlay
            if not overlay.show():
                self._drained = size
            try:
                yield session
            except BaseException:
                overlay.forget()  # MLflow rolls back, and what the overlay took in goes with it
                raise

    def _sessions_with_tail(self) -> Any:
        """Sessions on connections of their own: the views that stand in for tables there cannot be written to."""
        if self._tail_sessions is None:
            from mlflow.store.db import utils
            from sqlalchemy.orm import sessionmaker

            self._tail_engine = utils.create_sqlalchemy_engine_with_retry(self.db_uri)
            self._tail_sessions = utils._get_managed_session_maker(sessionmaker(bind=self._tail_engine), self.db_type)
        return self._tail_sessions

    def _leave_connections(self) -> None:
        """In a forked child: an SQLite connection must not be used on both sides of a fork."""
        self.engine.dispose(close=False)
        if self._tail_sessions is not None:
            self._tail_engine.dispose(close=False)


def _plain_number(number: Any) -> Any:
    """NumPy's and other libraries' numbers as Python's, if SQLite can keep them."""
    return stored_number(int(number) if number == int(number) else float(number))


OVERLAY = """
    PRAGMA temp_store = MEMORY;
    CREATE TEMP TABLE metrics_tail (
        key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32), step BIGINT, is_nan BOOLEAN,
        PRIMARY KEY (run_uuid, key, step, timestamp, value, is_nan)) WITHOUT ROWID;
    CREATE TEMP TABLE latest_metrics_tail (
        key VARCHAR(250), value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN, run_uuid VARCHAR(32),
        PRIMARY KEY (key, run_uuid)) WITHOUT ROWID;
    CREATE TEMP TABLE logged_model_metrics_tail AS SELECT * FROM main.logged_model_metrics LIMIT 0;
    CREATE UNIQUE INDEX temp.logged_model_metrics_tail_pk ON logged_model_metrics_tail
        (model_id, metric_name, metric_timestamp_ms, metric_step, run_id);
    CREATE TEMP VIEW metrics AS
        SELECT key, value, timestamp, run_uuid, step, is_nan FROM main.metrics UNION ALL
        SELECT key, value, timestamp, run_uuid, step, is_nan FROM temp.metrics_tail;
    CREATE TEMP VIEW latest_metrics AS
        SELECT key, value, timestamp, step, is_nan, run_uuid FROM main.latest_metrics AS kept
        WHERE NOT EXISTS (SELECT 1 FROM temp.latest_metrics_tail AS tail
                          WHERE tail.key = kept.key AND tail.run_uuid = kept.run_uuid) UNION ALL
        SELECT key, value, timestamp, step, is_nan, run_uuid FROM temp.latest_metrics_tail;
    CREATE TEMP VIEW logged_model_metrics AS
        SELECT * FROM main.logged_model_metrics UNION ALL SELECT * FROM temp.logged_model_metrics_tail;
"""
"""SQLite looks a name up in ``temp`` before ``main``: MLflow's queries find these views in place of its tables."""

ADD_METRIC = """
    INSERT OR IGNORE INTO temp.metrics_tail (key, value, timestamp, run_uuid, step, is_nan)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (
        SELECT 1 FROM main.metrics
        WHERE key = ?1 AND value = ?2 AND timestamp = ?3 AND run_uuid = ?4 AND step = ?5 AND is_nan = ?6)
"""

ADD_LATEST = """
    INSERT OR IGNORE INTO temp.latest_metrics_tail (key, value, timestamp, step, is_nan, run_uuid)
    SELECT key, value, timestamp, step, is_nan, run_uuid FROM main.latest_metrics WHERE run_uuid = ? AND key = ?
"""

ADD_MODEL_METRIC = """
    INSERT OR IGNORE INTO temp.logged_model_metrics_tail (
        model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, run_id, dataset_name, dataset_digest,
        experiment_id)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, experiment_id FROM main.runs WHERE run_uuid = ?6 AND NOT EXISTS (
        SELECT 1 FROM main.logged_model_metrics
        WHERE model_id = ?1 AND metric_name = ?2 AND metric_timestamp_ms = ?3 AND metric_step = ?4 AND run_id = ?6)
"""


class Overlay:
    """The part of a journal that is not ingested yet, shown to one connection as if it were."""

    def __init__(self, connection: sqlite3.Connection, journal: Path, job: str) -> None:
        self._connection, self._journal, self._job = connection, journal, job
        self.forget()
        connection.executescript(OVERLAY)

    def forget(self) -> None:
        """Have the next ``show`` start from nothing."""
        self._offset = self._end = -1

    def show(self) -> bool:
        """Begin a transaction that sees the database and the journal's tail, nothing twice; False if there is none."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
        found = self._connection.execute(
            "SELECT offset FROM main.workbench_journal WHERE job = ?", (self._job,)
        ).fetchone()
        offset = found[0] if found else 0
        if offset != self._offset:
            self._clear(offset)
        last = False
        while not last:
            data, end, last = read_chunk(self._journal, self._end)
            if end < self._end:
                self._clear(0)  # a shorter journal stands there now
            self._add(parse(data))
            self._end = end
        return self._end > offset

    def _clear(self, offset: int) -> None:
        for table in ("metrics", "latest_metrics", "logged_model_metrics"):
            self._connection.execute(f"DELETE FROM temp.{table}_tail")
        self._offset = self._end = offset

    def _add(self, lines: Lines) -> None:
        last = latest(lines.rows)
        self._connection.executemany(ADD_METRIC, lines.rows)
        self._connection.executemany(ADD_LATEST, [(row[3], row[0]) for row in last])
        self._connection.executemany(KEEP_LATEST.format(table="latest_metrics_tail"), last)
        self._connection.executemany(ADD_MODEL_METRIC, lines.models)


def addresses(workspace: Path) -> tuple[str, str]:
    """The SQLAlchemy address of a workspace's ``mlflow.db`` and the root of its experiments' artifacts."""
    return f"sqlite:///{workspace}/mlflow.db", (workspace / "blobstore" / "mlflow").as_uri()


def tracking_store(store_uri: str, artifact_uri: str | None = None) -> SqlAlchemyStore:
    """Build the store of a ``workbench:`` address; MLflow calls this at the first use."""
    from mlflow.exceptions import MlflowException
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    parts = urlsplit(store_uri)
    workspace = Path(unquote(parts.path))
    if not (workspace / "mlflow.db").is_file():
        raise MlflowException(f"{store_uri}: {workspace} is no Workbench workspace, it has no mlflow.db")
    job = parse_qs(parts.query).get("job")
    if not job:
        database, artifacts = addresses(workspace)
        return SqlAlchemyStore(database, artifact_uri or artifacts)
    return type("JournalStore", (JournalStore, SqlAlchemyStore), {})(workspace, job[0])
