"""Searching runs in MLflow's filter language, by MLflow's own client.

Importing this module imports nothing of MLflow; the first search does, which takes a second.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from store.errors import NotFoundError, UsageError
from store.layout import Layout
from store.times import timestamp_of_ms
from store.tracking.experiments import JOB_STATES

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PAGE = 1000


def tracking_address(layout: Layout) -> str:
    """The address under which any MLflow client of this version opens the workspace's runs."""
    return f"sqlite:///{layout.mlflow_database}"


def search_runs(
    layout: Layout,
    filter_text: str = "",
    *,
    experiments: Sequence[str] | None = None,
    order_by: Iterable[str] = (),
    max_results: int = 100,
) -> list[dict[str, Any]]:
    """The runs that match a filter such as ``metrics.acc > 0.9``, as documents, the latest first unless ordered.

    Looks in all experiments where none is named. Raises UsageError for a filter that MLflow cannot read, and
    NotFoundError for an experiment that there is not.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read by MLflow while it is imported
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(tracking_uri=tracking_address(layout))
    names = _experiments(client, experiments)
    try:
        runs = _all_pages(client, list(names), filter_text, list(order_by), max_results)
    except MlflowException as error:
        raise UsageError(
            f"the filter {filter_text!r} cannot be read: {error.message}",
            hint="For example: \"metrics.acc > 0.9 and params.depth = '3'\" or \"attributes.status = 'FINISHED'\".",
        ) from error
    return [_document(run, names) for run in runs]


def _experiments(client: MlflowClient, wanted: Sequence[str] | None) -> dict[str, str]:
    """The numbers and names of the experiments to look in."""
    if wanted is None:
        page = client.search_experiments(max_results=PAGE)
        found = list(page)
        while page.token:
            page = client.search_experiments(max_results=PAGE, page_token=page.token)
            found += page
        return {experiment.experiment_id: experiment.name for experiment in found}
    names = {}
    for name in wanted:
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            raise NotFoundError(
                f"there is no experiment {name!r}", hint="`workbench experiment list` lists those that there are."
            )
        names[experiment.experiment_id] = name
    return names


def _all_pages(client: MlflowClient, numbers: list[str], text: str, order_by: list[str], limit: int) -> list[Run]:
    runs: list[Run] = []
    token = None
    while len(runs) < limit:
        size = min(PAGE, limit - len(runs))
        page = client.search_runs(numbers, text, max_results=size, order_by=order_by, page_token=token)
        runs += page
        token = page.token
        if not token:
            break
    return runs


def _document(run: Run, experiments: dict[str, str]) -> dict[str, Any]:
    info, data = run.info, run.data
    return {
        "name": info.run_id,
        "display_name": info.run_name,
        "experiment_name": experiments[info.experiment_id],
        "status": JOB_STATES.get(info.status, info.status),
        "start_time": timestamp_of_ms(info.start_time),
        "end_time": timestamp_of_ms(info.end_time),
        "metrics": dict(data.metrics),
        "params": dict(data.params),
        "tags": dict(data.tags),
    }
