"""``workbench data``: create, list, show, update, archive, restore, delete, label, lineage."""

from __future__ import annotations

import click

from workbench.cli import data_assets
from workbench.cli.data_labels import label
from workbench.cli.data_lineage import lineage
from workbench.cli.data_profile import diff, preview
from workbench.cli.data_watch import list_events, watch


@click.group()
def data() -> None:
    """Data assets: files, folders and tables with a name and versions."""


for command in (*data_assets.COMMANDS, label, lineage):
    data.add_command(command)
data.add_command(preview)
data.add_command(diff)
data.add_command(watch)
data.add_command(list_events)
