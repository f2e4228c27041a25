"""Every screen looks as it did: in three sizes and three themes."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from store import database
from store.disk_usage import Room, Size
from store.layout import Layout
from store.tracking import runs
from tests.many_jobs import add_job, add_jobs
from tests.tui import pictured_data
from tests.tui.charted_jobs import log
from tests.tui.conftest import Drive, until
from tests.tui.pictured_data import DATA, DATA_ONCE
from tests.tui.pictures import compare, picture
from workbench.agent.lock import AgentLock
from workbench.agent.version import VERSION
from workbench.configuration.reading import load
from workbench.tui.access import READERS
from workbench.tui.app import WorkbenchApp
from workbench.tui.job.outputs import OutputsTab
from workbench.tui.job.overview import OverviewTab
from workbench.tui.machine import LoadLevels
from workbench.tui.reading_home import MachineFacts
from workbench.tui.screens.compare import CompareView
from workbench.tui.screens.home import HomeView
from workbench.tui.screens.job import JobView
from workbench.tui.widgets.header import Header
from workbench.tui.widgets.menu import Menu, Question
from workbench.tui.widgets.text_pane import TextPane

SIZES = ((80, 24), (120, 40), (200, 60))
THEMES = ("workbench", "workbench-light", "sixteen")
Steps = Callable[[WorkbenchApp, Pilot[None]], Awaitable[None]]

NOW = 1_790_000_000.0
"""When the pictures with times in them are taken: 14:13:20 on 2026-09-21, in UTC."""
MACHINE = MachineFacts(8, 16 << 30, Room(500 * 10**9, 120 * 10**9), Size(3_400_000_000))


@pytest.fixture
def layout(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """The workspace by a path that is the same in every picture: its folder is the current one."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # by that path the last place is remembered too
    return Layout(Path(layout.root.name))


@pytest.fixture(autouse=True)
def no_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else the machine does is in no picture, however long that takes."""
    monkeypatch.setattr(LoadLevels, "read", lambda _: None)


@pytest.fixture
def stopped(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """A workspace in which time stands still, and whose jobs are let be: its agent's place is taken."""
    monkeypatch.setattr(WorkbenchApp, "now", lambda _: NOW)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    lock = AgentLock(layout)
    assert lock.acquire(VERSION, 0.0)
    yield layout
    lock.release()
    monkeypatch.undo()
    time.tzset()


def fill(layout: Layout) -> None:
    """Jobs of every kind of outcome, in order."""
    layout = Layout(layout.root.absolute())  # MLflow wants whole paths
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


