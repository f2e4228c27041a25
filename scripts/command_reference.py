"""Print docs/commands.md, every command with its options, from the commands themselves.

.venv/bin/python scripts/command_reference.py > docs/commands.md
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from workbench.cli.main import cli
from workbench.cli.options import Word

SHARED = {"workspace_path": "--workspace", "output": "--output", "query": "--query"}
"""Options of many commands, told once."""

HEAD = """# Commands

What is printed where, and which exit codes there are, is said in the [README](../README.md#commands). This page is made
by `scripts/command_reference.py`. Options that many commands take:

| option | what it does |
|---|---|
| `--workspace`, `-w PATH` | The workspace to work in, also before the command's name. |
| `--output`, `-o table\\|json\\|yaml\\|tsv` | How to print. Default: a table on a terminal, else JSON. |
| `--query JMESPATH` | Narrow what is printed (jmespath.org). |
| `--name`, `-n NAME` | The same as `NAME` as a word. |
| `--help`, `-h` | Every command has it. |
"""


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command, click.Context]]:
    """A command and all below it: its name in full, itself, its context."""
    context = click.Context(command, info_name=path[-1])
    yield " ".join(path), command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None, name
            yield from walk(below, (*path, name))


def section(name: str, command: click.Command, context: click.Context) -> str:
    """What the page says of one command."""
    parameters = command.get_params(context)
    words = [argument(each) for each in parameters if isinstance(each, click.Argument)]
    options = [each for each in parameters if isinstance(each, click.Option)]
    rows = [row(each) for each in options if not told_elsewhere(each)]
    lines = [
        "##" + "#" * max(0, name.count(" ") - 1) + f" `{' '.join([name, *words])}`",
        "",
        *prose(inspect.cleandoc(command.help or "")),
    ]
    if rows:
        lines += ["", "| option | what it does |", "|---|---|", *rows]
    if also := [f"`{SHARED[each.name]}`" for each in options if each.name in SHARED]:
        lines += ["", f"Also {', '.join(also)}."]
    return "\n".join([*lines, ""])


def told_elsewhere(option: click.Option) -> bool:
    """Whether the head of the page says it."""
    return option.hidden or option.name in SHARED or option.name == "name_option" or "--help" in option.opts


def prose(text: str) -> Iterator[str]:
    """A help text as Markdown; the paragraphs that click is told not to fill are examples."""
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ""
        if paragraph.startswith("\b\n"):
            yield from ("```text", paragraph.removeprefix("\b\n"), "```")
        else:
            yield paragraph


def argument(parameter: click.Argument) -> str:
    """How an argument is written."""
    if parameter.metavar:
        return parameter.metavar
    word = choices(parameter) or (parameter.name or "").upper()
    return word if parameter.required else f"[{word}]"


def row(option: click.Option) -> str:
    """One line of the table of options."""
    value = option.metavar or choices(option) or ("N" if "integer" in option.type.name else option.type.name.upper())
    names = "`, `".join([*option.opts, *option.secondary_opts])
    notes = [option.help or "", "Required." if option.required else ""]
    notes.append(f"Default: {option.default}." if option.show_default else "")
    return (
        f"| {cell(f'`{names}`' if option.is_flag else f'`{names} {value}`')} | {cell(' '.join(filter(None, notes)))} |"
    )


def choices(parameter: click.Parameter) -> str:
    """The words that a parameter may be."""
    match parameter.type:
        case Word(words=words) | click.Choice(choices=words):
            return "|".join(words)
    return ""


def cell(text: str) -> str:
    """A text inside a table."""
    return text.replace("|", "\\|")


def reference() -> str:
    """The page."""
    return "\n".join([HEAD, *(section(*each) for each in walk(cli, ("workbench",)))])


if __name__ == "__main__":
    print(reference(), end="")
