"""``workbench compute``: create, list, show, delete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from engines.compute import pools
from engines.compute.registry import engine, types
from store import computes
from store.errors import UsageError, WorkbenchError
from workbench.cli.options import (
    Session,
    Word,
    compute_names,
    document_options,
    name_argument,
    output_options,
    workspace_option,
)
from workbench.cli.output import emit
from workbench.cli.talk import confirm, say

COLUMNS = ("name", "type", "slots")


@click.group()
def compute() -> None:
    """Create, list, show and delete compute targets."""


@compute.command()
@click.option("--file", "-f", type=click.Path(path_type=Path), help="A compute document.")
@document_options
@click.option("--name", "-n", help="The compute's name.")
@click.option(
    "--type",
    "kind",
    type=Word(*types()),
    help="What kind; amlcompute and local are pools of slots here. Default: amlcompute.",
)
@click.option("--size", help="Accepted and kept; this machine is the size it is.")
@click.option("--min-instances", type=click.IntRange(min=0), help="Accepted and kept.")
@click.option("--max-instances", type=click.IntRange(min=1), help="How many jobs run on it at once.")
@output_options
@workspace_option
def create(
    session: Session,
    file: Path | None,
    overrides: tuple[str, ...],
    output: str | None,
    query: str | None,
    **flags: Any,
) -> None:
    """Add a compute target: a pool of slots on this machine.

    \b
    workbench compute create --name cpu-cluster --type amlcompute --max-instances 2
    """
    from store.specs.loading import load

    given = {("type" if key == "kind" else key): value for key, value in flags.items() if value is not None}
    if file is None and not given.get("name"):
        raise UsageError("a compute needs a --name, or a --file that describes it")
    if file is None:
        given.setdefault("type", "amlcompute")
    document = load("compute", file, overrides, **given).document()
    pools.create(session.connection_for_writing(), document)
    from workbench.agent import channel

    channel.poke(session.layout)
    emit(shown(computes.get(session.connection, document["name"])), output, query)


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """A compute as it is listed, with the slots that its engine gives it; one whose engine does not work says why."""
    try:
        slots = engine(document["type"]).capacity(document)
    except WorkbenchError as error:
        return {**document, "slots": 0, "provisioning_state": "Failed", "provisioning_errors": str(error)}
    return {**document, "slots": slots, "provisioning_state": "Succeeded"}


@compute.command("list")
@output_options
@workspace_option
def list_computes(session: Session, output: str | None, query: str | None) -> None:
    """List compute targets."""
    emit([shown(each) for each in computes.find(session.connection_for_reading())], output, query, COLUMNS)


@compute.command()
@name_argument("compute", compute_names)
@output_options
@workspace_option
def show(session: Session, name: str, output: str | None, query: str | None) -> None:
    """Show a compute target."""
    emit(shown(computes.get(session.connection_for_reading(), name)), output, query)


@compute.command()
@name_argument("compute", compute_names)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@workspace_option
def delete(session: Session, name: str, yes: bool) -> None:
    """Delete a compute target. Jobs that ran on it stay."""
    computes.get(session.connection, name)
    if not yes:
        confirm(f"Delete the compute {name!r}?")
    computes.delete(session.connection, name)
    say(f"deleted {name}")
