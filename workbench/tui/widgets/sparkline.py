"""A curve in one line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.tui.glyphs import ASCII_BARS, BARS

GAP = " "


def sparkline(values: Sequence[float], width: int, *, bars: str = BARS) -> str:
    """Draw values into at most ``width`` characters, from the lowest to the highest bar.

    Where there are more values than characters each stretch is drawn by the value farthest from the middle of all, so
    that from two characters on neither the lowest nor the highest is lost. NaN is a gap; an infinity is the lowest or
    highest bar. ``bars`` are eight signs; ``ascii_sparkline`` is for a terminal that draws ASCII alone.
    """
    count = min(width, len(values))
    if count <= 0:
        return ""
    numbers = [value for value in values if math.isfinite(value)]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
    middle, half = low / 2 + high / 2, high / 2 - low / 2
    picked: list[float] = []
    for place in range(count):
        stretch = values[place * len(values) // count : (place + 1) * len(values) // count]
        told = [value for value in stretch if not math.isnan(value)]
        picked.append(max(told, key=lambda value: abs(value - middle)) if told else math.nan)
    if low < high and count > 1:
        _keep(picked, values, low, high)
    return "".join(GAP if math.isnan(value) else bars[_level(value, middle, half)] for value in picked)


def _keep(picked: list[float], values: Sequence[float], low: float, high: float) -> None:
    """See that the lowest and the highest are drawn; where one stretch holds both, the lowest goes beside it."""
    lowest, highest = values.index(low), values.index(high)
    place, above = (((at + 1) * len(picked) - 1) // len(values) for at in (lowest, highest))
    if place == above:
        beside = place + 1 if lowest > highest else place - 1
        place = beside if 0 <= beside < len(picked) else 2 * place - beside
    picked[place], picked[above] = low, high


def ascii_sparkline(values: Sequence[float], width: int) -> str:
    """As ``sparkline``, for a terminal that draws ASCII alone."""
    return sparkline(values, width, bars=ASCII_BARS)


def _level(value: float, middle: float, half: float) -> int:
    if math.isinf(value):
        return 7 if value > 0 else 0
    if not half:
        return 3
    return max(0, min(7, int((value - middle) / half * 4 + 4)))
