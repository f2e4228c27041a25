"""The frame: sections, the command line, going back, help, and a workspace that is not there yet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.css.query import NoMatches
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from store.layout import Layout
from store.workspace import Found
from tests.many_jobs import add_job, add_jobs
from tests.tui.conftest import Drive, until
from workbench.tui import commands
from workbench.tui.app import WorkbenchApp
from workbench.tui.help import Help
from workbench.tui.jump import Jump, labels
from workbench.tui.sections import SECTIONS
from workbench.tui.widgets.command_line import CommandLine
from workbench.tui.widgets.fact_list import FactList
from workbench.tui.widgets.header import Header
from workbench.tui.widgets.job_table import JobTable
from workbench.tui.widgets.key_hints import Hint, fitting
from workbench.tui.widgets.menu import Menu
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.tab_line import TabLine


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

    assert asyncio.run(session(["5"])) == "home"
    assert asyncio.run(session(["2", "q"])) == "compute"
    assert asyncio.run(session([])) == "home"


def test_the_palette_offers_what_lies_under_a_key_of_the_tab(layout: Layout, drive: Drive) -> None:
    add_job(layout, "calm_fox")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[tuple[str, str]]:
        await app.open_job("calm_fox")
        await until(pilot, lambda: isinstance(app.screen.focused, FactList) and app.screen.focused.facts)
        offered = [(command.title, command.help) for command in app.get_system_commands(app.screen)]
        assert len(offered) == len(set(offered))
        (copy,) = [each for each in app.get_system_commands(app.screen) if each.title == "Copy"]
        copy.callback()
        await until(pilot, lambda: isinstance(app.screen, Menu))
        return offered

    offered = drive(script)
    assert {("Copy value", "key y"), ("Quit", "key q"), ("Copy", "its key does something else here")} <= set(offered)


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


class Late(Widget):
    """Looks for what is not there."""

    def on_mount(self) -> None:
        self.query_one(CommandLine)


@pytest.mark.parametrize("leaves", [True, False])
def test_what_a_widget_misses_while_all_leave_is_no_error(drive: Drive, leaves: bool) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.frame.mount(Late())  # it comes to its own mounting with the next turn of the loop
        if leaves:
            app.exit()
        else:
            await pilot.pause()

    if leaves:
        drive(script)
    else:
        with pytest.raises(NoMatches):
            drive(script)


def test_the_first_job_tells_once_where_its_workspace_is(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"

    async def scene() -> list[str]:
        app = WorkbenchApp(Found(Layout(nowhere), "option"))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.frame.view and app.frame.view.query_one(".notice").display)
            for _ in range(2):
                await app.access.write(lambda stores: None)
            await until(pilot, lambda: len(app._notifications))
            return [each.message for each in app._notifications if "workspace" in each.message]

    assert asyncio.run(scene()) == [f"new workspace 'nowhere' at {nowhere}"]


def test_labels_are_short_and_none_begins_another() -> None:
    assert labels(3) == list("asd")
    for count in (26, 27, 60, 200, 676):
        given = labels(count)
        assert len(set(given)) == count and max(map(len, given)) <= 2
        assert not any(one != two and two.startswith(one) for one in given for two in given[:40])


def test_a_jump_goes_to_sections_rows_and_tabs(layout: Layout, drive: Drive) -> None:
    add_jobs(layout, [(f"job_{number:02d}", {}, {}) for number in range(40)])

    def label_at(app: WorkbenchApp, x: int, y: int) -> str:
        assert isinstance(app.screen, Jump)
        for label in app.screen.query(".jump-label"):
            assert label.region.offset == app.screen.targets[str(label.name)].offset
        return next(label for label, target in app.screen.targets.items() if target.offset == (x, y))

    async def jump(app: WorkbenchApp, pilot: Pilot[None], x: int, y: int) -> None:
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, Jump) and app.screen.query(".jump-label").last().region.area)
        await pilot.press(*label_at(app, x, y))
        await until(pilot, lambda: app.screen is app.frame)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        rail = app.frame.query_one(Rail)
        second = list(rail.jump_places())[1][0] + rail.region.offset
        await jump(app, pilot, *second)
        await until(pilot, lambda: app.frame.view and app.frame.view.loaded and app.frame.query(JobTable))
        table = app.frame.query_one(JobTable)
        await until(pilot, lambda: table.window.total and table.region.area)
        await jump(app, pilot, table.region.x, table.region.y + 18)
        assert table.row is not None and table.row.name == "job_22"
        for key in ("escape", "exclamation_mark"):
            await pilot.press("ctrl+o", key)
            await until(pilot, lambda: app.screen is app.frame)
        await pilot.press("enter")
        await until(pilot, lambda: app.frame.query(TabLine) and app.frame.query_one(TabLine).region.area)
        tabs = app.frame.query_one(TabLine)
        await jump(app, pilot, *(tabs.region.offset + list(tabs.jump_places())[2][0]))
        await until(pilot, lambda: app.frame.places()[-1] == "job job_22 log")

    drive(script)
