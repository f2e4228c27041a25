"""Compute, Environments and Events by keys, over a real workspace."""

from __future__ import annotations

import importlib.metadata
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from engines.environments.built import READY
from engines.environments.definition import Definition
from engines.environments.interpreters import own
from store import computes, database
from store.errors import NotFoundError
from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.agent.lock import AgentLock
from workbench.agent.version import VERSION
from workbench.tui import paged
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.agent_log import AgentLogView
from workbench.tui.screens.compute import ComputeJobsView
from workbench.tui.screens.environments import EnvironmentView
from workbench.tui.screens.events import EventsView, moment, suggest
from workbench.tui.view import View
from workbench.tui.widgets.filter_line import FilterLine
from workbench.tui.widgets.line_list import LineList
from workbench.tui.widgets.menu import Question
from workbench.tui.widgets.pool_form import PoolForm


@pytest.fixture
def unwatched(layout: Layout) -> Iterator[Layout]:
    """A workspace whose jobs are let be: its agent's place is taken."""
    lock = AgentLock(layout)
    assert lock.acquire(VERSION, 0.0)
    yield layout
    lock.release()


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(layout.database)) as found:
        yield found


def view(app: WorkbenchApp) -> View:
    assert app.frame.view is not None
    return app.frame.view


def listed(app: WorkbenchApp) -> LineList:
    return view(app).query_one(LineList)


def text(app: WorkbenchApp) -> list[str]:
    """The lines of the list as they are drawn."""
    return [listed(app).render_line(y).text.rstrip() for y in range(listed(app).size.height)]


def notice(app: WorkbenchApp) -> str:
    return str(view(app).query_one(".notice").render())


async def go(app: WorkbenchApp, pilot: Pilot[None], section: str) -> None:
    await app.run_command(section)
    await until(pilot, lambda: app.frame.section and app.frame.section.name == section and view(app).loaded)


def test_a_pool_is_made_by_a_form_and_deleted(layout: Layout, drive: Drive, connection: sqlite3.Connection) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, "compute")
        assert text(app)[1].split()[:2] == ["local", "local"]
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, PoolForm) and isinstance(app.focused, Input))
        await pilot.press(*"gpu", "enter", "enter", "backspace", "3", "enter")
        await until(pilot, lambda: len(listed(app).entries) == 2)
        assert computes.get(connection, "gpu")["max_instances"] == 3
        assert "0 of 3" in text(app)[1]
        await pilot.press("g", "d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: len(listed(app).entries) == 1)
        with pytest.raises(NotFoundError):
            computes.get(connection, "gpu")

    drive(script)


def test_what_is_wrong_with_a_pool_is_said_in_the_form(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await go(app, pilot, "compute")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, PoolForm) and isinstance(app.focused, Input))
        form = app.screen
        await pilot.press(*"gpu", "enter")
        form.query_one("#pool-type", Input).value = "amlcomp"
        await pilot.press("enter", "enter")
        await until(pilot, lambda: form.query_one(".form-fault").display)
        told = [str(form.query_one(".form-fault").render()), str(app.focused.id if app.focused else "")]
        await pilot.press("escape")
        return told

    told, at = drive(script)
    assert "amlcompute" in told and at == "pool-type"


def test_the_machine_itself_is_not_deleted(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await go(app, pilot, "compute")
        await pilot.press("d", "y")
        await until(pilot, lambda: app._notifications)
        return next(str(each.message) for each in app._notifications)

    assert "cannot be deleted" in drive(script)


def test_enter_shows_what_runs_and_waits_on_a_compute(unwatched: Layout, drive: Drive) -> None:
    now = time.time()
    for number in range(3):
        add_job(unwatched, f"done_{number}", started_at=now - 700, ended_at=now - 100)
    add_job(unwatched, "runs", status="Running", started_at=now - 60, ended_at=None, slots=500)
    add_job(unwatched, "waits", status="Queued", started_at=None, ended_at=None)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await go(app, pilot, "compute")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(view(app), ComputeJobsView) and view(app).loaded)
        told = text(app)
        await pilot.press("j", "enter")
        await until(pilot, lambda: view(app).crumb == "waits")
        return told

    first, second, *_ = drive(script)
    assert "runs" in first and "~10%" in first
    assert "waits" in second and "starts in ~9m" in second


