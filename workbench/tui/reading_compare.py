"""What a comparison of jobs asks of the store; run in the threads of ``access``."""

from __future__ import annotations

from collections.abc import Sequence

from engines.jobs.comparison import Row, Subject, compare_snapshots
from store import jobs
from store.jobs import Job
from store.tracking import metrics, runs
from workbench.tui.access import Stores
from workbench.tui.widgets.series import XY


def subjects(stores: Stores, names: Sequence[str]) -> list[Subject]:
    """Jobs with parameters and last metrics. Raises NotFoundError, with the nearest names."""
    found: list[Subject] = []
    for name in names:
        job = jobs.get(stores.workbench, name)
        if stores.mlflow is None:
            found.append(Subject(job))
            continue
        journal = stores.layout.job(name).journal
        last = metrics.last_metrics(stores.mlflow, name, journal=None if job.finished else journal)
        found.append(Subject(job, runs.params(stores.mlflow, name), last))
    return found


def code(stores: Stores, found: Sequence[Job]) -> list[Row]:
    """How the code of jobs differs from that of the first."""
    return compare_snapshots(found, stores.layout.snapshots)


def histories(stores: Stores, names: Sequence[str], metric: str, max_points: int) -> list[list[XY]]:
    """The history of a metric in each job, thinned out for a plot."""
    if stores.mlflow is None:
        return [[] for _ in names]
    found: list[list[XY]] = []
    for name in names:
        journal = stores.layout.job(name).journal
        points = metrics.metric_history(stores.mlflow, name, metric, max_points, journal=journal)
        found.append([(point.step, point.value) for point in points])
    return found
