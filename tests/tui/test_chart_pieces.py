"""The pure parts of a chart: ticks and labels, thinning out, smoothing, dots, sparklines, legends."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from workbench.tui.widgets import axis
from workbench.tui.widgets.axis import clock_ticks, duration_label, log_ticks, number_ticks, time_ticks, value_label
from workbench.tui.widgets.braille import Canvas, scale, trace
from workbench.tui.widgets.chart_legend import Look, legend
from workbench.tui.widgets.chart_picture import Painter
from workbench.tui.widgets.chart_table import table
from workbench.tui.widgets.series import Curve, Series, smoothed
from workbench.tui.widgets.sparkline import ascii_sparkline, sparkline

finite = st.floats(-1e12, 1e12, allow_nan=False)
anything = st.floats(width=64)
ranges = st.tuples(finite, st.floats(1e-6, 1e12)).map(lambda pair: (pair[0], pair[0] + pair[1] + abs(pair[0]) * 1e-6))


# -- axes ---------------------------------------------------------------------------------------------------------


@given(ranges, st.integers(1, 12))
def test_ticks_lie_within_the_range_at_equal_round_distances(reach: tuple[float, float], count: int) -> None:
    low, high = reach
    step = axis.nice_step(high - low, count)
    values = [tick.value for tick in number_ticks(low, high, count)]
    assert len(values) <= count + 1
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 6) in (1, 2, 5)
    slack = step * 1e-3
    assert all(low - slack <= value <= high + slack for value in values)
    # The ticks reach over the range: no further one would lie in it.
    if values:
        assert values[0] - step < low + slack and values[-1] + step > high - slack


@given(ranges, st.integers(2, 8))
def test_labels_of_neighbours_differ(reach: tuple[float, float], count: int) -> None:
    low, high = reach
    if (high - low) > max(abs(low), abs(high)) * 1e-4:
        labels = [tick.label for tick in number_ticks(low, high, count)]
        assert len(set(labels)) == len(labels)


@given(st.floats(-300, 300), st.floats(0.01, 40), st.integers(1, 8))
def test_ticks_of_a_logarithmic_axis_are_positive_and_inside(start: float, decades: float, count: int) -> None:
    low, high = 10.0**start, 10.0 ** min(start + decades, 308)
    if low < high:
        ticks = log_ticks(low, high, count)
        assert all(low * 0.99 <= tick.value <= high * 1.01 for tick in ticks)


@pytest.mark.parametrize(
    ("high", "labels"),
    [
        (4, ["0s", "1s", "2s", "3s", "4s"]),
        (120, ["0s", "30s", "1m", "1m30", "2m"]),
        (7200, ["0s", "30m", "1h", "1h30", "2h"]),
        (86400 * 2, ["0s", "12h", "1d", "1d12h", "2d"]),
        (0.4, ["0s", "0.1s", "0.2s", "0.3s", "0.4s"]),
    ],
)
def test_ticks_of_time(high: float, labels: list[str]) -> None:
    assert [tick.label for tick in time_ticks(0, high, 4)] == labels


def test_ticks_of_the_clock_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")  # half an hour off the hour
    time.tzset()
    try:
        noon = 1_790_000_000 - (1_790_000_000 + 19800) % 86400 + 43200
        assert [tick.label for tick in clock_ticks(noon, noon + 7200, 4)] == [
            "12:00",
            "12:30",
            "13:00",
            "13:30",
            "14:00",
        ]
        days = [tick.label for tick in clock_ticks(noon, noon + 3 * 86400, 4)]
        assert len(days) == 3 and all(len(label) == 5 and label[2] == "-" for label in days)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("seconds", "label"), [(0, "0s"), (45, "45s"), (90, "1m30"), (7200, "2h"), (7500, "2h05"), (108000, "1d6h")]
)
def test_durations(seconds: float, label: str) -> None:
    assert duration_label(seconds) == label


@pytest.mark.parametrize(
    ("value", "label"),
    [(0.25, "0.25"), (12, "12"), (3.3497e-8, "3.3497e-8"), (math.inf, "inf"), (math.nan, "NaN"), (123456.0, "123456")],
)
def test_single_values(value: float, label: str) -> None:
    assert value_label(value) == label


def test_an_axis_that_grows_moves_seldom() -> None:
    ends = {axis.grown(0, high) for high in range(1000, 2000)}
    assert len(ends) < 25
    assert all(high <= axis.grown(0, high) <= high * 1.12 for high in range(1000, 2000))


# -- thinning out ---------------------------------------------------------------------------------------------------

points_lists = st.lists(st.tuples(st.integers(0, 400).map(float), finite), min_size=1, max_size=400)


@given(points_lists, st.integers(2, 90))
def test_columns_keep_the_lowest_and_highest(points: list[tuple[float, float]], count: int) -> None:
    series = Series("loss", points)
    low, high = series.xs[0], series.xs[-1]
    found = series.columns(low, high, count).columns
    assert min(column.low for column in found) == min(y for _, y in points)
    assert max(column.high for column in found) == max(y for _, y in points)
    assert all(0 <= column.place < count for column in found)
    assert all(a.place < b.place for a, b in pairwise(found))


@given(points_lists, st.integers(2, 30))
def test_many_points_are_thinned_out_as_few_are(points: list[tuple[float, float]], count: int) -> None:
    series = Series("loss", points)
    low, high = series.xs[0], series.xs[-1]
    if low < high:
        scale_x = (count - 1) / (high - low)
        one_by_one = series._by_point(low, scale_x, 0, len(series))
        by_column = series._by_column(low, scale_x, 0, len(series), range(count))
        extremes = [min(column.low for column in each) for each in (one_by_one, by_column)]
        assert extremes[0] == extremes[1]
        assert sum(abs(a.place - b.place) > 1 for a, b in zip(one_by_one, by_column, strict=False)) == 0 or len(
            one_by_one
        ) != len(by_column)


@given(points_lists, points_lists)
def test_points_added_later_make_the_same_series(
    first: list[tuple[float, float]], more: list[tuple[float, float]]
) -> None:
    series = Series("loss", first)
    series.append(more)
    assert series.xs == sorted(x for x, _ in first + more)
    assert sorted(series.ys) == sorted(y for _, y in first + more)


def test_what_is_no_number_makes_a_gap_and_an_infinity_is_known() -> None:
    series = Series("loss", [(0, 1.0), (1, math.nan), (2, 2.0), (3, 3.0), (4, math.inf), (5, 4.0)])
    assert series.ys == [1.0, 2.0, 3.0, 4.0]
    assert series.breaks == [1, 3]
    assert series.infinities == [(4, math.inf)]
    assert (series.not_numbers, series.extent) == (1, (0, 5))
    assert [column.joined for column in series.columns(0, 5, 60).columns] == [False, False, True, False]


# -- smoothing ------------------------------------------------------------------------------------------------------


def test_smoothing_by_hand() -> None:
    # weight 0.5: last = 0.5, 1.25, 2.125; bias 1 - 0.5, 1 - 0.25, 1 - 0.125
    expected = [1.0, 1.25 / 0.75, 2.125 / 0.875]
    assert smoothed([1.0, 2.0, 3.0], 0.5) == pytest.approx(expected)
    with_gap = smoothed([1.0, math.nan, 2.0, math.inf, 3.0], 0.5)
    assert [with_gap[0], with_gap[2], with_gap[4]] == pytest.approx(expected)
    assert math.isnan(with_gap[1]) and with_gap[3] == math.inf


@given(st.floats(-1e6, 1e6), st.integers(1, 50), st.sampled_from([0.6, 0.9, 0.99]))
def test_what_is_constant_stays_constant(value: float, count: int, weight: float) -> None:
    assert smoothed([value] * count, weight) == pytest.approx([value] * count, abs=1e-6)


@given(points_lists, points_lists, st.sampled_from([0.0, 0.9]), st.booleans())
def test_a_curve_that_grows_is_drawn_as_one_that_was_whole(
    first: list[tuple[float, float]], more: list[tuple[float, float]], weight: float, log: bool
) -> None:
    grown = Curve("loss", first, log=log, weight=weight)
    grown.append(more)
    # The raw points of a step may come in another order, which smoothing tells apart: take them as they are kept.
    whole = Curve("loss", grown.raw.points(), log=log, weight=weight)
    for one, other in zip(grown.drawn, whole.drawn, strict=True):
        assert one.xs == other.xs and one.ys == pytest.approx(other.ys)
        assert one.breaks == other.breaks
    assert grown.hidden == whole.hidden


# -- dots -----------------------------------------------------------------------------------------------------------


def drawn(points: list[tuple[float, float]], width: int = 3, height: int = 1) -> list[str]:
    canvas = Canvas(width, height)
    series = Series("", points)
    low, high = min(series.ys), max(series.ys)
    columns = series.columns(series.xs[0], series.xs[-1], width * 2)
    trace(canvas, columns, scale(low, high if high > low else low + 1, height * 4), 1)
    return [canvas.text(row) for row in range(height)]


def test_a_line_is_drawn_through_every_column() -> None:
    assert drawn([(0, 0.0), (5, 0.0)]) == ["⣀⣀⣀"]
    assert drawn([(0, 0.0), (3, 3.0)], width=2) == ["⡠⠊"]


def test_a_step_is_an_upright_line() -> None:
    rows = drawn([(0, 0.0), (1, 0.0), (2, 1.0), (3, 1.0)], width=2, height=2)
    assert rows[0][1] not in " " and rows[1][0] not in " "
    joined = "".join(rows)
    assert sum(bin(ord(sign) - 0x2800).count("1") for sign in joined if sign != " ") >= 4 + 6


@given(points_lists, st.integers(1, 40), st.integers(1, 12), st.integers(0, 40))
def test_drawing_a_part_anew_is_drawing_all(
    points: list[tuple[float, float]], width: int, height: int, cell: int
) -> None:
    series = Series("", points)
    columns = series.columns(series.xs[0], series.xs[-1], width * 2)
    dot = scale(min(series.ys), max(series.ys) + 1, height * 4)
    canvas = Canvas(width, height)
    trace(canvas, columns, dot, 1)
    before = [canvas.text(row) for row in range(height)]
    if cell < width:
        canvas.clear(cell)
        trace(canvas, columns, dot, 1, cell)
        after = [canvas.text(row) for row in range(height)]
        # The cell at the seam may hold a dot that leads to its neighbour on the left.
        assert [row[:cell] + row[cell + 1 :] for row in after] == [row[:cell] + row[cell + 1 :] for row in before]


awkward = st.lists(st.tuples(finite, anything), max_size=60)


@given(awkward, awkward, st.integers(1, 120), st.integers(1, 40), st.booleans(), st.sampled_from([0.0, 0.9]))
def test_whatever_was_logged_a_picture_has_its_size(
    points: list[tuple[float, float]],
    others: list[tuple[float, float]],
    width: int,
    height: int,
    log: bool,
    weight: float,
) -> None:
    curves = [
        Curve(name, values, log=log, weight=weight) for name, values in (("損失\x1b[1m", points), ("acc", others))
    ]
    for look in (Look(log=log), Look(log=log, live=True, cursor=points[0][0] if points else None)):
        if width >= 20 and height >= 6:
            rows = Painter().paint(curves, look, width, height, None)
            assert len(rows) == height
            assert all(cell_len(row.text) == width and len(row.text) == len(row.styles) for row in rows)
        rows = table(curves, look, width, height, ascii_only=True)
        assert len(rows) == height
        assert all(cell_len(row.text) == width and len(row.text) == len(row.styles) for row in rows)


@example(first=[(255.0, 0.0), (260.0, 11.0), (272.0, 0.0)], more=[(300.0, 0.0)])
@given(points_lists, st.lists(st.tuples(st.integers(300, 800).map(float), finite), min_size=1, max_size=50))
def test_a_picture_that_grew_is_the_picture_of_all(
    first: list[tuple[float, float]], more: list[tuple[float, float]]
) -> None:
    curve, painter = Curve("loss", first), Painter()
    for look in (Look(window=(0, 500)), Look(live=True)):
        painter.paint([curve], look, 60, 12, None)
        changed = curve.append(more)
        grown = painter.paint([curve], look, 60, 12, changed)
        assert [row.text for row in grown] == [row.text for row in Painter().paint([curve], look, 60, 12, None)]


# -- legend and table -----------------------------------------------------------------------------------------------


def test_a_legend_fits_and_counts_what_is_left_out() -> None:
    curves = [Curve(f"a metric with a long name/{number}", [(0, 0.5)]) for number in range(8)]
    (row,) = legend(curves, Look(), (0, 1), 60, 1)
    assert len(row.text) == 60 and "+" in row.text
    (row,) = legend(curves[:2], Look(), (0, 1), 60, 1)
    assert row.text.count("0.5") == 2 and "●" in row.text and "▲" in row.text


def test_a_table_tells_last_lowest_and_highest() -> None:
    rows = table([Curve("loss", [(0, 3.0), (1, 1.0), (2, 2.0)])], Look(), 50, 8, ascii_only=True)
    text = [row.text for row in rows]
    assert text[0].split() == ["last", "min", "max"]
    assert text[1].split() == ["o", "loss", "2", "1", "3"]
    assert [line.split() for line in text[4:7]] == [["0", "3"], ["1", "1"], ["2", "2"]]


# -- sparklines -----------------------------------------------------------------------------------------------------


def test_sparklines() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, math.nan, 7], 8) == "▁ █"
    assert ascii_sparkline([0, 7], 8) == ".@"
    assert sparkline([], 8) == "" and sparkline([1, 2], 0) == ""
    assert sparkline([5, 5, 5], 3) == "▄▄▄"
    assert sparkline([math.nan] * 3, 2) == "  "
    assert sparkline([-math.inf, 0, math.inf], 3)[::2] == "▁█"


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=300), st.integers(2, 40))
def test_a_sparkline_keeps_the_lowest_and_highest(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == min(width, len(values))
    if max(values) - min(values) > 1e-3:
        assert "▁" in line and "█" in line
