"""The last points of a job's main metric, as they come: what a sparkline beside the job's name shows."""

from __future__ import annotations

import math
import sqlite3
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from store.main_metric import main_metric
from store.tracking.ingest import ingested
from store.tracking.metrics import BY_RUN_AND_KEY, Point, Tail, latest_points
from workbench.journal_lines import Row

POINTS = 30


def recent_points(connection: sqlite3.Connection, run_id: str, key: str, limit: int = POINTS) -> list[Point]:
    """The last points of a metric in the database, in order; reads no more than those."""
    rows = connection.execute(
        f"SELECT step, timestamp, value, is_nan FROM metrics {BY_RUN_AND_KEY} WHERE run_uuid = ? AND key = ?"
        " ORDER BY step DESC LIMIT ?",
        (run_id, key, limit),
    ).fetchall()
    return sorted(Point(step, at, math.nan if is_nan else value) for step, at, value, is_nan in rows)


def first_step(connection: sqlite3.Connection, run_id: str, key: str) -> float | None:
    """The lowest step of a metric in the database."""
    found: float | None = connection.execute(
        f"SELECT min(step) FROM metrics {BY_RUN_AND_KEY} WHERE run_uuid = ? AND key = ?", (run_id, key)
    ).fetchone()[0]
    return found


class RecentMetric:
    """Follows the main metric of one job. Not for several threads at a time."""

    def __init__(
        self,
        job: str,
        journal: Path,
        document: Mapping[str, Any],
        patterns: Sequence[str] = (),
        *,
        points: int = POINTS,
    ) -> None:
        self.job, self.journal, self.document, self.patterns, self.most = job, journal, document, patterns, points
        self.key: str | None = None
        self.first_step: float | None = None
        self._tail: Tail | None = None
        self._new: dict[str, deque[Point]] = {}
        self._lowest: dict[str, float] = {}
        self._kept: dict[str, Point] = {}
        self._points: list[Point] = []

    @property
    def points(self) -> list[Point]:
        """The last points, in order."""
        return self._points

    def poll(self, connection: sqlite3.Connection | None, *, changed: bool) -> bool:
        """Take in what is new; whether anything is. ``changed`` is False where the database is as it was."""
        before = (self.key, self._points)
        begun = self._tail is not None
        if self._tail is None:
            self._tail = Tail(self.journal, ingested(connection, self.job) if connection is not None else 0)
        offset = self._tail.offset
        rows = [row for row in self._tail.read() if row[3] == self.job]
        if self._tail.offset < offset:  # another journal lies in its place
            self._new.clear()
            self._lowest.clear()
            changed = True
        for row in rows:
            self._take(row)
        looks = connection is not None and (changed or not begun)
        if looks and connection is not None:
            self._kept = latest_points(connection, self.job)
        if rows or looks:
            self._choose(connection if looks else None)
        return before != (self.key, self._points)

    def _take(self, row: Row) -> None:
        key, step = row[0], row[4]
        self._new.setdefault(key, deque(maxlen=self.most)).append(Point(step, row[2], math.nan if row[5] else row[1]))
        self._lowest[key] = min(step, self._lowest.get(key, step))

    def _choose(self, connection: sqlite3.Connection | None) -> None:
        """Which metric is the main one now, and its last points; ``connection`` where the database has news."""
        key = main_metric({*self._kept, *self._new}, self.document, self.patterns)
        if key is None:
            return
        known = self._points if key == self.key else []
        if connection is not None:
            known = recent_points(connection, self.job, key, self.most)
            steps = (first_step(connection, self.job, key), self._lowest.get(key))
            self.first_step = min((step for step in steps if step is not None), default=None)
        elif key != self.key or self.first_step is None:
            self.first_step = self._lowest.get(key)
        self.key = key
        merged = {point[:2]: point for point in (*known, *self._new.get(key, ()))}
        self._points = [merged[place] for place in sorted(merged)][-self.most :]
