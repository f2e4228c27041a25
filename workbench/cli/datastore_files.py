"""``workbench datastore``: ls, download, upload."""

from __future__ import annotations

from pathlib import Path

import click

from store.datastores import registry
from store.errors import UsageError
from store.vault import open_vault
from workbench.cli.options import Session, datastore_names, output_options, workspace_option
from workbench.cli.output import Column, emit, size
from workbench.cli.progress import progress_of
from workbench.cli.talk import say

COLUMNS: tuple[Column, ...] = ("name", ("size", lambda entry: size(entry["size"])), "last_modified")


def taken_apart(place: str) -> tuple[str, str]:
    """Datastore and path of ``NAME/PATH``, or of an azureml:// address. Raises UsageError."""
    if "://" not in place:
        name, _, path = place.partition("/")
        return name, path
    from store.specs.references import DatastorePath
    from store.uris import take_apart

    found = take_apart(place)
    if not isinstance(found, DatastorePath):
        raise UsageError(f"{place!r} is no path of a datastore", hint="Write NAME/PATH.")
    return found.datastore, found.path


@click.command()
@click.argument("place", metavar="NAME[/PATH]", shell_complete=datastore_names)
@click.option("--recursive", "-r", is_flag=True, help="List the files in all folders below, too.")
@click.option(
    "--max-results", type=click.IntRange(min=1), default=1000, show_default=True, help="List at most so many."
)
@click.option("--after", metavar="NAME", help="List what comes behind this name.")
@output_options
@workspace_option
def ls(
    session: Session,
    place: str,
    recursive: bool,
    max_results: int,
    after: str | None,
    output: str | None,
    query: str | None,
) -> None:
    """List a folder of a datastore. By name; files with their sizes, folders with a slash; of a database, its tables.

    \b
    workbench datastore ls workspaceblobstore/ExperimentRun
    workbench datastore ls inbox/daily --recursive -o tsv --query "[].name"
    """
    from store.datastores.checking import explained
    from store.datastores.listing import page
    from store.datastores.transfers import opened

    name, path = taken_apart(place)
    found = registry.get(session.connection_for_reading(), session.layout, name)
    if found.type == "sql":
        emit(tables(session, found, path, after, max_results), output, query, ("name", "type"))
        return
    there = opened(found, open_vault(session.layout))
    with explained(found, there.given):
        listed, more = page(there.system, there.full(path), after=after, limit=max_results, recursive=recursive)
    if more:
        say(f"there are more: --after '{listed[-1].name}'")
    emit([each.flat() for each in listed], output, query, COLUMNS)


def tables(
    session: Session, datastore: registry.Datastore, schema: str, after: str | None, limit: int
) -> list[dict[str, str]]:
    """The tables and views of a database, or those of a schema, as they are listed."""
    from store.datastores import credentials, sql

    names = sql.tables(datastore, credentials.put_back(datastore, open_vault(session.layout)))
    prefix = f"{schema.strip('/')}." if schema.strip("/") else ""
    found = [name for name in names if name.startswith(prefix) and (after is None or name > after)]
    if found[limit:]:
        say(f"there are more: --after '{found[limit - 1]}'")
    return [{"name": name, "type": "table"} for name in found[:limit]]


@click.command()
@click.argument("place", metavar="NAME/PATH", shell_complete=datastore_names)
@click.argument("to", required=False, type=click.Path(path_type=Path), default=Path())
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@workspace_option
def download(session: Session, place: str, to: Path, overwrite: bool) -> None:
    """Bring a file or a folder of a datastore. To the folder at hand, or to TO.

    It is there when it is whole. A connection that drops is taken up again.

    \b
    workbench datastore download inbox/daily/monday.csv data/
    workbench datastore download inbox/daily ./daily
    """
    from store.datastores import transfers

    name, path = taken_apart(place)
    there = transfers.opened(
        registry.get(session.connection_for_reading(), session.layout, name), open_vault(session.layout)
    )
    target = transfers.download(there, path, to, overwrite=overwrite, progress=progress_of(f"downloading {place}"))
    click.echo(target)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("place", metavar="NAME/PATH", shell_complete=datastore_names)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@workspace_option
def upload(session: Session, file: Path, place: str, overwrite: bool) -> None:
    """Put a file into a datastore. To the path, or below it where that is a folder or ends with a slash.

    Others see it when it is whole: until then it is hidden, or not there at all.

    \b
    workbench datastore upload monday.csv inbox/daily/
    """
    from store.datastores import transfers

    name, path = taken_apart(place)
    there = transfers.opened(
        registry.get(session.connection_for_reading(), session.layout, name), open_vault(session.layout)
    )
    arrived = transfers.upload(there, file, path, overwrite=overwrite, progress=progress_of(f"uploading {file.name}"))
    click.echo(f"azureml://datastores/{name}/paths/{arrived}")
