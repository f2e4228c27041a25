"""How often values occur: exactly while there are few different ones, then only for those that occur often."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

BOUND = 10_000
"""So many different values are counted exactly."""
ROOM = 1 << 24
"""Texts of no more than so many signs together are kept for it."""


class NumberCounts:
    """Counts of numbers, kept as sorted arrays.

    Past the bound only values that come twice in a chunk are counted on (lossy counting, Manku and Motwani 2002): a
    count is then a lower bound, short by less than the number of chunks.
    """

    def __init__(self) -> None:
        self.values: Any = None
        self.counts: Any = None
        self.exact = True

    def add(self, values: Any, counts: Any) -> None:
        """Take in the different values of a chunk, sorted, with their counts."""
        import numpy

        if not self.exact:
            often = counts > 1
            values, counts = values[often], counts[often]
        if self.values is not None:
            both = numpy.concatenate([self.values, values])
            order = numpy.argsort(both, kind="stable")
            both, summed = both[order], numpy.concatenate([self.counts, counts])[order]
            starts = numpy.flatnonzero(numpy.append(True, both[1:] != both[:-1])[: len(both)])
            values, counts = both[starts], numpy.add.reduceat(summed, starts) if len(both) else summed
        if len(values) > BOUND:
            self.exact = False
            keep = numpy.sort(numpy.argpartition(counts, -BOUND)[-BOUND:])
            values, counts = values[keep], counts[keep]
        self.values, self.counts = values, counts

    def top(self, count: int) -> list[tuple[Any, int]]:
        """The values that occur most, the smaller ones first where counts are equal."""
        import numpy

        if self.values is None:
            return []
        order = numpy.argsort(-self.counts, kind="stable")[:count]
        return [(self.values[at].item(), int(self.counts[at])) for at in order]

    def __len__(self) -> int:
        return 0 if self.values is None else len(self.values)


class TextCounts:
    """Counts of texts; past the bound as ``NumberCounts`` does."""

    def __init__(self) -> None:
        self.counts: dict[Any, int] = {}
        self.exact = True

    def add(self, values: Any, counts: Any) -> None:
        """Take in the different values of a chunk (an Arrow array) with their counts."""
        if not self.exact:
            import pyarrow.compute as compute

            often = compute.greater(counts, 1)
            values, counts = values.filter(often), counts.filter(often)
        known = self.counts
        for value, count in zip(values.to_pylist(), counts.to_pylist(), strict=True):
            known[value] = known.get(value, 0) + count
        if len(known) > BOUND or sum(map(len, known)) > ROOM:
            self.exact = False
            often = sorted(known.items(), key=lambda item: -item[1])[:BOUND]
            ends = accumulate(len(value) for value, _ in often)
            self.counts = dict(each for each, end in zip(often, ends, strict=True) if end <= ROOM)

    def top(self, count: int) -> list[tuple[Any, int]]:
        """The values that occur most, in the order of the texts where counts are equal."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:count]

    def __len__(self) -> int:
        return len(self.counts)
