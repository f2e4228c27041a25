"""Ticks and labels of a chart's axes: round numbers, powers of ten, durations and clock times. Pure functions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

Kind = Literal["number", "duration", "clock"]
"""What the values of an x axis are: numbers of steps, seconds since a start, or seconds since 1970."""

DURATIONS = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(60.0 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600.0 * hours for hours in (1, 2, 3, 6, 12)),
    *(86400.0 * days for days in (1, 2, 7, 14, 28)),
)
"""Steps between the ticks of an axis of time, in seconds."""

DAY = 86400.0
MOST_TICKS = 60
TINY = 1e-290
"""A smaller range is none: the numbers below are too coarse."""

PLAIN_FROM, PLAIN_TO = 1e-4, 1e5
"""Numbers between these are written out; others with a power of ten."""


class Tick(NamedTuple):
    """A place on an axis and what stands beside it."""

    value: float
    label: str


def nice_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that divides a span into at most ``count`` parts."""
    rough = span / max(count, 1)
    if not rough > 0 or not math.isfinite(rough):
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    if not power:  # a span near the smallest number there is
        return rough
    return next((factor * power for factor in (1.0, 2.0, 5.0) if rough <= factor * power * 1.0000001), 10.0 * power)


def number_ticks(low: float, high: float, count: int) -> list[Tick]:
    """At most ``count`` + 1 ticks at multiples of a round step, within the range."""
    step = nice_step(high - low, count)
    return [Tick(value, number_label(value, step)) for value in _multiples(low, high, step)]


def step_ticks(low: float, high: float, count: int) -> list[Tick]:
    """As ``number_ticks`` at whole numbers: steps have nothing between them."""
    step = max(1.0, nice_step(high - low, count))
    return [Tick(value, number_label(value, step)) for value in _multiples(low, high, step)]


def log_ticks(low: float, high: float, count: int) -> list[Tick]:
    """Ticks of a logarithmic axis between two positive values: powers of ten, with 2 and 5 between where there is room.

    A range within one decade has ticks as a linear axis does.
    """
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    decades = last - first
    factors = (1.0, 2.0, 5.0) if decades * 3 <= count else (1.0,)
    every = max(1, math.ceil(decades / max(count, 1)))
    powers = range(first, min(last, 308) + 1, every)  # floats end there
    values = [factor * 10.0**power for power in powers for factor in factors]
    inside = [value for value in values if low * 0.999999 <= value <= high * 1.000001]
    if len(inside) < 2 and high < low * 10:
        return number_ticks(low, high, count)
    return [Tick(value, number_label(value, value)) for value in inside]


def time_ticks(low: float, high: float, count: int) -> list[Tick]:
    """Ticks of a duration, in seconds."""
    step = _time_step(high - low, count)
    if step < 1:
        return [Tick(tick.value, f"{tick.label}s") for tick in number_ticks(low, high, count)]
    return [Tick(value, duration_label(value)) for value in _multiples(low, high, step)]


def clock_ticks(low: float, high: float, count: int) -> list[Tick]:
    """Ticks of a range of seconds since 1970, in local time: times of day, dates where the range is of days."""
    step = max(1.0, _time_step(high - low, count))
    zone = time.localtime(low).tm_gmtoff
    values = [value - zone for value in _multiples(low + zone, high + zone, step)]
    return [Tick(value, clock_label(value, step)) for value in values]


TICKS: dict[Kind, Callable[[float, float, int], list[Tick]]] = {
    "number": step_ticks,
    "duration": time_ticks,
    "clock": clock_ticks,
}


