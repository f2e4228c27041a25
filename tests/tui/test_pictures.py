"""Every screen looks as it did: in three sizes and three themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from store import database
from store.layout import Layout
from store.tracking import runs
from tests.many_jobs import add_jobs
from tests.tui.conftest import Drive, until
from tests.tui.pictures import compare
from workbench.configuration.reading import load
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.compare import CompareView
from workbench.tui.screens.job import JobView
from workbench.tui.widgets.header import Header
from workbench.tui.widgets.menu import Menu, Question

SIZES = ((80, 24), (120, 40), (200, 60))
THEMES = ("workbench", "workbench-light", "sixteen")
Steps = Callable[[WorkbenchApp, Pilot[None]], Awaitable[None]]


def fill(layout: Layout) -> None:
    """Jobs of every kind of outcome, in order."""
    states = ("Completed", "Failed", "Canceled", "Completed", "Completed")
    add_jobs(
        layout,
        [
            (
                f"job_{number:02d}",
                {"status": states[number % 5], "experiment_name": ("iris", "churn")[number % 2]},
                {"accuracy": number / 40, "loss": 1 / (number + 1)} if number % 3 else {},
            )
            for number in range(40)
        ],
    )

    add_jobs(layout, [("newest", {"display_name": "newest", "experiment_name": "iris"}, {"loss": 0.1})])
    with closing(runs.connect(layout)) as tracking, database.write(tracking):
        tracking.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, 'newest', ?, 0)",
            [(key, 10 ** (-step / 50), step * 1000, step) for key in ("loss", "val_loss") for step in range(100)],
        )
    log = layout.job("newest").log
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"epoch {number:3d}  loss {1 / (number + 1):.4f}\n" for number in range(200)))


async def jobs(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """The list, a mark, the cursor further down."""
    await pilot.press("2")
    await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
    await pilot.press("j", "space", "j")


async def jobs_sorted(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """The menu over the list."""
    await jobs(app, pilot)
    await pilot.press("s")


async def keys(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Help over the list."""
    await jobs(app, pilot)
    await pilot.press("question_mark")


async def faulty_filter(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """The answer to a filter that means nothing."""
    await jobs(app, pilot)
    await pilot.press("slash")
    app.frame.query_one("FilterLine Input", Input).value = "stat:x"  # at once: a pause between two keys would narrow
    await until(pilot, lambda: app.frame.query_one(".filter-answer").display)


async def command(app: WorkbenchApp, text: str) -> None:
    """Go somewhere by what is typed after a colon."""
    await app.run_command(text)


async def compute(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """The pools."""
    await command(app, "compute")
    await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)


def tab(name: str) -> Steps:
    """A tab of the newest job."""

    async def steps(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await command(app, f"job newest {name}")
        await until(pilot, lambda: isinstance(app.frame.view, JobView) and name in app.frame.view.tabs)
        await until(pilot, lambda: isinstance(app.frame.view, JobView) and app.frame.view.tabs[name].has_focus_within)

    return steps


async def unknown_job(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """A name with a slip of the pen."""
    await command(app, "job newst")
    await until(pilot, lambda: app.frame.view is not None and app.frame.view.query_one(".notice").has_class("-error"))


async def compared(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Three jobs side by side."""
    await jobs(app, pilot)
    await pilot.press("space", "space", "c")
    await until(pilot, lambda: isinstance(app.frame.view, CompareView) and app.frame.view.loaded)


async def a_question(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Running several again asks."""
    await jobs(app, pilot)
    await pilot.press("space", "r")
    await until(pilot, lambda: isinstance(app.screen, Question))


async def new_job(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """What a new job may begin with."""
    await jobs(app, pilot)
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, Menu))


SCREENS: dict[str, Steps] = {
    "jobs": jobs,
    "jobs-sort": jobs_sorted,
    "keys": keys,
    "jobs-faulty-filter": faulty_filter,
    "compute": compute,
    "job-metrics": tab("metrics"),
    "job-log": tab("log"),
    "job-unknown": unknown_job,
    "compare": compared,
    "question": a_question,
    "new-job": new_job,
}
EMPTY: dict[str, Steps] = {"jobs-empty": jobs}


async def still(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Wait for what the header says, and leave out what the machine does."""
    header = app.frame.query_one(Header)
    await until(pilot, lambda: header.situation.workspace)
    header.load = None
    await until(pilot, lambda: not any(worker.group in ("load", "situation") for worker in app.workers))
    header.load = None
    await pilot.pause()


def take(drive: Drive, name: str, steps: Steps, size: tuple[int, int], theme: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await steps(app, pilot)
        await still(app, pilot)
        compare(app, f"{name}-{size[0]}x{size[1]}-{theme}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_THEME", theme)
        drive(script, size=size, loaded=load())


@pytest.mark.slow
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_looks_as_in_its_picture(
    layout: Layout, drive: Drive, name: str, size: tuple[int, int], theme: str
) -> None:
    fill(layout)
    take(drive, name, SCREENS[name], size, theme)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_workspace_looks_as_in_its_picture(drive: Drive, name: str, size: tuple[int, int]) -> None:
    take(drive, name, EMPTY[name], size, "workbench")
