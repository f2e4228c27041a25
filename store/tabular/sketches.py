"""What is kept of a stream of values in little memory: moments, quantiles, and how many different values there were."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

KEPT = 1 << 17
"""Up to so many values quantiles are exact; after that they come from a digest."""
CENTROIDS = 1000
"""The compression of the digest (Dunning's delta): a quantile q is off by about q(1-q)/300 of the ranks at most."""
HASHES = 1 << 14
"""How many of the smallest hashes are kept: the estimate of distinct values has a standard error of 0.8 %."""


class Moments:
    """Count, mean and squared deviations, joined chunk by chunk (Chan, Golub and LeVeque 1979)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.squares = 0.0

    def add(self, values: Any) -> None:
        """Take in an array of finite floats."""
        import numpy

        count = len(values)
        if not count:
            return
        with numpy.errstate(over="ignore", invalid="ignore"):  # numbers near the end of floats have infinite squares
            mean = float(values.mean())
            away = values - mean
            squares = float(away @ away)
        difference = mean - self.mean
        total = self.count + count
        self.squares += squares + difference * difference * self.count * count / total
        self.mean += difference * count / total
        self.count = total

    @property
    def deviation(self) -> float | None:
        """The standard deviation of a sample (n - 1), as pandas gives it."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else None


class Digest:
    """A distribution: every value while there are few, else a merging t-digest (Dunning and Ertl 2019, scale k1)."""

    def __init__(self) -> None:
        import numpy

        self.means: Any = numpy.empty(0)
        self.weights: Any = numpy.empty(0)
        self.low = math.inf
        self.high = -math.inf
        self.exact = True

    @property
    def count(self) -> int:
        """How many values went in."""
        return round(float(self.weights.sum()))

    def add(self, values: Any) -> None:
        """Take in a sorted array of finite floats."""
        import numpy

        if not len(values):
            return
        self.low, self.high = min(self.low, float(values[0])), max(self.high, float(values[-1]))
        weights = numpy.ones(len(values))
        if not self.exact or len(values) + len(self.means) > KEPT:
            if self.exact:
                self.means, self.weights = _compressed(self.means, self.weights)
            values, weights = _compressed(values, weights)
            self.exact = False
        means = numpy.concatenate([self.means, values])
        order = numpy.argsort(means, kind="stable")
        self.means, self.weights = means[order], numpy.concatenate([self.weights, weights])[order]
        if not self.exact:
            self.means, self.weights = _compressed(self.means, self.weights)

    def quantiles(self, shares: list[float]) -> list[float]:
        """The values at these shares, between neighbours by a straight line, as NumPy and pandas do by default."""
        import numpy

        if self.exact:
            with numpy.errstate(over="ignore", invalid="ignore"):
                return [float(value) for value in numpy.quantile(self.means, shares)]
        ranks, values = self._curve()
        return [float(value) for value in numpy.interp(numpy.array(shares) * ranks[-1], ranks, values)]

    def below(self, edges: Any) -> Any:
        """The share of values that are not above each edge."""
        import numpy

        edges = numpy.asarray(edges, dtype=float)
        if self.exact:
            return numpy.searchsorted(self.means, edges, side="right") / max(1, len(self.means))
        ranks, values = self._curve()
        shares = numpy.interp(edges, values, ranks) / ranks[-1]
        return numpy.where(edges >= self.high, 1.0, numpy.where(edges < self.low, 0.0, shares))

    def _curve(self) -> tuple[Any, Any]:
        import numpy

        middles = numpy.cumsum(self.weights) - self.weights / 2
        total = self.weights.sum()
        return (
            numpy.concatenate([[0.0], middles, [total]]),
            numpy.concatenate([[self.low], self.means, [self.high]]),
        )


def _compressed(means: Any, weights: Any) -> tuple[Any, Any]:
    """Neighbours joined so that no centroid spans more than one step of the scale function."""
    import numpy

    if len(means) <= CENTROIDS:
        return means, weights
    after = numpy.cumsum(weights)
    steps = (numpy.sin(numpy.linspace(-numpy.pi / 2, numpy.pi / 2, CENTROIDS + 1)) + 1) / 2 * after[-1]
    starts = numpy.unique(numpy.searchsorted(after - weights / 2, steps[:-1]))
    starts[0] = 0
    starts = starts[starts < len(means)]
    joined = numpy.add.reduceat(weights, starts)
    sums = numpy.add.reduceat(means * weights, starts)
    return sums / joined, joined


class Distinct:
    """How many different values: the K smallest of their hashes tell (K minimum values, Bar-Yossef et al. 2002)."""

    def __init__(self) -> None:
        import numpy

        self.hashes: Any = numpy.empty(0, dtype=numpy.uint64)
        self.full = False

    def add(self, hashes: Any) -> None:
        """Take in hashes of 64 bits, equal values with equal ones."""
        import numpy

        if self.full:
            hashes = hashes[hashes < self.hashes[-1]]
        if not len(hashes):
            return
        self.hashes = numpy.unique(numpy.concatenate([self.hashes, hashes]))[:HASHES]
        self.full = len(self.hashes) == HASHES

    def estimate(self) -> int:
        """The number of different values; exact while there are fewer than the hashes that are kept."""
        if not self.full:
            return len(self.hashes)
        return round((HASHES - 1) / (float(self.hashes[-1]) / 2.0**64))


def number_hashes(values: Any) -> Any:
    """Hashes of an array of integers or floats of 64 bits (the last steps of MurmurHash3)."""
    import numpy

    return _mixed(values.view(numpy.uint64))


def _mixed(bits: Any) -> Any:
    import numpy

    mixed = bits ^ (bits >> numpy.uint64(33))
    mixed *= numpy.uint64(0xFF51AFD7ED558CCD)
    mixed ^= mixed >> numpy.uint64(33)
    mixed *= numpy.uint64(0xC4CEB9FE1A85EC53)
    mixed ^= mixed >> numpy.uint64(33)
    return mixed


PIECE = 1 << 19
"""Bytes of text that are hashed at a time; longer values go through hashlib."""


@lru_cache(maxsize=1)
def _powers() -> tuple[Any, Any, Any]:
    """A number for every byte, and the powers of an odd number and of its inverse modulo 2**64."""
    import numpy

    table = numpy.random.default_rng(20).integers(0, 1 << 63, 256, dtype=numpy.uint64) * numpy.uint64(2) + numpy.uint64(
        1
    )
    base = 0x9E3779B97F4A7C15
    found = []
    for number in (base, pow(base, -1, 1 << 64)):
        factors = numpy.full(PIECE, number, dtype=numpy.uint64)
        factors[0] = 1
        found.append(numpy.cumprod(factors, dtype=numpy.uint64))
    return table, found[0], found[1]


def text_hashes(texts: Any) -> Any:
    """Hashes of an Arrow array of texts or bytes without nulls: a polynomial of their bytes, all at once."""
    import hashlib

    import numpy
    import pyarrow

    texts = texts.cast(pyarrow.large_binary())
    _, offsets, data = texts.buffers()
    ends = numpy.frombuffer(offsets, dtype=numpy.int64)[texts.offset : texts.offset + len(texts) + 1]
    content = numpy.frombuffer(data, dtype=numpy.uint8) if data is not None else numpy.empty(0, dtype=numpy.uint8)
    found = numpy.empty(len(texts), dtype=numpy.uint64)
    table, powers, inverses = _powers()
    first = 0
    while first < len(texts):
        start = ends[first]
        last = int(numpy.searchsorted(ends, start + PIECE, side="right")) - 1
        if last <= first:
            digest = hashlib.blake2b(content[start : ends[first + 1]].tobytes(), digest_size=8).digest()
            found[first] = int.from_bytes(digest, "little")
            first += 1
            continue
        last = min(last, len(texts))
        some = content[start : ends[last]]
        sums = numpy.zeros(len(some) + 1, dtype=numpy.uint64)
        numpy.cumsum(table[some] * powers[: len(some)], out=sums[1:])
        places = ends[first : last + 1] - start
        begins = numpy.minimum(places[:-1], PIECE - 1)  # an empty text at the very end has no place of its own
        bits = (sums[places[1:]] - sums[places[:-1]]) * inverses[begins]
        found[first:last] = _mixed(bits ^ (places[1:] - places[:-1]).astype(numpy.uint64))
        first = last
    return found
