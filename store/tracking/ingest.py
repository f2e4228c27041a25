"""Metrics journals go into ``mlflow.db``, in batches.

The offset that a journal is in to is committed with the rows that it stands for: a kill at any moment loses nothing and
doubles nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from store.database import write
from workbench.journal_lines import KEEP_LATEST, Lines, Row, latest, parse, read_chunk

BYTES_A_LINE = 100
"""About what a line has: one read brings about as many lines as are asked for, and few that have to be read again."""

ROWS_AT_ONCE = 50
"""Rows that one statement inserts: half the time of a statement each, and far below the 999 values of old SQLite."""

ADD_METRIC = "INSERT OR IGNORE INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)"
ADD_METRICS = ADD_METRIC + ", (?, ?, ?, ?, ?, ?)" * (ROWS_AT_ONCE - 1)

ADD_LATEST = KEEP_LATEST.format(table="latest_metrics")

ADD_MODEL_METRIC = """
    INSERT OR IGNORE INTO logged_model_metrics (
        model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, run_id, dataset_name, dataset_digest,
        experiment_id)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, experiment_id FROM runs
    WHERE run_uuid = ?6 AND EXISTS (SELECT 1 FROM logged_models WHERE model_id = ?1)
"""

SET_OFFSET = """
    INSERT INTO workbench_journal (job, offset) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET offset = excluded.offset
"""

COUNT_LOST = """
    INSERT INTO tags (key, value, run_uuid) SELECT ?1, CAST(?2 AS TEXT), run_uuid FROM runs WHERE run_uuid = ?3
    ON CONFLICT (key, run_uuid) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + ?2 AS TEXT)
"""


class Progress(NamedTuple):
    """What one step took in.

    ``rows`` points were taken in (those that were there already count too); ``done`` when the journal holds no further
    whole line; ``malformed`` lines say nothing that can be kept; ``dropped`` points belong to no run that there is.
    """

    rows: int
    done: bool
    malformed: int = 0
    dropped: int = 0


class Lost(NamedTuple):
    """What a job's journal had that is not in ``mlflow.db``; kept as tags of its run, named as here."""

    unreadable_metric_lines: int = 0
    metrics_without_run: int = 0

    def __str__(self) -> str:
        parts = []
        if lines := self.unreadable_metric_lines:
            parts.append(f"{lines} metric line{'s' if lines > 1 else ''} could not be read")
        if points := self.metrics_without_run:
            parts.append(f"{points} metric value{'s' if points > 1 else ''} had no run to go to")
        return ", ".join(parts)


def ingest(connection: sqlite3.Connection, job: str, journal: Path, *, limit_rows: int = 20_000) -> Progress:
    """Take in the next ``limit_rows`` lines of a job's journal; call it until it says ``done``.

    Raises MachineError when ``mlflow.db`` cannot be written; then nothing of the step is in.
    """
    offset = ingested(connection, job)
    data, end, last = read_chunk(journal, offset, limit_rows * BYTES_A_LINE)
    rest = data.split(b"\n", limit_rows)[-1] if data.count(b"\n") > limit_rows else b""
    if rest:
        data, end, last = data[: -len(rest)], end - len(rest), False
    if not data:
        return Progress(0, last)
    lines = parse(data)
    with write(connection):
        if ingested(connection, job) != offset:
            return Progress(0, False)  # somebody else took these lines in
        dropped = _store(connection, lines)
        connection.execute(SET_OFFSET, (job, end))
        _count_lost(connection, job, Lost(lines.malformed, dropped), afresh=end == len(data))
    return Progress(len(lines.rows) - dropped, last, lines.malformed, dropped)


def ingested(connection: sqlite3.Connection, job: str) -> int:
    """How many bytes of a job's journal are in."""
    row = connection.execute("SELECT offset FROM workbench_journal WHERE job = ?", (job,)).fetchone()
    return int(row[0]) if row else 0


def lost(connection: sqlite3.Connection, job: str) -> Lost:
    """What of a job's journal could not be taken in so far."""
    tags = dict(connection.execute("SELECT key, value FROM tags WHERE run_uuid = ?", (job,)).fetchall())
    return Lost(*(int(tags.get(f"workbench.{name}", 0)) for name in Lost._fields))


def _count_lost(connection: sqlite3.Connection, job: str, more: Lost, *, afresh: bool) -> None:
    """Add to the counts; ``afresh`` when a journal is read from its start, which may not be the first time."""
    for name, count in more._asdict().items():
        key = f"workbench.{name}"
        if afresh:
            connection.execute("DELETE FROM tags WHERE run_uuid = ? AND key = ?", (job, key))
        if count:
            connection.execute(COUNT_LOST, (key, count, job))


def _store(connection: sqlite3.Connection, lines: Lines) -> int:
    """Write rows into MLflow's tables; returns how many were dropped because their run is not there (any more)."""
    named = {row[3] for row in lines.rows}
    known = {run for run in named if connection.execute("SELECT 1 FROM runs WHERE run_uuid = ?", (run,)).fetchone()}
    rows: list[Row] = lines.rows if known == named else [row for row in lines.rows if row[3] in known]
    whole = len(rows) - len(rows) % ROWS_AT_ONCE
    connection.executemany(ADD_METRICS, _joined(rows[:whole]))
    connection.executemany(ADD_METRIC, rows[whole:])
    connection.executemany(ADD_LATEST, latest(rows))
    connection.executemany(ADD_MODEL_METRIC, lines.models)
    return len(lines.rows) - len(rows)


def _joined(rows: list[Row]) -> Iterator[tuple[Any, ...]]:
    """The values of ``ROWS_AT_ONCE`` rows each, for ``ADD_METRICS``."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield tuple(chain.from_iterable(rows[start : start + ROWS_AT_ONCE]))