def x_ticks(kind: Kind, low: float, high: float, width: int) -> list[Tick]:
    """As many ticks as ``width`` cells have room for, with two blanks between their labels."""
    for count in range(max(1, min(12, width // 8)), 0, -1):
        ticks = TICKS[kind](low, high, count)
        cells = (width - 1) / ((high - low) or 1.0)
        places = [(tick.value - low) * cells for tick in ticks]
        if all(
            right - left >= (len(one.label) + len(other.label)) / 2 + 2
            for (left, right), (one, other) in zip(pairwise(places), pairwise(ticks), strict=True)
        ):
            return ticks
    return ticks[:1]


def number_label(value: float, step: float) -> str:
    """A number with as many digits as its neighbours at a distance of ``step`` need."""
    if value == 0 or abs(value) < abs(step) * 1e-6:
        return "0"
    if not math.isfinite(value):
        return "inf" if value > 0 else "-inf" if value < 0 else "NaN"
    decimals = max(0, -math.floor(math.log10(abs(step) or abs(value)) + 1e-9))
    if abs(value) >= PLAIN_TO and step >= 100:
        return _with_suffix(value, step)
    if decimals <= 5 and PLAIN_FROM <= abs(value) < 1e9:
        return f"{value:.{decimals}f}"
    digits = max(0, math.floor(math.log10(abs(value))) + decimals)
    mantissa, _, exponent = f"{value:.{min(digits, 6)}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _with_suffix(value: float, step: float) -> str:
    for size, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            decimals = max(0, -math.floor(math.log10(step / size) + 1e-9))
            if abs(value) < size * 1e4 and decimals <= 3:
                return f"{value / size:.{decimals}f}{suffix}"
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def value_label(value: float) -> str:
    """A single value, in at most about nine characters."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    text = f"{value:.5g}"
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if exponent else text


def duration_label(seconds: float) -> str:
    """A length of time in its two largest units: 45s, 1m30, 2h, 2h05, 1d6h."""
    sign, whole = ("-" if seconds < 0 else ""), round(abs(seconds))
    days, hours, minutes, rest = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    if days:
        return f"{sign}{days}d{hours}h" if hours else f"{sign}{days}d"
    if hours:
        return f"{sign}{hours}h{minutes:02}" if minutes else f"{sign}{hours}h"
    if minutes:
        return f"{sign}{minutes}m{rest:02}" if rest else f"{sign}{minutes}m"
    return f"{sign}{rest}s"


def clock_label(seconds: float, step: float) -> str:
    """A moment in local time, as finely as ``step`` asks for; midnight is told as its date."""
    moment = time.localtime(seconds)
    if step >= DAY or (moment.tm_hour, moment.tm_min, moment.tm_sec) == (0, 0, 0):
        return time.strftime("%m-%d", moment)
    return time.strftime("%H:%M" if step >= 60 else "%H:%M:%S", moment)


def x_label(kind: Kind, value: float, span: float) -> str:
    """The place of a crosshair on an x axis, finer than its ticks."""
    if kind == "clock":
        moment = time.localtime(value)
        return time.strftime("%H:%M:%S" if span < DAY else "%m-%d %H:%M", moment)
    if kind == "duration":
        return f"{value:.2f}s" if span < 10 else duration_label(value)
    return value_label(value)


def padded(low: float, high: float, count: int) -> tuple[float, float]:
    """A range around values, moved out to quarters of a tick's step so that it rarely changes while values come in."""
    span = high - low
    if low == high == 0:  # most often a count of nothing
        return 0.0, 1.0
    if is_single(low, high):
        room = max(abs(low), abs(high)) * 0.1 or 1.0
        if room < TINY:
            room = 1.0
        return low - room, high + room
    step = nice_step(span, count) / 4
    bottom, top = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return min(bottom, low), max(top, high)


def is_single(low: float, high: float) -> bool:
    """Whether a range is too small for numbers to divide it."""
    return high - low <= max(TINY, max(abs(low), abs(high)) * 1e-13)


def grown(low: float, high: float) -> float:
    """An upper end for an x axis whose values are still growing: it moves seldom, and little is left empty."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return high
    unit = nice_step(span, 20)
    return low + math.ceil(span / unit) * unit


def _time_step(span: float, count: int) -> float:
    rough = span / max(count, 1)
    if rough < 1:
        return nice_step(span, count)
    found = next((step for step in DURATIONS if step >= rough), None)
    return found or DAY * nice_step(span / DAY, count)


def _multiples(low: float, high: float, step: float) -> Sequence[float]:
    """The multiples of ``step`` from ``low`` to ``high``."""
    if not step > 0 or not math.isfinite(low / step) or not math.isfinite(high / step):
        return [low]
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [number * step for number in range(first, min(last, first + MOST_TICKS) + 1)]
