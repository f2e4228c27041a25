"""``workbench config``: path, show, keys."""

from __future__ import annotations

import os
from typing import Any

import click

from store.errors import DocumentError
from workbench.cli.options import output_options
from workbench.cli.output import emit
from workbench.cli.talk import say
from workbench.configuration.model import SETTINGS
from workbench.configuration.reading import config_file


@click.group()
def config() -> None:
    """The settings of the terminal UI: where they are, what is in force."""


@config.command()
@output_options
def path(output: str | None, query: str | None) -> None:
    """Print where the file of settings is. It need not exist.

    $WORKBENCH_CONFIG, else $XDG_CONFIG_HOME/workbench/config.toml, else ~/.config/workbench/config.toml. Themes of your
    own lie in the folder themes of the same place. Without -o and --query it is the bare path, in a pipe too; with them
    a document with the keys path, exists and themes.
    """
    file = config_file()
    if output is None and query is None:
        click.echo(file)
    else:
        emit({"path": str(file), "exists": file.exists(), "themes": str(file.parent / "themes")}, output, query)
    if not file.exists():
        say("it does not exist: the defaults are in force")


@config.command()
@output_options
def show(output: str | None, query: str | None) -> None:
    """Show every setting in force, and where it comes from.

    That is the default, a line of the file, or an environment variable. What is wrong with the file is told on stderr,
    and the exit code is 2.
    """
    from workbench.tui.settings import check_tables, load_settings
    from workbench.tui.theming import Themes

    themes = Themes()
    loaded = load_settings(themes)
    check_tables(loaded)
    rows = [
        {"key": each.key, "value": written(loaded.value(each)), "source": loaded.sources[each.key]} for each in SETTINGS
    ]
    emit(rows, output, query, ("key", ("value", in_a_line), ("source", shortened)))
    faults = [*loaded.faults, *themes.faults()]
    if faults:
        raise DocumentError(faults)


@config.command()
@output_options
def keys(output: str | None, query: str | None) -> None:
    """List every binding, and the keys in force.

    The table [keys] of the file of settings gives a binding other keys.
    """
    from workbench.tui.keymap import bindings, check_keys
    from workbench.tui.settings import load_settings
    from workbench.tui.theming import Themes

    loaded = load_settings(Themes())
    check_keys(loaded)
    given = loaded.configuration.keys
    rows = [
        {"id": name, "keys": given.get(name, binding.key), "does": binding.description}
        for name, binding in bindings().items()
    ]
    emit(rows, output, query, ("id", "keys", "does"))


def written(value: Any) -> Any:
    """A value as it would be written in the file."""
    if value is None:
        return "auto"
    return list(value) if isinstance(value, tuple) else value


def in_a_line(row: Any) -> str:
    """A value for people."""
    match row["value"]:
        case dict() as table:
            return ", ".join(f"{name} = {text!r}" for name, text in table.items()) or "none"
        case list() as texts:
            return ", ".join(texts) or "none"
        case bool() as truth:
            return str(truth).lower()
        case float() as number:
            return f"{number:g}"
        case value:
            return str(value) or "none"


def shortened(row: Any) -> str:
    """A source, the user's home as ``~``."""
    home = os.path.expanduser("~") + os.sep
    source = str(row["source"])
    return f"~/{source.removeprefix(home)}" if source.startswith(home) else source
