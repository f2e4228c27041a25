"""The columns of a list of jobs: what each says, and which give way where there is little room."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from store.job_pages import JobRow
from workbench.tui.glyphs import Glyphs

Metric = tuple[str, float] | None


@dataclass(frozen=True, slots=True)
class Column:
    """``weight`` shares out what is left of a line; a higher ``keep`` stays longer when it is narrow."""

    name: str
    title: str
    text: Callable[[JobRow, Metric], str]
    least: int
    most: int
    keep: int
    sort: str = ""
    right: bool = False


def metric_text(metric: Metric) -> str:
    """A metric's value and name."""
    if metric is None:
        return ""
    name, value = metric
    return f"{number(value)} {name}"


def broken(row: JobRow) -> str:
    """What of a job cannot be read."""
    return f"! broken: {row.unreadable}" if row.unreadable else ""


def number(value: float) -> str:
    """A metric's value in few signs."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:.0f}"
    return f"{value:.2e}"


def elapsed(seconds: float | None, *, running: bool = False) -> str:
    """A length of time in two units; of what still runs in steps that do not tick."""
    if seconds is None:
        return ""
    if running and seconds < 60:
        return f"{int(seconds) // 10 * 10}s+"
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f}s" if whole < 10 else f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m" if running else f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def age(then: float, now: float | None = None) -> str:
    """How long ago, in one unit of a minute at least."""
    passed = max(0.0, (now if now is not None else time.time()) - then)
    if passed < 60:
        return "now"
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if passed >= length:
            return f"{int(passed // length)}{unit}"
    return "now"


def duration(row: JobRow) -> str:
    """How long a job ran."""
    return elapsed(row.seconds, running=row.ended_at is None)


COLUMNS = (
    Column("name", "Name", lambda row, _: row.display_name or row.name, 16, 40, 9, "name"),
    Column("experiment", "Experiment", lambda row, _: row.experiment_name, 10, 24, 5, "experiment"),
    Column("metric", "Metric", lambda row, metric: broken(row) or metric_text(metric), 18, 28, 7, "metric"),
    Column("type", "Kind", lambda row, _: row.type, 7, 10, 1, "type"),
    Column("compute", "Compute", lambda row, _: row.compute, 7, 16, 2, "compute"),
    Column("duration", "Duration", lambda row, _: duration(row), 9, 9, 6, "duration", right=True),
    Column("age", "Age", lambda row, _: age(row.created_at), 4, 4, 4, "created", right=True),
)
STATE_WIDTH = 12
GAP = 1


def needed(rows: Iterable[JobRow], metrics: Mapping[str, tuple[str, float]]) -> dict[str, int]:
    """The cells that the widest text of each column takes, up to what the column may have."""
    growing = [column for column in COLUMNS if column.least < column.most]
    found = {column.name: 0 for column in growing}
    for row in rows:
        for column in growing:
            text = column.text(row, metrics.get(row.name))
            indent = 2 if column.name == "name" and row.parent_job_name else 0
            cells = min(column.most, (len(text) if text.isascii() else cell_len(text)) + indent)
            if cells > found[column.name]:
                found[column.name] = cells
    return found


def chosen(
    width: int, columns: Sequence[Column] = COLUMNS, needs: Mapping[str, int] | None = None
) -> list[tuple[Column, int]]:
    """The columns that fit into a width, with the width of each: first as wide as its texts, then as it may be."""
    kept = list(columns)
    while len(kept) > 1 and sum(each.least + GAP for each in kept) > width:
        kept.remove(min(kept, key=lambda each: each.keep))
    told = {each.name: max((needs or {}).get(each.name, each.least), len(each.title) + 1) for each in kept}
    widths = {each.name: min(each.least, max(1, width - GAP), told[each.name]) for each in kept}
    left = width - sum(widths.values()) - GAP * len(kept)
    for most in (
        {each.name: min(each.most, told[each.name]) for each in kept},
        {each.name: each.most for each in kept},
    ):
        while left > 0 and (growing := [each for each in kept if widths[each.name] < most[each.name]]):
            for each in sorted(growing, key=lambda each: -each.keep)[:left]:
                widths[each.name] += 1
                left -= 1
    return [(each, widths[each.name]) for each in kept]


def cell(text: str, width: int, signs: Glyphs, *, right: bool = False) -> str:
    """A text in exactly so many cells: control characters shown as such, too long ones cut with a sign."""
    clean = "".join(character if character.isprintable() else "·" if signs.unicode else "?" for character in text)
    length = cell_len(clean)
    if length > width:
        return set_cell_size(clean, max(0, width - 1)) + signs.ellipsis if width else ""
    blanks = " " * (width - length)
    return blanks + clean if right else clean + blanks