async def nothing(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """What comes first."""


def fill_moments(layout: Layout) -> None:
    """Jobs that run, wait, failed and ended, each at its time."""
    layout = Layout(layout.root.absolute())  # MLflow wants whole paths
    ended = {"created_at": NOW - 7300, "started_at": NOW - 7200}
    names = ("baseline", "wider", "deeper", "wider_and_deeper", "dropout", "no_dropout", "long_warmup", "cosine")
    add_jobs(
        layout,
        [
            (
                name,
                {**ended, "ended_at": NOW - 6900 + 900 * number, "experiment_name": ("iris", "churn")[number % 2]},
                {"accuracy": 0.71 + number / 40, "loss": 0.8 / (number + 1)},
            )
            for number, name in enumerate(names)
        ],
    )
    exception = {"type": "ValueError", "message": "no number: 'n/a'", "file": "train.py", "line": 41}
    exception |= {"function": "read", "code": "value = float(text)"}
    cause = {"code": "exception", "message": "ValueError: no number: 'n/a'", "exception": exception}
    cause |= {"hint": "A cell of the table has text where a number belongs."}
    document = {"type": "command", "command": "python src/train.py --rows ${{inputs.rows}}", "code": "src"}
    document |= {"inputs": {"rows": {"type": "uri_file", "path": "data/rows.csv"}, "epochs": 10}}
    document |= {"tags": {"team": "a"}, "environment": "azureml:sklearn:3"}
    failed = {"status": "Failed", "created_at": NOW - 5000, "started_at": NOW - 4900, "ended_at": NOW - 4800}
    add_job(layout, "broken", **failed, cause=cause, document=document, experiment_name="iris")
    left = layout.job("broken").log
    left.parent.mkdir(parents=True)
    left.write_text("reading data/rows.csv\n1,398 rows\nValueError: no number: 'n/a'\n")
    add_job(layout, "training", **_begun(95), metrics={"val_loss": 0.25}, document=document, experiment_name="iris")
    add_job(layout, "tuning", **_begun(4200), document={"type": "command", "command": "true"}, experiment_name="churn")
    for name in ("next_one", "the_one_after"):
        add_job(layout, name, status="Queued", created_at=NOW - 60, started_at=None, ended_at=None)
    layout.job("training").root.mkdir(parents=True)
    points = [("val_loss", 1 / step, step, step) for step in range(1, 5)]
    log(layout.job("training").journal, points, job="training")
    with closing(database.connect(layout.database)) as connection, database.write(connection):
        connection.execute("UPDATE job SET outputs = ? WHERE name = 'cosine'", (json.dumps({"model": "/models/iris"}),))
    outputs = layout.artifacts("cosine") / "outputs"
    (outputs / "plots").mkdir(parents=True)
    (outputs / "plots" / "loss.svg").write_text("<svg/>")
    (outputs / "scores.json").write_text(json.dumps({"accuracy": 0.885, "classes": ["setosa", "virginica"]}))
    (outputs / "rows.csv").write_text("".join(f"{number},{number * number}\n" for number in range(50)))


def _begun(seconds: float) -> dict[str, object]:
    """Columns of a job that began so long ago and runs."""
    return {"status": "Running", "created_at": NOW - seconds - 2, "started_at": NOW - seconds, "ended_at": None}


async def home(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """The whole workspace at a glance, on a machine that is always the same."""
    view = app.frame.view
    assert isinstance(view, HomeView)
    await until(pilot, lambda: view.machine is not None and not view.facts.new)
    app.frame.query_one(Header).load = None
    view.machine = MACHINE
    view._show_machine()
    await until(pilot, lambda: view.panel is not None)


async def gone(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """A workspace that was moved away."""
    view = app.frame.view
    assert isinstance(view, HomeView)
    await until(pilot, lambda: app.frame.query_one(Header).situation.workspace)
    await until(pilot, lambda: view.panel is not None)
    app.access.layout.root.rename("away")
    await until(pilot, lambda: view.query_one(".notice").has_class("-error"))
    await until(pilot, lambda: not app.frame.query_one(Header).situation.readable)
    await until(pilot, lambda: not any(worker.group in ("load", "situation") for worker in app.workers))


def overview(job: str) -> Steps:
    """What is told of a job."""

    async def steps(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await command(app, f"job {job}")
        await until(pilot, lambda: app.frame.query("OverviewTab FactList") and app.frame.query_one(OverviewTab).later)

    return steps


def outputs(job: str, *keys: str, shown: str = "") -> Steps:
    """The files of a job, after some keys, and what they show of one."""

    async def steps(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await command(app, f"job {job} outputs")
        await until(pilot, lambda: app.frame.query("OutputsTab FileTree"))
        tab = app.frame.query_one(OutputsTab)
        await until(pilot, lambda: tab.has_focus_within and (tab.files.rows or not keys))
        await pilot.press(*keys)
        await until(pilot, lambda: not keys or shown in str(tab.query_one(TextPane).lines))

    return steps


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
MOMENTS: dict[str, Steps] = {
    "home": home,
    "job-overview": overview("cosine"),
    "job-overview-running": overview("training"),
    "job-overview-failed": overview("broken"),
    "job-outputs": outputs("cosine", "G", shown="setosa"),
}
EMPTY: dict[str, Steps] = {"jobs-empty": jobs, "home-empty": nothing, "data-empty": pictured_data.listed}
TROUBLE: dict[str, Steps] = {"home-gone": gone, "job-outputs-none": outputs("next_one")}

LOOKS = 3
"""So many pictures in a row are the same before one is compared."""


async def still(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Wait for what the header says, and leave out what the machine does."""
    header = app.frame.query_one(Header)
    await until(pilot, lambda: header.situation.workspace)
    header.load = None
    await until(pilot, lambda: not any(worker.group in ("load", "situation") for worker in app.workers))
    header.load = None
    seen: list[str] = []
    while len(seen) < LOOKS or len(set(seen[-LOOKS:])) > 1:  # what is read last may still be on its way to the screen
        await pilot.pause(0.05)
        await pilot.pause()
        seen.append(picture(app))


def take(drive: Drive, name: str, steps: Steps, size: tuple[int, int], theme: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        root = app.access.layout.root
        await steps(app, pilot)
        await still(app, pilot)
        compare(app, f"{name}-{size[0]}x{size[1]}-{theme}")
        if not root.exists():  # as a screen that tells of its loss needs it, until it is seen
            Path("away").rename(root)

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


@pytest.mark.slow
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", MOMENTS)
def test_a_screen_with_times_looks_as_in_its_picture(
    stopped: Layout, drive: Drive, name: str, size: tuple[int, int], theme: str
) -> None:
    fill_moments(stopped)
    take(drive, name, MOMENTS[name], size, theme)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", TROUBLE)
def test_what_is_missing_is_told_as_in_its_picture(
    stopped: Layout, drive: Drive, name: str, size: tuple[int, int]
) -> None:
    fill_moments(stopped)
    take(drive, name, TROUBLE[name], size, "workbench")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("name", "theme"),
    [*((name, theme) for name in DATA for theme in THEMES), *((name, THEMES[0]) for name in DATA_ONCE)],
)
def test_a_view_of_data_looks_as_in_its_picture(
    stopped: Layout, drive: Drive, name: str, theme: str, size: tuple[int, int]
) -> None:
    pictured_data.fill(stopped, NOW)
    take(drive, name, (DATA | DATA_ONCE)[name], size, theme)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_what_is_still_read_looks_as_in_its_picture(layout: Layout, drive: Drive, size: tuple[int, int]) -> None:
    """A disk that answers nobody: all threads that read are held up."""
    fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await still(app, pilot)
        answers = threading.Event()
        held = [asyncio.ensure_future(app.access.read(lambda _: answers.wait())) for _ in range(READERS)]
        try:
            await pilot.press("2")
            await until(pilot, lambda: app.frame.section is not None and app.frame.section.name == "jobs")
            app.frame.query_one(Header).load = None
            await pilot.pause()
            compare(app, f"jobs-loading-{size[0]}x{size[1]}-workbench")
        finally:
            answers.set()
            await asyncio.gather(*held)

    drive(script, size=size, loaded=load())
