"""The points of one curve: kept in order of x, thinned to what a picture's columns can show. No screen in here."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, count, repeat
from operator import mul
from typing import NamedTuple

XY = tuple[float, float]

MOST = 1e300
"""What is larger counts as infinite: a difference of two such numbers is none."""

_serials = count()


class Column(NamedTuple):
    """What one column of dots shows of a curve: the values that it begins and ends with, its lowest and its highest."""

    place: int
    first: float
    low: float
    high: float
    last: float
    joined: bool
    """Whether a line leads here from the column before."""


class Edge(NamedTuple):
    """A point outside the window that a line leads to; ``place`` is its column, which is none of the picture's."""

    place: float
    value: float


class Columns(NamedTuple):
    """A curve as a picture's columns show it."""

    columns: list[Column]
    before: Edge | None
    after: Edge | None


class Series:
    """A curve. Points may come in any order of x; values that are not finite make a gap.

    The finite points, the breaks before some of them, and the infinities are apart, so that the lowest and highest of
    any stretch are found by C.
    """

    def __init__(self, name: str, points: Iterable[XY] = ()) -> None:
        self.name = name
        self.xs: list[float] = []
        self.ys: list[float] = []
        self.breaks: list[int] = []
        """Numbers of points that no line leads to from the one before."""
        self.infinities: list[XY] = []
        self.not_numbers = 0
        self.extent: tuple[float, float] | None = None
        """The lowest and highest x, those of values that are not numbers too."""
        self._ends_in_gap = False
        self._gaps: list[float] = []
        self.serial = next(_serials)
        """Another number for other points; points that are added change nothing of it."""
        self.append(points)

    def __len__(self) -> int:
        return len(self.xs)

    def append(self, points: Iterable[XY]) -> float | None:
        """Add points; returns the x from which on the curve is another than before, None where it is not."""
        return self.extend(*_apart(points))

    def extend(self, xs: list[float], ys: list[float]) -> float | None:
        """As ``append``, the x and y of points apart."""
        if not xs:
            return None
        if xs != sorted(xs):
            xs, ys = _in_order(xs, ys)
        start = xs[0]
        if self.extent is not None and start < self.extent[1]:
            known_xs, known_ys = self.apart()
            xs, ys = _in_order(known_xs + xs, known_ys + ys)
            self._clear()
        last = self.xs[-1] if self.xs else start
        self.extent = (self.extent[0] if self.extent else xs[0], xs[-1])
        if are_numbers(ys) and not (self._ends_in_gap and self.xs):
            self.xs += xs
            self.ys += ys
            self._ends_in_gap = False
        else:
            self._extend_with_gaps(xs, ys)
        return min(last, start)

    def _extend_with_gaps(self, xs: list[float], ys: list[float]) -> None:
        for x, y in zip(xs, ys, strict=True):
            if -MOST < y < MOST:
                if self._ends_in_gap and self.xs:
                    self.breaks.append(len(self.xs))
                self.xs.append(x)
                self.ys.append(y)
                self._ends_in_gap = False
            else:
                self._ends_in_gap = True
                if math.isnan(y):
                    self.not_numbers += 1
                    self._gaps.append(x)
                else:
                    self.infinities.append((x, y))

    def replace(self, points: Iterable[XY]) -> None:
        """Have other points in place of all."""
        self._clear()
        self.append(points)

    def points(self) -> list[XY]:
        """All points, those that are no numbers too, in order of x."""
        return list(zip(*self.apart(), strict=True))

    def apart(self) -> tuple[list[float], list[float]]:
        """The x and the y of all points, those that are no numbers too, in order of x."""
        if not self._gaps and not self.infinities:
            return self.xs, self.ys
        infinite_xs, infinities = _apart(self.infinities)
        nowhere = [math.nan] * len(self._gaps)
        return _in_order(self.xs + infinite_xs + self._gaps, self.ys + infinities + nowhere)

    def _clear(self) -> None:
        self.xs, self.ys, self.breaks, self.infinities = [], [], [], []
        self._gaps, self.not_numbers, self.extent, self._ends_in_gap = [], 0, None, False
        self.serial = next(_serials)

    def nearest(self, x: float) -> XY | None:
        """The finite point nearest to an x."""
        if not self.xs:
            return None
        at = bisect_left(self.xs, x)
        near = [index for index in (at - 1, at) if 0 <= index < len(self.xs)]
        best = min(near, key=lambda index: abs(self.xs[index] - x))
        return self.xs[best], self.ys[best]

    def beyond(self, start: float, wanted: float) -> float | None:
        """The x of the point nearest to ``wanted`` among those on that side of ``start``; None where there is none."""
        if wanted > start:
            first, end = bisect_right(self.xs, start), len(self.xs)
        else:
            first, end = 0, bisect_left(self.xs, start)
        if first >= end:
            return None
        at = bisect_left(self.xs, wanted, first, end)
        return min((self.xs[max(first, at - 1)], self.xs[min(end - 1, at)]), key=lambda x: abs(x - wanted))

    def columns(self, low: float, high: float, places: int, *, start: int = 0) -> Columns:
        """The curve between two x in so many columns, from column ``start`` on."""
        scale = (places - 1) / (high - low) if high > low else 0.0
        edge = low + (start - 0.5) / scale if start and scale else low
        first, end = bisect_left(self.xs, edge), bisect_right(self.xs, high)
        if end - first > 2 * (places - start) and scale:
            found = self._by_column(low, scale, first, end, range(start, places))
        else:
            found = self._by_point(low, scale, first, end)
        before = after = None
        if scale and 0 < first < len(self.xs) and not start:
            before = Edge((self.xs[first - 1] - low) * scale, self.ys[first - 1])
        if scale and 0 < end < len(self.xs) and not self._broken(end):
            after = Edge((self.xs[end] - low) * scale, self.ys[end])
        return Columns(found, before, after)

    def _by_point(self, low: float, scale: float, first: int, end: int) -> list[Column]:
        """Where there are few points each is looked at."""
        found: list[Column] = []
        for index in range(first, end):
            place, y = int((self.xs[index] - low) * scale + 0.5), self.ys[index]
            if found and found[-1].place == place:
                was = found[-1]
                found[-1] = Column(place, was.first, min(was.low, y), max(was.high, y), y, was.joined)
            else:
                found.append(Column(place, y, y, y, y, not self._broken(index)))
        return found

    def _by_column(self, low: float, scale: float, first: int, end: int, places: range) -> list[Column]:
        """Where there are many, each column looks up its own and leaves the lowest and highest to C."""
        found: list[Column] = []
        xs, at = self.xs, first
        for place in places:
            to = bisect_left(xs, low + (place + 0.5) / scale, at, end) if place < places[-1] else end
            if to > at:
                stretch = self.ys[at:to]
                found.append(Column(place, stretch[0], min(stretch), max(stretch), stretch[-1], not self._broken(at)))
                at = to
        return found

    def _broken(self, index: int) -> bool:
        """Whether no line leads to a point from the one before."""
        if not index or not self.breaks:
            return not index
        at = bisect_left(self.breaks, index)
        return at < len(self.breaks) and self.breaks[at] == index


