"""Profiles and rows in words and bars, the same wherever they are drawn. Nothing here knows how wide a place is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from store.tabular.profile import ColumnProfile

PARTS_OF_SECONDS = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d+")
FEW = 10
"""Values of numbers and times are told by how often they come where there are no more than these."""
SHOWN = 5

Brief = Callable[[Any], str]
"""A value in as much room as there is."""


def plain(value: Any) -> str:
    """A value in one line, a number in five digits."""
    if isinstance(value, float):
        return f"{value:.5g}"
    return PARTS_OF_SECONDS.sub("", " ".join(str(value).split())) if value is not None else ""


def cell_text(value: Any) -> str:
    """A cell; what is missing shows as null, so that it is not taken for an empty text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        value = value.hex()
    return plain(value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else value)


def bars(counts: Sequence[int], levels: str) -> str:
    """A histogram in one line, in signs from empty to full; every bin that is not empty shows."""
    most = max(counts, default=0)
    full = len(levels) - 1
    return "".join(levels[0] if not count else levels[max(1, round(count / most * full))] for count in counts)


def missing(column: ColumnProfile) -> str:
    """How many values are missing, and which share that is."""
    return f"{column.missing:,}" + (f" ({column.missing / column.rows:.1%})" if column.missing else "")


def distinct(column: ColumnProfile) -> str | None:
    """How many different values there are; None where they were not counted."""
    return None if column.distinct is None else f"{'' if column.distinct_exact else '~'}{column.distinct:,}"


def quartiles(column: ColumnProfile, brief: Brief = plain) -> str | None:
    """The middle of a column's values, and those that a quarter is below and above."""
    if column.quantiles is None:
        return None
    about = "" if column.quantiles_exact else "~"
    return " / ".join(f"{about}{brief(column.quantiles[share])}" for share in ("0.25", "0.5", "0.75"))


def is_told_by_values(column: ColumnProfile) -> bool:
    """Whether the values that come most often tell something of a column."""
    often = bool(column.top) and column.top[0].count > 1
    return often and (column.kind not in ("number", "time") or (column.distinct or 0) <= FEW)


def shares(column: ColumnProfile, brief: Brief = plain, most: int = SHOWN) -> list[tuple[str, str, float]]:
    """The values that come most often, each with its share of the rows in words and as a number."""
    least = "" if column.top_exact else ">="
    return [
        (brief(each.value), f"{least}{each.count / column.rows:.1%}", each.count / column.rows)
        for each in column.top[:most]
    ]


def has_estimates(columns: Sequence[ColumnProfile]) -> bool:
    """Whether something in a profile is marked as about right."""
    return any(not (each.distinct_exact and each.quantiles_exact) for each in columns)


ESTIMATES = "~ is an estimate (distinct values within 2 %, quantiles by t-digest)."
