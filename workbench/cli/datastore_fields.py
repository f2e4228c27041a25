"""The document of a datastore from flags: each field of each type by its name, and secrets by other ways alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from store.errors import UsageError

if TYPE_CHECKING:
    from store.specs.document import Document

Command = TypeVar("Command", bound=Callable[..., Any])

FIELDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "description": ((), "What lies there."),
    "account_name": (("--account",), "The storage account (azure_blob, azure_file, azure_data_lake_gen2)."),
    "container_name": (("--container",), "The container (azure_blob)."),
    "file_share_name": (("--file-share",), "The share (azure_file)."),
    "filesystem": ((), "The file system (azure_data_lake_gen2)."),
    "store_name": ((), "The store (azure_data_lake_gen1)."),
    "one_lake_workspace_name": ((), "The workspace of Fabric (one_lake)."),
    "artifact": ((), "The lakehouse (one_lake)."),
    "endpoint": ((), "The end of the host names (Azure), or the host (one_lake)."),
    "protocol": ((), "https or http (Azure)."),
    "host": ((), "The machine (sftp, smb)."),
    "port": ((), "The port (sftp, smb)."),
    "share": ((), "The share (smb)."),
    "domain": ((), "The domain of the user (smb)."),
    "path": ((), "The folder (local, sftp, smb, dbfs)."),
    "known_hosts": ((), "The file of known host keys (sftp)."),
    "bucket": ((), "The bucket (s3)."),
    "prefix": ((), "What all paths begin with (s3)."),
    "endpoint_url": ((), "The server's address (s3, webdav)."),
    "region": ((), "The region (s3)."),
    "profile": ((), "The profile of ~/.aws (s3)."),
    "workspace_url": ((), "The Databricks workspace (dbfs)."),
    "database_url": ((), "SQLAlchemy's URL, without a password (sql)."),
    "username": ((), "Who logs in (sftp, smb, webdav, sql)."),
    "access_key_id": ((), "The id of the access key (s3)."),
    "tenant_id": ((), "The tenant of the service principal (Azure)."),
    "client_id": ((), "The service principal (Azure)."),
    "thumbprint": ((), "The certificate's thumbprint (Azure)."),
    "authority_url": ((), "Where the service principal logs in (Azure)."),
    "resource_url": ((), "What the service principal logs in for (Azure)."),
}
"""Every field that a flag gives: further spellings of the flag, and its help."""


def flag(field: str) -> str:
    """The flag of a field."""
    return "--" + field.replace("_", "-")


def field_options(command: Command) -> Command:
    """Give a command a flag per field of every type, and the ways that secrets come in."""
    for field, (spellings, text) in reversed(list(FIELDS.items())):
        kind = click.IntRange(1, 65535) if field == "port" else None
        command = click.option(flag(field), *spellings, field, type=kind, help=text)(command)
    command = click.option(
        "--stdin", is_flag=True, help="Read the secret from standard input; one line break at its end is dropped."
    )(command)
    return click.option(
        "--secret",
        "secret_names",
        multiple=True,
        metavar="FIELD",
        help="A secret to give, such as account_key, password or private_key: asked for, or by --stdin.",
    )(command)


def secrets_given(names: tuple[str, ...], stdin: bool) -> dict[str, str]:
    """The secrets that the user gives now, by field. Raises UsageError where they are written as arguments."""
    from workbench.cli.secret import asked_for, from_stdin

    for name in names:
        if "=" in name:
            raise UsageError(
                "a secret is no argument: others can see it in the list of processes, and your shell keeps it",
                hint=f"Write --secret {name.partition('=')[0]}, which asks for it, or add --stdin. "
                "What was written here is better taken for known.",
            )
    if stdin and len(names) != 1:
        raise UsageError("--stdin gives one secret: name it with --secret FIELD", hint="Others stand in a document.")
    return {name: from_stdin() if stdin and not sys.stdin.isatty() else asked_for(name) for name in names}


def refuse_secret_overrides(overrides: Iterable[str]) -> None:
    """Raises UsageError for ``--set credentials.FIELD=VALUE`` where that is a secret; one of the vault may be named."""
    from store.specs import credentials
    from store.specs.secrets import stands_for_secret

    models = credentials.Credentials.__subclasses__()
    fields = {field for model in models for field in model.secrets}
    for each in overrides:
        path, _, value = each.partition("=")
        last = path.strip().rpartition(".")[2].strip("[]\"' ")
        whole = path.strip() == "credentials"
        if (whole and any(field in value for field in fields)) or (last in fields and not stands_for_secret(value)):
            raise UsageError(
                f"--set {path} would have a secret in the list of processes and in your shell's history",
                hint="Write --secret FIELD, or name one of the vault: --set credentials.FIELD='${{secrets.NAME}}'",
            )


def document_of(
    file: Path | None, overrides: tuple[str, ...], flags: Mapping[str, Any], secrets: Mapping[str, str]
) -> Document:
    """The document of a file, overrides, flags and secrets, in this order."""
    from store.specs.document import Document
    from store.specs.overrides import apply
    from store.specs.reading import load_document

    refuse_secret_overrides(overrides)
    if file is not None:
        document = load_document(file, overrides, "datastore")
    else:
        document = Document.of({})
        if kind := flags.get("type"):
            document.set_flag("type", kind)
        for each in overrides:
            apply(document, each)
    fill(document, flags, secrets)
    return document


def fill(document: Document, flags: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    """Put flags and secrets into a document, each where its type has it. Raises UsageError for one it has nowhere."""
    from store.specs.datastores import MODELS, allowed_credentials
    from store.specs.loading import kind_of

    for key in ("name", "type"):
        if flags.get(key):
            document.set_flag(key, flags[key])
    kind = kind_of(document, "datastore").partition(".")[2]
    own, models = MODELS[kind].model_fields, allowed_credentials(kind)
    login = dict[str, Any]()
    for field, value in {**flags, **secrets}.items():
        if field in ("name", "type") or value is None:
            continue
        is_login = any(field in model.model_fields for model in models)
        if is_login and (secrets or field not in own):
            login[field] = value
        elif field in own:
            document.set_flag(field, {"name": value} if field == "artifact" else value)
        else:
            there = [flag(each) for each in FIELDS if each in own or any(each in m.model_fields for m in models)]
            given = f"secret {field}" if field in secrets else flag(field)
            hidden = sorted({each for model in models for each in model.secrets})
            raise UsageError(
                f"a datastore of type {kind} has no {given}",
                hint=f"It has {', '.join(there)}" + (f"; secret: {', '.join(hidden)}." if hidden else "."),
            )
    if login:
        document.data["credentials"] = joined(document.data.get("credentials"), login, kind)


def joined(before: Any, login: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Credentials with others put into them; those that no login has together with the new ones are dropped."""
    from store.specs.datastores import allowed_credentials

    old = dict(before) if isinstance(before, Mapping) else {}
    fitting = [model for model in allowed_credentials(kind) if login.keys() <= model.model_fields.keys()]
    if any(old.keys() <= model.model_fields.keys() for model in fitting) or not fitting:
        return {**old, **login}
    kept = max((old.keys() & model.model_fields.keys() for model in fitting), key=len)
    return {**{field: old[field] for field in kept}, **login}


def missing_secrets(document: Document) -> list[str]:
    """The secrets that the credentials of a document still need, as far as flags began them."""
    from store.specs.datastores import allowed_credentials
    from store.specs.loading import kind_of

    given = document.data.get("credentials")
    if not isinstance(given, Mapping) or not given:
        return []
    models = allowed_credentials(kind_of(document, "datastore").partition(".")[2])
    if not models:
        return []
    model = max(models, key=lambda each: len(given.keys() & each.model_fields.keys()))
    return [field for field in model.secrets if model.model_fields[field].is_required() and not given.get(field)]
