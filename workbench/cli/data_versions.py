"""How commands name versions of data assets."""

from __future__ import annotations

from typing import Any

import click

from store.data import assets
from store.data.assets import DataVersion
from store.errors import UsageError
from workbench.cli.options import Session, stored_names

data_names = stored_names(
    "SELECT DISTINCT name FROM data WHERE substr(name, 1, :length) = :beginning ORDER BY name LIMIT 50"
)


def version_options(command: Any) -> Any:
    """Give a command ``--version`` and ``--label``."""
    command = click.option("--label", "-l", help="The version with this label; `latest` is the one made last.")(command)
    return click.option("--version", "-v", help="The version.")(command)


def reference(name: str, version: str | None, label: str | None) -> tuple[str, str | None, str | None]:
    """Name, version and label of ``churn``, ``churn:2``, ``churn@label``, ``azureml:churn:2`` or of the options."""
    from store.specs.references import AssetReference
    from store.uris import take_apart

    found = take_apart(name if name.startswith("azureml:") else f"azureml:{name}")
    if not isinstance(found, AssetReference):
        raise UsageError(f"{name!r} is no name of a data asset", hint="Write NAME, NAME:VERSION or NAME@LABEL.")
    given = [each for each in (found.version, found.label, version, label) if each]
    if len(given) > 1:
        raise UsageError(f"two versions were given: {given[0]!r} and {given[1]!r}", hint="Give one.")
    return found.name, version or found.version, label or found.label


def the_version(session: Session, name: str, version: str | None, label: str | None) -> DataVersion:
    """The version that a command means."""
    return assets.get(session.connection, *reference(name, version, label))
