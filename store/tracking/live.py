"""The metrics of one job as they come: what the database has, and what its journal has beyond that, each point once."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from store.tracking.ingest import ingested
from store.tracking.metrics import (
    KeyFacts,
    Point,
    Tail,
    is_longer,
    key_facts,
    latest_points,
    metric_history,
    sketch,
    thin,
)
from workbench.journal_lines import LARGEST, Row

LONG = 200_000
"""Points that take longer to read than a person likes to wait: a sketch of them is shown first."""


class Update(NamedTuple):
    """News of a metric: points to add to those that are known, or, where ``whole``, to have in their place."""

    key: str
    points: list[Point]
    whole: bool
    partial: bool = False
    """A sketch; ``LiveMetrics.load`` asked for the same metric again brings all."""


class _Held:
    """The points of one metric that are kept for a plot, and what is known of all."""

    def __init__(self, points: list[Point], facts: KeyFacts) -> None:
        self.points, self.facts = points, facts


class LiveMetrics:
    """Follows a job's metrics. Of each metric that was asked for at most ``max_points`` points are kept.

    ``poll`` tells what is new; ``load`` brings the history of a metric from the database, and ``poll`` takes it further
    from then on. Not for several threads at a time.
    """

    def __init__(self, job: str, journal: Path, *, max_points: int = 2000) -> None:
        self.job, self.journal, self.max_points = job, journal, max_points
        self._tail: Tail | None = None
        self._last: dict[str, Point] = {}
        self._counted: dict[str, int] = {}
        self._held: dict[str, _Held] = {}

    @property
    def keys(self) -> list[str]:
        """The names of the metrics that are known, in order."""
        return sorted(self._last)

    def facts(self, key: str) -> KeyFacts:
        """Last point, count and extremes of a metric; the latter two where it was loaded."""
        held = self._held.get(key)
        return held.facts if held else KeyFacts(self._last[key])

    def points(self, key: str) -> list[Point]:
        """The points that are kept of a metric."""
        held = self._held.get(key)
        return held.points if held else []

    def poll(self, connection: sqlite3.Connection | None, *, changed: bool = True) -> list[Update]:
        """What is new since the last call. ``changed`` is False where the database is known to be as it was.

        Metrics that came into the database by another way than the journal are found there: those that were loaded
        come whole.
        """
        first = self._tail is None
        if self._tail is None:
            self._tail = Tail(self.journal, ingested(connection, self.job) if connection is not None else 0)
        before = self._tail.offset
        rows = [row for row in self._tail.read() if row[3] == self.job]
        if self._tail.offset < before:  # another journal lies in its place: what is held of the first is in no file
            return self._again(connection, rows)
        updates = self._take(rows)
        if connection is not None and (changed or first):
            updates += self._look_for_others(connection)
        return updates

    def load(self, connection: sqlite3.Connection | None, keys: Iterable[str], *, whole: bool = False) -> list[Update]:
        """The histories of metrics. Of a very long one first a sketch, unless ``whole`` asks for all of it."""
        if self._tail is None:
            self.poll(connection)
        return [self._load(connection, key, whole) for key in keys if key in self._last]

    def _again(self, connection: sqlite3.Connection | None, rows: Sequence[Row]) -> list[Update]:
        """Read anew what is held, the database first."""
        held = list(self._held)
        self._held.clear()
        self._take(rows)
        return [self._load(connection, key, whole=True) for key in held]

    def _load(self, connection: sqlite3.Connection | None, key: str, whole: bool) -> Update:
        if connection is None:
            waiting, points, facts = self._waiting(0, key), [], None
        else:
            # One snapshot: the database has the journal up to the offset that it names, and not a line more.
            connection.execute("BEGIN")
            try:
                offset = ingested(connection, self.job)
                if not whole and is_longer(connection, self.job, key, LONG):
                    return Update(key, sketch(connection, self.job, key, self.max_points), True, partial=True)
                points = metric_history(connection, self.job, key, self.max_points)
                facts = key_facts(connection, self.job, key, self._last[key])
            finally:
                connection.execute("ROLLBACK")
            waiting = self._waiting(offset, key)
        none = KeyFacts(self._last[key], 0)
        held = self._held[key] = _Held(points, _counted(facts or none, waiting))
        held.points = _merged(points, waiting, self.max_points)
        return Update(key, list(held.points), True)

    def _waiting(self, offset: int, key: str) -> list[Point]:
        """What the journal has of a metric between an offset and where the tail stands."""
        end = self._tail.offset if self._tail else 0
        if offset >= end:
            return []
        rows = Tail(self.journal, offset).read_to(end)
        return [_point(row) for row in rows if row[3] == self.job and row[0] == key]

    def _take(self, rows: Sequence[Row]) -> list[Update]:
        """Take in rows of the journal."""
        new: dict[str, list[Point]] = {}
        for row in rows:
            new.setdefault(row[0], []).append(_point(row))
        updates: list[Update] = []
        for key, points in new.items():
            last = max(points, key=_rank)
            if key not in self._last or _rank(last) > _rank(self._last[key]):
                self._last[key] = last
            held = self._held.get(key)
            if held is not None:
                updates.append(self._add(key, held, points))
        return updates

    def _add(self, key: str, held: _Held, points: list[Point]) -> Update:
        held.facts = _counted(held.facts, points)._replace(last=self._last[key])
        ordered = not held.points or all(
            before[:2] <= after[:2] for before, after in zip([held.points[-1], *points], points, strict=False)
        )
        if ordered and len(held.points) + len(points) <= 2 * self.max_points:
            held.points += points
            return Update(key, points, False)
        held.points = _merged(held.points, points, self.max_points)
        return Update(key, list(held.points), True)

    def _look_for_others(self, connection: sqlite3.Connection) -> list[Update]:
        """Metrics that the database has and the journal did not tell of."""
        updates: list[Update] = []
        for key, point in latest_points(connection, self.job).items():
            known = self._last.get(key)
            if known is None or _rank(point) > _rank(known):
                self._last[key] = point
                if key in self._held:
                    updates.append(self._load(connection, key, whole=True))
        return updates


def _counted(facts: KeyFacts, points: Sequence[Point]) -> KeyFacts:
    """Count and extremes with further points."""
    numbers = [_told(point.value) for point in points if not math.isnan(point.value)]
    lows = [*numbers, *([facts.low] if facts.low is not None else [])]
    highs = [*numbers, *([facts.high] if facts.high is not None else [])]
    return KeyFacts(facts.last, (facts.total or 0) + len(points), min(lows, default=None), max(highs, default=None))


def _merged(points: list[Point], more: list[Point], max_points: int) -> list[Point]:
    """Points of two lists in order, each once, thinned."""
    return thin(sorted({*points, *more}, key=lambda point: (point.step, point.timestamp)), max_points)


def _rank(point: Point) -> tuple[float, int, float]:
    """MLflow's order of what is last; a value that is no number counts as its 0."""
    return point.step, point.timestamp, 0.0 if math.isnan(point.value) else point.value


def _point(row: Row) -> Point:
    return Point(row[4], row[2], math.nan if row[5] else row[1])


def _told(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) == LARGEST else value
