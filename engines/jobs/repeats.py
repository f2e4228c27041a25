"""Runs that repeat each other: what they have in common, and how far their results spread."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engines.jobs.comparison import Row, Subject, best
from engines.jobs.differences import inputs
from store.main_metric import is_better_higher

SEED = re.compile(
    r"(?:^|[_./-])(?:seeds?|random[_-]?(?:state|seed)|rng|repeat|repetition|replicate|replica|fold|run[_-]?(?:id|no)?)"
    r"(?:$|[_./-])",
    re.IGNORECASE,
)
"""Parameters that tell repetitions of one thing apart, such as ``seed`` or ``cv_fold``."""

SHOWN_VALUES = 4


@dataclass(frozen=True, slots=True)
class Spread:
    """Numbers in two: their mean and their standard deviation, that of a sample (n - 1); None for a single one."""

    mean: float
    deviation: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """Jobs that count as one: numbers of ``members``, and what sets them apart from the other groups."""

    members: tuple[int, ...]
    traits: Mapping[str, str]

    @property
    def title(self) -> str:
        """What sets the group apart, in words."""
        told = ", ".join(f"{name}={value}" for name, value in self.traits.items())
        return told or "all"


def spread(numbers: Sequence[float | None]) -> Spread | None:
    """Mean and standard deviation of those that are numbers; None where none is."""
    told = [number for number in numbers if number is not None and math.isfinite(number)]
    if not told:
        return None
    return Spread(statistics.fmean(told), statistics.stdev(told) if len(told) > 1 else None, len(told))


def given(subject: Subject) -> dict[str, str]:
    """All that a job was told by name: parameters, and inputs that are none."""
    return {**inputs(subject.job), **subject.parameters}


def group_repeats(subjects: Sequence[Subject]) -> list[Group]:
    """Jobs with the same parameters, apart from those that tell repetitions apart, in the order of their first."""
    told = [{name: value for name, value in given(each).items() if not SEED.search(name)} for each in subjects]
    return _grouped(told)


def group_by(subjects: Sequence[Subject], name: str) -> list[Group]:
    """Jobs with the same value of a parameter or an input."""
    return _grouped([{name: given(each).get(name, "not given")} for each in subjects])


def _grouped(told: Sequence[Mapping[str, str]]) -> list[Group]:
    names = list(dict.fromkeys(name for each in told for name in each))
    apart = [name for name in names if len({each.get(name) for each in told}) > 1]
    apart.sort(key=lambda name: any(name not in each for each in told))  # what only some have tells less
    found: dict[tuple[str | None, ...], list[int]] = {}
    for number, each in enumerate(told):
        found.setdefault(tuple(each.get(name) for name in names), []).append(number)
    return [
        Group(tuple(members), {name: told[members[0]].get(name, "not given") for name in apart})
        for members in found.values()
    ]


def grouped_row(row: Row, groups: Sequence[Group]) -> tuple[Row, list[Spread | None]]:
    """A row with a value for each group, and the spread of each where the row holds numbers."""
    if not row.numbers:
        values = tuple(_values_of(row, group) for group in groups)
        return Row(row.section, row.name, values, len(set(values)) > 1), [None for _ in groups]
    spreads = [spread([row.numbers[number] for number in group.members]) for group in groups]
    means = tuple(each.mean if each else None for each in spreads)
    higher = is_better_higher(row.name) if row.section == "metrics" else None
    texts = tuple(None if mean is None else repr(mean) for mean in means)
    return Row(row.section, row.name, texts, row.differs, means, best(means, higher)), spreads


def _values_of(row: Row, group: Group) -> str | None:
    """The values of a group's jobs in one text, each once."""
    found = list(dict.fromkeys(row.values[number] for number in group.members))
    told = ["not given" if value is None else value for value in found]
    if found == [None]:
        return None
    more = len(told) - SHOWN_VALUES
    return ", ".join(told[:SHOWN_VALUES]) + (f" and {more} more" if more > 0 else "")


Curve = Sequence[tuple[float, float]]


def mean_curve(curves: Sequence[Curve]) -> list[tuple[float, Spread]]:
    """Mean and deviation of several curves wherever all of those that reach so far have a point of the same x."""
    ends = [curve[-1][0] for curve in curves if curve]
    found: dict[float, list[float]] = {}
    for curve in curves:
        for x, y in dict(curve).items():
            if math.isfinite(y):
                found.setdefault(x, []).append(y)
    told = [(x, ys) for x, ys in sorted(found.items()) if len(ys) >= sum(end >= x for end in ends)]
    return [(x, each) for x, ys in told if (each := spread(ys)) is not None]
