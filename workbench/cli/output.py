"""Data on stdout: as a table on a terminal, else as JSON; ``-o`` chooses, ``--query`` narrows."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from store.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 200
"""Columns of a table that goes into a file or a pipe."""

ROOMY = 100
"""From this width on, columns stand two blanks apart, else one."""

SHORT = 12
"""Cells up to this length are never broken, and names and states never at all."""


Column = str | tuple[str, Callable[[Mapping[str, Any]], object]]
"""A key, or a heading and what makes a cell of a row."""


def emit(
    value: Any,
    output: str | None,
    query: str | None = None,
    columns: Sequence[Column] = (),
    *,
    people: Callable[[Any], Any] = lambda value: value,
) -> None:
    """Write a document, or a list of them, to stdout.

    ``columns`` are what a table of a list shows; ``people`` makes of a document what a person wants to see of it.
    """
    if query:
        value, columns, people = narrowed(value, query), (), lambda value: value
    match form(output):
        case "json":
            click.echo(as_json(value))
        case "yaml":
            import yaml

            text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
            click.echo(text.removesuffix("...\n"), nl=False)  # which ends a document that is one bare value
        case "tsv":
            for row in tab_separated(value):
                click.echo(row)
        case _:
            table(people(value), columns)


def form(output: str | None) -> str:
    """The form of the output: as asked for, else a table on a terminal and JSON elsewhere."""
    return output or ("table" if sys.stdout.isatty() else "json")


def as_json(value: Any) -> str:
    """A value as JSON that every parser reads: what is no number there is a text, as in MLflow's REST interface."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(named(value), indent=2, ensure_ascii=False, default=str)


def named(value: Any) -> Any:
    """A value with ``NaN``, ``Infinity`` and ``-Infinity`` as texts."""
    if isinstance(value, Mapping):
        return {key: named(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [named(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def narrowed(value: Any, query: str) -> Any:
    """What a JMESPath expression makes of a value. Raises UsageError for a bad expression."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(query, value)
    except JMESPathError as error:
        raise UsageError(f"--query {query!r}: {error}", hint="The language is described at jmespath.org.") from error


def tab_separated(value: Any) -> list[str]:
    """One line an element, its values between tabs; a text alone is itself, for scripts."""
    rows = value if isinstance(value, list) else [value]
    return ["\t".join(scalar(cell) for cell in cells(row)) for row in rows if row is not None]


def cells(row: Any) -> list[Any]:
    """The values of one element."""
    if isinstance(row, Mapping):
        return list(row.values())
    return row if isinstance(row, list) else [row]


def scalar(value: Any) -> str:
    """A value on one line."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\t", " ").replace("\n", " ")


def table(value: Any, columns: Sequence[Column]) -> None:
    """A list as a table of ``columns``, one document as its keys and values, in plain text when piped."""
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    with console.capture() as captured:
        print_table(console, value, columns)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_table(console: Console, value: Any, columns: Sequence[Column]) -> None:
    """Lay a value out on a console."""
    from rich.table import Table

    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        shown = [(each, key_reader(each)) if isinstance(each, str) else each for each in columns or list(value[0])]
        gap = 1 if console.width < ROOMY else 2
        grid = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
        filled = [(heading, texts) for heading, read in shown if any(texts := [human(read(row)) for row in value])]
        for heading, texts in filled:
            whole = max(map(len, texts)) <= SHORT or heading in ("name", "status")
            grid.add_column(heading, overflow="fold", no_wrap=whole)
        for row in zip(*(texts for _, texts in filled), strict=True):
            grid.add_row(*row)
        console.print(grid)
    elif isinstance(value, Mapping):
        grid = Table(box=None, pad_edge=False, show_header=False)
        grid.add_column(style="bold")
        grid.add_column(overflow="fold")
        for key, entry in value.items():
            if entry not in (None, {}, []):
                grid.add_row(key, human(entry))
        console.print(grid)
    elif isinstance(value, list):
        for entry in value:
            console.print(human(entry), markup=False)
    elif value is not None:
        console.print(human(value), markup=False)


def key_reader(key: str) -> Callable[[Mapping[str, Any]], object]:
    """What reads one key of a row."""
    return lambda row: row.get(key)


def human(value: Any) -> Any:
    """A value as a person reads it; markup in data is shown, not obeyed."""
    from rich.text import Text

    if isinstance(value, Mapping):
        return Text("\n".join(f"{key}: {scalar(entry)}" for key, entry in value.items()))
    if isinstance(value, list):
        return Text("\n".join(scalar(entry) for entry in value))
    if isinstance(value, float):
        return Text(f"{value:.6g}")
    return Text(value.rstrip("\n") if isinstance(value, str) else scalar(value))


def age(timestamp: str | None) -> str:
    """How long ago a time of a document was, in words: ``just now``, ``5 min ago``, ``3 days ago``."""
    if timestamp is None:
        return ""
    passed = max(0, int(time.time() - datetime.fromisoformat(timestamp).timestamp()))
    for unit, length in (("day", 86_400), ("h", 3600), ("min", 60)):
        if passed >= length:
            count = passed // length
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''} ago"
    return "just now"


def duration(seconds: float | None) -> str:
    """A length of time in words: ``0.4 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def size(count: float | None) -> str:
    """A number of bytes in words, in powers of 1024."""
    if count is None:
        return ""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
