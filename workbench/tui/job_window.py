"""The part of a long list of jobs that is in memory: read around a job, at an end, or at a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from store import job_pages
from store.job_filter import Sort
from store.job_pages import JobList, JobRow, Key
from workbench.tui.access import Stores

PAGE = 120
"""Rows read at once: more than any terminal shows."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows ``first`` and following of a list that has ``total``; ``metrics`` are their main ones, by job name."""

    first: int = 0
    rows: tuple[JobRow, ...] = ()
    total: int = 0
    metrics: Mapping[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The number behind the last row."""
        return self.first + len(self.rows)

    def row(self, number: int) -> JobRow | None:
        """The row of a number, None where it is not in memory."""
        return self.rows[number - self.first] if self.first <= number < self.end else None

    def number_of(self, name: str) -> int | None:
        """The number of a job's row, where it is in memory."""
        return next((self.first + index for index, row in enumerate(self.rows) if row.name == name), None)


def around(stores: Stores, wanted: JobList, key: Key | None, patterns: Sequence[str] = ()) -> Window:
    """The rows on both sides of a place; the beginning where there is none."""
    connection, total = stores.workbench, job_pages.count(stores.workbench, wanted)
    if key is None:
        return _window(stores, wanted, 0, job_pages.page(connection, wanted, 2 * PAGE), total, patterns)
    before = job_pages.page(connection, wanted, PAGE, key, backwards=True)
    number = job_pages.place(connection, wanted, key)
    at = job_pages.page(connection, wanted, 2 * PAGE, before[-1].key if before else None)
    return _window(stores, wanted, number - len(before), [*before, *at], total, patterns)


def absent(stores: Stores, wanted: JobList, names: Sequence[str]) -> frozenset[str]:
    """Which of some jobs are not in the list."""
    return frozenset(names) - job_pages.listed(stores.workbench, wanted, names)


def around_job(stores: Stores, wanted: JobList, name: str, patterns: Sequence[str] = ()) -> Window:
    """The rows on both sides of a job, wherever it stands now."""
    return around(stores, wanted, job_pages.key_of(stores.workbench, wanted, name), patterns)


def at_end(stores: Stores, wanted: JobList, patterns: Sequence[str] = ()) -> Window:
    """The last rows."""
    total = job_pages.count(stores.workbench, wanted)
    rows = job_pages.page(stores.workbench, wanted, 2 * PAGE, backwards=True)
    return _window(stores, wanted, total - len(rows), rows, total, patterns)


def at_number(stores: Stores, wanted: JobList, number: int, patterns: Sequence[str] = ()) -> Window:
    """The rows around a number: where a scroll bar was dragged to."""
    return around(stores, wanted, job_pages.key_at(stores.workbench, wanted, number), patterns)


def _window(
    stores: Stores, wanted: JobList, first: int, rows: list[JobRow], total: int, patterns: Sequence[str]
) -> Window:
    metrics: Mapping[str, tuple[str, float]] = {}
    if stores.mlflow is not None:
        names = [row.name for row in rows]
        metrics = job_pages.main_metrics(stores.mlflow, names, _asked(wanted.order), patterns)
    return Window(max(0, first), tuple(rows), max(total, first + len(rows)), metrics)


def _asked(order: Sort) -> str | None:
    """The metric that a list is sorted by, which is then the one to show."""
    return order.metric if order.key == "metric" else None