def test_an_idle_compute_says_how_to_use_it(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await go(app, pilot, "compute")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(view(app), ComputeJobsView) and view(app).loaded)
        return notice(app)

    assert "compute: azureml:local" in drive(script)


def test_an_unknown_compute_is_answered_with_those_there_are(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await app.run_command("compute lcal")
        await until(pilot, lambda: isinstance(view(app), ComputeJobsView) and "no compute" in notice(app))
        return notice(app)

    assert "Did you mean 'local'" in drive(script)


@pytest.fixture
def built(layout: Layout, connection: sqlite3.Connection) -> Definition:
    """A built environment with a package."""
    definition = Definition("mine", "3", own(), requirements=("six",))
    place = layout.environments / definition.hash
    (place / "lib/python3.11/site-packages/six-1.17.0.dist-info").mkdir(parents=True)
    (place / "blob").write_bytes(b"x" * 2_000_000)
    (place / READY).write_text(json.dumps({"built_at": 1.0, "seconds": 2.0, "definition": definition.as_dict()}))
    add_job(layout, "owl", created_at=time.time() - 7200)
    with database.write(connection):
        connection.execute("UPDATE job SET environment = ?", (json.dumps(definition.as_dict()),))
    return definition


def test_environments_tell_what_they_take_and_hold(built: Definition, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[list[str], list[str]]:
        await go(app, pilot, "environments")
        await until(pilot, lambda: any("2.0 MB" in line for line in text(app)))
        all_of_them = text(app)
        await pilot.press("G", "enter")
        await until(pilot, lambda: isinstance(view(app), EnvironmentView) and view(app).loaded)
        return all_of_them, text(app)

    all_of_them, one = drive(script)
    assert any("current" in line and "this Python" in line for line in all_of_them)
    assert any("sklearn" in line and "curated" in line for line in all_of_them)
    assert any("mine:3" in line and "2h ago" in line for line in all_of_them)
    assert "   six==1.17.0" in one and "   requirements:" in one


def test_the_python_that_runs_workbench_tells_its_packages(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await go(app, pilot, "environments")
        await until(pilot, lambda: any("current" in line for line in text(app)))
        listed = view(app).query_one(LineList)
        listed.move_to(next(n for n, entry in enumerate(listed.entries) if entry.value.facts.name == "current"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(view(app), EnvironmentView) and view(app).loaded)
        return [entry.value[0] for entry in view(app).query_one(LineList).entries]

    lines = drive(script)
    assert f"   textual=={importlib.metadata.version('textual')}" in lines
    assert f" Packages {len(lines) - lines.index(next(each for each in lines if 'Packages' in each)) - 1}" in lines


def test_a_built_environment_is_deleted_after_a_question(layout: Layout, built: Definition, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, "environments")
        await pilot.press("d")  # on what was not built
        await until(pilot, lambda: app._notifications)
        await pilot.press("G", "d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "owl used it 2h ago" in app.screen.consequence
        await pilot.press("y")
        await until(pilot, lambda: not (layout.environments / built.hash).exists())
        await until(pilot, lambda: not any("mine:3" in line for line in text(app)))

    drive(script)


KEPT = 180


@pytest.fixture
def events(layout: Layout, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """More events than are kept in memory, which are few here."""
    monkeypatch.setattr(paged, "PAGE", 60)
    monkeypatch.setattr(paged, "KEPT", KEPT)
    add_job(layout, "owl")
    add_job(layout, "fox")
    with database.write(connection):
        connection.executemany(
            "INSERT INTO job_event (job_name, at, status, message) VALUES (?, ?, ?, ?)",
            (
                (("owl", "fox")[n % 2], float(n), "Failed" if n % 100 == 0 else "Running", f"number {n}")
                for n in range(1, 3 * KEPT)
            ),
        )
    return layout


def ids(app: WorkbenchApp) -> list[int]:
    return [entry.value.event.id for entry in listed(app).entries]


async def open_events(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    await go(app, pilot, "events")
    await until(pilot, lambda: listed(app).entries)


@pytest.mark.slow
def test_events_are_a_window_that_moves_with_the_cursor(events: Layout, drive: Drive) -> None:
    last = 3 * KEPT - 1

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_events(app, pilot)
        assert ids(app)[0] == last
        at = last
        while at > 1:
            await pilot.press("pagedown")
            entry = listed(app).entry
            assert entry is not None and entry.value.event.id < at
            step = at - entry.value.event.id
            assert step <= listed(app).lines
            at = entry.value.event.id
            assert len(ids(app)) <= KEPT and ids(app) == sorted(ids(app), reverse=True)
            await until(pilot, lambda at=at: at <= 50 or ids(app)[-1] < at - 40)
        await pilot.press("g")
        await until(pilot, lambda: ids(app)[0] == last and listed(app).cursor == 0)
        await pilot.press("G")
        await until(pilot, lambda: ids(app)[-1] == 1)
        await pilot.press(*["pageup"] * 3)
        assert listed(app).entry is not None and 1 < listed(app).entry.value.event.id < 200  # type: ignore[union-attr]

    drive(script)


def test_what_happens_now_comes_in_at_the_top(events: Layout, drive: Drive, connection: sqlite3.Connection) -> None:
    def happen(message: str) -> None:
        with database.write(connection):
            connection.execute(
                "INSERT INTO job_event (job_name, at, status, message) VALUES ('owl', 1.0, 'Failed', ?)", (message,)
            )

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_events(app, pilot)
        happen("first")
        await until(pilot, lambda: listed(app).entries[0].value.event.message == "first")
        assert listed(app).cursor == 0
        await pilot.press("j")  # no longer at the top: the cursor stays with its event
        happen("second")
        await until(pilot, lambda: listed(app).entries[0].value.event.message == "second")
        assert listed(app).cursor == 2

    drive(script)


def test_events_are_narrowed_and_open_their_job(events: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_events(app, pilot)
        await pilot.press("slash", *"state", "colon", *"failed", "enter")
        await until(pilot, lambda: all(entry.value.event.status == "Failed" for entry in listed(app).entries))
        found = view(app)
        assert isinstance(found, EventsView) and found.place == "events state:failed"
        await pilot.press("slash", "x", "colon", "y")
        answer = found.query_one(FilterLine).query_one(".filter-answer")
        await until(pilot, lambda: answer.display)
        await pilot.press("escape")
        await until(pilot, lambda: not found.query_one(FilterLine).display)
        await pilot.press("enter")
        await until(pilot, lambda: view(app).crumb == "owl")

    drive(script)


def test_the_agents_log_is_followed(layout: Layout, drive: Drive) -> None:
    layout.run.mkdir(exist_ok=True)
    layout.agent_log.write_text("2026-11-24 12:00:00,123 ERROR no room\nplain\n")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await go(app, pilot, "events")
        assert "Nothing happened yet" in notice(app)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(view(app), AgentLogView) and view(app).loaded)
        with layout.agent_log.open("a") as file:
            file.write("more\n")
        await until(pilot, lambda: any("more" in line for line in text(app)))
        return text(app)

    told = drive(script)
    assert told[0] == " 2026-11-24 12:00:00 ERROR   no room" and told[1] == " plain"


def test_a_moment_is_told_by_its_day_where_that_is_another() -> None:
    now = time.mktime((2026, 11, 24, 12, 0, 0, 0, 0, -1))
    assert moment(now - 60, now) == "11:59:00   "
    assert moment(now - 2 * 86400, now) == "11-22 12:00"
    assert moment(now - 800 * 86400, now) == "2024-09-15 "


def test_states_are_completed() -> None:
    assert suggest("st") == "state:"
    assert suggest("owl state:fa") == "owl state:failed"
    assert suggest("owl") is None
    assert suggest("owl ty") == "owl type:" and suggest("type:d") == "type:data"


@pytest.mark.parametrize("size", [(40, 10), (80, 24)])
def test_a_small_terminal_shows_every_section(unwatched: Layout, drive: Drive, size: tuple[int, int]) -> None:
    add_job(unwatched, "owl", status="Running", ended_at=None)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for section in ("compute", "environments", "events"):
            await go(app, pilot, section)
            await pilot.press("enter", "j", "k", "escape")

    drive(script, size=size)
