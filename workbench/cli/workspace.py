"""``workbench workspace``: create, list, show, delete."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import click

from store import jobs
from store import workspace as workspaces
from store.errors import ConflictError, NotFoundError, UsageError
from store.layout import Layout
from store.times import timestamp
from workbench.cli.options import Session, document_options, output_options, workspace_option
from workbench.cli.output import emit
from workbench.cli.talk import confirm, say


@click.group()
def workspace() -> None:
    """Create, list, show and delete workspaces."""


@workspace.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--name", "-n", help="What to call it; default: the folder's name.")
@click.option("--file", "-f", type=click.Path(path_type=Path), help="A workspace document.")
@document_options
@output_options
@workspace_option
def create(
    session: Session,
    path: Path | None,
    name: str | None,
    file: Path | None,
    overrides: tuple[str, ...],
    output: str | None,
    query: str | None,
) -> None:
    """Make a workspace at PATH. Default: where this command would look for one."""
    found = workspaces.Found(Layout(workspaces.absolute(str(path))), "option") if path else session.found
    document = {"name": workspaces.check_name(name) if name else workspaces.default_name(found)}
    if file:
        from store.specs.loading import load

        flags = {"name": name} if name else {}
        document = load("workspace", file, overrides, **flags).document()
    elif overrides:
        raise UsageError("--set goes with --file")
    workspaces.create(found.layout, document, say)
    emit(shown(found.layout, workspaces.open_existing(found)), output, query)


@workspace.command("list")
@output_options
def list_workspaces(output: str | None, query: str | None) -> None:
    """List the workspaces that you have used."""
    rows = [{"name": name, "path": path} for path, name in sorted(workspaces.known().items())]
    if not rows:
        say("no workspaces yet: workbench workspace create")
    emit(rows, output, query, ("name", "path"))


def names(_ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Names of the user's workspaces for shell completion."""
    return sorted({name for name in workspaces.known().values() if name.startswith(incomplete)})


def by_name(name: str) -> workspaces.Found:
    """The workspace of a name, among those that this user has used."""
    places = workspaces.named(name)
    if not places:
        raise NotFoundError(f"no workspace named {name!r} is known", hint="`workbench workspace list` shows all.")
    if len(places) > 1:
        raise ConflictError(
            f"{len(places)} workspaces are named {name!r}: {', '.join(map(str, places))}", hint="Name one by its path."
        )
    return workspaces.Found(Layout(places[0]), "name")


@workspace.command()
@click.option("--name", "-n", help="One that you have used; default: the one of this place.", shell_complete=names)
@output_options
@workspace_option
def show(session: Session, name: str | None, output: str | None, query: str | None) -> None:
    """Show the workspace that commands use here, and where it lies."""
    found = by_name(name) if name else session.found
    connection = workspaces.open_existing(found)
    emit(
        {
            **shown(found.layout, connection),
            "found_by": found.origin,
            "jobs": jobs.count_by_status(connection),
        },
        output,
        query,
    )


def shown(layout: Layout, connection: sqlite3.Connection) -> dict[str, Any]:
    """A workspace's document, with its time as in all documents."""
    document = workspaces.show(layout, connection)
    return {**document, "creation_time": timestamp(document["creation_time"])}


@workspace.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--name", "-n", help="One that you have used, instead of PATH.", shell_complete=names)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@workspace_option
def delete(session: Session, path: Path | None, name: str | None, yes: bool) -> None:
    """Delete a workspace with its jobs, metrics and outputs."""
    if path and name:
        raise UsageError("PATH and --name exclude each other")
    found = by_name(name) if name else session.found
    layout = Layout(workspaces.absolute(str(path))) if path else found.layout
    connection = workspaces.open_existing(workspaces.Found(layout, found.origin))
    unfinished, total = jobs.count_unfinished(connection), sum(jobs.count_by_status(connection).values())
    connection.close()
    if unfinished:
        raise ConflictError(f"{unfinished} job(s) are not at their end", hint="Cancel them, or wait for them.")
    if not yes:
        confirm(f"Delete {layout.root} with {total} job(s) and all their outputs?")
    from workbench.agent import start

    start.stop(layout)
    workspaces.delete(layout)
    say(f"deleted {layout.root}")
