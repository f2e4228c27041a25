"""``workbench datastore``: create, update, list, show, delete, types, check, and files in and out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from store.datastores import registry
from store.errors import UsageError
from store.vault import open_vault
from workbench.cli import datastore_files
from workbench.cli.datastore_fields import document_of, field_options, fill, missing_secrets, secrets_given
from workbench.cli.options import (
    Session,
    Word,
    datastore_names,
    document_options,
    name_argument,
    output_options,
    workspace_option,
)
from workbench.cli.output import Column, emit
from workbench.cli.talk import confirm, say

if TYPE_CHECKING:
    from store.specs.document import Document

LIST_COLUMNS: tuple[Column, ...] = (
    "name",
    "type",
    "login",
    ("default", lambda each: "yes" if each["is_default"] else ""),
    "description",
)
TYPE_COLUMNS: tuple[Column, ...] = (
    "type",
    ("what it is", lambda each: each["description"]),
    ("credentials", lambda each: ", ".join(each["credentials"]) or "none"),
    ("extra", lambda each: each["extra"] or ""),
    ("installed", lambda each: "yes" if each["installed"] else "no"),
)
TYPES = (
    "local azure_blob azure_file azure_data_lake_gen1 azure_data_lake_gen2 one_lake sftp s3 smb webdav dbfs sql".split()
)


@click.group()
def datastore() -> None:
    """Connections to where data lies: folders, Azure storage, S3, SFTP, file shares, WebDAV, databases.

    Their passwords and keys are kept in the vault of the workspace, and shown nowhere.
    """


@datastore.command()
@click.option("--file", "-f", type=click.Path(path_type=Path), help="A datastore document.")
@document_options
@click.option("--name", "-n", help="The datastore's name.")
@click.option("--type", "kind", type=Word(*TYPES), help="What it is: `workbench datastore types` tells more.")
@field_options
@click.option("--no-check", is_flag=True, help="Do not try whether it can be reached and read.")
@output_options
@workspace_option
def create(
    session: Session,
    file: Path | None,
    overrides: tuple[str, ...],
    kind: str | None,
    secret_names: tuple[str, ...],
    stdin: bool,
    no_check: bool,
    output: str | None,
    query: str | None,
    **flags: Any,
) -> None:
    """Add a datastore, or replace one of the same name and type. It is tried first: connection, login, right to list.

    A secret is never an argument: it stands in the document, from where it goes into the vault, or comes by --secret.
    A document may name one of the vault instead: ${{secrets.NAME}}. Without any, the machine's own login is used.

    \b
    workbench datastore create -f blob.yml
    workbench datastore create --type local --name inbox --path /data/inbox
    workbench datastore create --type azure_blob --name sales --account acme --container sales --secret account_key
    workbench datastore create --type sftp --name lab --host lab.example.org --username ann --path /data
    """
    if file is None and not (kind and flags.get("name")):
        raise UsageError("a datastore needs a --type and a --name, or a --file that describes it")
    secrets = secrets_given(secret_names, stdin)
    document = document_of(file, overrides, {**flags, "type": kind}, secrets)
    emit(kept(session, document, no_check), output, query)


@datastore.command()
@name_argument("datastore", datastore_names)
@click.option("--file", "-f", type=click.Path(path_type=Path), help="Keys to replace, as in a datastore document.")
@document_options
@field_options
@click.option("--no-check", is_flag=True, help="Do not try whether it can be reached and read.")
@output_options
@workspace_option
def update(
    session: Session,
    name: str,
    file: Path | None,
    overrides: tuple[str, ...],
    secret_names: tuple[str, ...],
    stdin: bool,
    no_check: bool,
    output: str | None,
    query: str | None,
    **flags: Any,
) -> None:
    """Change fields or secrets of a datastore. All else stays as it is; other credentials replace those it had.

    \b
    workbench datastore update sales --secret account_key
    workbench datastore update lab --path /data/2026 --set tags.team=vision
    """
    from store.datastores.keeping import whole
    from store.specs.document import Document
    from store.specs.overrides import apply
    from store.specs.reading import load_document
    from workbench.cli.datastore_fields import joined, refuse_secret_overrides

    refuse_secret_overrides(overrides)
    found = registry.get(session.connection, session.layout, name)
    if name in registry.BUILT_IN:
        raise UsageError(f"the datastore {name!r} is the workspace's own and cannot be changed")
    document = Document.of(whole(found, open_vault(session.layout)))
    if file is not None:
        new = load_document(file)
        document = Document(str(file), new.folder, {**document.data, **new.data}, new.entries, new.faults)
        login = {key: value for key, value in (new.data.get("credentials") or {}).items() if value is not None}
        if "credentials" in new.data:
            document.data["credentials"] = joined(found.document.get("credentials"), login, found.type)
    for each in overrides:
        apply(document, each)
    fill(document, flags, secrets_given(secret_names, stdin))
    if document.data.get("name") != name:
        raise UsageError(f"the name of a datastore stays: {name!r}", hint="Create one of the other name.")
    emit(kept(session, document, no_check), output, query)


def kept(session: Session, document: Document, no_check: bool) -> dict[str, Any]:
    """Check a document, and the datastore itself unless that is not wanted; keep it, and show it."""
    from store.datastores.keeping import Draft, keep
    from store.specs.loading import parse

    needed = missing_secrets(document)
    if needed and sys.stdin.isatty():
        document.data["credentials"].update(secrets_given(tuple(needed), False))
    checked = parse(document, "datastore").document()
    connection = session.connection_for_writing()
    registry.refuse_taken(connection, checked["name"], checked["type"])
    if not no_check:
        draft = Draft(checked, open_vault(session.layout, say))
        tell(draft.datastore, draft)
    return shown(keep(session.layout, connection, checked, say))


def tell(found: registry.Datastore, secrets: Any) -> None:
    """Try a datastore, and say what there is to remark. Raises CheckError."""
    from store.datastores.checking import check as try_out
    from store.errors import WorkbenchError

    try:
        remark = try_out(found, secrets)
    except WorkbenchError as error:
        if click.get_current_context().info_name != "check":
            error.hint = f"{error.hint or ''}\n  Nothing was kept; --no-check keeps it without trying.".lstrip()
        raise
    if remark:
        say(remark)


def shown(found: registry.Datastore) -> dict[str, Any]:
    """A datastore as a document, without secrets: those that are in the vault are null. ``login`` says which it is."""
    from store.datastores.credentials import label

    flat = found.flat()
    first = {key: flat.pop(key) for key in ("name", "type")}
    return {**first, **flat, "login": label(found)}


@datastore.command("list")
@output_options
@workspace_option
def list_datastores(session: Session, output: str | None, query: str | None) -> None:
    """List datastores: the workspace's own first, then by name."""
    found = registry.find(session.connection_for_reading(), session.layout)
    emit([shown(each) for each in found], output, query, LIST_COLUMNS)


