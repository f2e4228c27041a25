"""``workbench completion SHELL``: the completion script of bash, zsh or fish."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of your shell.

    \b
    bash:  eval "$(workbench completion bash)"      in ~/.bashrc
    zsh:   eval "$(workbench completion zsh)"       in ~/.zshrc, after compinit
    fish:  workbench completion fish | source       in ~/.config/fish/config.fish
    """
    from workbench.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  (the choice above names what click has)
    click.echo(kind(cli, {}, "workbench", "_WORKBENCH_COMPLETE").source())
