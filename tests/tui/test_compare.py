"""Jobs side by side by keys, over jobs that really ran and over many that did not."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from store import database
from store.layout import Layout
from store.tracking import runs
from tests.conftest import Cli
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.compare import CompareView, told_apart
from workbench.tui.screens.job import JobView
from workbench.tui.widgets.compare_table import CompareTable
from workbench.tui.widgets.line_chart import LineChart
from workbench.tui.widgets.text_dialog import TextDialog
from workbench.tui.widgets.text_pane import TextPane


def fill(layout: Layout) -> list[str]:
    """Runs of two rates with two seeds each."""
    names = []
    for rate in ("0.1", "0.2"):
        for seed in (1, 2):
            name = f"rate_{rate[-1]}_{seed}"
            document = {"type": "command", "command": "python x.py", "inputs": {"lr": rate, "seed": seed}}
            add_job(layout, name, document=document, metrics={"accuracy": float(rate) + seed / 100})
            names.append(name)
    return names


def drawn(app: WorkbenchApp) -> list[str]:
    """The lines of the table as they are drawn."""
    table = app.frame.query_one(CompareTable)
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


async def open_compare(app: WorkbenchApp, pilot: Pilot[None], names: list[str]) -> CompareView:
    await app.run_command(f"compare {' '.join(names)}")
    view = app.frame.view
    assert isinstance(view, CompareView)
    await until(pilot, lambda: view.loaded and view._code is not None)
    await until(pilot, lambda: view.has_focus_within)
    return view


def test_marked_jobs_are_compared_by_what_differs(layout: Layout, drive: Drive) -> None:
    fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await pilot.press("2")
        await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
        await pilot.press("space", "j", "space", "c")
        await until(pilot, lambda: isinstance(app.frame.view, CompareView) and app.frame.view.loaded)
        return drawn(app)

    lines = drive(script)
    assert lines[0].split()[-2:] == ["rate_2_2", "rate_1_2"]
    told = [line.strip("▌ ").split() for line in lines]
    assert ["lr", "0.2", "0.1"] in told
    assert not any(line[:1] == ["seed"] for line in told)
    assert any(line[:3] == ["accuracy", "★", "0.22"] for line in told)


def test_what_is_the_same_comes_on_a_key(layout: Layout, drive: Drive) -> None:
    names = fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[list[str], list[str]]:
        await open_compare(app, pilot, names)
        before = drawn(app)
        await pilot.press("a")
        return before, drawn(app)

    before, after = drive(script, size=(120, 40))
    assert not any("python x.py" in line for line in before)
    assert any("python x.py" in line for line in after)


def test_columns_scroll_beside_the_names(layout: Layout, drive: Drive) -> None:
    names = [f"a_job_with_a_rather_long_name_{number}" for number in range(12)]
    for number, name in enumerate(names):
        add_job(layout, name, document={"command": "x", "inputs": {"lr": number}}, metrics={"loss": float(number)})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[list[str], list[str], list[str]]:
        view = await open_compare(app, pilot, names)
        first = drawn(app)
        await pilot.press(*["right"] * 11)
        return first, drawn(app), view.chosen_names()

    first, last, chosen = drive(script)
    assert " 0 < > " in first[0] and "< > 0" in last[0]
    assert [line[:6] for line in first[2:]] == [line[:6] for line in last[2:]]
    assert chosen == [names[-1]]


def test_repeated_runs_are_shown_as_mean_and_spread(layout: Layout, drive: Drive) -> None:
    names = fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[list[str], list[str]]:
        view = await open_compare(app, pilot, names)
        await pilot.press("u", "r")
        await until(pilot, lambda: view.grouping)
        grouped = drawn(app)
        await pilot.press("right")
        return grouped, view.chosen_names()

    lines, chosen = drive(script)
    assert "lr=0.1" in lines[0] and lines[1].split() == ["2", "runs", "2", "runs"]
    assert any("0.115 ± 0.0071" in line and "★ 0.215 ± 0.0071" in line for line in lines)
    assert chosen == names[2:]


def test_the_curves_of_repeated_runs_are_their_mean_and_its_spread(layout: Layout, drive: Drive) -> None:
    names = fill(layout)
    with closing(runs.connect(layout)) as tracking, database.write(tracking):
        tracking.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES ('accuracy', ?, 0, ?, ?, 0)",
            [(number + step / 10, name, step) for number, name in enumerate(names) for step in range(3)],
        )

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        view = await open_compare(app, pilot, names)
        await pilot.press("u", "r")
        await until(pilot, lambda: view.grouping)
        await pilot.press("v")
        await until(pilot, lambda: len(view.chart.curves) == 2 and view.chart.display)
        first, second = view.chart.curves
        assert [y for _, y in first.raw.points()] == pytest.approx([0.5, 0.6, 0.7])
        assert [y for _, y in second.raw.points()] == pytest.approx([2.5, 2.6, 2.7])
        root_of_half = 0.5**0.5  # the deviation of two that lie 1 apart
        assert first.deviations == pytest.approx(dict.fromkeys((0, 1, 2), root_of_half))
        assert "± 0.7071" in view.chart.render_line(1).text
        assert "dotted" in str(view.query_one(".compare-status").render())
        await pilot.press("u", "0")
        await until(pilot, lambda: len(view.chart.curves) == 4)
        assert not any(curve.deviations for curve in view.chart.curves)

    drive(script)


def test_a_row_is_shown_whole_and_a_job_opened(layout: Layout, drive: Drive) -> None:
    names = fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[Any]:
        await open_compare(app, pilot, names)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        shown = app.screen.query_one(TextPane).text
        await pilot.press("escape", "right", "o")
        await until(pilot, lambda: isinstance(app.frame.view, JobView))
        return [shown, app.frame.view.crumb if app.frame.view else ""]

    shown, opened = drive(script)
    assert "rate_1_1" in shown and opened == "rate_1_2"


def test_another_base_comes_first(layout: Layout, drive: Drive) -> None:
    names = fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        view = await open_compare(app, pilot, names)
        await pilot.press("right", "right", "b")
        await until(pilot, lambda: view.subjects[0].job.name == names[2])
        return view.names

    assert drive(script) == [names[2], names[0], names[1], names[3]]


def test_one_job_alone_is_no_comparison_and_an_unknown_one_is_said(layout: Layout, drive: Drive) -> None:
    names = fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        said = []
        for argument in (names[0], f"{names[0]} rate_1_3"):
            await app.run_command(f"compare {argument}")
            view = app.frame.view
            assert view is not None
            notice = view.query_one(".notice")
            await until(pilot, lambda notice=notice: notice.has_class("-empty") or notice.has_class("-error"))
            said.append(str(notice.render()))
        return said

    alone, unknown = drive(script)
    assert "Two jobs" in alone and "Did you mean" in unknown


def test_names_lose_what_they_share() -> None:
    assert told_apart(["rate_0_03_1", "rate_0_03_2"], 40) == ["…1", "…2"]
    assert told_apart(["calm_fox", "calm_owl"], 40) == ["…fox", "…owl"]
    assert told_apart(["a1", "a2"], 20) == ["a1", "a2"]
    assert told_apart(["only_this_one"], 20) == ["only_this_one"]
    assert told_apart(["rate=0.1", "rate=0.01"], 40) == ["…0.1", "…0.01"]


def test_names_that_have_room_stay_whole() -> None:
    assert told_apart(["rate=0.1", "rate=0.01"], 80) == ["rate=0.1", "rate=0.01"]


@pytest.mark.slow
def test_real_runs_with_their_curves_and_code(layout: Layout, drive: Drive, cli: Cli, tmp_path: Path) -> None:
    code = tmp_path / "src"
    code.mkdir()
    training = "import mlflow\nfor step in range(20):\n    mlflow.log_metric('loss', {} / (step + 1), step=step)\n"
    (tmp_path / "job.yml").write_text("command: python train.py\ncode: src\n")
    for name, scale in (("first", 1), ("second", 2)):
        (code / "train.py").write_text(training.format(scale))
        assert cli("run", tmp_path / "job.yml", "--name", name).returncode == 0

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[Any]:
        view = await open_compare(app, pilot, ["first", "second"])
        lines = drawn(app)
        await pilot.press("v")
        chart = app.frame.query_one(LineChart)
        await until(pilot, lambda: chart.display and len(chart.curves) == 2 and chart.has_focus)
        ends = chart.readout()
        await pilot.press("escape")
        await until(pilot, lambda: view.metric is None)
        view.table.cursor = [line.key for line in view.table.lines].index(("code", "train.py"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        return [lines, ends, app.screen.query_one(TextPane).text]

    lines, ends, diff = drive(script, size=(120, 40))
    assert any(line.strip("▌ ").startswith("train.py") and "+1 -1" in line for line in lines)
    assert any("loss" in line and "★ 0.05" in line for line in lines)
    assert sorted(y for _, y in ends.values()) == [0.05, 0.1]
    assert "+    mlflow.log_metric('loss', 2 / (step + 1), step=step)" in diff


def test_columns_are_called_as_lists_call_their_jobs(layout: Layout, drive: Drive) -> None:
    for name, display_name in (("calm_fox_1", "wide"), ("keen_owl_2", "deep"), ("shy_elk_3", "deep")):
        add_job(layout, name, display_name=display_name, metrics={"accuracy": 0.5})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        view = await open_compare(app, pilot, ["calm_fox_1", "keen_owl_2", "shy_elk_3"])
        return [head.title for head in view._heads()]

    assert drive(script) == ["wide", "keen_owl_2", "shy_elk_3"], "a name that two have tells neither"
