"""``workbench runs``: search."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import click

from store.errors import UsageError
from workbench.cli.options import Session, experiment_names, output_options, workspace_option
from workbench.cli.output import Column, emit
from workbench.cli.talk import say

SHOWN_METRICS = 4


METRIC = re.compile(r"""\bmetrics?\.(?:"([^"]+)"|`([^`]+)`|([\w./-]+))""")
"""A metric in a filter or an order."""


def metrics_in_short(row: Mapping[str, Any], asked: Iterable[str] = ()) -> str:
    """The metrics that were asked about, else the first of the run's own; system metrics left out."""
    found: Mapping[str, float] = row["metrics"]
    if wanted := [key for key in asked if key in found]:
        return "\n".join(f"{key}={found[key]:.6g}" for key in wanted)
    own = sorted(key for key in found if not key.startswith("system/"))
    shown = [f"{key}={found[key]:.6g}" for key in own[:SHOWN_METRICS]]
    return "\n".join([*shown, f"and {len(own) - SHOWN_METRICS} more"] if len(own) > SHOWN_METRICS else shown)


def name_and_title(row: Mapping[str, Any]) -> str:
    """A run's name, and its display name where that is another."""
    title = row["display_name"]
    return row["name"] if title in (None, row["name"]) else f"{row['name']} ({title})"


def metrics_named(texts: Iterable[str]) -> list[str]:
    """The metrics that a filter and its orders name, each once."""
    return list(dict.fromkeys(next(filter(None, match)) for text in texts for match in METRIC.findall(text)))


def columns(asked: Iterable[str]) -> tuple[Column, ...]:
    """What the table shows, given the texts of the filter and the order."""
    metrics = metrics_named(asked)
    return (
        ("name", name_and_title),
        ("experiment", lambda row: row["experiment_name"]),
        "status",
        ("metrics", lambda row: metrics_in_short(row, metrics)),
    )


@click.group()
def runs() -> None:
    """Search runs by their metrics, parameters and tags."""


@runs.command()
@click.argument("filter_text", metavar="[FILTER]", default="")
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    metavar="NAME",
    shell_complete=experiment_names,
    help="Only in this experiment.",
)
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
    emit(found, output, query, columns((filter_text, *order_by)))
