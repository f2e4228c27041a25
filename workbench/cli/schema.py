"""``workbench schema KIND``: JSON Schema, so that an editor completes and checks while the user types."""

from __future__ import annotations

import json

import click

from workbench.cli.options import say


@click.command()
@click.argument("kind", required=False)
def schema(kind: str | None) -> None:
    """Print the JSON Schema of a kind of document; without KIND, list the kinds.

    \b
    workbench schema job.command > command-job.schema.json
    # then, as the first line of a job document:
    # yaml-language-server: $schema=command-job.schema.json
    """
    from store.specs.json_schema import json_schema, kinds

    if kind is None:
        say("kinds of documents:")
        for each in kinds():
            click.echo(each)
        return
    click.echo(json.dumps(json_schema(kind), indent=2))