@datastore.command()
@name_argument("datastore", datastore_names)
@output_options
@workspace_option
def show(session: Session, name: str, output: str | None, query: str | None) -> None:
    """Show a datastore. Its secrets are not told; `login` says how it logs in."""
    emit(shown(registry.get(session.connection_for_reading(), session.layout, name)), output, query)


@datastore.command()
@name_argument("datastore", datastore_names)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@workspace_option
def delete(session: Session, name: str, yes: bool) -> None:
    """Delete a datastore and its secrets. What lies there stays; assets that refer to it lead nowhere."""
    from store.datastores.keeping import remove

    registry.get(session.connection, session.layout, name)
    if not yes and name not in registry.BUILT_IN:
        confirm(f"Delete the datastore {name!r} and its secrets? What lies there stays.")
    remove(session.layout, session.connection_for_writing(), name)
    say(f"deleted {name}")


@datastore.command()
@name_argument("datastore", datastore_names)
@workspace_option
def check(session: Session, name: str) -> None:
    """Try to reach and read a datastore. Says what fails, and what to do.

    \b
    workbench datastore check lab
    """
    tell(registry.get(session.connection_for_reading(), session.layout, name), open_vault(session.layout))
    say(f"{name} can be read")


@datastore.command()
@output_options
def types(output: str | None, query: str | None) -> None:
    """List the types of datastores. With the credentials that each allows, and the extra that brings its library.

    Credentials `identity` stand for the machine's own login: no `credentials` in the document.
    """
    emit([described(kind) for kind in TYPES], output, query, TYPE_COLUMNS)


def described(kind: str) -> Mapping[str, Any]:
    """A type of datastore as a document."""
    from store.datastores.filesystems import EXTRAS, installed
    from store.specs.datastores import MODELS, allowed_credentials

    return {
        "type": kind,
        "description": (MODELS[kind].__doc__ or "").split("\n")[0].rstrip("."),
        "credentials": [model.label for model in allowed_credentials(kind)],
        "extra": EXTRAS[kind][0] if kind in EXTRAS else None,
        "installed": installed(kind),
    }


for command in (datastore_files.ls, datastore_files.download, datastore_files.upload):
    datastore.add_command(command)
