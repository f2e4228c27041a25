"""What the terminal UI bears: sizes, keys, texts and databases that nobody would wish for."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from textual import events
from textual.command import CommandList
from textual.keys import _character_to_key
from textual.pilot import Pilot

from store import database
from store import workspace as workspaces
from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from tests.tui.odd_jobs import ENDED, MARKUP, ODD, VIEWS, WATCHED, fill
from workbench.agent import start
from workbench.tui.app import WorkbenchApp
from workbench.tui.widgets.dialog import Dialog
from workbench.tui.widgets.job_table import JobTable
from workbench.tui.widgets.menu import Menu, Question
from workbench.tui.widgets.palette import Palette

pytestmark = pytest.mark.slow

DIALOGS = {
    "question_mark": (":jobs", ":home", f":job {ENDED} metrics", f":job {ENDED} log"),
    "ctrl+p": (":jobs",),
    "ctrl+o": (":jobs", ":home", f":job {ENDED} outputs"),
    "colon": (":jobs", f":job {ENDED} log"),
    "slash": (":jobs", ":events", f":job {ENDED} metrics", f":job {ENDED} log"),
    "s": (":jobs",),
    "f": (":jobs",),
    "y": (":jobs", f":job {ENDED} overview", f":job {ENDED} log", f":job {ENDED} outputs"),
    "x": (f":job {WATCHED} overview", ":jobs"),
    "n": (":jobs", ":compute", f":job {ENDED} overview"),
    "d": (":compute", f":job {ENDED} overview"),
    "enter": (":home", ":jobs", ":compute", ":events", f":job {ENDED} overview", f":job {ENDED} metrics"),
}
KEYS = [
    *"abcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ0123456789/:?-+*[]{}()<>,. ",
    *("enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *("backspace", "delete", "ctrl+d", "ctrl+u", "ctrl+r", "ctrl+o", "ctrl+p", "ctrl+l", "shift+left", "shift+right"),
]
"""All but those that leave."""
SIZES = [(40, 10), (1, 1), (2, 2), (300, 100), (20, 5), (80, 24), (5, 40), (300, 3), (120, 40), (3, 100)]


@pytest.fixture
def odd(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """The workspace of odd texts, with jobs in states that no agent shall mend."""
    fill(layout)
    monkeypatch.setattr(start, "wake", lambda _: None)
    monkeypatch.setenv("VISUAL", "true")
    yield layout


def leave_dialogs(app: WorkbenchApp) -> None:
    """Close what lies over the frame, without an answer."""
    while len(app.screen_stack) > 1:
        app.screen.dismiss(None)


async def go(app: WorkbenchApp, pilot: Pilot[None], command: str) -> None:
    """Leave dialogs and lines, and show a view."""
    leave_dialogs(app)
    app.frame.command_line.action_leave()
    await app.run_command(command)
    await pilot.pause()


async def settled(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Everything that was asked for is there."""

    def is_settled() -> bool:
        leave_dialogs(app)  # what asks is a worker too
        return not any(worker.is_running for worker in app.workers)

    await until(pilot, is_settled)
    await pilot.pause()


def lines(app: WorkbenchApp) -> list[int]:
    """The widths of the lines on the screen."""
    return [strip.cell_length for strip in app.screen._compositor.render_strips(app.screen.size)]


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60), (3, 3)], ids=str)
def test_odd_texts_break_no_view_of_any_size(odd: Layout, drive: Drive, size: tuple[int, int]) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for command in VIEWS:
            await go(app, pilot, command)
            await settled(app, pilot)
            assert set(lines(app)) == {size[0]}, command
            shown = "".join(
                segment.text for strip in app.screen._compositor.render_strips(app.screen.size) for segment in strip
            )
            assert not {sign for sign in shown if ord(sign) < 32 or 0x7F <= ord(sign) < 0xA0}, command
            for key in ("j", "G", "enter", "escape"):
                await pilot.press(key)
                assert set(lines(app)) == {size[0]}, (command, key)

    drive(script, size=size)


