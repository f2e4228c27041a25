"""Home: what it tells, how its parts share the lines, and the way from each to its job."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from textual.pilot import Pilot

from store import database
from store.activity import BriefJob
from store.data import assets
from store.data.assets import DataVersion
from store.disk_usage import Room, Size
from store.job_progress import Progress
from store.layout import Layout
from tests.many_jobs import add_job, add_jobs
from tests.tui.charted_jobs import log
from tests.tui.conftest import Drive, until
from workbench.agent.lock import AgentLock
from workbench.agent.version import VERSION
from workbench.tui import home_lines
from workbench.tui.app import WorkbenchApp
from workbench.tui.glyphs import ASCII, UNICODE
from workbench.tui.home_lines import Machine, Want, shares
from workbench.tui.reading_home import MachineFacts
from workbench.tui.screens.home import HomeView, Panel
from workbench.tui.widgets.menu import Menu

CAUSE = {
    "code": "exception",
    "message": "ValueError: no number: 'n/a'",
    "exception": {"type": "ValueError", "message": "no number: 'n/a'", "file": "src/train.py", "line": 41},
}


@pytest.fixture
def unwatched(layout: Layout) -> Iterator[Layout]:
    """A workspace whose jobs are let be: its agent's place is taken."""
    lock = AgentLock(layout)
    assert lock.acquire(VERSION, 0.0)
    yield layout
    lock.release()


@pytest.fixture
def busy(unwatched: Layout) -> Layout:
    """Two jobs that run, one with a curve; two that wait; failures, completions and an output."""
    now = time.time()
    done = [
        (f"done_{number}", {"started_at": now - 1000, "ended_at": now - 900 + number}, {"loss": 0.5})
        for number in range(30)
    ]
    add_jobs(unwatched, [*done, ("broken", {"status": "Failed", "ended_at": now - 60, "cause": CAUSE}, {})])
    add_job(
        unwatched, "deep", status="Running", started_at=now - 30, ended_at=None, document={"inputs": {"epochs": 10}}
    )
    add_job(unwatched, "plain", status="Running", started_at=now - 25, ended_at=None)
    for name in ("next", "later"):
        add_job(unwatched, name, status="Queued", started_at=None, ended_at=None)
    with closing(database.connect(unwatched.database)) as connection, database.write(connection):
        connection.execute("UPDATE job SET outputs = ? WHERE name = 'done_29'", (json.dumps({"model": "/some/where"}),))
    unwatched.job("deep").root.mkdir(parents=True)
    log(unwatched.job("deep").journal, [("val_loss", 1 / step, step, step) for step in range(1, 5)], job="deep")
    return unwatched


def lines(app: WorkbenchApp, name: str) -> list[str]:
    """The lines of a panel as they are drawn."""
    panel = app.frame.query_one(f"#home-{name}", Panel)
    return ["".join(segment.text for segment in panel.render_line(y)) for y in range(panel.size.height)]


def focused(app: WorkbenchApp) -> str:
    return str(app.focused.id) if app.focused is not None else ""


async def shown(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: focused(app) == "home-running" and any("deep" in line for line in lines(app, "running")))


