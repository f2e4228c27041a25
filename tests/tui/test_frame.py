"""The frame: sections, the command line, going back, help, and a workspace that is not there yet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from store.layout import Layout
from store.workspace import Found
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.tui import commands
from workbench.tui.app import WorkbenchApp
from workbench.tui.help import Help
from workbench.tui.sections import SECTIONS
from workbench.tui.widgets.command_line import CommandLine
from workbench.tui.widgets.header import Header
from workbench.tui.widgets.key_hints import Hint, fitting


def test_a_digit_shows_its_section(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        shown = []
        for number in range(1, len(SECTIONS) + 1):
            await pilot.press(str(number))
            assert app.frame.section is not None
            shown.append(app.frame.section.name)
        return shown

    assert drive(script) == [section.name for section in SECTIONS]


def test_the_command_line_goes_to_a_section(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await pilot.press("colon", *"comp", "enter")
        await until(pilot, lambda: app.frame.section and app.frame.section.name == "compute")
        assert not app.frame.query_one(CommandLine).display
        await pilot.press("minus")
        assert app.frame.section is not None
        return app.frame.section.name

    assert drive(script) == "home"


def test_help_lists_the_keys_that_work_here(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[tuple[str, list[tuple[str, str]]]]:
        await pilot.press("question_mark")
        assert isinstance(app.screen, Help)
        return app.screen.groups

    everywhere = dict(drive(script))["Everywhere"]
    keys = {key for keys, _ in everywhere for key in keys.split()}
    assert {"q", "?", ":", "^o", "^p", *(str(n) for n in range(1, len(SECTIONS) + 1))} <= keys


def test_the_header_tells_the_workspace_and_its_jobs(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        header = app.frame.query_one(Header)
        await until(pilot, lambda: header.situation.workspace)
        return header.render().plain

    line = drive(script, size=(120, 40))
    assert "ws" in line and "0 running" in line and "agent off" in line


def test_without_a_workspace_nothing_is_made_until_something_is_written(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"

    async def scene() -> str:
        app = WorkbenchApp(Found(Layout(nowhere), "option"))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.frame.view and app.frame.view.query_one(".notice").display)
            await pilot.press("2", "3", "1")
            return str(app.frame.view.query_one(".notice").render()) if app.frame.view else ""

    assert "no workspace" in asyncio.run(scene())
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("text", "word", "argument"),
    [
        ("jobs failed", "jobs", "failed"),
        (":jobs exp:iris state:failed", "jobs", "exp:iris state:failed"),
        ("j", "jobs", ""),
        ("env", "environments", ""),
        ("q", "quit", ""),
        ("job brave_owl_1", "job", "brave_owl_1"),
        ("theme nord", "theme", "nord"),
    ],
)
def test_commands_are_understood(text: str, word: str, argument: str) -> None:
    command = commands.parse(text)
    assert not isinstance(command, str)
    assert (command.word, command.argument) == (word, argument)


def test_a_word_that_is_no_command_is_answered_with_the_nearest() -> None:
    assert commands.parse("jbos failed") == "no command 'jbos'. Did you mean 'jobs'?"


def test_hints_that_do_not_fit_are_counted() -> None:
    hints = [Hint("n", "new"), Hint("enter", "open"), Hint("x", "cancel")]
    last = Hint("?", "help")
    assert fitting(hints, 80, last) == (hints, 0)
    assert fitting(hints, 30, last) == (hints[:1], 2)


def test_a_broken_line_leads_back_and_leaving_does_not(layout: Layout) -> None:
    async def session(keys: list[str]) -> str:
        app = WorkbenchApp(Found(layout, "option"))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
            began = app.frame.section.name if app.frame.section else ""
            await pilot.press(*keys)
            await until(pilot, lambda: not any(worker.group == "place" for worker in app.workers))
        return began

    assert asyncio.run(session(["3"])) == "home"
    assert asyncio.run(session(["2", "q"])) == "compute"
    assert asyncio.run(session([])) == "home"


def test_the_palette_opens_a_job_by_name(layout: Layout, drive: Drive) -> None:
    add_job(layout, "brave_owl_1")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await pilot.press("ctrl+p", *"owl")
        await until(pilot, lambda: any("brave_owl_1" in str(each.prompt) for each in options(app)))
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.frame.view is not None and app.frame.view.crumb == "brave_owl_1")
        return app.frame.places()[-1]

    def options(app: WorkbenchApp) -> list[Option]:
        found = app.screen.query(OptionList)
        return list(found.first().options) if found else []

    drive(script)


def test_what_is_typed_at_once_behind_a_colon_is_for_the_line(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        for key in ("colon", *"compute", "enter"):  # as a paste, or a slow line: nobody waits between the keys
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: app.frame.section and app.frame.section.name == "compute")
        return app.frame.section.name if app.frame.section else ""

    assert drive(script) == "compute"


def test_an_error_of_our_own_is_told_in_words_and_kept_in_a_file(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    secret = "hush-hush"

    def break_down() -> None:
        password = secret
        raise RuntimeError(f"broken with {len(password)} letters")

    async def scene() -> None:
        app = WorkbenchApp(Found(layout, "option"))
        with pytest.raises(RuntimeError):
            async with app.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
                app.call_later(break_down)
                await pilot.pause()

    asyncio.run(scene())
    told = capsys.readouterr().err.replace("\n", " ").replace("  ", " ")
    (file,) = (tmp_path / "workbench").glob("crash-*.txt")
    assert "RuntimeError: broken with 9 letters" in told and "Jobs go on" in told
    assert "in break_down" in file.read_text() and file.stat().st_mode & 0o777 == 0o600
    assert secret not in told + file.read_text().replace('secret = "hush-hush"', "")
