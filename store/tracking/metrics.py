"""Reading metrics: last values, histories thinned out for a plot, and a journal that is being written."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from store.tracking.ingest import ingested
from workbench.journal_lines import LARGEST, Row, latest, parse, read_chunk

BY_RUN_AND_KEY = "INDEXED BY index_metrics_run_uuid_key_step"
"""Left alone, SQLite takes the primary key, and reads every run that has a metric of that name."""


class Point(NamedTuple):
    """One value of a metric; NaN is NaN, an infinity is the largest number, as MLflow keeps it."""

    step: float
    timestamp: int
    value: float


class Tail:
    """Follows a journal from an offset on, whole lines only."""

    def __init__(self, journal: Path, offset: int = 0) -> None:
        self.journal, self.offset = journal, offset

    def read(self) -> list[Row]:
        """The rows that were added since the last call; those of a journal that was put in its place come whole."""
        rows: list[Row] = []
        last = False
        while not last:
            data, self.offset, last = read_chunk(self.journal, self.offset)
            rows += parse(data).rows
        return rows

    def read_to(self, end: int) -> list[Row]:
        """The rows up to an offset that another tail has reached."""
        rows: list[Row] = []
        while self.offset < end:
            data, reached, last = read_chunk(self.journal, self.offset, min(4_000_000, end - self.offset))
            if last and reached <= self.offset:
                break
            rows += parse(data).rows
            self.offset = reached
        return rows


class KeyFacts(NamedTuple):
    """What a table tells of a metric: its last point, and, where all were looked at, how many there are and their
    extremes (None where no value is a number)."""

    last: Point
    total: int | None = None
    low: float | None = None
    high: float | None = None


def pending(connection: sqlite3.Connection, job: str, journal: Path | None) -> list[Row]:
    """The rows of a job's journal that are not ingested yet.

    The readers below ask for them first: rows that are ingested before the database is read are then known twice, and
    counted once.
    """
    return Tail(journal, ingested(connection, job)).read() if journal else []


def last_metrics(
    connection: sqlite3.Connection, run_id: str, *, journal: Path | None = None, job: str | None = None
) -> dict[str, float]:
    """The last value of each metric of a run, by MLflow's rule: the largest step, then timestamp, then value.

    With the ``journal`` of its job what is not ingested yet counts too; ``job`` is the job's name where the run is
    another than the job's own.
    """
    tail = pending(connection, job or run_id, journal)
    kept: Iterator[Row] = connection.execute(
        "SELECT key, value, timestamp, run_uuid, step, is_nan FROM latest_metrics WHERE run_uuid = ? ORDER BY key",
        (run_id,),
    )
    rows = latest([*map(_row, kept), *(row for row in tail if row[3] == run_id)])
    return {row[0]: _told(_value(row)) for row in rows}


def latest_points(connection: sqlite3.Connection, run_id: str) -> dict[str, Point]:
    """The last point of each metric that is in the database, by name: a row each, however long the histories are."""
    kept = connection.execute(
        "SELECT key, value, timestamp, run_uuid, step, is_nan FROM latest_metrics WHERE run_uuid = ? ORDER BY key",
        (run_id,),
    )
    return {row[0]: _point(row) for row in map(_row, kept)}


def key_facts(connection: sqlite3.Connection, run_id: str, key: str, last: Point) -> KeyFacts:
    """Count and extremes of a metric in the database. Reads every value: a second for some millions."""
    numbers = "CASE WHEN is_nan = 0 THEN value END"
    count, low, high = connection.execute(
        f"SELECT count(*), min({numbers}), max({numbers}) FROM metrics {BY_RUN_AND_KEY} WHERE run_uuid = ? AND key = ?",
        (run_id, key),
    ).fetchone()
    return KeyFacts(last, count, None if low is None else _told(low), None if high is None else _told(high))


def is_longer(connection: sqlite3.Connection, run_id: str, key: str, count: int) -> bool:
    """Whether a metric has more than ``count`` points in the database; looks at no more than those."""
    found = connection.execute(
        f"SELECT 1 FROM metrics {BY_RUN_AND_KEY} WHERE run_uuid = ? AND key = ? LIMIT 1 OFFSET ?", (run_id, key, count)
    )
    return found.fetchone() is not None


def sketch(connection: sqlite3.Connection, run_id: str, key: str, max_points: int) -> list[Point]:
    """Points of a history at even distances of steps, found by seeking: as quick for millions as for hundreds.

    Peaks between them are lost: a first picture, until ``metric_history`` has read all.
    """
    # One question each: SQLite seeks for one end of an index, and reads all of it for both at once.
    ends = (
        connection.execute(
            f"SELECT {end}(step) FROM metrics {BY_RUN_AND_KEY} WHERE run_uuid = ? AND key = ?", (run_id, key)
        ).fetchone()[0]
        for end in ("min", "max")
    )
    low, high = ends
    if low is None:
        return []
    seek = (
        f"SELECT key, value, timestamp, run_uuid, step, is_nan FROM metrics {BY_RUN_AND_KEY}"
        " WHERE run_uuid = ? AND key = ? AND step >= ? ORDER BY step LIMIT 1"
    )
    found: list[Point] = []
    step = low
    while step <= high and len(found) < max_points:
        point = _point(_row(connection.execute(seek, (run_id, key, step)).fetchone()))
        found.append(point)
        step = max(point.step, step) + max(1, (high - low) / max_points)
    last = connection.execute(f"{seek[: seek.index(' AND step')]} ORDER BY step DESC LIMIT 1", (run_id, key))
    return sorted({*found, _point(_row(last.fetchone()))}, key=_in_order)


def metric_history(
    connection: sqlite3.Connection,
    run_id: str,
    key: str,
    max_points: int,
    *,
    journal: Path | None = None,
    job: str | None = None,
) -> list[Point]:
    """The history of a metric for a plot, by step and timestamp, in at most ``max_points`` points (four at least).

    A longer history is cut into equal stretches of steps (of time where all steps are the same); of each stretch stay
    the lowest and the highest value, so that no peak is lost, and of the whole the first and the last point. Values
    that are not numbers are left out of a history that is thinned. ``journal`` and ``job`` as above.
    """
    added = {_point(row) for row in pending(connection, job or run_id, journal) if row[3] == run_id and row[0] == key}
    count, low, high = connection.execute(
        f"SELECT count(*), min(step), max(step) FROM metrics {BY_RUN_AND_KEY} WHERE run_uuid = ? AND key = ?",
        (run_id, key),
    ).fetchone()
    if count + len(added) <= max_points:
        return sorted({*_all_points(connection, run_id, key), *added}, key=_in_order)
    stretches = max(1, (max_points - 2) // 2)
    points = _peaks(connection, run_id, key, low, high, stretches) if count else []
    numbers = {point for point in (*points, *added) if not math.isnan(point.value)}
    return thin(sorted(numbers, key=_in_order), max_points)


def thin(points: list[Point], max_points: int) -> list[Point]:
    """Thin out points that are in order: the lowest and highest of each stretch, the first and the last.

    Of a stretch without any number one value stays that is none, so that a plot shows the gap.
    """
    if len(points) <= max_points:
        return points
    by = 0 if points[0].step != points[-1].step else 1
    stretches = max(1, (max_points - 2) // 2)
    start, width = points[0][by], (points[-1][by] - points[0][by]) / stretches or 1
    found: dict[int, tuple[Point, Point]] = {}
    for point in points:
        stretch = min(int((point[by] - start) / width), stretches - 1)
        lowest, highest = found.get(stretch, (point, point))
        if math.isnan(lowest.value):  # nothing else was there yet
            lowest = highest = point
        found[stretch] = (
            point if point.value < lowest.value else lowest,
            point if point.value > highest.value else highest,
        )
    kept = {points[0], points[-1], *(point for pair in found.values() for point in pair)}
    return sorted(kept, key=_in_order)


def _peaks(
    connection: sqlite3.Connection, run_id: str, key: str, low: float, high: float, stretches: int
) -> list[Point]:
    """The lowest and highest points of each stretch of steps, and the first and last of all, found by SQLite."""
    where = f"FROM metrics {BY_RUN_AND_KEY} WHERE run_uuid = :run AND key = :key AND is_nan = 0"
    names = {"run": run_id, "key": key}
    by = "step"
    if low == high:
        by = "timestamp"
        low, high = connection.execute(f"SELECT min(timestamp), max(timestamp) {where}", names).fetchone()
        if low is None:
            return []
    stretch = f"min(CAST(({by} - :low) / :width AS INTEGER), {stretches - 1})"
    spans = names | {"low": low, "width": (high - low) / stretches or 1.0}
    points: list[Point] = []
    for peak in ("min(value)", "max(value)"):
        found = connection.execute(f"SELECT step, timestamp, {peak} {where} GROUP BY {stretch}", spans)
        points += [Point(*row) for row in found]
    for order in ("step, timestamp", "step DESC, timestamp DESC"):
        found = connection.execute(f"SELECT step, timestamp, value {where} ORDER BY {order} LIMIT 1", names)
        points += [Point(*row) for row in found]
    return points


def _all_points(connection: sqlite3.Connection, run_id: str, key: str) -> list[Point]:
    found = connection.execute(
        f"SELECT key, value, timestamp, run_uuid, step, is_nan FROM metrics {BY_RUN_AND_KEY}"
        " WHERE run_uuid = ? AND key = ?",
        (run_id, key),
    )
    return [_point(_row(row)) for row in found]


def _row(found: Iterable[object]) -> Row:
    return tuple(found)  # type: ignore[return-value]


def _value(row: Row) -> float:
    return math.nan if row[5] else row[1]


def _told(value: float) -> float:
    """A value as it was logged: MLflow keeps the largest number for an infinity, and nobody logs that number itself."""
    return math.copysign(math.inf, value) if abs(value) == LARGEST else value


def _point(row: Row) -> Point:
    return Point(row[4], row[2], _value(row))


def _in_order(point: Point) -> tuple[float, int]:
    return point.step, point.timestamp
