"""``workbench secret``: set, list, delete, move. Values come in by standard input alone, and never out."""

from __future__ import annotations

import sys
from typing import Any

import click

from store.errors import NotFoundError, UsageError
from store.times import timestamp
from store.vault import Secret, open_vault
from workbench.cli.options import Session, Word, name_argument, output_options, workspace_option
from workbench.cli.output import Column, age, emit
from workbench.cli.talk import confirm, say

LIST_COLUMNS: tuple[Column, ...] = ("name", ("set", lambda secret: age(secret["set_time"])))


def names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Names of secrets for shell completion."""
    try:
        session = Session(ctx.params.get("workspace_path") or ctx.find_root().obj)
        return [each.name for each in open_vault(session.layout).own() if each.name.startswith(incomplete)]
    except Exception:  # noqa: BLE001  (an error text in the middle of a completion helps nobody)
        return []


@click.group()
def secret() -> None:
    """Passwords, keys and tokens, by name: ${{secrets.NAME}} in a document.

    They lie encrypted in the workspace, the key apart from it. A job gets those that its `environment_variables` name.
    """


@secret.command("set")
@name_argument("secret", names)
@click.argument("more", nargs=-1, metavar="", type=click.UNPROCESSED)
@click.option("--stdin", is_flag=True, help="Read the value from standard input; one line break at its end is dropped.")
@output_options
@workspace_option
def set_secret(
    session: Session, name: str, more: tuple[str, ...], stdin: bool, output: str | None, query: str | None
) -> None:
    """Keep a secret, in place of one of the same name. On a terminal the value is asked for, and not shown.

    \b
    workbench secret set API_TOKEN
    printf %s "$TOKEN" | workbench secret set API_TOKEN --stdin
    workbench secret set DEPLOY_KEY --stdin < ~/.ssh/id_ed25519
    """
    from store.specs.secrets import check_own_name
    from store.vault.sealing import check_value

    if more:
        raise UsageError(
            "a secret's value is no argument: others can see it in the list of processes, and your shell keeps it",
            hint=f"Run `workbench secret set {name.partition('=')[0]}`, which asks for it, or give it by --stdin. "
            "What was written here is better taken for known.",
        )
    check_own_name(name)
    value = from_stdin() if stdin and not sys.stdin.isatty() else asked_for(name)
    check_value(value)
    session.connection_for_writing()
    vault = open_vault(session.layout, say)
    vault.set(name, value)
    emit(next(shown(each) for each in vault.own() if each.name == name), output, query)


def from_stdin() -> str:
    """The whole of standard input. Raises UsageError for what is no text."""
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        message = "what came on standard input is no text in UTF-8"
        raise UsageError(message, hint="Encode it first, as by `base64`, and have the job decode it.") from None
    return text.removesuffix("\n").removesuffix("\r")


def asked_for(name: str) -> str:
    """What the user types, twice the same. Raises UsageError where there is no terminal to ask."""
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask for the value", hint=f"Give it by standard input: secret set {name} --stdin"
        )
    return str(click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True, err=True))


@secret.command("list")
@output_options
@workspace_option
def list_secrets(session: Session, output: str | None, query: str | None) -> None:
    """List the names of secrets, and when each was set. Those of datastores belong to their datastores.

    \b
    workbench secret list
    workbench secret list -o tsv --query "[].name"
    """
    session.connection_for_reading()
    found = open_vault(session.layout).own()
    if not found:
        say("there are no secrets in this workspace yet: workbench secret set NAME")
    emit([shown(each) for each in found], output, query, LIST_COLUMNS)


@secret.command()
@name_argument("secret", names)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@workspace_option
def delete(session: Session, name: str, yes: bool) -> None:
    """Delete a secret. Jobs that name it, and have not started, fail.

    \b
    workbench secret delete API_TOKEN --yes
    """
    from store.specs.secrets import check_own_name

    check_own_name(name)
    vault = open_vault(session.layout)
    if name not in [each.name for each in vault.own()]:
        raise NotFoundError(f"there is no secret {name!r}", hint="`workbench secret list` shows all.")
    if not yes:
        confirm(f"Delete the secret {name!r}?")
    vault.delete(name)
    say(f"deleted {name}")


@secret.command()
@click.argument("place", type=Word("keyring", "file"))
@workspace_option
def move(session: Session, place: str) -> None:
    """Move the key to all secrets to the keyring or to a file.

    The keyring is the system's, the file one of yours outside of the workspace.

    Where it lies is chosen at the first secret: in the keyring where there is one. A keyring may be closed to those who
    come over SSH; then the file is the better place.

    \b
    workbench secret move file
    workbench secret move keyring
    """
    from store.vault.key_places import words

    session.connection_for_writing()
    vault = open_vault(session.layout, say)
    say(f"the key is in {words(vault.move(place))} now")


def shown(each: Secret) -> dict[str, Any]:
    """A secret as a document."""
    return {"name": each.name, "set_time": timestamp(each.set_at)}
