"""The commands of ``workbench data`` on versions: create, list, show, update, archive, restore, delete."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from store.data import assets
from store.data.assets import DataVersion
from store.errors import UsageError
from workbench.cli.data_lineage import use_line, used_by
from workbench.cli.data_versions import data_names, reference, the_version, version_options
from workbench.cli.options import (
    Session,
    Word,
    document_options,
    name_argument,
    output_options,
    workspace_option,
)
from workbench.cli.output import Column, age, emit, size
from workbench.cli.talk import confirm, say

LIST_COLUMNS: tuple[Column, ...] = (
    "name",
    "version",
    "type",
    ("labels", lambda each: ", ".join(each["labels"])),
    ("size", lambda each: size(each.get("bytes"))),
    ("created", lambda each: age(each["created_on"])),
    "path",
)


def shown(session: Session, found: DataVersion) -> dict[str, Any]:
    """A version as a document; where a job saw other bytes than it had at first, that too."""
    from store.data import uses
    from store.times import timestamp

    document = found.flat(assets.labels(session.connection, found))
    if other := uses.changed(session.connection, found):
        document["changed"] = {"seen_by": other.user_name, "at": timestamp(other.at), "fingerprint": other.fingerprint}
    return document


@click.command()
@click.option("--file", "-f", type=click.Path(path_type=Path), help="A data document.")
@document_options
@click.option("--name", "-n", help="The asset's name.", shell_complete=data_names)
@click.option("--version", "-v", help="Default: the next number.")
@click.option("--path", "-p", help="A local path, a URL, or azureml://datastores/NAME/paths/PATH.")
@click.option("--type", "-t", "kind", type=Word("uri_file", "uri_folder", "mltable"), help="Default: uri_folder.")
@click.option("--description", "-d", help="What the data is.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag; as often as wanted.")
@click.option("--datastore", help="Where --upload copies to. Default: workspaceblobstore.")
@click.option("--upload", is_flag=True, help="Copy a local path into the datastore: the version keeps its bytes.")
@click.option("--no-check", is_flag=True, help="Do not look whether there is anything at a path elsewhere.")
@output_options
@workspace_option
def create(
    session: Session,
    file: Path | None,
    overrides: tuple[str, ...],
    kind: str | None,
    tags: tuple[str, ...],
    upload: bool,
    no_check: bool,
    output: str | None,
    query: str | None,
    **flags: str | None,
) -> None:
    """Register a version of a data asset. It refers to the data where that is; --upload copies it.

    What lies elsewhere is looked at too: it has to be there, and be what the type says.

    \b
    workbench data create --name churn --path ./data/churn.csv --type uri_file
    workbench data create --name churn --path ./data --upload --tag source=crm
    workbench data create -f churn.yml --version 3
    workbench data create --name sales --path azureml://datastores/blob/paths/sales/2026/
    """
    from store.data.registering import register
    from store.specs.loading import load
    from workbench.cli.progress import progress_of

    if file is None and not overrides and not (flags["name"] and flags["path"]):
        raise UsageError("what is to be registered? Give --file, or --name and --path.")
    given = {**flags, "type": kind, "tags": tagged(tags)}
    document = load("data", file, overrides, **given).document()
    if not document.get("name"):
        raise UsageError("the data has no name", hint="Give --name, or `name` in the document.")
    connection = session.connection_for_writing()
    found = register(
        connection,
        session.layout,
        document,
        upload=upload or bool(document.get("datastore")),
        check=not no_check,
        progress=progress_of("reading"),
    )
    for note in found.notes:
        say(note)
    emit(shown(session, found.version), output, query)


def tagged(tags: tuple[str, ...]) -> dict[str, str] | None:
    """Tags as they were given, by key; None without any."""
    wrong = [each for each in tags if "=" not in each]
    if wrong:
        raise UsageError(f"--tag {wrong[0]!r} is no KEY=VALUE")
    return dict(each.split("=", 1) for each in tags) or None


@click.command("list")
@click.option("--name", "-n", help="Every version of this asset, newest first.", shell_complete=data_names)
@click.option("--include-archived", is_flag=True, help="Archived ones too.")
@click.option("--archived-only", is_flag=True, help="Archived ones alone.")
@click.option("--max-results", "-r", type=click.IntRange(min=1), help="At most so many.")
@output_options
@workspace_option
def list_data(
    session: Session,
    name: str | None,
    include_archived: bool,
    archived_only: bool,
    max_results: int | None,
    output: str | None,
    query: str | None,
) -> None:
    """List data assets by their latest version, or every version of one.

    \b
    workbench data list
    workbench data list --name churn --include-archived
    """
    from itertools import islice

    if include_archived and archived_only:
        raise UsageError("--include-archived and --archived-only exclude each other")
    connection = session.connection_for_reading()
    wanted = True if archived_only else None if include_archived else False
    found = list(islice(assets.find(connection, name, archived=wanted), max_results))
    if name is not None and not found:
        assets.get(connection, name)
    rows = [each.flat(assets.labels(connection, each)) for each in found]
    if not rows:
        say("there are no data assets here yet: workbench data create --name NAME --path PATH")
    emit(rows, output, query, LIST_COLUMNS)


@click.command()
@name_argument("data asset", data_names)
@version_options
@click.option(
    "--check", is_flag=True, help="Say whether the data is what it was: by bytes; elsewhere by ETag, time, size."
)
@click.option("--profile", is_flag=True, help="What is in its columns: types, missing, ranges, histograms.")
@click.option("--target", metavar="COLUMN", help="With --profile: the column that is to be predicted.")
@output_options
@workspace_option
def show(
    session: Session,
    name: str,
    version: str | None,
    label: str | None,
    check: bool,
    profile: bool,
    target: str | None,
    output: str | None,
    query: str | None,
) -> None:
    """Show a version of a data asset; without one, the latest.

    \b
    workbench data show churn
    workbench data show churn:2 --check
    workbench data show churn@approved -o json --query path
    workbench data show churn --profile --target churned
    """
    found = the_version(session, name, version, label)
    if profile:
        from workbench.cli.data_profile import show_profile

        show_profile(session, str(found), target, output, query)
        return
    document = {**shown(session, found), "used_by": used_by(session, found)}
    if check:
        from workbench.cli.data_check import check as look

        now = look(session, found)
        say(now.text)
        document = now.add_to(document)
    emit(document, output, query, people=readable)


def readable(document: dict[str, Any]) -> dict[str, Any]:
    """A version as a person reads it."""
    return {**document, "used_by": [use_line(each) for each in document["used_by"]]}


@click.command()
@name_argument("data asset", data_names)
@version_options
@click.option("--description", "-d", help="What the data is.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Set a tag; as often as wanted.")
@click.option("--remove-tag", "removed", multiple=True, metavar="KEY", help="Take a tag away.")
@output_options
@workspace_option
def update(
    session: Session,
    name: str,
    version: str | None,
    label: str | None,
    description: str | None,
    tags: tuple[str, ...],
    removed: tuple[str, ...],
    output: str | None,
    query: str | None,
) -> None:
    """Change a version's description and tags. All else of it stays as it was made.

    \b
    workbench data update churn:2 --description "without the test customers" --tag reviewed=yes
    """
    session.connection_for_writing()
    found = the_version(session, name, version, label)
    kept = {**(found.document.get("tags") or {}), **(tagged(tags) or {})}
    changed: dict[str, Any] = {"tags": {key: value for key, value in kept.items() if key not in removed}}
    if description is not None:
        changed["description"] = description
    found = assets.create(session.connection, replace(found, document=changed))
    emit(shown(session, found), output, query)


@click.command()
@name_argument("data asset", data_names)
@version_options
@workspace_option
def archive(session: Session, name: str, version: str | None, label: str | None) -> None:
    """Hide a version from lists, or the whole asset. It stays usable.

    \b
    workbench data archive churn
    workbench data archive churn --version 1
    """
    set_archived(session, name, version, label, archived=True)


@click.command()
@name_argument("data asset", data_names)
@version_options
@workspace_option
def restore(session: Session, name: str, version: str | None, label: str | None) -> None:
    """Show an archived version, or the whole asset, in lists again.

    \b
    workbench data restore churn --version 1
    """
    set_archived(session, name, version, label, archived=False)


def set_archived(session: Session, name: str, version: str | None, label: str | None, *, archived: bool) -> None:
    """Hide what is named, or show it again, and say so."""
    asset, version, label = reference(name, version, label)
    connection = session.connection_for_writing()
    if label is not None:
        version = assets.get(connection, asset, None, label).version
    assets.archive(connection, asset, version, archived=archived)
    say(f"{'archived' if archived else 'restored'} {asset}{f':{version}' if version else ', all versions'}")


@click.command()
@name_argument("data asset", data_names)
@version_options
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@workspace_option
def delete(session: Session, name: str, version: str | None, label: str | None, yes: bool) -> None:
    """Forget a version. Data that it only refers to stays; a copy that Workbench made for it alone is removed.

    \b
    workbench data delete churn:1 --yes
    """
    from store.data import registering

    asset, version, label = reference(name, version, label)
    if version is None and label is None:
        raise UsageError(f"which version of {asset!r}?", hint=f"Write {asset}:VERSION; `archive` hides them all.")
    session.connection_for_writing()
    found = assets.get(session.connection, asset, version, label)
    if not yes:
        confirm(f"Delete {found}{', with the copy of its data' if found.stored else ''}?")
    gone = registering.delete(session.connection, session.layout, found.name, found.version)
    what = "with the copy of its data" if gone.copy_removed else f"its data stays at {gone.version.path}"
    say(f"deleted {gone.version}; {what}")
    for note in gone.notes:
        say(f"note: {note}")


COMMANDS = (create, list_data, show, update, archive, restore, delete)
