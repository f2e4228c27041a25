"""``workbench mlflow``: the address under which MLflow finds the workspace's runs."""

from __future__ import annotations

import click

from store.tracking.search import tracking_address
from workbench.cli.options import Session, workspace_option


@click.group()
def mlflow() -> None:
    """The MLflow address of the workspace."""


@mlflow.command()
@workspace_option
def uri(session: Session) -> None:
    """Print the tracking address.

    It is for MLFLOW_TRACKING_URI, `mlflow ui --backend-store-uri`, or a script of your own.

    It is plain SQLite in MLflow's own form: any MLflow of the version that Workbench has opens it, without Workbench.
    """
    session.connection_for_writing()
    click.echo(tracking_address(session.layout))
