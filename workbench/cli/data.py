"""``workbench data``: create, list, show, update, archive, restore, delete, label, lineage."""

from __future__ import annotations

import click


@click.group()
def data() -> None:
    """Data assets: files, folders and tables with a name and versions."""
