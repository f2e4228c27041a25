"""The chart widget: what it paints, and that it paints no more than what changed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from workbench.tui.theme_variables import VARIABLE_DEFAULTS
from workbench.tui.widgets.line_chart import LineChart

Points = list[tuple[float, float]]


class Pane(App[None]):
    """One chart, and the regions that it asked to be painted."""

    CSS = "LineChart { height: 1fr; width: 1fr; }"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(VARIABLE_DEFAULTS)

    def compose(self) -> ComposeResult:
        yield Spied()


class Spied(LineChart):
    painted: list[Region]

    def refresh(self, *regions: Region, **options: Any) -> LineChart:
        self.painted = [*getattr(self, "painted", []), *(regions or [self.size.region])]
        return super().refresh(*regions, **options)


def run(script: Callable[[Spied, Pilot[None]], Awaitable[Any]], size: tuple[int, int] = (80, 24)) -> Any:
    async def scene() -> Any:
        app = Pane()
        async with app.run_test(size=size) as pilot:
            chart = app.query_one(Spied)
            chart.focus()
            await pilot.pause()
            return await script(chart, pilot)

    return asyncio.run(scene())


def text(chart: LineChart) -> list[str]:
    return [chart.render_line(y).text for y in range(chart.size.height)]


def wave(count: int) -> Points:
    return [(float(i), math.sin(i / 50)) for i in range(count)]


def test_a_single_point_is_seen_at_its_own_step() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> tuple[list[str], list[str]]:
        chart.set_curves([("f1", [(3.0, 0.5)])])
        alone = text(chart)
        chart.set_curves([("few", [(0.0, 0.0), (2.0, 0.0)])])
        return alone, text(chart)

    alone, few = run(script)
    assert sum(row.count("●") for row in alone) == 1
    assert alone[-1].split() == ["step", "3"]
    assert few[-1].split() == ["step", "0", "1", "2"]
    assert not any("-1" in row for row in few) and not any("●" in row for row in few)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (40, 10)])
def test_a_chart_fills_its_place(size: tuple[int, int]) -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> list[str]:
        chart.set_curves([("loss", wave(1000)), ("accuracy", wave(10))])
        return text(chart)

    rows = run(script, size)
    assert [len(row) for row in rows] == [size[0]] * size[1]
    assert "loss" in rows[0] and "accuracy" in rows[0]
    assert any(0x2800 < ord(sign) < 0x2900 for row in rows for sign in row)


def test_points_at_the_end_paint_the_end_alone() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> list[Region]:
        chart.show(live=True)
        chart.set_curves([("loss", wave(10_000))])
        end = chart._painter.plot.x[1] if chart._painter.plot else 0
        await pilot.pause()
        chart.painted = []
        chart.append("loss", [(10_000.0, 0.5), (min(end, 10_010.0), 0.6)])
        return chart.painted

    regions = run(script)
    assert regions
    plot = [region for region in regions if region.y > 0]
    assert all(region.x > 60 for region in plot)


def test_nothing_new_paints_nothing() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> list[Region]:
        chart.set_curves([("loss", wave(500))])
        await pilot.pause()
        chart.painted = []
        chart.append("loss", [])
        chart.show(log=False, live=False)
        chart.action_whole()
        chart.replace("loss", wave(500))
        return chart.painted

    assert run(script) == []


def test_zoom_pan_and_cursor() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> None:
        chart.set_curves([("loss", [(float(i), i * 2.0) for i in range(101)])])
        await pilot.press("plus")
        assert chart.look.window == (25, 75)
        await pilot.press("greater_than_sign")
        assert chart.look.window == (37.5, 87.5)
        await pilot.press(*["less_than_sign"] * 4)
        assert chart.look.window == (0, 50)
        await pilot.press("minus")
        assert chart.look.window is None
        await pilot.press("right", "right")
        assert chart.look.cursor == 1
        assert chart.readout() == {"loss": (1, 2)}
        assert "step 1 " in text(chart)[0]
        await pilot.press("end", "left")
        assert chart.readout()["loss"][0] == 99
        await pilot.press("plus", "plus")
        assert chart.look.window is not None and chart.look.window[0] <= 99 <= chart.look.window[1]
        await pilot.press("0")
        assert (chart.look.window, chart.look.cursor) == (None, None)

    run(script)


def test_a_chart_among_others_leaves_the_keys_alone() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> None:
        chart.keys = False
        chart.set_curves([("loss", wave(100))])
        await pilot.press("plus", "right")
        assert (chart.look.window, chart.look.cursor) == (None, None)

    run(script)


def test_a_logarithmic_scale_says_what_it_has_no_place_for() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> list[str]:
        chart.set_curves([("loss", [(0, 1.0), (1, 0.0), (2, -1.0), (3, 0.01)])])
        chart.show(log=True)
        return text(chart)

    rows = run(script)
    assert "2 not above 0" in rows[0]
    labels = [row.split("┤")[0].strip() for row in rows if "┤" in row]
    assert labels[0] == "1" and labels[-1] == "0.01"


def test_smoothing_draws_beside_the_raw_values() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> set[int]:
        chart.set_curves([("loss", [(float(i), float(i % 2)) for i in range(100)])])
        chart.show(weight=0.9)
        return {style for row in chart._rows for style in row.styles}

    assert {1, 9} <= run(script)


BETWEEN_LEFT = 0x01 | 0x02 | 0x04 | 0x40
"""The dots of the left half of a cell (Unicode, Braille Patterns)."""


def dots(chart: LineChart) -> list[list[int]]:
    """The dots of each cell of the plot, in rows of the picture."""
    left = chart._painter.plot.left + 1 if chart._painter.plot else 0
    return [[ord(each) - 0x2800 if 0x2800 <= ord(each) < 0x2900 else 0 for each in line[left:]] for line in text(chart)]


def test_the_spread_of_a_mean_is_dotted_above_and_below_it() -> None:
    flat = [(float(x), 1.0) for x in range(200)]

    async def script(chart: Spied, pilot: Pilot[None]) -> tuple[list[list[int]], list[str], list[str], list[str]]:
        chart.set_curves([("mean", flat)], spreads={"mean": [(x, 0.5) for x, _ in flat[:100]]})
        drawn, told = dots(chart), text(chart)
        chart.action_cursor_to(0)
        return drawn, told, text(chart), [tick.label for tick in chart._painter.plot.y_ticks]

    drawn, told, at_start, ticks = run(script)
    lines = [row for row in drawn if any(row)]
    assert len(lines) == 3, "above, the mean, below"
    above, mean, below = lines
    for edge in (above, below):
        assert not any(bits & ~BETWEEN_LEFT for bits in edge), "every other column of dots is left out"
        half = len(edge) // 2
        assert all(edge[: half - 1]) and not any(edge[half + 2 :]), "as far as there is a deviation"
    assert any(bits & ~BETWEEN_LEFT for bits in mean)
    assert float(ticks[0]) <= 0.6 and float(ticks[-1]) >= 1.4
    assert "±" not in told[0], "the last value is that of a single run"
    assert "1 ± 0.5" in at_start[0]


def test_a_spread_below_zero_is_no_place_of_a_logarithmic_scale() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> list[list[int]]:
        chart.show(log=True)
        chart.set_curves([("mean", [(0.0, 1.0), (1.0, 1.0)])], spreads={"mean": [(0.0, 2.0), (1.0, 2.0)]})
        return dots(chart)

    assert sum(any(row) for row in run(script)) == 2, "the mean, and what lies above"


def test_a_spread_is_told_in_numbers_where_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.tui.widgets.line_chart.draws_unicode", lambda: False)

    async def script(chart: Spied, pilot: Pilot[None]) -> list[str]:
        chart.set_curves(
            [("mean", [(0.0, 1.0), (1.0, 2.0)])], spreads={"mean": [(0.0, 0.25), (1.0, 0.5)]}, title="loss"
        )
        return text(chart)

    head, line, *_ = run(script)
    assert head.split() == ["loss", "last", "+-", "min", "max"]
    assert line.split()[-4:] == ["2", "0.5", "1", "2"]


@pytest.mark.parametrize("points", [[], [(0.0, math.nan)], [(0.0, math.inf)]])
def test_without_a_number_it_says_so(points: Points) -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> str:
        chart.set_curves([("loss", points)])
        return "".join(text(chart))

    assert ("no points yet" if not points else "no value is a finite number") in run(script)


def test_where_nothing_is_to_come_it_says_so() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> str:
        chart.set_curves([("loss", [])])
        chart.show(without="no points were logged")
        return "".join(text(chart))

    assert "no points were logged" in run(script)


def test_where_there_is_no_braille_there_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")

    async def script(chart: Spied, pilot: Pilot[None]) -> list[str]:
        chart.set_curves([("loss", [(0, 1.0), (1, 0.5)])])
        return text(chart)

    rows = run(script)
    assert all(row.isascii() for row in rows)
    assert rows[1].split() == ["o", "loss", "0.5", "0.5", "1"]


@pytest.mark.parametrize("size", [(19, 5), (10, 2), (5, 1), (1, 1)])
def test_a_place_too_small_for_a_picture_has_numbers(size: tuple[int, int]) -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> list[str]:
        chart.set_curves([("学習率 " * 20, [(0, 1.0), (1, 0.5)])])
        return text(chart)

    from rich.cells import cell_len

    assert all(cell_len(row) == size[0] for row in run(script, size))


def test_resizing_draws_anew() -> None:
    async def script(chart: Spied, pilot: Pilot[None]) -> list[int]:
        chart.set_curves([("loss", wave(100))])
        await pilot.resize_terminal(50, 12)
        await pilot.pause()
        return [len(row) for row in text(chart)]

    assert run(script) == [50] * 12
