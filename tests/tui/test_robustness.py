"""What the terminal UI bears: sizes, keys, texts and databases that nobody would wish for."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import pytest
from textual import events
from textual.command import CommandList
from textual.keys import _character_to_key
from textual.pilot import Pilot

from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from tests.tui.odd_jobs import ENDED, MARKUP, ODD, VIEWS, WATCHED, fill
from workbench.agent import start
from workbench.tui.app import WorkbenchApp
from workbench.tui.widgets.dialog import Dialog
from workbench.tui.widgets.job_table import JobTable
from workbench.tui.widgets.menu import Question
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