class Smoothing:
    """An exponential moving average, bias corrected, taken further as values come.

    As TensorBoard does it (``tensorboard/components/vz_line_chart2/line-chart.ts``, ``resmoothDataset``): ``last``
    begins with 0 and becomes ``last * weight + (1 - weight) * value``; the smoothed value is ``last / (1 - weight **
    n)`` where ``n`` counts the finite values so far; values that are not finite stay as they are and are not counted.
    """

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self._last, self._power = 0.0, 1.0

    def take(self, values: Sequence[float]) -> list[float]:
        """The smoothed values of these, which follow those that were taken before."""
        if not are_numbers(values):
            finite = iter(self.take([value for value in values if -MOST < value < MOST]))
            return [next(finite) if -MOST < value < MOST else value for value in values]
        weight, rest = self.weight, 1 - self.weight
        lasts = list(accumulate(values, lambda last, value: last * weight + rest * value, initial=self._last))
        powers = list(accumulate(repeat(weight, len(values)), mul, initial=self._power))
        self._last, self._power = lasts[-1], powers[-1]
        return [last / (1 - power) for last, power in zip(lasts[1:], powers[1:], strict=True)]


class Curve:
    """A series as it is drawn: on a logarithmic scale where that is asked for, and smoothed beside its raw values."""

    def __init__(
        self,
        name: str,
        points: Iterable[XY] = (),
        *,
        log: bool = False,
        weight: float = 0.0,
        spread: Iterable[XY] = (),
    ) -> None:
        self.raw = Series(name, points)
        self.deviations = dict(spread)
        """By x, how far the values that it is the mean of lie from it."""
        self._edges: tuple[Curve, ...] = ()
        self.set(log=log, weight=weight)

    @property
    def name(self) -> str:
        """What the legend calls it."""
        return self.raw.name

    @property
    def drawn(self) -> list[Series]:
        """What is drawn, the last on top."""
        return [self._plain] if self._smooth is None else [self._plain, self._smooth]

    @property
    def edges(self) -> list[Series]:
        """One deviation below and one above it, where it is a mean."""
        return [edge.drawn[-1] for edge in self._edges]

    def set(self, *, log: bool, weight: float) -> None:
        """Draw in another way."""
        self.log, self.weight = log, weight
        self.hidden = 0
        """Values that a logarithmic scale has no place for."""
        self._smoothing = Smoothing(weight)
        self._plain = Series(self.name) if log else self.raw
        self._smooth = Series(self.name) if weight else None
        if log or weight:
            self._derive(*self.raw.apart())
        if self.deviations:
            told = [(x, y, self.deviations.get(x, math.nan)) for x, y in self.raw.points()]
            self._edges = tuple(
                Curve(self.name, [(x, y + sign * deviation) for x, y, deviation in told], log=log, weight=weight)
                for sign in (-1, 1)
            )

    def append(self, points: Iterable[XY]) -> float | None:
        """Add points; returns the x from which on the picture is another, None where it is not."""
        xs, ys = _apart(points)
        is_behind = self.raw.extent is None or not xs or xs[0] >= self.raw.extent[1]
        changed = self.raw.extend(xs, ys)
        if self.log or self._smooth is not None:
            if is_behind and xs == sorted(xs):
                self._derive(xs, ys)
            else:
                self.set(log=self.log, weight=self.weight)
        return changed

    def replace(self, points: Iterable[XY]) -> None:
        """Have other points in place of all."""
        self.raw.replace(points)
        self.set(log=self.log, weight=self.weight)

    def smooth_at(self, x: float) -> float | None:
        """The smoothed value nearest to an x, None where nothing is smoothed."""
        point = self._smooth.nearest(x) if self._smooth is not None else None
        if point is None:
            return None
        return 10 ** point[1] if self.log else point[1]

    def _derive(self, xs: list[float], ys: list[float]) -> None:
        if self.log:
            self._plain.extend(xs, [self._logarithm(y) for y in ys])
        if self._smooth is not None:
            values = self._smoothing.take(ys)
            if self.log:
                values = [math.log10(y) if 0 < y < MOST else math.nan for y in values]
            if not are_numbers(values):
                xs, values = _apart((x, y) for x, y in zip(xs, values, strict=True) if not math.isinf(y))
            self._smooth.extend(xs, values)

    def _logarithm(self, value: float) -> float:
        if value > 0:
            return math.log10(value) if value < MOST else math.inf
        if value <= 0:
            self.hidden += 1
        return math.nan


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """The smoothed values of a whole curve (see ``Smoothing``)."""
    return Smoothing(weight).take(values)


def are_numbers(values: Sequence[float]) -> bool:
    """Whether all are finite; C finds it out."""
    return not values or (max(values) < MOST and min(values) > -MOST and not math.isnan(sum(values)))


def _apart(points: Iterable[XY]) -> tuple[list[float], list[float]]:
    """The x and the y of points."""
    listed = list(points)
    return [x for x, _ in listed], [y for _, y in listed]


def _in_order(xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
    """Points in order of x; those of the same x stay in theirs."""
    order = sorted(range(len(xs)), key=xs.__getitem__)
    return [xs[at] for at in order], [ys[at] for at in order]
