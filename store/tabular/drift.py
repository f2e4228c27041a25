"""Two versions of a table compared: their columns, and for each common column how far its distribution moved.

Population stability index (PSI): the sum of (p - q) ln(p / q) over bins, between the deciles of the reference for
numbers and times, one for each value else. Under 0.1 nothing happened, from 0.1 on something did, over 0.25 it is a
large shift: the rule of credit scoring (Lewis 1994, *An Introduction to Credit Scoring*; Siddiqi 2006, *Credit Risk
Scorecards*). A share of nothing counts as ``LEAST``, or the logarithm would have no value.

Kolmogorov-Smirnov: the largest distance between the two distribution functions, and the probability of at least that
distance between samples of one distribution, by Kolmogorov's limit (Smirnov 1948): good from some tens of rows on, and
for values that repeat an upper bound. In large tables the smallest shift is significant, so the level does not come
from it.

Jensen-Shannon distance, base 2, for values that are counted: the root of the divergence (Lin 1991; Endres and
Schindelin 2003), 0 for equal distributions and 1 for those that share no value. From 0.1 on it counts as some drift,
as Evidently has it by default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from store.tabular.profile import gather
from store.tabular.summaries import Numbers, Summary, Texts
from store.tabular.table import Table

SOME_PSI = 0.1
LARGE_PSI = 0.25
SOME_JS = 0.1
LEAST = 1e-4
BINS = 10
LEVELS = ("none", "some", "large")


@dataclass(frozen=True, slots=True)
class TypeChange:
    """A column that both have, with another type."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How far a column moved. ``ks`` and ``p`` are of numbers and times, ``js`` of what is counted.

    ``level`` is none, some, large, or unknown for what cannot be compared; ``note`` says why. ``exact`` is false where
    sketches stand in for the values.
    """

    name: str
    kind: str
    level: str
    psi: float | None = None
    ks: float | None = None
    p: float | None = None
    js: float | None = None
    missing_before: float = 0.0
    missing_after: float = 0.0
    exact: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What is between two tables; ``columns`` are those of both, the largest drift first."""

    rows_before: int
    rows_after: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    types: tuple[TypeChange, ...]
    columns: tuple[ColumnDrift, ...]

    @property
    def schema_changed(self) -> bool:
        """Whether columns came, went, or changed their type."""
        return bool(self.added or self.removed or self.types)

    def drifted(self, level: str = "large") -> list[str]:
        """The columns whose drift is at least of a level."""
        wanted = LEVELS[LEVELS.index(level) :]
        return [each.name for each in self.columns if each.level in wanted]

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "schema_changed": self.schema_changed}


def compare(reference: Table, current: Table) -> Difference:
    """Compare a table with the one that it is measured against; each is read once."""
    before, after = reference.schema, current.schema
    common = [name for name in before.names if name in after.names]
    old, new = gather(reference, names=common), gather(current, names=common)
    columns = [drift(name, old[name], new[name]) for name in common]
    columns.sort(key=lambda each: (-(each.psi if each.psi is not None else -1.0), each.name))
    return Difference(
        next((each.rows for each in old.values()), 0) if common else reference.count(),
        next((each.rows for each in new.values()), 0) if common else current.count(),
        tuple(name for name in after.names if name not in before.names),
        tuple(name for name in before.names if name not in after.names),
        tuple(
            TypeChange(name, str(before.field(name).type), str(after.field(name).type))
            for name in common
            if before.field(name).type != after.field(name).type
        ),
        tuple(columns),
    )


def drift(name: str, old: Summary, new: Summary) -> ColumnDrift:
    """The drift of one column."""
    facts: dict[str, Any] = {
        "name": name,
        "kind": new.kind,
        "missing_before": old.missing / old.rows if old.rows else 0.0,
        "missing_after": new.missing / new.rows if new.rows else 0.0,
    }
    if old.kind != new.kind or (new.kind == "time" and old.type != new.type):
        return ColumnDrift(**facts, level="unknown", note=f"{old.type} and {new.type} cannot be compared")
    if isinstance(old, Numbers) and isinstance(new, Numbers) and old.moments.count and new.moments.count:
        one, other = Distribution(old), Distribution(new)
        edges = _edges(one)
        index = psi(_shares(one, edges), _shares(other, edges))
        distance = ks_statistic(one, other)
        facts |= {"ks": distance, "p": ks_probability(distance, one.count, other.count)}
        return ColumnDrift(**facts, psi=index, level=_level(index), exact=one.exact and other.exact)
    if isinstance(old, Texts) and isinstance(new, Texts) and old.present and new.present:
        first, second = categories(old, new)
        index, distance = psi(first, second), js_distance(first, second)
        exact = old.counts.exact and new.counts.exact
        note = None if exact else "too many different values: the rarer ones were taken together"
        return ColumnDrift(**facts, psi=index, js=distance, level=_level(index, distance), exact=exact, note=note)
    return ColumnDrift(**facts, level="unknown", note="there are no values to compare")


