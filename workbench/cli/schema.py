"""``workbench schema KIND``: JSON Schema, so that an editor completes and checks while the user types."""

from __future__ import annotations

import json

import click

from workbench.cli.talk import say


def names(_ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Kinds of documents for shell completion."""
    from store.specs.loading import kinds

    return [kind for kind in kinds() if kind.startswith(incomplete)]


@click.command()
@click.argument("kind", required=False, shell_complete=names)
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
