"""``workbench workspace``: create, list, show, delete."""

from __future__ import annotations

from pathlib import Path

import click

from store import jobs
from store import workspace as workspaces
from store.errors import ConflictError, UsageError
from store.layout import Layout
from workbench.cli.options import Session, document_options, output_options, say, workspace_option
from workbench.cli.output import emit


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
    emit(workspaces.show(found.layout, workspaces.open_existing(found)), output, query)


@workspace.command("list")
@output_options
def list_workspaces(output: str | None, query: str | None) -> None:
    """List the workspaces that you have used."""
    rows = [{"name": name, "path": path} for path, name in sorted(workspaces.known().items())]
    if not rows:
        say("no workspaces yet: workbench workspace create")
    emit(rows, output, query, ("name", "path"))


@workspace.command()
@output_options
@workspace_option
def show(session: Session, output: str | None, query: str | None) -> None:
    """Show the workspace that commands use here, and where it lies."""
    emit(
        {
            **workspaces.show(session.layout, session.connection),
            "found_by": session.found.origin,
            "jobs": jobs.count_by_status(session.connection),
        },
        output,
        query,
    )


@workspace.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@workspace_option
def delete(session: Session, path: Path | None, yes: bool) -> None:
    """Delete a workspace with its jobs, metrics and outputs."""
    layout = Layout(workspaces.absolute(str(path))) if path else session.layout
    found = workspaces.Found(layout, "option")
    connection = workspaces.open_existing(found)
    unfinished, total = jobs.count_unfinished(connection), sum(jobs.count_by_status(connection).values())
    connection.close()
    if unfinished:
        raise ConflictError(f"{unfinished} job(s) are not at their end", hint="Cancel them, or wait for them.")
    if not yes:
        click.confirm(f"Delete {layout.root} with {total} job(s) and all their outputs?", abort=True, err=True)
    from workbench.agent import start

    start.stop(layout)
    workspaces.delete(layout)
    say(f"deleted {layout.root}")
