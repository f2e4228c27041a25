"""``workbench data label``: set, remove."""

from __future__ import annotations

import click

from store.data import assets
from store.errors import UsageError
from workbench.cli.data_versions import data_names, reference, the_version
from workbench.cli.options import Session, workspace_option
from workbench.cli.talk import say


@click.group()
def label() -> None:
    """Labels of one's own on versions: azureml:churn@approved. `latest` is always the version that was made last."""


@label.command("set")
@click.argument("name", metavar="NAME:VERSION", shell_complete=data_names)
@click.argument("text", metavar="LABEL")
@workspace_option
def set_label(session: Session, name: str, text: str) -> None:
    """Put a label on a version, taking it from any other.

    \b
    workbench data label set churn:2 approved
    """
    from store.specs.references import AssetReference
    from store.uris import take_apart

    session.connection_for_writing()
    found = the_version(session, name, None, None)
    if take_apart(f"azureml:{found.name}@{text}") != AssetReference(found.name, label=text):
        raise UsageError(f"{text!r} cannot be a label")
    assets.label(session.connection, found.name, text, found.version)
    say(f"azureml:{found.name}@{text} is version {found.version} now")


@label.command("remove")
@click.argument("name", metavar="NAME@LABEL", shell_complete=data_names)
@workspace_option
def remove_label(session: Session, name: str) -> None:
    """Take a label away; the version stays.

    \b
    workbench data label remove churn@approved
    """
    asset, _, text = reference(name, None, None)
    if text is None:
        raise UsageError(f"which label of {asset!r}?", hint=f"Write {asset}@LABEL.")
    session.connection_for_writing()
    assets.get(session.connection, asset, None, text)
    assets.label(session.connection, asset, text, None)
    say(f"removed {asset}@{text}")
