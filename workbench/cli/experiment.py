"""``workbench experiment``: list, show."""

from __future__ import annotations

from contextlib import closing

import click

from store.tracking import runs
from store.tracking.experiments import list_experiments, show_experiment
from workbench.cli.options import Session, experiment_names, name_argument, output_options, workspace_option
from workbench.cli.output import Column, age, emit
from workbench.cli.talk import say

LIST_COLUMNS: tuple[Column, ...] = (
    "name",
    "runs",
    ("last run", lambda row: age(row["last_run_time"])),
)


@click.group()
def experiment() -> None:
    """List experiments and show one."""


@experiment.command("list")
@click.option("--include-archived", is_flag=True, help="Deleted experiments too.")
@output_options
@workspace_option
def list_command(session: Session, include_archived: bool, output: str | None, query: str | None) -> None:
    """List experiments, the one with the latest run first."""
    found = []
    if session.found.exists:
        with closing(runs.connect(session.layout)) as connection:
            found = list_experiments(connection, deleted=include_archived)
    if not found:
        say("no experiments yet: workbench run FILE")
    emit(found, output, query, LIST_COLUMNS)


@experiment.command()
@name_argument("experiment", experiment_names)
@output_options
@workspace_option
def show(session: Session, name: str, output: str | None, query: str | None) -> None:
    """Show an experiment. That is its runs by state, its tags, and where its artifacts lie."""
    session.connection.execute("SELECT 1")  # a workspace that does not exist is said as everywhere
    with closing(runs.connect(session.layout)) as connection:
        emit(show_experiment(connection, name), output, query)