def test_it_tells_what_runs_failed_waits_and_was_made(busy: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> dict[str, list[str]]:
        await shown(app, pilot)
        return {name: lines(app, name) for name in ("running", "failed", "queue", "finished", "data")}

    told = drive(script, size=(120, 40))
    assert "4/10" in told["running"][1] and "0.25 val_loss" in told["running"][1] and "█" in told["running"][1]
    assert "~2m left" in told["running"][2] and "~2" in told["running"][2]  # 25 of 122 seconds, and counting
    assert "src/train.py:41  ValueError: no number: 'n/a'" in told["failed"][2]
    assert "next" in told["queue"][1] and "starts" in told["queue"][1]
    assert "done_29" in told["finished"][1] and "0.5 loss" in told["finished"][1]
    assert "model" in told["data"][1] and "of done_29" in told["data"][1]


def test_data_that_was_registered_is_among_the_newest_and_opens(busy: Layout, drive: Drive) -> None:
    with closing(database.connect(busy.database)) as connection:
        assets.create(connection, DataVersion("churn", "", "uri_file", "/data/churn.csv", {}))
        of_a_job = {"job_name": "done_29", "job_output": "model"}
        assets.create(connection, DataVersion("kept", "", "uri_folder", "/some/where", {}, **of_a_job))

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await shown(app, pilot)
        panel = app.frame.query_one("#home-data", Panel)
        app.frame.set_focus(panel)
        told = lines(app, "data")
        await pilot.press("x")  # no job is under the cursor
        await until(pilot, lambda: any("no job" in str(each.message) for each in app._notifications))
        await pilot.press("j", "y")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: app.frame.view is not None and app.frame.view.crumb == "churn:1")
        return told

    told = drive(script, size=(120, 40))
    assert "kept:1" in told[1] and "churn:1" in told[2] and "/data/churn.csv" in told[2]
    assert len([line for line in told if line.strip()]) == 3, "an output that is a version of data stands there once"


