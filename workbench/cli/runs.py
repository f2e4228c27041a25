"""``workbench runs``: search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from store.errors import UsageError
from workbench.cli.options import Session, output_options, workspace_option
from workbench.cli.output import Column, emit
from workbench.cli.talk import say

SHOWN_METRICS = 4


def metrics_in_short(row: Mapping[str, Any]) -> str:
    """The first metrics of a run's own on one line, system metrics left out."""
    own = {key: value for key, value in sorted(row["metrics"].items()) if not key.startswith("system/")}
    shown = [f"{key}={value:.6g}" for key, value in list(own.items())[:SHOWN_METRICS]]
    return " ".join([*shown, f"and {len(own) - SHOWN_METRICS} more"] if len(own) > SHOWN_METRICS else shown)


def name_and_title(row: Mapping[str, Any]) -> str:
    """A run's name, and its display name where that is another."""
    title = row["display_name"]
    return row["name"] if title in (None, row["name"]) else f"{row['name']} ({title})"


LIST_COLUMNS: tuple[Column, ...] = (
    ("name", name_and_title),
    ("experiment", lambda row: row["experiment_name"]),
    "status",
    ("metrics", metrics_in_short),
)


@click.group()
def runs() -> None:
    """Search runs by their metrics, parameters and tags."""


@runs.command()
@click.argument("filter_text", metavar="[FILTER]", default="")
@click.option("--experiment", "experiments", multiple=True, metavar="NAME", help="Only in this experiment.")
@click.option("--all", "everywhere", is_flag=True, help="In all experiments, which is the default.")
@click.option("--order-by", multiple=True, metavar="KEY", help='For example "metrics.acc DESC". Default: latest first.')
@click.option(
    "--max-results", "-r", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many."
)
@output_options
@workspace_option
def search(
    session: Session,
    filter_text: str,
    experiments: tuple[str, ...],
    everywhere: bool,
    order_by: tuple[str, ...],
    max_results: int,
    output: str | None,
    query: str | None,
) -> None:
    """Find runs, in MLflow's filter language.

    \b
    workbench runs search "metrics.acc > 0.9 and params.depth = '3'"
    workbench runs search "tags.mlflow.user = 'ann'" --order-by "metrics.acc DESC"
    workbench runs search "attributes.status = 'Completed'" --experiment iris
    """
    from store.tracking.search import search_runs

    if everywhere and experiments:
        raise UsageError("--all and --experiment exclude each other")
    session.watch()
    found = search_runs(
        session.layout, filter_text, experiments=experiments or None, order_by=order_by, max_results=max_results
    )
    if not found:
        say("no runs match")
    emit(found, output, query, LIST_COLUMNS)
