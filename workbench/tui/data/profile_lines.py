"""How a profile is drawn: a line for each column, and one of them at length. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from store.tabular import wording
from workbench.tui.glyphs import Glyphs
from workbench.tui.home_lines import bar
from workbench.tui.job_columns import cell
from workbench.tui.widgets.line_list import Line
from workbench.tui.widgets.text_pane import Line as PaneLine

if TYPE_CHECKING:
    from store.tabular.profile import ColumnProfile, Histogram, Profile, Warning

BRIEF = 24
"""A value in a sentence is no wider."""
HEIGHT = 6
"""Lines of a histogram drawn at length."""
FIGURES, SIDE_BY_SIDE = 40, 70
"""What figures take beside a histogram, and from which width on it stands there."""
BAR = 16
KIND, MISSING, DISTINCT = 8, 7, 8


class Column:
    """A column of a profile with its warnings."""

    def __init__(self, profile: ColumnProfile, warnings: Sequence[Warning]) -> None:
        self.profile = profile
        self.warnings = tuple(warnings)


def columns_of(profile: Profile) -> list[Column]:
    """The columns in their order, each with what is to be said of it."""
    return [
        Column(column, [each for each in profile.warnings if each.column == column.name]) for column in profile.columns
    ]


def summary(profile: Profile) -> str:
    """How large the table is, and how much is to be looked at."""
    warned = len({each.column for each in profile.warnings})
    columns = f"{len(profile.columns):,} column{'' if len(profile.columns) == 1 else 's'}"
    told = f"{profile.rows:,} row{'' if profile.rows == 1 else 's'}, {columns}"
    return f"{told}, {warned} with a warning" if warned else told


def brief(signs: Glyphs, width: int = BRIEF) -> wording.Brief:
    """How a value is told in a width."""

    def told(value: object) -> str:
        text = wording.plain(value).removesuffix("T00:00:00")
        return text if cell_len(text) <= width else cell(text, width, signs)

    return told


# -- a line for each column ---------------------------------------------------------------------------------------


def _widths(width: int) -> tuple[int, int, int, int]:
    """Of the name, the type, the bars and the sentence: what comes later in this list gives way first, and the bars."""
    left = max(10, width - 2 - MISSING - DISTINCT - 3)
    bars = 21 if left >= 33 else 0
    kind = KIND if left - bars >= 20 else 0
    left -= bars + kind
    told = max(0, left - 14) if left < 30 else left * 5 // 10
    return left - told, kind, bars, told


def profile_head(width: int, signs: Glyphs) -> Line:
    """The titles of the columns."""
    name, kind, bars, told = _widths(width)
    titles = [f"  {cell('Column', name, signs)} "]
    titles += [cell("Type", kind, signs)] if kind else []
    titles += [f"{'Missing':>{MISSING}} {'Distinct':>{DISTINCT}} "]
    titles += [cell("Histogram", bars, signs)] if bars else []
    return (("".join([*titles, cell("Range, or most often", told, signs)]), "muted"),)


def profile_line(value: Column, width: int, signs: Glyphs) -> list[Line]:
    """Name, type, missing values, different ones, the histogram, and what it ranges over."""
    column = value.profile
    name, kind, bars, told = _widths(width)
    mark = ("! ", "warning") if value.warnings else ("  ", "")
    share = f"{column.missing / column.rows:.1%}" if column.missing and column.rows else signs.bullet
    heavy = bool(column.rows) and column.missing / column.rows > 0.5
    drawn = sparkline(column, signs)
    return [
        (
            mark,
            (f"{cell(column.name, name, signs)} ", ""),
            *([(cell(column.type.partition("[")[0], kind - 1, signs) + " ", "muted")] if kind else []),
            (f"{share:>{MISSING}} ", "warning" if heavy else "muted" if not column.missing else ""),
            (f"{wording.distinct(column) or '':>{DISTINCT}} ", ""),
            *([(cell(drawn, bars - 1, signs) + " ", "accent")] if bars else []),
            (cell(range_of(column, signs), told, signs), "muted"),
        )
    ]


def sparkline(column: ColumnProfile, signs: Glyphs) -> str:
    """A column in one line: its histogram, else the values that come most often, the first the most."""
    if column.histogram is not None:
        return wording.bars(column.histogram.counts, " " + signs.bars)
    often = [each.count for each in column.top] if wording.is_told_by_values(column) else []
    return wording.bars(often, " " + signs.bars)


def range_of(column: ColumnProfile, signs: Glyphs) -> str:
    """What a column ranges over, in few words."""
    told = brief(signs, 16)
    if wording.is_told_by_values(column):
        return ", ".join(f"{value} {share}" for value, share, _ in wording.shares(column, told))
    if column.min is None:
        return ""
    dots = "…" if signs.unicode else "..."
    return f"{told(column.min)} {dots} {told(column.max)}"


# -- one column at length -----------------------------------------------------------------------------------------


def detail(value: Column, width: int, signs: Glyphs) -> list[PaneLine]:
    """All that is known of a column: warnings first, then figures, histogram and the values that come most often.

    Figures and histogram stand side by side where there is room.
    """
    column, told = value.profile, brief(signs)
    lines: list[PaneLine] = [[(column.name, "heading"), (f"  {column.type}", "muted")]]
    lines += [[(f"! {each.kind.replace('_', ' ')}: {each.text}", "warning")] for each in value.warnings]
    figures: list[PaneLine] = [[(f"{title:<10}", "muted"), (text, "")] for title, text in _figures(column, told)]
    histogram = column.histogram if column.histogram is not None and len(column.histogram.counts) > 1 else None
    if histogram is None:
        lines += [[("", "")], *figures]
    elif width >= SIDE_BY_SIDE:
        lines += _beside(figures, tall(histogram, width - FIGURES, signs))
    else:
        lines += [[("", "")], *figures, [("", "")], *tall(histogram, width, signs)]
    if wording.is_told_by_values(column):
        lines += [[("", "")], *_often(column, width, signs)]
    if wording.has_estimates([column]):
        lines += [[("", "")], [(wording.ESTIMATES, "muted")]]
    return lines


def _beside(left: list[PaneLine], right: list[PaneLine]) -> list[PaneLine]:
    """Two blocks of lines, the right one where all of the left one has room."""
    lines: list[PaneLine] = []
    for number in range(max(len(left), len(right))):
        first = left[number] if number < len(left) else []
        room = FIGURES - sum(cell_len(text) for text, _ in first)
        lines.append([*first, (" " * room, ""), *(right[number] if number < len(right) else [])])
    return lines


def _figures(column: ColumnProfile, told: wording.Brief) -> list[tuple[str, str]]:
    found: list[tuple[str, str | None]] = [
        ("missing", wording.missing(column)),
        ("distinct", wording.distinct(column)),
        ("infinite", f"{column.infinite:,}" if column.infinite else None),
        ("range", f"{told(column.min)} to {told(column.max)}" if column.min is not None else None),
        ("mean", told(column.mean) if column.mean is not None else None),
        ("std", told(column.std) if column.std is not None else None),
        ("quartiles", wording.quartiles(column, told)),
    ]
    if column.quantiles is not None:
        found.append(("1%, 99%", f"{told(column.quantiles['0.01'])}, {told(column.quantiles['0.99'])}"))
    return [(title, text) for title, text in found if text]


def _often(column: ColumnProfile, width: int, signs: Glyphs) -> list[PaneLine]:
    shares = wording.shares(column, brief(signs, max(8, min(BRIEF, width - BAR - 10))), most=10)
    widest = max(cell_len(value) for value, _, _ in shares)
    lines: list[PaneLine] = [[("what comes most often", "muted")]]
    for value, told, share in shares:
        drawn = bar(share, BAR, signs)
        lines.append([(cell(value, widest, signs), ""), (f" {drawn} ", "number"), (told, "muted")])
    return lines


def tall(histogram: Histogram, width: int, signs: Glyphs, height: int = HEIGHT) -> list[PaneLine]:
    """A histogram of some lines, with its largest count and its edges."""
    counts = histogram.counts
    most = max(counts, default=0)
    count = f"{'' if histogram.exact else '~'}{most:,}"
    each = max(1, min(4, (width - len(count) - 2) // max(1, len(counts))))
    levels = " " + signs.bars
    lines: list[PaneLine] = []
    for row in range(height - 1, -1, -1):
        drawn = "".join(_level(value, most, row, height, levels) * each for value in counts)
        head = count if row == height - 1 else ""
        lines.append([(f"{head:>{len(count)}} ", "muted"), (drawn.rstrip(), "number")])
    room = each * len(counts)
    low, high = brief(signs, room // 2)(histogram.edges[0]), brief(signs, room // 2)(histogram.edges[-1])
    gap = " " * max(1, room - cell_len(low) - cell_len(high))
    lines.append([(f"{' ' * len(count)} {signs.rule * room}", "muted")])
    lines.append([(f"{' ' * len(count)} {low}{gap}{high}", "muted")])
    return lines


def _level(value: int, most: int, row: int, height: int, levels: str) -> str:
    """The sign of a bin in a line, 0 the lowest; a bin that is not empty shows."""
    if not value:
        return " "
    full = len(levels) - 1
    filled = max(1, round(value / most * full * height)) - row * full
    return levels[max(0, min(full, filled))]
