"""``workbench environment``: create, list, show."""

from __future__ import annotations

from pathlib import Path

import click

from store import environments
from store.errors import NotFoundError
from workbench.cli.options import (
    Session,
    document_options,
    environment_names,
    name_argument,
    output_options,
    workspace_option,
)
from workbench.cli.output import emit


@click.group()
def environment() -> None:
    """Register, list and show environments."""


@environment.command()
@click.option("--file", "-f", type=click.Path(path_type=Path), required=True, help="An environment document.")
@document_options
@click.option("--name", "-n", help="Overrides the name.")
@click.option("--version", "-v", help="Overrides the version.")
@output_options
@workspace_option
def create(
    session: Session,
    file: Path,
    overrides: tuple[str, ...],
    name: str | None,
    version: str | None,
    output: str | None,
    query: str | None,
) -> None:
    """Register an environment. Without a version, equal content keeps its version and other content takes the next."""
    from engines.environments.registration import self_contained
    from store.specs.loading import load

    flags = {key: value for key, value in {"name": name, "version": version}.items() if value}
    document = self_contained(load("environment", file, overrides, **flags).document())
    connection = session.connection_for_writing()
    given = environments.create(connection, document)
    emit(environments.lookup(connection, document["name"], given), output, query)


@environment.command("list")
@output_options
@workspace_option
def list_environments(session: Session, output: str | None, query: str | None) -> None:
    """List environments. Those of the workspace, and those that come with Workbench."""
    from engines.environments.curated import curated as shipped

    curated = [{**each.document(), "curated": True} for each in shipped()]
    registered = [{**each, "curated": False} for each in environments.find(session.connection_for_reading())]
    emit(registered + curated, output, query, ("name", "version", "curated", "description"))


def names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of environments for shell completion, those that come with Workbench too."""
    from engines.environments.curated import curated

    shipped = [each.name for each in curated() if each.name.startswith(incomplete)]
    return list(dict.fromkeys([*environment_names(ctx, parameter, incomplete), *shipped]))


@environment.command()
@name_argument("environment", names)
@click.option("--version", "-v", help="Default: the newest.")
@output_options
@workspace_option
def show(session: Session, name: str, version: str | None, output: str | None, query: str | None) -> None:
    """Show an environment."""
    from engines.environments.curated import find

    found = environments.lookup(session.connection_for_reading(), name, version)
    if found is None:
        curated = find(name)
        found = curated.document() if curated and version in (None, "latest", curated.version) else None
    if found is None:
        wanted = f"{name!r}" if version is None else f"{name!r} of version {version!r}"
        raise NotFoundError(f"there is no environment {wanted}", hint="`workbench environment list` shows all.")
    emit(found, output, query)
