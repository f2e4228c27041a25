"""The filter of the list of jobs: typed, saved, taken, forgotten, and led back to."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from store.layout import Layout
from store.workspace import Found
from tests.many_jobs import NAMES, add_jobs
from tests.tui.conftest import Drive, until
from tests.tui.listed import at, narrow, open_jobs, table, text, view
from workbench.configuration.reading import load
from workbench.tui.app import WorkbenchApp
from workbench.tui.last_place import remembered
from workbench.tui.screens.jobs import JobsView
from workbench.tui.widgets.job_table import JobTable
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.menu import Menu, Question

pytestmark = pytest.mark.usefixtures("no_agent")


def test_a_filter_narrows_while_one_types_and_escape_shows_all(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[int]:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed exp:iris")
        totals = [table(app).window.total]
        await narrow(app, pilot, "metric.accuracy>0.9")
        totals.append(table(app).window.total)
        await pilot.press("escape")
        await until(pilot, lambda: table(app).window.total == 1000)
        return totals

    assert drive(script) == [len(range(0, 1000, 30)), len([n for n in range(0, 1000, 3) if n > 900])]


def test_a_filter_that_means_nothing_is_answered_in_place(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_jobs(app, pilot)
        await pilot.press("slash", *"stat", "colon", "x")
        answer = app.frame.query_one(".filter-answer")
        await until(pilot, lambda: answer.display)
        said = str(answer.render())
        await pilot.press("enter")
        await pilot.pause()
        assert answer.display and app.frame.query_one("FilterLine Input", Input).value == "stat:x", "it is lost"
        await pilot.press("escape")
        assert table(app).window.total == 1000
        return said

    assert "Did you mean 'state'" in drive(script)


def test_one_goes_on_from_the_filter_that_holds(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[str, list[tuple[str, str]]]:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed")
        await pilot.press("slash", "space", *"exp", "colon", *"iris")
        await until(pilot, lambda: table(app).window.total == len(range(0, 1000, 30)))
        hints = [(hint.key, hint.text) for hint in app.frame.query_one(KeyHints).hints[:2]]
        await pilot.press("enter")
        return view(app).filter_text, hints

    assert drive(script) == ("state:failed exp:iris", [("⏎", "keep"), ("esc", "give up")])


def test_a_filter_of_the_command_line_that_means_nothing_is_answered(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_jobs(app, pilot)
        await app.run_command("jobs state:bogus")
        await until(pilot, lambda: len(app._notifications))
        return "\n".join(notification.message for notification in app._notifications)

    assert "no state 'bogus'" in drive(script)


def test_a_line_that_breaks_in_a_list_leads_back_to_its_filter_and_order(many: Layout, drive: Drive) -> None:
    async def work(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed exp:iris")
        await pilot.press("s", "d")
        await until(pilot, lambda: table(app).sort.key == "duration")
        await until(pilot, lambda: not any(worker.group == "place" for worker in app.workers))

    async def come_back(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[str, str, int]:
        await until(pilot, lambda: table(app).window.total)
        return view(app).filter_text, str(table(app).sort), table(app).window.total

    drive(work)
    assert drive(come_back) == ("state:failed exp:iris", "-duration", len(range(0, 1000, 30)))


def test_the_command_line_takes_a_state(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> int:
        await pilot.press("colon", *"jobs", "space", *"failed", "enter")
        await until(pilot, lambda: isinstance(app.frame.view, JobsView) and table(app).window.total == 100)
        return table(app).window.total

    assert drive(script) == 100


def test_a_saved_filter_is_forgotten_without_being_taken(many: Layout, drive: Drive, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[filters]\nbad = 'state:failed'\nslow = 'duration>1h'\nlong = 'duration>2h'\n")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:completed")
        await pilot.press("f", "j", "x")
        await until(pilot, lambda: set(app.configuration.filters) == {"bad", "long"})
        assert view(app).filter_text == "state:completed"
        await pilot.press("f", "k", "x")  # from the first to the last line, which saves
        assert isinstance(app.screen, Menu), "what is not kept cannot be forgotten"
        await pilot.press("escape", "f", "j", "delete")
        await until(pilot, lambda: set(app.configuration.filters) == {"bad"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CONFIG", str(file))
        drive(script, loaded=load())
    assert tomllib.loads(file.read_text())["filters"] == {"bad": "state:failed"}


def test_a_filter_is_saved_under_a_name_and_taken_again(many: Layout, drive: Drive, tmp_path: Path) -> None:
    async def save(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed")
        await pilot.press("f", "s", *"bad", "enter")
        await until(pilot, lambda: "bad" in app.configuration.filters)

    async def take(app: WorkbenchApp, pilot: Pilot[None]) -> int:
        await open_jobs(app, pilot)
        await pilot.press("f", "1")
        await until(pilot, lambda: table(app).window.total == 100)
        await pilot.press("f", "x")
        await until(pilot, lambda: not app.configuration.filters)
        return table(app).window.total

    file = tmp_path / "config.toml"
    file.write_text("# mine\ntheme = 'slate'\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CONFIG", str(file))
        drive(save, loaded=load())
        assert 'bad = "state:failed"' in file.read_text() and file.read_text().startswith("# mine\n")
        assert drive(take, loaded=load()) == 100
        assert "bad" not in file.read_text()


def test_marks_that_a_filter_hides_are_told_in_the_list_and_in_every_question(layout: Layout, drive: Drive) -> None:
    running = {"status": "Running", "ended_at": None}
    add_jobs(layout, [(name, {**running, "experiment_name": name[0]}, {}) for name in ("a1", "a2", "b1")])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await pilot.press("space", "space", "space")
        await narrow(app, pilot, "exp:b")
        line = app.frame.query_one(".jobs-status", Static)
        await until(pilot, lambda: "3 marked, 2 of them not in this list" in str(line.content))
        for key, asked in (
            ("x", "Cancel b1, a2, a1, 2 of them not in this list?"),
            ("r", "Run b1, a2, a1, 2 of them not in this list again?"),
            ("d", "Archive b1, a2, a1, 2 of them not in this list?"),
        ):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, Question))
            assert isinstance(app.screen, Question) and app.screen.text == asked
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.frame)
        await pilot.press("escape")
        await until(pilot, lambda: "3 marked" in str(line.content) and "not in" not in str(line.content))

    drive(script)


@pytest.mark.parametrize("narrowed", ["", "exp:iris"])
def test_a_broken_line_leads_back_to_the_job_under_the_cursor(many: Layout, narrowed: str) -> None:
    wanted = [name for number, name in enumerate(NAMES) if not narrowed or number % 3 == 0][-40]

    async def session(script: Any) -> Any:
        app = WorkbenchApp(Found(many, "option"))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
            return await script(app, pilot)

    async def leave_off(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        if narrowed:
            await narrow(app, pilot, narrowed)
        await pilot.press(*["j"] * 39)
        await until(pilot, lambda: at(app) == wanted)
        await until(pilot, lambda: any(wanted in place for place in remembered(many.root)))

    async def come_back(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.frame.query(JobTable) and at(app) == wanted)
        assert view(app).filter_text == narrowed
        assert any(wanted in line for line in text(app)), "it is in sight"

    asyncio.run(session(leave_off))
    asyncio.run(session(come_back))


def test_the_end_of_a_filter_leaves_the_cursor_on_its_job(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str | None]:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed")
        await pilot.press(*["j"] * 30)
        before = await until(pilot, lambda: at(app))
        await pilot.press("escape")
        await until(pilot, lambda: table(app).window.total == 1000 and table(app).cursor > 0)
        return [before, at(app)]

    before, after = drive(script)
    assert before == after