@pytest.mark.parametrize("key", DIALOGS)
def test_every_dialog_opens_in_a_tiny_terminal(odd: Layout, drive: Drive, key: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for command in DIALOGS[key]:
            await go(app, pilot, command)
            await settled(app, pilot)
            await pilot.press(key)
            await settled_or_asking(app, pilot)
            assert set(lines(app)) == {40}, command
            for other in ("tab", "down", "a", "escape"):
                await pilot.press(other)
            await go(app, pilot, ":jobs")

    drive(script, size=(40, 10))


async def settled_or_asking(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """As ``settled``; a dialog that waits for its answer is settled too."""
    await until(pilot, lambda: len(app.screen_stack) > 1 or not any(worker.is_running for worker in app.workers))
    await pilot.pause()


def press_at_once(app: WorkbenchApp, keys: Iterable[str]) -> None:
    """Keys that come in one piece, as a paste's do."""
    for key in keys:
        app.post_message(events.Key(_character_to_key(key), key) if len(key) == 1 else events.Key(key, None))


@pytest.mark.parametrize("command", VIEWS)
def test_a_burst_of_keys_in_every_view(odd: Layout, drive: Drive, command: str) -> None:
    chance = random.Random(command)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await go(app, pilot, command)
        for _ in range(10):
            press_at_once(app, chance.choices(KEYS, k=50))
            await pilot.pause()
        await until(pilot, lambda: not app._keys_behind)
        await settled_or_asking(app, pilot)  # a dialog may still have been on its way
        await go(app, pilot, ":home")
        await go(app, pilot, ":home")  # not the form for a new job, which would take the digit
        await settled(app, pilot)
        await pilot.press("2")
        return app.frame.section.name if app.frame.section else ""

    assert drive(script) == "jobs"


def test_every_key_goes_where_the_one_before_it_led(odd: Layout, drive: Drive) -> None:
    """Typed at once, through a menu, help, a menu again."""

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[int, int]:
        await go(app, pilot, ":jobs")
        await settled(app, pilot)
        press_at_once(app, ["s", "j", "escape", "j", "question_mark", "escape", "j", "y", "escape", "space", "k"])
        table = app.frame.query_one(JobTable)
        await until(pilot, lambda: table.marks and table.cursor == 2)
        return len(table.marks), len(app.screen_stack)

    assert drive(script) == (1, 1)


def test_keys_of_a_view_work_while_nothing_in_it_can_have_the_focus(odd: Layout, drive: Drive) -> None:
    """As between two tabs, when one is hidden and the other is not made yet."""

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> bool:
        await go(app, pilot, ":jobs")
        await settled(app, pilot)
        app.frame.query_one(JobTable).display = False
        await pilot.pause()
        await pilot.press("s")
        return isinstance(app.screen, Menu)

    assert drive(script)


def test_commands_come_one_behind_the_other(odd: Layout, drive: Drive) -> None:
    """Typed at once, each before the view that the one before asked for is there."""
    tabs = ("metrics", "log", "outputs", "system", "yaml", "overview", "log")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[str, int]:
        for tab in tabs:
            press_at_once(app, [*f":job {ENDED} {tab}", "enter"])
        await until(pilot, lambda: not app._keys_behind and getattr(app.frame.view, "tab_name", "") == "log")
        await settled(app, pilot)
        return app.frame.places()[-1], len(app.screen_stack)

    assert drive(script) == (f"job {ENDED} log", 1)


def test_the_palette_shows_odd_names(odd: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await pilot.press("ctrl+p", *"odd_")
        found = app.screen.query_one(CommandList)
        await until(pilot, lambda: found.option_count >= len(ODD))
        return [str(found.get_option_at_index(number).prompt) for number in range(found.option_count)]

    found = drive(script)
    assert any(MARKUP in line for line in found)
    assert not any("\x1b" in line for line in found)


@pytest.mark.parametrize("key", ["s", "ctrl+o", "y", "question_mark", "ctrl+p"])
def test_a_dialog_takes_a_second_answer_for_none(odd: Layout, drive: Drive, key: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> int:
        await go(app, pilot, ":jobs")
        await settled(app, pilot)
        await pilot.press(key)
        dialog = app.screen
        assert isinstance(dialog, (Dialog, Palette))
        dialog.dismiss(None)
        dialog.dismiss(None)
        await until(pilot, lambda: app.screen is app.frame)
        return len(app.screen_stack)

    assert drive(script) == 1


def test_a_dialog_closes_when_whoever_asked_has_gone(odd: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> int:
        async def ask() -> None:
            await app.push_screen_wait(Question("Really?"))

        worker = app.run_worker(ask())
        await until(pilot, lambda: isinstance(app.screen, Question))
        worker.cancel()
        await pilot.pause()
        await pilot.press("y")
        return len(app.screen_stack)

    assert drive(script) == 1


def test_a_storm_of_sizes_while_jobs_change_and_views_too(odd: Layout, drive: Drive) -> None:
    chance = random.Random(7)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for number, command in enumerate(VIEWS * 2):
            await go(app, pilot, command)
            add_job(odd, f"later_{number}")
            for _ in range(12):
                size = chance.choice([*SIZES, (chance.randint(1, 300), chance.randint(1, 100))])
                await pilot.resize_terminal(*size)
                await pilot.press(chance.choice(["j", "k", "G", "g", "]", "space"]))
            assert set(lines(app)) == {app.size.width}, (command, app.size)
        await pilot.resize_terminal(80, 24)
        await go(app, pilot, ":jobs")
        await settled(app, pilot)
        assert set(lines(app)) == {80}

    drive(script)


# -- the databases ----------------------------------------------------------------------------------------------


def said(app: WorkbenchApp) -> str:
    """What the view says in place of its content."""
    view = app.frame.view
    notice = view.query_one(".notice") if view is not None else None
    return str(notice.render()) if notice is not None and notice.display else ""


async def shows_jobs(app: WorkbenchApp, pilot: Pilot[None], count: int) -> None:
    """Wait until the list has so many jobs, and the keys work in it."""
    await until(pilot, lambda: not said(app) and app.frame.query_one(JobTable).window.total == count)
    await pilot.press("g", "j")
    assert app.frame.query_one(JobTable).cursor == 1


def test_a_database_that_another_holds_for_seconds(layout: Layout, drive: Drive) -> None:
    add_job(layout, "one")
    add_job(layout, "two")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, ":jobs")
        await shows_jobs(app, pilot, 2)
        with closing(sqlite3.connect(layout.database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            await pilot.press("G", "d", "2", "1", "2", "g")  # reading goes on, writing waits
            assert app.frame.query_one(JobTable).cursor == 0
            assert not said(app)
            other.execute("COMMIT")
        await settled(app, pilot)
        await until(pilot, lambda: not said(app) and app.frame.query_one(JobTable).window.total == 1)

    drive(script)


def test_a_database_replaced_by_another(layout: Layout, drive: Drive, tmp_path: Path) -> None:
    other = Layout(tmp_path / "other")
    workspaces.create(other, {"name": "ws"}, lambda _: None)
    for number in range(3):
        add_job(other, f"other_{number}")
    with closing(database.connect(other.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    add_job(layout, "one")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, ":jobs")
        await until(pilot, lambda: app.frame.query_one(JobTable).window.total == 1)
        for end in ("-wal", "-shm"):
            layout.database.with_name(layout.database.name + end).unlink(missing_ok=True)
        other.database.replace(layout.database)
        await shows_jobs(app, pilot, 3)

    drive(script)


def test_a_database_deleted_and_put_back(layout: Layout, drive: Drive) -> None:
    for number in range(3):
        add_job(layout, f"job_{number}")
    away = layout.root.with_name("away")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, ":jobs")
        await shows_jobs(app, pilot, 3)
        layout.root.rename(away)
        await until(pilot, lambda: "is gone" in said(app))
        await pilot.press("j", "1", "2", "ctrl+r", "s", "escape")
        away.rename(layout.root)
        await shows_jobs(app, pilot, 3)

    drive(script)


def test_only_the_database_deleted_is_told(layout: Layout, drive: Drive) -> None:
    add_job(layout, "one")
    add_job(layout, "two")
    away = layout.root.with_name("away")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, ":jobs")
        await shows_jobs(app, pilot, 2)
        layout.database.rename(away)
        await until(pilot, lambda: f"{layout.database} is gone" in said(app))
        away.rename(layout.database)
        await shows_jobs(app, pilot, 2)

    drive(script)


def test_a_corrupt_database_is_told_and_can_be_mended(layout: Layout, drive: Drive) -> None:
    for number in range(3):
        add_job(layout, f"job_{number}")
    with closing(database.connect(layout.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = layout.database.read_bytes()

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, ":jobs")
        await shows_jobs(app, pilot, 3)
        put(layout, b"This is no database. " * 1000)
        await until(pilot, lambda: "doctor" in said(app))
        await pilot.press("1", "3", "2")
        assert app.frame.section and app.frame.section.name == "jobs"
        put(layout, whole)
        await shows_jobs(app, pilot, 3)

    drive(script)


def put(layout: Layout, content: bytes) -> None:
    """Another file in the place of the database."""
    for end in ("-wal", "-shm"):
        layout.database.with_name(layout.database.name + end).unlink(missing_ok=True)
    new = layout.root / "new.db"
    new.write_bytes(content)
    new.replace(layout.database)


@pytest.mark.parametrize("command", VIEWS)
def test_tracking_may_go_in_every_view(odd: Layout, drive: Drive, command: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await go(app, pilot, command)
        await settled(app, pilot)
        for end in ("", "-wal", "-shm"):
            odd.mlflow_database.with_name(odd.mlflow_database.name + end).unlink(missing_ok=True)
        await pilot.press("ctrl+r")
        await settled(app, pilot)
        await pilot.press("j", "k")
        await go(app, pilot, ":jobs")
        await settled(app, pilot)
        return said(app)

    assert drive(script) == ""


@pytest.mark.parametrize("command", [each for each in VIEWS if WATCHED in each or ENDED in each])
def test_a_job_deleted_under_its_view(odd: Layout, drive: Drive, command: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, command)
        await settled(app, pilot)
        with closing(sqlite3.connect(odd.database)) as connection, connection:  # which asks for no foreign keys
            for name in (WATCHED, ENDED):
                connection.execute("DELETE FROM job WHERE name = ?", (name,))
        for name in (WATCHED, ENDED):
            shutil.rmtree(odd.job(name).root)
        await until(pilot, lambda: "there is no job" in said(app))
        await pilot.press("j", "]", "enter", "l", "m", "ctrl+r", "x", "y", "escape")
        await go(app, pilot, ":jobs")
        await until(pilot, lambda: app.frame.query_one(JobTable).window.total == len(ODD))

    drive(script)