def test_a_curve_grows_while_it_is_logged(busy: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await shown(app, pilot)
        log(busy.job("deep").journal, [("val_loss", 0.125, 9, 8)], job="deep")
        await until(pilot, lambda: "8/10" in lines(app, "running")[1])

    drive(script, size=(120, 40))


def test_the_arrows_go_through_all_parts_and_enter_opens(busy: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await shown(app, pilot)
        met = [focused(app)]
        await pilot.press("down", "j")
        await until(pilot, lambda: focused(app) == "home-failed")
        met.append(focused(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.frame.view is not None and app.frame.view.crumb == "broken")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.frame.view, HomeView))
        return met

    assert drive(script) == ["home-running", "home-failed"]


def test_two_columns_where_there_is_room(busy: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await shown(app, pilot)
        await pilot.press("right")
        await until(pilot, lambda: focused(app) != "home-running")
        seen = [focused(app)]
        await pilot.press("left")
        await until(pilot, lambda: focused(app) == "home-running")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.frame.query_one("#home-failed").region.x == app.frame.query_one(Panel).region.x)
        return seen

    assert drive(script, size=(200, 60)) == ["home-failed"]


def test_a_job_that_runs_is_shown_though_it_was_archived(busy: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await shown(app, pilot)
        await pilot.press("d", "y")
        found = database.connect(busy.database)
        await until(pilot, lambda: found.execute("SELECT archived FROM job WHERE name = 'deep'").fetchone()[0])
        found.close()
        app.frame.view.reload()  # type: ignore[union-attr]
        await until(pilot, lambda: not any(worker.group == "load" for worker in app.workers))
        assert any("deep" in line for line in lines(app, "running"))

    drive(script)


def test_keys_act_on_the_job_under_the_cursor(busy: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> Any:
        await shown(app, pilot)
        await pilot.press("x", "y")
        found = database.connect(busy.database)

        def wanted() -> str:
            return str(found.execute("SELECT wanted FROM job WHERE name = 'deep'").fetchone()[0])

        await until(pilot, lambda: wanted() == "cancel")
        found.close()

    drive(script)


def test_a_new_workspace_welcomes(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        assert app.frame.view is not None
        return str(app.frame.view.query_one(".notice").render())

    told = drive(script)
    assert "Welcome" in told and "n   write a first job" in told and "workbench run" in told


def test_the_first_job_takes_the_place_of_the_welcome(unwatched: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        add_job(unwatched, "first")
        await until(pilot, lambda: any("first" in line for line in lines(app, "finished")))
        assert "nothing runs now" in lines(app, "running")[1]

    drive(script)


def test_a_workspace_that_goes_and_comes_back(busy: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await shown(app, pilot)
        away = busy.root.with_name("away")
        busy.root.rename(away)
        notice = app.frame.view and app.frame.view.query_one(".notice")
        assert notice is not None
        await until(pilot, lambda: notice.display and "is gone" in str(notice.render()))
        away.rename(busy.root)
        await until(pilot, lambda: not notice.display)
        await pilot.press("down")
        assert focused(app) == "home-running"

    drive(script)


def test_nothing_is_painted_while_nothing_changes(busy: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await shown(app, pilot)
        view = app.frame.view
        assert isinstance(view, HomeView)
        await view.load()
        await pilot.pause()
        painted: list[str] = []
        for panel in app.frame.query(Panel):
            if panel.id != "home-running":  # whose elapsed time may have come to another ten seconds
                panel.refresh = lambda *_, panel=panel, **__: painted.append(str(panel.id)) or panel  # type: ignore[method-assign,misc]
        await view.load()
        await pilot.pause()
        assert not [name for name in painted if name != "home-queue"]

    drive(script)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 60)])
def test_every_line_keeps_its_width(unwatched: Layout, drive: Drive, size: tuple[int, int]) -> None:
    for name in ("模型训练" * 20, "تجربة" * 30, "x" * 300, "a\tb\x1b[31mc", "[bold]no markup[/bold]"):
        for status in ("Running", "Failed", "Completed", "Queued"):
            cause = {"message": name, "exception": {"file": name, "line": 1}} if status == "Failed" else None
            add_job(
                unwatched,
                f"{status}-{len(name)}-{name[0]}",
                display_name=name,
                experiment_name=name,
                status=status,
                cause=cause,
                ended_at=None if status in ("Running", "Queued") else time.time(),
            )

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: focused(app) == "home-running")
        for panel in app.frame.query(Panel):
            for y in range(panel.size.height):
                strip = panel.render_line(y)
                assert strip.cell_length == panel.size.width
                assert "\x1b" not in strip.text

    drive(script, size=size)


def test_lines_are_shared_by_importance_and_in_turn() -> None:
    assert shares(10, [Want([1, 1]), Want([2, 2]), Want([1])]) == [3, 5, 2]
    assert shares(5, [Want([1, 1]), Want([2, 2]), Want([1])]) == [2, 3, 0]
    assert shares(30, [Want([1] * 50), Want([1] * 50)]) == [15, 15]
    assert shares(9, [Want([1] * 50), Want([], head=0), Want([1])]) == [7, 0, 2]
    assert shares(0, [Want([1])]) == [0]


@pytest.mark.parametrize(
    ("progress", "seconds", "told"),
    [
        (Progress(0.5, 5, 10, 60.0), 60.0, "5/10 ~1m left"),
        (Progress(0.45, remaining=130.0), 100.0, "~45% ~2m left"),
        (Progress(), 75.0, "runs 1m"),
        (Progress(overdue=True), 7300.0, "2h01m, longer than ever"),
        (Progress(1.0, 10, 10, 0.0), 60.0, "10/10"),
    ],
)
def test_progress_in_words(progress: Progress, seconds: float, told: str) -> None:
    bar, text = home_lines.progress_spans(progress, seconds, "Running", UNICODE)
    assert text[0] == told
    assert len(bar[0] + text[0]) <= 23


def test_a_length_to_come_is_told_roughly() -> None:
    assert [home_lines.about(seconds) for seconds in (3, 31, 50, 100, 5400, 90000, 200000)] == [
        *("10s", "30s", "1m", "2m", "2h", "25h", "2d"),
    ]


def test_a_disk_that_is_nearly_full_is_said_to_be() -> None:
    facts = MachineFacts(8, 16_000_000_000, Room(100_000_000_000, 2_000_000_000), Size(5_000_000_000, whole=False))
    (line,) = home_lines.machine_lines(Machine(facts, (0, 7)), 120, ASCII)
    assert "".join(text for text, _ in line) == (
        "  cpu . 8 cores   memory # of 16.0 GB   disk ######## 2.0 GB free, low   workspace over 5.0 GB"
    ).replace("memory #", "memory @")
    assert ("warning" in {kind for _, kind in line}) is True


def test_a_job_without_a_cause_says_so() -> None:
    job = BriefJob("a", "a", "exp", "command", "Failed", "local", 1, 0.0, 0.0, 1.0)
    ended = home_lines.Ended(home_lines.EndedJob(job), "1m")
    assert "the cause is not known" in home_lines.failed_lines(ended, 60, UNICODE)[1][2][0]
