"""Profiles of tables, against values worked out by hand and against pandas and NumPy."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pandas
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from store.errors import UsageError
from store.tabular.profile import ColumnProfile, Profile, profile
from store.tabular.sketches import CENTROIDS, Digest, Distinct, Moments, number_hashes, text_hashes
from store.tabular.source import open_document, open_table


def profiled(tmp_path: Path, target: str | None = None, **columns: Any) -> dict[str, ColumnProfile]:
    return {each.name: each for each in whole(tmp_path, target, **columns).columns}


def whole(tmp_path: Path, target: str | None = None, **columns: Any) -> Profile:
    parquet.write_table(pyarrow.table(columns), tmp_path / "table.parquet")
    return profile(open_table(tmp_path / "table.parquet"), target=target)


def warned(found: Profile) -> set[tuple[str, str]]:
    return {(each.column, each.kind) for each in found.warnings}


def test_a_column_of_numbers(tmp_path: Path) -> None:
    found = profiled(tmp_path, x=[1, 2, 2, 5, None])["x"]
    assert (found.kind, found.type, found.rows, found.missing) == ("number", "int64", 5, 1)
    assert (found.distinct, found.distinct_exact) == (3, True)
    assert (found.min, found.max, found.mean) == (1, 5, 2.5)
    assert found.std == pytest.approx(math.sqrt(9 / 3))  # 2.25 + 0.25 + 0.25 + 6.25, by n - 1
    assert found.quantiles is not None and found.quantiles["0.5"] == 2 and found.quantiles["0.25"] == 1.75
    assert [(each.value, each.count) for each in found.top] == [(2, 2), (1, 1), (5, 1)]
    assert found.histogram is not None
    assert sum(found.histogram.counts) == 4 and len(found.histogram.edges) == len(found.histogram.counts) + 1
    assert found.histogram.counts[0] == 1 and found.histogram.counts[5] == 2 and found.histogram.counts[-1] == 1


def test_nan_is_missing_and_what_is_infinite_stays_out_of_the_mean(tmp_path: Path) -> None:
    found = profiled(tmp_path, x=[1.0, math.nan, None, math.inf, -math.inf, 3.0])["x"]
    assert (found.missing, found.infinite, found.mean, found.min, found.max) == (2, 2, 2.0, 1.0, 3.0)


def test_large_integers_keep_every_digit(tmp_path: Path) -> None:
    found = profiled(tmp_path, x=[2**62 + 1, 2**62 + 2], y=pyarrow.array([0, 2**64 - 1], pyarrow.uint64()))
    assert (found["x"].min, found["x"].max, found["x"].distinct) == (2**62 + 1, 2**62 + 2, 2)
    assert found["y"].max == 2**64 - 1


def test_texts_truth_values_bytes_and_nested_values(tmp_path: Path) -> None:
    found = profiled(
        tmp_path,
        text=["b", "a", "b", None],
        truth=[True, False, None, True],
        raw=[b"\xff", b"\x00", None, None],
        nested=[[1], None, [2, 3], []],
        nothing=pyarrow.nulls(4),
        coded=pyarrow.array(["x", "y", "x", "x"]).dictionary_encode(),
    )
    text = found["text"]
    assert (text.kind, text.missing, text.distinct, text.min, text.max) == ("text", 1, 2, "a", "b")
    assert [(each.value, each.count) for each in text.top] == [("b", 2), ("a", 1)]
    assert [(each.value, each.count) for each in found["truth"].top] == [("true", 2), ("false", 1)]
    assert (found["raw"].min, found["raw"].max) == ("00", "ff")
    assert (found["nested"].kind, found["nested"].missing, found["nested"].distinct) == ("nested", 1, None)
    assert (found["nothing"].kind, found["nothing"].missing) == ("empty", 4)
    assert (found["coded"].kind, found["coded"].type, found["coded"].distinct) == ("text", "string", 2)


def test_times_are_shown_as_iso_8601(tmp_path: Path) -> None:
    days = [date(2024, 1, 1), date(2024, 1, 3)]
    moments = [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 2, tzinfo=UTC)]
    found = profiled(
        tmp_path,
        day=days,
        moment=pyarrow.array(moments, pyarrow.timestamp("ns", "UTC")),
        wait=[timedelta(seconds=1), timedelta(seconds=2)],
        money=[Decimal("1.50"), Decimal("2.50")],
    )
    assert (found["day"].min, found["day"].mean, found["day"].max) == ("2024-01-01", "2024-01-02", "2024-01-03")
    assert found["moment"].mean == "2024-01-01T01:00:00+00:00"
    assert (found["wait"].kind, found["wait"].max) == ("time", 2.0)
    assert (found["money"].kind, found["money"].mean) == ("number", 2.0)


def test_no_rows_and_extreme_numbers(tmp_path: Path) -> None:
    found = profiled(tmp_path, x=pyarrow.array([], pyarrow.float64()), t=pyarrow.array([], pyarrow.string()))
    assert (found["x"].rows, found["x"].min, found["x"].histogram, found["t"].distinct) == (0, None, None, 0)
    wide = profiled(tmp_path, x=[-1.7e308, 1.7e308], y=[1.0, math.nextafter(1.0, 2.0)])
    assert wide["x"].histogram is not None and sum(wide["x"].histogram.counts) == 2
    assert wide["y"].histogram is not None and sum(wide["y"].histogram.counts) == 2


def test_a_profile_survives_json(tmp_path: Path) -> None:
    found = whole(tmp_path, x=[1, 2, 3], t=["a", "b", None], target="x")
    assert Profile.of(json.loads(json.dumps(found.document()))) == found


def test_warnings(tmp_path: Path) -> None:
    count = 3000
    numbers = numpy.arange(count)
    label = numpy.where(numbers % 3 == 0, "yes", "no")
    found = whole(
        tmp_path,
        "label",
        label=label,
        same=["x"] * count,
        hollow=[None] * (count - 10) + list(range(10)),
        key=[f"user {number}" for number in numbers],
        many=[f"city {number % 1500}" for number in numbers],
        mixed=["n/a" if number % 10 == 0 else str(number % 7) for number in numbers],
        again=label,
        coded=numpy.where(numbers % 3 == 0, 1, 0),
        fine=numbers % 50,
        measure=numpy.random.default_rng(1).normal(size=count),
    )
    assert warned(found) == {
        ("same", "constant"),
        ("hollow", "mostly_missing"),
        ("key", "id_like"),
        ("many", "high_cardinality"),
        ("mixed", "mixed_types"),
        ("again", "target_leak"),
        ("coded", "target_leak"),
    }


def test_a_target_that_is_no_column(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="churnd"):
        whole(tmp_path, "churnd", churned=[1, 2])


def test_estimates_of_a_large_table(tmp_path: Path) -> None:
    count = 400_000
    random = numpy.random.default_rng(7)
    values = random.normal(size=count)
    names = [f"user {number:x}" for number in random.integers(0, 1 << 60, count)]
    often = numpy.where(random.random(count) < 0.3, 7, random.integers(0, 1 << 40, count))
    found = profiled(tmp_path, x=values, name=names, often=often)
    x = found["x"]
    assert x.mean == pytest.approx(values.mean()) and x.std == pytest.approx(values.std(ddof=1))
    assert not x.distinct_exact and x.distinct == pytest.approx(count, rel=0.03)
    assert found["name"].distinct == pytest.approx(len(set(names)), rel=0.03)
    assert (found["name"].min, found["name"].max) == (min(names), max(names))
    assert x.quantiles is not None and not x.quantiles_exact
    for share, value in x.quantiles.items():
        assert (values <= value).mean() == pytest.approx(float(share), abs=0.003)
    assert x.histogram is not None and sum(x.histogram.counts) == pytest.approx(count, abs=20)
    judge = numpy.histogram(values, x.histogram.edges)[0]
    assert numpy.abs(judge - numpy.array(x.histogram.counts)).max() < 0.005 * count
    top = found["often"].top[0]
    assert top.value == 7 and top.count == int((often == 7).sum())


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=300), st.integers(1, 7))
@settings(deadline=None, max_examples=60)
def test_moments_do_not_depend_on_chunks(values: list[float], size: int) -> None:
    moments = Moments()
    for at in range(0, len(values), size):
        moments.add(numpy.array(values[at : at + size]))
    assert moments.mean == pytest.approx(numpy.mean(values), rel=1e-9, abs=1e-6)
    assert moments.deviation == pytest.approx(numpy.std(values, ddof=1), rel=1e-6, abs=1e-4)


@given(st.integers(0, 2**32), st.sampled_from(["normal", "exponential", "uniform"]))
@settings(deadline=None, max_examples=10)
def test_a_digest_is_near_the_distribution_and_small(seed: int, shape: str) -> None:
    values = getattr(numpy.random.default_rng(seed), shape)(size=300_000)
    digest = Digest()
    for at in range(0, len(values), 70_000):
        digest.add(numpy.sort(values[at : at + 70_000]))
    assert not digest.exact and len(digest.means) <= CENTROIDS and digest.count == len(values)
    shares = [0.001, 0.01, 0.3, 0.5, 0.9, 0.999]
    for share, value in zip(shares, digest.quantiles(shares), strict=True):
        assert (values <= value).mean() == pytest.approx(share, abs=0.003)
        assert digest.below([value])[0] == pytest.approx(share, abs=0.003)
    assert digest.below([values.max()])[0] == 1 and digest.below([values.min() - 1])[0] == 0


@given(st.lists(st.text(max_size=20), max_size=100))
@settings(deadline=None)
def test_texts_have_equal_hashes_where_they_are_equal(texts: list[str]) -> None:
    array = pyarrow.array(["before", *texts, *reversed(texts)], pyarrow.string()).slice(1)
    hashes = text_hashes(array).tolist()
    assert len(set(hashes)) == len(set(texts))
    assert hashes[: len(texts)] == hashes[len(texts) :][::-1]


def test_long_texts_are_hashed_too() -> None:
    texts = ["", "a" * 700_000, "b" * 700_000, "", "c" * 600, "a" * 700_000, "c" * 600]
    hashes = text_hashes(pyarrow.array(texts)).tolist()
    assert hashes[1] == hashes[5] and hashes[0] == hashes[3] and hashes[4] == hashes[6]
    assert len(set(hashes)) == 4


def test_distinct_values_are_counted_exactly_while_there_are_few() -> None:
    distinct = Distinct()
    for start in (0, 500, 900):
        distinct.add(number_hashes(numpy.arange(start, start + 1000)))
    assert distinct.estimate() == 1900


def test_zero_has_no_sign(tmp_path: Path) -> None:
    found = profiled(tmp_path, x=[0.0, -0.0])["x"]
    assert found.distinct == 1 and math.copysign(1, found.max) == 1 == math.copysign(1, found.min)


def test_long_texts_are_counted_in_bounded_memory_and_cut(tmp_path: Path) -> None:
    texts = [str(number) + "x" * 40_000 for number in range(1000)]
    found = profiled(tmp_path, text=[*texts, *texts[:1]])["text"]
    assert (found.distinct, found.distinct_exact) == (1000, False)  # 40 MB of texts, none of which could be left out
    assert len(found.max) == 1001 and [each.count for each in found.top] == [2]


def test_a_sample_without_a_seed_is_drawn_once(tmp_path: Path) -> None:
    columns = {f"x{number}": numpy.arange(2000) for number in range(20)}
    parquet.write_table(pyarrow.table(columns), tmp_path / "table.parquet")
    steps = [{"read_parquet": {}}, {"take_random_sample": {"probability": 0.5}}]
    found = profile(open_document({"paths": [{"file": "table.parquet"}], "transformations": steps}, tmp_path))
    assert len({(each.rows, each.mean, each.std) for each in found.columns}) == 1


def test_groups_of_columns_and_chunks_come_to_the_same_as_pandas(tmp_path: Path) -> None:
    random = numpy.random.default_rng(5)
    columns = {f"x{number}": random.integers(0, 50 * (number + 1), 150_000) for number in range(20)}
    parquet.write_table(pyarrow.table(columns), tmp_path / "table.parquet", row_group_size=40_000)
    found = profile(open_table(tmp_path / "table.parquet"))
    frame = pandas.DataFrame(columns)
    described = frame.describe()
    for each in found.columns:
        assert (each.mean, each.std) == pytest.approx((described[each.name]["mean"], described[each.name]["std"]))
        assert each.distinct == frame[each.name].nunique() and each.distinct_exact
        judge = frame[each.name].value_counts()
        assert [value.count for value in each.top] == judge.iloc[:10].tolist()
        assert all(judge[value.value] == value.count for value in each.top)
        assert each.histogram is not None and each.histogram.exact and sum(each.histogram.counts) == 150_000
