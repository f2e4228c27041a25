"""``workbench data lineage``: which job made a version, and what used it."""

from __future__ import annotations

from typing import Any

import click

from store.data.assets import DataVersion
from workbench.cli.data_versions import data_names, the_version, version_options
from workbench.cli.options import Session, name_argument, output_options, workspace_option
from workbench.cli.output import emit

LAST_USES = 10


def use_line(each: dict[str, Any]) -> str:
    """A use in a phrase."""
    return f"{each['kind']} {each['user']}, input {each['input']}"


def used_by(session: Session, found: DataVersion) -> list[dict[str, Any]]:
    """The last that used a version; `data lineage` has all."""
    from store.data import uses

    return [each.flat() for each in uses.of_version(session.connection, found)[:LAST_USES]]


@click.command()
@name_argument("data asset", data_names)
@version_options
@output_options
@workspace_option
def lineage(
    session: Session, name: str, version: str | None, label: str | None, output: str | None, query: str | None
) -> None:
    """Show which job made a version, and what used it.

    \b
    workbench data lineage churn:2
    workbench data lineage churn@approved --query 'used_by[].user'
    """
    from store.data import uses

    found = the_version(session, name, version, label)
    made = {"job": found.job_name, "output": found.job_output} if found.job_name else None
    used = [each.flat() for each in uses.of_version(session.connection, found)]
    document = {"data": str(found), "path": found.path, "made_by": made, "used_by": used}
    emit(document, output, query, people=told)


def told(document: dict[str, Any]) -> dict[str, Any]:
    """Lineage as a person reads it."""
    made = document["made_by"]
    return {
        "data": document["data"],
        "path": document["path"],
        "made by": f"job {made['job']}, output {made['output']}" if made else None,
        "used by": [use_line(each) for each in document["used_by"]],
    }
