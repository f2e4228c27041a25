"""The Metrics and System tabs of a job: charts that follow, one in full, several in one, the table, the filter."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import Input

from store.layout import Layout
from tests.tui.charted_jobs import JOB, TabView, add_job, log, take_in
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.job import chart_grid
from workbench.tui.job.chart_grid import ChartGrid
from workbench.tui.job.charts_tab import ChartsTab
from workbench.tui.job.metric_table import MetricTable
from workbench.tui.job.metrics import MetricsTab
from workbench.tui.job.system import SystemTab, system_panels
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.line_chart import LineChart

SIZES = [(80, 24), (120, 40), (200, 60)]
Script = Callable[[Any, Pilot[None]], Awaitable[Any]]

TYPING = [("⏎", "keep"), ("esc", "all charts")]
"""The keys that are told while a filter is typed."""


pytestmark = pytest.mark.usefixtures("no_agent")


def on(drive: Drive, tab: ChartsTab, script: Script, size: tuple[int, int] = (120, 40)) -> Any:
    """Run a script on a tab that has been opened."""

    async def whole(app: WorkbenchApp, pilot: Pilot[None]) -> Any:
        view = TabView(tab)
        await app.frame.push(view)
        await until(pilot, lambda: view.loaded and tab.has_focus_within)
        return await script(tab, pilot)

    return drive(whole, size=size)


def drawn(tab: ChartsTab) -> dict[str, tuple[float, float]]:
    """The last point of each curve on the screen."""
    found: dict[str, tuple[float, float]] = {}
    for chart, _ in tab._charts():
        found |= chart.readout()
    return found


def text(widget: LineChart | MetricTable) -> str:
    return "\n".join(widget.render_line(y).text for y in range(widget.size.height))


def log_some(layout: Layout, **columns: Any) -> None:
    """Two metrics of the job's own, in the database, and what the shim records."""
    journal = add_job(layout, **columns)
    log(journal, [("train/loss", 1 / (step + 1), step * 2.0, step) for step in range(100)])
    log(journal, [("val/accuracy", step / 100, step * 2.0, step) for step in range(0, 100, 10)])
    log(journal, [("system/cpu_utilization_percentage", 50.0, step, step) for step in range(10)])
    take_in(layout)


@pytest.mark.parametrize("size", SIZES)
def test_a_chart_for_each_metric_of_the_jobs_own(drive: Drive, layout: Layout, size: tuple[int, int]) -> None:
    log_some(layout)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> dict[str, tuple[float, float]]:
        await until(pilot, lambda: len(drawn(tab)) == 2)
        await pilot.pause()
        for chart in tab.charts():
            rows = text(chart).splitlines()
            assert all(len(row) == chart.size.width for row in rows)
            assert any(0x2800 < ord(sign) < 0x2900 for row in rows for sign in row)
        return drawn(tab)

    assert on(drive, MetricsTab(JOB), script, size) == {"train/loss": (99, 0.01), "val/accuracy": (90, 0.9)}


def test_a_job_that_logs_is_followed(drive: Drive, layout: Layout) -> None:
    journal = add_job(layout)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> None:
        assert "No metrics yet" in str(tab.query_one(".notice").render())
        log(journal, [("loss", 1.0, 0, 0)])
        await until(pilot, lambda: drawn(tab) == {"loss": (0, 1.0)})
        log(journal, [("loss", 0.5, 1, 1), ("acc", 0.2, 1, 1)])
        await until(pilot, lambda: drawn(tab) == {"loss": (1, 0.5), "acc": (1, 0.2)})
        take_in(layout)
        log(journal, [("loss", 0.25, 2, 2)])
        await until(pilot, lambda: drawn(tab)["loss"] == (2, 0.25))
        assert len(tab.feed.points("loss", "step")) == 3

    on(drive, MetricsTab(JOB), script)


def test_a_finished_job_without_metrics_says_how_to_log_some(drive: Drive, layout: Layout) -> None:
    add_job(layout, status="Completed", ended_at=1_790_000_100.0)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> str:
        return str(tab.query_one(".notice").render())

    assert "mlflow.log_metric(" in on(drive, MetricsTab(JOB), script)