def _level(index: float, distance: float = 0.0) -> str:
    if index > LARGE_PSI:
        return "large"
    return "some" if index >= SOME_PSI or distance >= SOME_JS else "none"


class Distribution:
    """The distribution of a column of numbers: from its values where they are all known, else from the digest."""

    def __init__(self, summary: Numbers) -> None:
        self.digest = summary.digest
        self.exact = summary.counts.exact or summary.digest.exact
        self.count = summary.moments.count
        if summary.counts.exact:
            self.values, self.weights = summary.counts.values.astype(float), summary.counts.counts
        else:
            self.values, self.weights = summary.digest.means, summary.digest.weights

    def below(self, edges: Any) -> Any:
        """The share of values that are not above each edge."""
        import numpy

        if not self.exact:
            return self.digest.below(edges)
        shares = numpy.concatenate([[0], numpy.cumsum(self.weights)]) / self.count
        return shares[numpy.searchsorted(self.values, edges, side="right")]

    def quantiles(self, shares: list[float]) -> Any:
        """The smallest values that have at least these shares of the others below or beside them."""
        import numpy

        if not self.exact:
            return numpy.array(self.digest.quantiles(shares))
        ranks = numpy.cumsum(self.weights)
        wanted = numpy.array(shares) * self.count - 1e-9
        return self.values[numpy.minimum(numpy.searchsorted(ranks, wanted), len(self.values) - 1)]


def _edges(reference: Distribution) -> Any:
    """The inner edges of the bins: the deciles, each once; around a value that is nearly all there is, both sides."""
    import numpy

    edges = numpy.unique(reference.quantiles([number / BINS for number in range(1, BINS)]))
    if len(edges) == 1:
        edges = numpy.array([numpy.nextafter(edges[0], -numpy.inf), edges[0]])
    return edges


def _shares(found: Distribution, edges: Any) -> Any:
    import numpy

    return numpy.diff(found.below(edges), prepend=0.0, append=1.0)


def psi(reference: Any, current: Any) -> float:
    """The population stability index of two lists of shares over the same bins."""
    import numpy

    one, other = (numpy.maximum(numpy.asarray(each, dtype=float), LEAST) for each in (reference, current))
    return float(((other - one) * numpy.log(other / one)).sum())


def ks_statistic(one: Distribution, other: Distribution) -> float:
    """The largest distance between two distribution functions."""
    import numpy

    points = numpy.union1d(one.values, other.values)
    return float(numpy.abs(one.below(points) - other.below(points)).max())


def ks_probability(statistic: float, count: int, other: int) -> float:
    """How probable a distance of at least this is between two samples of one distribution, in the limit."""
    root = math.sqrt(count / (count + other) * other) * statistic
    if root < 0.2:  # the series converges slowly there, and differs from 1 by less than 1e-12
        return 1.0
    terms = (2 * (-1) ** (k - 1) * math.exp(-2 * k * k * root * root) for k in range(1, 101))
    return min(1.0, max(0.0, math.fsum(terms)))


def categories(old: Texts, new: Texts) -> tuple[list[float], list[float]]:
    """The shares of every value in both columns, those that were not counted as one."""
    names = dict.fromkeys([*old.counts.counts, *new.counts.counts])
    return _category_shares(old, names), _category_shares(new, names)


def _category_shares(summary: Texts, names: Mapping[Any, None]) -> list[float]:
    counts = [summary.counts.counts.get(name, 0) for name in names]
    return [count / summary.present for count in (*counts, summary.present - sum(counts))]


def js_distance(one: Any, other: Any) -> float:
    """The Jensen-Shannon distance of two lists of shares, base 2: from 0 to 1."""
    import numpy

    first, second = numpy.asarray(one, dtype=float), numpy.asarray(other, dtype=float)
    middle = (first + second) / 2

    def divergence(shares: Any) -> float:
        there = shares > 0
        return float((shares[there] * numpy.log2(shares[there] / middle[there])).sum())

    return math.sqrt(min(1.0, max(0.0, (divergence(first) + divergence(second)) / 2)))
