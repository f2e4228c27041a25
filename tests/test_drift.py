"""Drift between two tables, against values worked out by hand and against SciPy."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from scipy import stats
from scipy.spatial import distance as distances

from store.tabular.drift import ColumnDrift, Difference, compare, drift, js_distance, ks_probability, psi
from store.tabular.source import open_table
from store.tabular.summaries import Summary, summary_of


def compared(tmp_path: Path, before: dict[str, Any], after: dict[str, Any]) -> Difference:
    for name, columns in (("before", before), ("after", after)):
        parquet.write_table(pyarrow.table(columns), tmp_path / f"{name}.parquet")
    return compare(open_table(tmp_path / "before.parquet"), open_table(tmp_path / "after.parquet"))


def summed(values: Any) -> Summary:
    array = pyarrow.array(values)
    found = summary_of(array.type)
    found.add(array)
    return found


def moved(before: Any, after: Any) -> ColumnDrift:
    return drift("x", summed(before), summed(after))


def test_psi_by_hand() -> None:
    # (0.25 - 0.5) ln(0.25 / 0.5) + (0.75 - 0.5) ln(0.75 / 0.5) = 0.25 ln 2 + 0.25 ln 1.5
    assert psi([0.5, 0.5], [0.25, 0.75]) == pytest.approx(0.25 * math.log(3))
    assert psi([1.0, 0.0], [0.9, 0.1]) == pytest.approx(0.1 * math.log(1 / 0.9) + 0.0999 * math.log(1000))


def test_js_by_hand() -> None:
    assert js_distance([1, 0], [0, 1]) == 1
    # middle (3/4, 1/4): (log2(4/3) + (1/2 log2(2/3) + 1/2 log2 2)) / 2
    by_hand = math.sqrt((math.log2(4 / 3) + 0.5 * math.log2(2 / 3) + 0.5) / 2)
    assert js_distance([1, 0], [0.5, 0.5]) == pytest.approx(by_hand)


def test_numbers_by_hand() -> None:
    found = moved(list(range(1, 11)), list(range(6, 16)))
    # deciles 1 ... 9: before a tenth in each of ten bins; after 1/10 in those of 6, 7, 8 and 9, 6/10 above
    assert found.ks == 0.5
    by_hand = 5 * (0.1 - 1e-4) * math.log(0.1 / 1e-4) + 0.5 * math.log(6)
    assert found.psi == pytest.approx(by_hand)
    assert (found.level, found.exact, found.js) == ("large", True, None)


def test_categories_by_hand() -> None:
    found = moved(["a", "b"] * 50, ["a"] * 25 + ["b"] * 75)
    assert found.psi == pytest.approx(0.25 * math.log(3))
    assert found.level == "large" and found.ks is None
    assert moved(["a", "b"] * 50, ["a"] * 45 + ["b"] * 55).level == "none"
    assert moved(["a", "b"] * 50, ["a"] * 34 + ["b"] * 66).level == "some"


def test_a_value_that_is_all_there_is_moves_both_ways() -> None:
    assert moved([5] * 100, [5] * 100).psi == 0
    assert moved([5] * 100, [4] * 100).level == "large"
    assert moved([5] * 100, [6] * 100).level == "large"


def test_schema_and_order(tmp_path: Path) -> None:
    count = 1000
    numbers = numpy.arange(count)
    before = {"gone": numbers, "same": numbers, "far": numbers, "near": numbers, "kind": numbers, "wider": numbers}
    after = {
        "same": numbers,
        "far": numbers + 500,
        "near": numbers + 120,
        "kind": [str(number) for number in numbers],
        "wider": numbers.astype(float),
        "new": [[1]] * count,
    }
    found = compared(tmp_path, before, after)
    assert (found.added, found.removed) == (("new",), ("gone",))
    assert [(each.name, each.before, each.after) for each in found.types] == [
        ("kind", "int64", "string"),
        ("wider", "int64", "double"),
    ]
    assert [each.name for each in found.columns] == ["far", "near", "same", "wider", "kind"]
    levels = {each.name: each.level for each in found.columns}
    assert levels == {"far": "large", "near": "large", "same": "none", "wider": "none", "kind": "unknown"}
    assert found.schema_changed and found.drifted() == ["far", "near"]


def test_missing_values_times_and_nothing_at_all(tmp_path: Path) -> None:
    days = [date(2024, 1, day) for day in range(1, 31)]
    found = compared(
        tmp_path,
        {"x": [1.0, None], "day": pyarrow.array(days[:2]), "hollow": pyarrow.nulls(2, pyarrow.int64())},
        {"x": [1.0, 1.0], "day": pyarrow.array(days[:2]), "hollow": [1, 2]},
    )
    columns = {each.name: each for each in found.columns}
    assert (columns["x"].missing_before, columns["x"].missing_after) == (0.5, 0.0)
    assert columns["day"].psi == 0 and columns["hollow"].level == "unknown"
    assert compared(tmp_path, {"a": [1]}, {"b": [1, 2]}).rows_after == 2


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.3])
def test_large_tables_are_near_the_judge(tmp_path: Path, shift: float) -> None:
    random = numpy.random.default_rng(3)
    before, after = random.normal(size=300_000), random.normal(shift, size=200_000)
    found = compared(tmp_path, {"x": before}, {"x": after}).columns[0]
    judge = stats.ks_2samp(before, after)
    assert not found.exact and found.ks == pytest.approx(judge.statistic, abs=0.003)
    edges = numpy.concatenate([[-numpy.inf], numpy.quantile(before, numpy.arange(1, 10) / 10), [numpy.inf]])
    first, second = (numpy.histogram(each, edges)[0] / len(each) for each in (before, after))
    assert found.psi == pytest.approx(((first - second) * numpy.log(first / second)).sum(), abs=0.005)


SAMPLES = st.lists(st.integers(-50, 50), min_size=1, max_size=60)


@given(SAMPLES, SAMPLES)
@settings(deadline=None)
def test_kolmogorov_smirnov_as_scipy_has_it(before: list[int], after: list[int]) -> None:
    found = moved(before, after)
    assert found.ks is not None and found.p is not None and found.psi is not None
    assert found.ks == pytest.approx(stats.ks_2samp(before, after, method="asymp").statistic)
    root = found.ks * math.sqrt(len(before) * len(after) / (len(before) + len(after)))
    assert found.p == pytest.approx(stats.kstwobign.sf(root), abs=1e-9)
    assert found.psi >= 0 and 0 <= found.ks <= 1


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0, 1))
def test_a_probability_lies_between_0_and_1(count: int, other: int, statistic: float) -> None:
    assert 0 <= ks_probability(statistic, count, other) <= 1


@given(st.one_of(SAMPLES, st.lists(st.text(max_size=3), min_size=1, max_size=50)))
@settings(deadline=None)
def test_the_same_values_have_no_drift(values: list[Any]) -> None:
    found = moved(values, values[::-1])
    assert found.psi == 0 and (found.ks or 0) == 0 and (found.js or 0) == 0 and found.level == "none"


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20))
def test_js_is_symmetric_bounded_and_as_scipy_has_it(pairs: list[tuple[int, int]]) -> None:
    one, other = (list(counts) for counts in zip(*pairs, strict=True))
    if not sum(one) or not sum(other):
        return
    first, second = numpy.array(one) / sum(one), numpy.array(other) / sum(other)
    found = js_distance(first, second)
    assert found == pytest.approx(js_distance(second, first)) and 0 <= found <= 1
    assert found == pytest.approx(float(distances.jensenshannon(first, second, base=2)), abs=1e-6)