def test_one_chart_in_full_and_back(drive: Drive, layout: Layout) -> None:
    log_some(layout)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(drawn(tab)) == 2)
        await pilot.press("down", "right", "enter")
        full = tab.query_one(".charts-full", LineChart)
        await until(pilot, lambda: full.size.height > 20 and full.readout())
        assert full.has_focus and list(full.readout()) == ["val/accuracy"]
        await pilot.press("home", "right")
        assert full.readout()["val/accuracy"] == (10, 0.1)
        await pilot.press("escape")
        assert not full.display and tab.query_one(ChartGrid).display
        assert tab.selected() == "val/accuracy"
        await pilot.press("escape")
        assert not tab.is_attached or tab.app.frame.view is not tab.parent  # type: ignore[attr-defined]

    on(drive, MetricsTab(JOB), script)


def test_marked_metrics_share_a_chart(drive: Drive, layout: Layout) -> None:
    log_some(layout)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(drawn(tab)) == 2)
        await pilot.press("space", "G", "space")
        assert tab.marks == {"train/loss", "val/accuracy"}
        assert all(chart.look.marked for chart in tab.charts())
        await pilot.press("enter")
        await until(pilot, lambda: tab.full is not None and len(drawn(tab)) == 2)
        (chart,) = tab.charts()
        await pilot.pause()
        assert "●" in text(chart) and "▲" in text(chart)
        await pilot.press("escape", "u")
        assert not tab.marks

    on(drive, MetricsTab(JOB), script)


def test_how_curves_are_drawn(drive: Drive, layout: Layout) -> None:
    log_some(layout)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(drawn(tab)) == 2)
        await pilot.press("s", "L")
        assert all(chart.weight == 0.6 and chart.look.log for chart in tab.charts())
        assert "~ smoothed by 0.6" in tab.status() and "log scale" in tab.status()
        await pilot.press("a")
        assert drawn(tab)["train/loss"][0] == 198.0  # seconds since the start
        await pilot.press("a")
        assert drawn(tab)["train/loss"][0] == 1_790_000_198.0
        await pilot.press("a", "s", "s", "s", "L")
        assert drawn(tab)["train/loss"][0] == 99 and tab.weight == 0 and not tab.log_scale

    on(drive, MetricsTab(JOB), script)


def test_the_filter_narrows_as_it_is_typed(drive: Drive, layout: Layout) -> None:
    log_some(layout)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(drawn(tab)) == 2)
        await pilot.press("slash", *"ACC")
        await until(pilot, lambda: list(drawn(tab)) == ["val/accuracy"])
        assert tab.query_one(Input).has_focus
        hints = tab.screen.query_one(KeyHints)
        await until(pilot, lambda: [(hint.key, hint.text) for hint in hints.hints[:2]] == TYPING)
        await pilot.press("enter")
        assert not tab.query_one(Input).display and "filter: ACC" in tab.status()
        await pilot.press("slash", *"x")
        await until(pilot, lambda: tab.query_one(".notice").display)
        await pilot.press("escape")
        await until(pilot, lambda: len(drawn(tab)) == 2)
        assert tab.pattern == "" and tab.has_focus_within

    on(drive, MetricsTab(JOB), script)


@pytest.mark.parametrize("size", SIZES)
def test_the_table_tells_extremes(drive: Drive, layout: Layout, size: tuple[int, int]) -> None:
    log_some(layout)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> list[list[str]]:
        await pilot.press("t")
        table = tab.query_one(MetricTable)
        await until(pilot, lambda: table.has_focus and tab.feed.facts("val/accuracy").total)
        await pilot.pause()
        rows = text(table).splitlines()
        await pilot.press("j", "space", "enter")
        assert tab.marks == {"val/accuracy"} and tab.full is not None
        await pilot.press("escape")
        assert table.has_focus
        await pilot.press("t")
        assert tab.query_one(ChartGrid).display
        return [row.split() for row in rows[:3]]

    assert on(drive, MetricsTab(JOB), script, size) == [
        ["metric", "last", "step", "min", "max", "points"],
        ["train/loss", "0.01", "99", "0.01", "1", "100"],
        ["val/accuracy", "0.9", "90", "0", "0.9", "10"],
    ]


def test_many_metrics_need_few_charts(drive: Drive, layout: Layout) -> None:
    journal = add_job(layout)
    log(journal, [(f"layer/{number:03}", number, 0, 0) for number in range(300)])

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: drawn(tab))
        assert len(tab.query(LineChart)) < 12
        await pilot.press("G")
        await until(pilot, lambda: "layer/299" in drawn(tab))
        await pilot.press("pageup", "k", "g")
        await until(pilot, lambda: "layer/000" in drawn(tab))
        assert len(tab._loaded) < 30

    on(drive, MetricsTab(JOB), script, (80, 24))


