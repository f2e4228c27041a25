"""Searching runs in MLflow's filter language, by MLflow's own client.

Importing this module imports nothing of MLflow; the first search does, which takes a second.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from store.errors import MachineError, UsageError, WorkbenchError
from store.layout import Layout
from store.times import timestamp_of_ms
from store.tracking.experiments import JOB_STATES, unknown_experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.exceptions import MlflowException

PAGE = 1000

STATUS = re.compile(
    r"(?P<before>(?<![\w.`\"])(?:(?:attributes?|attr|run)\.)?status\s*!?=\s*)(?P<quote>['\"])(?P<word>[^'\"]*)(?P=quote)",
    re.IGNORECASE,
)
SETS = re.compile(r"'?[{\[](?P<members>[^{}\[\]]*)[}\]]'?")
NO_ATTRIBUTE = re.compile(r"Invalid attribute key '(?P<name>.*)' specified\. Valid keys are (?P<valid>.*)")
UNANSWERED = frozenset({"TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR"})
"""Error codes of MLflow's that are no fault of the question."""


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

    Looks in all experiments where none is named. A status may be given in the dialect's words as in MLflow's. Raises
    UsageError for a filter or an order that MLflow cannot read, and NotFoundError for an experiment that there is not.
    """
    text = in_mlflows_words(filter_text)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read by MLflow while it is imported
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(tracking_uri=tracking_address(layout))
    names, orders = _experiments(client, experiments), list(order_by)
    asked = f"the filter {filter_text!r}"
    try:
        if orders:
            _all_pages(client, list(names), text, [], 1)  # what is refused after that is the order
            asked = f"the order {', '.join(map(repr, orders))}"
        runs = _all_pages(client, list(names), text, orders, max_results)
    except MlflowException as error:
        raise unanswered(asked, error) from error
    return [_document(run, names) for run in runs]


def in_mlflows_words(text: str) -> str:
    """A filter with each status as MLflow has it: ``status = 'Completed'`` asks for FINISHED.

    Raises UsageError for a status that no run can have: MLflow would find nothing, without a word.
    """
    words = {word.lower(): state for state, known in JOB_STATES.items() for word in (state, known)}

    def translated(found: re.Match[str]) -> str:
        state = words.get(found["word"].lower())
        if state is None:
            raise UsageError(
                f"the filter {text!r} asks for a status that no run has: {found['word']!r}",
                hint=f"There are {', '.join(f'{known} ({state})' for state, known in JOB_STATES.items())}.",
            )
        return f"{found['before']}{found['quote']}{state}{found['quote']}"

    return STATUS.sub(translated, text)


def unanswered(asked: str, error: MlflowException) -> WorkbenchError:
    """The error for what MLflow did not answer, with a way to ask."""
    message = str(error.message)
    if error.error_code in UNANSWERED and "order_by" not in message:
        return MachineError(f"the runs cannot be searched: {message}", hint="`workbench doctor` looks for the reason.")
    hint = "For example: \"metrics.acc > 0.9 and params.depth = '3'\" or \"attributes.status = 'Completed'\"."
    if asked.startswith("the order"):
        hint = 'For example: --order-by "metrics.acc DESC" or --order-by start_time.'
    if re.search(r"Invalid clause.*'or'", message, re.IGNORECASE):
        hint = "The language has no `or`: search once for each side."
    elif found := NO_ATTRIBUTE.search(message):
        name = found["name"]
        message = f"there is no attribute {name!r}; there are {SETS.sub(in_order, found['valid'])}"
        hint = f"Metrics, parameters and tags are written metrics.{name}, params.{name}, tags.{name}."
        if name.startswith("experiment"):
            hint = "The experiment is given apart: --experiment NAME."
    return UsageError(f"{asked} cannot be read: {SETS.sub(in_order, message)}", hint=hint)


def in_order(found: re.Match[str]) -> str:
    """The members of one of MLflow's sets, which it shows in an order of chance."""
    return ", ".join(sorted(found["members"].replace("'", "").split(", ")))


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
            raise unknown_experiment(name, [each.name for each in client.search_experiments(max_results=PAGE)])
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
