"""Jump mode: a label where everything begins that one can go to, and where its letters lead; in pictures too."""

from __future__ import annotations

import pytest
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widget import Widget

from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui import test_pictures
from tests.tui.conftest import Drive, until
from tests.tui.test_pictures import SIZES, Steps, compared, fill, fill_moments, home, jobs, overview, tab, take
from workbench.tui.app import WorkbenchApp
from workbench.tui.job.metric_table import MetricTable
from workbench.tui.job.metrics import MetricsTab
from workbench.tui.jump import Jump, labels
from workbench.tui.screens.compare import CompareView
from workbench.tui.widgets.compare_table import CompareTable
from workbench.tui.widgets.fact_list import FactList

layout, stopped = test_pictures.layout, test_pictures.stopped


async def jump_mode(app: WorkbenchApp, pilot: Pilot[None]) -> Jump:
    """The labels, laid out."""
    await pilot.press("ctrl+o")
    await until(pilot, lambda: isinstance(app.screen, Jump) and app.screen.query(".jump-label").last().region.area)
    assert isinstance(app.screen, Jump)
    return app.screen


async def jump_to(app: WorkbenchApp, pilot: Pilot[None], widget: Widget, x: int, y: int) -> None:
    """Type the label that stands at a place of a widget."""
    shown = await jump_mode(app, pilot)
    at = widget.content_region.offset + Offset(x, y)
    assert at in {target.offset for target in shown.targets.values()}
    await pilot.press(*next(label for label, target in shown.targets.items() if target.offset == at))
    await until(pilot, lambda: app.screen is app.frame)


def test_a_jump_goes_to_a_row_and_a_column_of_a_comparison(layout: Layout, drive: Drive) -> None:
    names = ["one", "two", "three"]
    for number, name in enumerate(names):
        add_job(Layout(layout.root.absolute()), name, metrics={"loss": number, "accuracy": 1 - number})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await app.run_command(f"compare {' '.join(names)}")
        view = app.frame.view
        assert isinstance(view, CompareView)
        await until(pilot, lambda: view.loaded and view.has_focus_within and view.query_one(CompareTable).region.area)
        table = view.query_one(CompareTable)
        assert table.key == ("metrics", "accuracy")
        line = next(number for number, each in enumerate(table.lines) if each.key == ("metrics", "loss"))
        await jump_to(app, pilot, table, 0, line + 2)
        assert table.key == ("metrics", "loss")
        head = table.render_line(0).text
        await jump_to(app, pilot, table, head.index("three") - 1, 0)
        assert view.chosen_names() == ["three"] and table.key == ("metrics", "loss")

    drive(script)


def test_a_jump_goes_to_a_fact_and_to_a_metric(layout: Layout, drive: Drive) -> None:
    add_job(Layout(layout.root.absolute()), "one", metrics={"loss": 0.5, "accuracy": 0.9})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await app.open_job("one")
        await until(pilot, lambda: app.frame.query(FactList) and app.frame.query_one(FactList).has_focus)
        facts = app.frame.query_one(FactList)

        def line_of(title: str) -> int | None:
            lines = enumerate(facts.render_line(y).text for y in range(facts.size.height))
            return next((y for y, line in lines if line.strip().startswith(title)), None)

        await until(pilot, lambda: line_of("command") is not None)
        await jump_to(app, pilot, facts, 0, line_of("command") or 0)
        assert facts.fact is not None and facts.fact.title == "command"
        await app.open_job("one", "metrics")
        await until(pilot, lambda: app.frame.query(MetricsTab) and app.frame.query_one(MetricsTab).own_keys())
        await pilot.press("t")
        table = app.frame.query_one(MetricTable)
        await until(pilot, lambda: table.has_focus and len(table.names_shown()) == 2 and table.region.area)
        await jump_to(app, pilot, table, 0, 2)
        assert app.frame.query_one(MetricsTab).selected() == table.names[1]

    drive(script)


def then_jump(steps: Steps, *keys: str) -> Steps:
    """A screen under the labels, which stand each in cells of their own and hide no letter of a name."""

    async def jumping(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await steps(app, pilot)
        await pilot.press(*keys)
        await pilot.pause()
        shown = await jump_mode(app, pilot)
        cells = [
            (target.offset.x + at, target.offset.y)
            for label, target in shown.targets.items()
            for at in range(len(label))
        ]
        assert len(cells) == len(set(cells)), "a label over another"
        assert list(shown.targets) == labels(len(shown.targets))

    return jumping


PLAIN: dict[str, Steps] = {
    "jobs": then_jump(jobs),
    "compare": then_jump(compared),
    "job-metrics": then_jump(tab("metrics"), "t"),
}
TIMED: dict[str, Steps] = {"home": then_jump(home), "job-overview": then_jump(overview("cosine"))}


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", [*PLAIN, *TIMED])
def test_labels_look_as_in_their_picture(stopped: Layout, drive: Drive, name: str, size: tuple[int, int]) -> None:
    (fill if name in PLAIN else fill_moments)(stopped)
    take(drive, f"jump-{name}", (PLAIN | TIMED)[name], size, "workbench")
