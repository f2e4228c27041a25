"""Profiles and rows drawn in a terminal: blocks for histograms, or signs of ASCII where blocks cannot be written."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from store.tabular import wording

if TYPE_CHECKING:
    from store.tabular.drift import ColumnDrift, Difference
    from store.tabular.profile import ColumnProfile, Profile

BLOCKS = " ▁▂▃▄▅▆▇█"
SIGNS = " .:-=+*#@"
CELL = 24
"""No cell of a preview is wider."""


def width() -> int:
    """Columns to draw in; 80 where there is no terminal."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80


def blocks() -> str:
    """The bars that the output can show, from nothing to full."""
    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return SIGNS
    return BLOCKS


def drawn(profile: Profile, name: str, columns: int) -> Iterator[str]:
    """The lines of a profile, each within the width."""
    levels = blocks()
    yield cut(f"{name}: {profile.rows:,} rows, {len(profile.columns)} columns", columns)
    for column in profile.columns:
        yield ""
        for line in _column(column, levels):
            yield cut(line, columns)
        for warning in profile.warnings:
            if warning.column == column.name:
                yield cut(f"  ! {warning.kind.replace('_', ' ')}: {warning.text}", columns)
    if wording.has_estimates(profile.columns):
        yield ""
        yield cut(wording.ESTIMATES, columns)


def _column(column: ColumnProfile, levels: str) -> Iterator[str]:
    facts = [f"{column.name}  {column.type}", f"missing {wording.missing(column)}"]
    if (distinct := wording.distinct(column)) is not None:
        facts.append(f"distinct {distinct}")
    if column.infinite:
        facts.append(f"infinite {column.infinite:,}")
    yield ", ".join(facts)
    if column.histogram is not None:
        about = "" if column.histogram.exact else "~"
        low, high = brief(column.min), brief(column.max)
        yield f"  {low} [{wording.bars(column.histogram.counts, levels)}] {high} {about}".rstrip()
    if (middle := wording.quartiles(column, brief)) is not None:
        deviation = f", std {brief(column.std)}" if column.std is not None else ""
        yield f"  mean {brief(column.mean)}{deviation}, quartiles {middle}"
    if wording.is_told_by_values(column):
        yield "  " + ", ".join(f"{value} {share}" for value, share, _ in wording.shares(column, brief))
    elif column.kind in ("text", "bytes") and column.min is not None:
        yield f"  {brief(column.min)} ... {brief(column.max)}"


def brief(value: Any) -> str:
    """A value in little room."""
    return cut(wording.plain(value), CELL)


def cut(text: str, columns: int) -> str:
    """A text that is not wider than so many columns of the terminal, in signs that can be written there."""
    from rich.cells import cell_len, set_cell_size

    if blocks() is SIGNS:
        text = text.encode("ascii", "backslashreplace").decode()
    text = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)
    if cell_len(text) <= columns:
        return text
    dots = "…" if blocks() is BLOCKS else "..."
    return set_cell_size(text, max(0, columns - len(dots))).rstrip() + dots


def fitted(table: Any, columns: int) -> Iterator[str]:
    """The rows of an Arrow table as lines: the columns that fit, then how many more there are."""
    from rich.cells import cell_len

    shown: list[list[str]] = []
    numeric: list[bool] = []
    used = 0
    for name, values in zip(table.column_names, table.columns, strict=True):
        cells = [cut(name, CELL), *(cut(wording.cell_text(value), CELL) for value in values.to_pylist())]
        wide = max(map(cell_len, cells))
        if shown and used + 2 + wide > columns:
            break
        used += wide + (2 if shown else 0)
        shown.append(cells)
        numeric.append(any(sign in str(values.type) for sign in ("int", "float", "double", "decimal")))
    widths = [max(map(cell_len, cells)) for cells in shown]
    for row in zip(*shown, strict=True):
        padded = [
            " " * (wide - cell_len(cell)) + cell if right else cell + " " * (wide - cell_len(cell))
            for cell, wide, right in zip(row, widths, numeric, strict=True)
        ]
        yield cut("  ".join(padded).rstrip(), columns)
    hidden = table.column_names[len(shown) :]
    if not table.num_rows:
        yield "(no rows)"
    if hidden:
        yield cut(f"and {len(hidden)} more column{'s' if len(hidden) > 1 else ''}: {', '.join(hidden)}", columns)


def difference(found: Difference, before: str, after: str, columns: int) -> Iterator[str]:
    """The lines of a comparison, each within the width."""
    yield cut(f"{before} ({found.rows_before:,} rows) -> {after} ({found.rows_after:,} rows)", columns)
    yield from (cut(f"  + {name}  added", columns) for name in found.added)
    yield from (cut(f"  - {name}  removed", columns) for name in found.removed)
    yield from (cut(f"  ~ {each.name}  {each.before} -> {each.after}", columns) for each in found.types)
    if not found.columns:
        yield "They have no column in common."
        return
    yield ""
    heading = ("column", "drift", "PSI", "KS", "p", "JS", "missing")
    rows = [heading, *(_drift_row(each) for each in found.columns)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(heading))]
    for row in rows:
        cells = [row[0] + " " * (widths[0] - _cells(row[0])), row[1].ljust(widths[1])]
        cells += [cell.rjust(wide) for cell, wide in zip(row[2:], widths[2:], strict=True)]
        yield cut("  ".join(cells).rstrip(), columns)
    yield from (cut(f"  {each.name}: {each.note}", columns) for each in found.columns if each.note)
    if not all(each.exact for each in found.columns):
        yield cut("* from sketches: PSI and KS are within about 0.005.", columns)


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _drift_row(each: ColumnDrift) -> tuple[str, ...]:
    figures = ("" if value is None else f"{value:.3f}" for value in (each.psi, each.ks, each.p, each.js))
    missing = f"{each.missing_before:.1%} -> {each.missing_after:.1%}"
    shown = missing if each.missing_before or each.missing_after else ""
    return (brief(each.name), each.level + ("" if each.exact else " *"), *figures, shown)