def test_names_that_are_hard_to_show(drive: Drive, layout: Layout) -> None:
    journal = add_job(layout)
    names = ["学習率" * 80, "معدل التعلم", "x" * 500, "bold [b]not[/b]", "\x1b[31mred\nline"]
    log(journal, [(name, value, step, step) for name in names for step, value in enumerate([1.0, math.nan, math.inf])])

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(tab.feed.keys) == 5 and drawn(tab))
        await pilot.press("t")
        table = tab.query_one(MetricTable)
        await until(pilot, lambda: table.has_focus)
        assert "\x1b" not in text(table) and "[b]not[/b]" in text(table)
        for size in ((40, 10), (200, 60), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.press("t")
            await pilot.pause()

    on(drive, MetricsTab(JOB), script)


def test_trouble_with_the_database_is_said_and_gets_over(
    drive: Drive, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_some(layout)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(drawn(tab)) == 2)

        def locked(*_: object, **__: object) -> None:
            raise sqlite3.OperationalError("database is locked")

        with monkeypatch.context() as broken:
            broken.setattr(tab.feed._live, "poll", locked)
            await until(pilot, lambda: tab.query_one(".notice").display)
            assert "database is locked" in str(tab.query_one(".notice").render())
        await until(pilot, lambda: tab.query_one(ChartGrid).display and len(drawn(tab)) == 2)

    on(drive, MetricsTab(JOB), script)


# -- System ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_the_machines_load_and_what_the_job_took(drive: Drive, layout: Layout, size: tuple[int, int]) -> None:
    log_some(layout, status="Completed", wall_seconds=90.0, cpu_seconds=180.0, peak_memory_bytes=2_500_000_000)

    async def script(tab: SystemTab, pilot: Pilot[None]) -> str:
        await until(pilot, lambda: drawn(tab) == {"machine CPU %": (9.0, 50.0)})
        return tab.status()

    status = on(drive, SystemTab(JOB), script, size)
    assert status == "job: wall time 1m30  ·  CPU time 3m (2.0 cores)  ·  peak memory 2.50 GB"


def test_a_short_job_has_no_system_metrics(drive: Drive, layout: Layout) -> None:
    add_job(layout, status="Completed", wall_seconds=1.5, cpu_seconds=1.0, peak_memory_bytes=5_000_000)

    async def script(tab: SystemTab, pilot: Pilot[None]) -> tuple[str, str]:
        return str(tab.query_one(".notice").render()), tab.status()

    notice, status = on(drive, SystemTab(JOB), script)
    assert "No system metrics were recorded" in notice and "5 MB" in status
    assert "5 MB" not in notice, "said twice"


def test_all_cards_of_a_kind_share_a_chart() -> None:
    keys = [
        f"system/gpu_{card}_{what}" for card in (0, 1, 10) for what in ("utilization_percentage", "power_usage_watts")
    ]
    panels = system_panels([*sorted(keys), "system/cpu_utilization_percentage", "system/fan", "loss"])
    assert [(panel.title, [name for name, _ in panel.curves]) for panel in panels] == [
        ("machine CPU %", ["machine CPU %"]),
        ("GPU %", ["GPU 0", "GPU 1", "GPU 10"]),
        ("GPU power W", ["GPU 0", "GPU 1", "GPU 10"]),
        ("fan", ["fan"]),
    ]


@given(st.integers(1, 300), st.integers(1, 100), st.integers(1, 50))
def test_a_grid_fits_its_place(width: int, height: int, count: int) -> None:
    columns, rows = chart_grid.shape(width, height, count)
    assert 1 <= columns <= 4 and rows >= 1
    assert columns == 1 or width // columns >= chart_grid.LEAST_WIDTH
    assert rows == 1 or height // rows >= chart_grid.LEAST_HEIGHT


@pytest.mark.parametrize(("status", "words"), [("Running", "no points yet"), ("Completed", "no points were logged")])
def test_a_metric_without_points_is_told_by_whether_any_may_come(
    drive: Drive, layout: Layout, status: str, words: str
) -> None:
    log_some(layout, status=status)

    async def script(tab: MetricsTab, pilot: Pilot[None]) -> None:
        panel = await until(pilot, lambda: tab._charts() and tab._charts()[0][1])
        await until(pilot, lambda: tab._loaded.issuperset(panel.keys))
        assert tab.live == (status == "Running") and tab._without(panel) == words

    on(drive, MetricsTab(JOB), script)
