"""Every key can be another one: what a setting gives a binding is what works, and what help and hints say."""

from __future__ import annotations

import asyncio
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.events import Key
from textual.pilot import Pilot

import workbench.tui
from store.layout import Layout
from store.workspace import Found
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.configuration.model import Configuration
from workbench.configuration.reading import Loaded, config_file, load
from workbench.tui.app import WorkbenchApp
from workbench.tui.help import Help
from workbench.tui.keymap import bindings, check_keys
from workbench.tui.screens.job import JobView
from workbench.tui.sections import SECTIONS
from workbench.tui.widgets.job_table import JobTable
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.menu import Menu
from workbench.tui.widgets.palette import Palette
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.tab_line import TabLine

SPARE = "f20"


def given(**keys: str) -> Loaded:
    """Settings with these keys; two underscores stand for a dot."""
    return Loaded(config_file(), Configuration(keys={name.replace("__", "."): key for name, key in keys.items()}))


def test_every_binding_has_an_id_and_says_what_it_does() -> None:
    for module in pkgutil.walk_packages(workbench.tui.__path__, "workbench.tui."):
        for holder in vars(import_module(module.name)).values():
            if isinstance(holder, type) and holder.__module__ == module.name:
                for binding in vars(holder).get("BINDINGS", ()):
                    assert isinstance(binding, Binding), f"{holder.__qualname__}: {binding}"
                    assert binding.id, f"{holder.__qualname__}: {binding.key} has no id"
                    assert binding.description, f"{binding.id} says nothing"


def test_every_key_that_works_in_a_view_works_by_another_key_too(layout: Layout, drive: Drive) -> None:
    add_job(layout, "one", metrics={"loss": 0.5})

    async def here(app: WorkbenchApp, pilot: Pilot[None]) -> set[str]:
        await pilot.pause()
        app.set_keymap({})
        active = app.screen.active_bindings
        without = [key for key, (node, each, *_) in active.items() if not each.id and node in (app, app.screen)]
        assert not without, f"no setting can change {without}"
        names = {each.binding.id for each in active.values() if each.binding.id}
        for name in sorted(names):
            app.set_keymap({name: SPARE})
            now = app.screen.active_bindings
            assert SPARE in now and now[SPARE].binding.id == name
            shown = {key for key, each in now.items() if each.binding.id == name}
            assert shown == {SPARE}, f"{name} has its old keys yet: {shown}"
        return names

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> set[str]:
        seen: set[str] = set()
        for section in SECTIONS:
            await app.run_command(section.name)
            await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
            seen |= await here(app, pilot)
        await app.open_job("one")
        await until(pilot, lambda: isinstance(app.frame.view, JobView) and app.frame.view.loaded)
        for tab in ("overview", "metrics", "log", "outputs", "system", "yaml"):
            await app.open_job("one", tab)
            seen |= await here(app, pilot)
        return seen

    assert {"app.palette", "app.quit_at_once", "focus.next", "jobs.filter", "job.tab.log"} <= drive(script)
    assert {"app.palette", "app.quit_at_once", "focus.next", "help.down"} <= bindings().keys()


def test_hints_and_help_say_the_key_that_a_setting_gave(layout: Layout, drive: Drive) -> None:
    add_job(layout, "one")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        hints = app.screen.query_one(KeyHints)
        await until(pilot, lambda: "f7 sort" in str(hints.render()))
        line = str(hints.render())
        assert "f1 more" in line and "?" not in line
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("escape", "f1")
        await until(pilot, lambda: isinstance(app.screen, Help))
        assert isinstance(app.screen, Help)
        told = dict(dict(app.screen.groups)["Here"])
        assert told["f7"] == "sort" and "s" not in told
        assert next(iter(told.values())) == "open", "what the line of hints begins with"
        assert dict(dict(app.screen.groups)["Everywhere"])["f1"] == "help"
        await pilot.press("f1")
        await until(pilot, lambda: not isinstance(app.screen, Help))

    drive(script, size=(80, 24), loaded=given(jobs__sort="f7", app__help="f1"))


def shown(app: WorkbenchApp) -> str:
    """What stands on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def test_texts_that_name_a_key_name_the_one_that_a_setting_gave(layout: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "f7  write a first job" in shown(app))
        assert "f8  go somewhere" in shown(app)
        assert "f6 Jobs" in str(app.screen.query_one(Rail).render())
        await pilot.press("f6")
        await until(pilot, lambda: "f7  new job" in shown(app))
        add_job(layout, "one")
        await pilot.press("1")
        await until(pilot, lambda: "nothing runs now; f7 writes a new job" in shown(app))
        await app.open_job("one")
        await until(pilot, lambda: app.screen.query(TabLine))
        assert "YAML f9" in str(app.screen.query_one(TabLine).render())

    keys = given(job__new="f7", app__command="f8", app__section__jobs="f6", job__tab__yaml="f9")
    drive(script, size=(80, 24), loaded=keys)


def test_sections_show_their_digits_again_when_other_keys_are_refused(layout: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "2 Jobs" in shown(app))

    drive(script, size=(80, 24), loaded=given(app__section__jobs="1"))


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ({"list__down": "f7"}, ""),  # two keys, down and j, become one
        ({"list__down": "f7,f8"}, ""),
        ({"jobs__sort": "f", "jobs__saved": "s"}, ""),  # they change places
        ({"app__quit": "ctrl+q"}, ""),  # what has it already does the same
        ({"jobs__sort": "n"}, "jobs.sort: 'n' is the key of job.new in the same place"),  # its base class has it
        ({"list__down": "space"}, "list.down: 'space' is the key of jobs.mark in the same place"),
        ({"app__jump": "?"}, "app.jump: 'question_mark' is the key of app.help in the same place"),
        ({"list__down": "f7", "list__up": "f7"}, "list.down: 'f7' is the key of list.up in the same place"),
    ],
)
def test_a_key_that_another_action_of_the_place_has_is_refused(
    keys: dict[str, str], refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    monkeypatch.setenv("WORKBENCH_CONFIG", str(file))
    file.write_text("[keys]\n" + "".join(f"{name.replace('__', '.')} = '{key}'\n" for name, key in keys.items()))
    loaded = load()
    check_keys(loaded)
    told = [f"{fault.path.removeprefix('keys.')}: {fault.message}" for fault in loaded.faults]
    assert told == [refused][: bool(refused)]
    left = set(loaded.configuration.keys)
    assert left == {name.replace("__", ".") for name in keys} - {refused.partition(":")[0]}


def test_a_key_of_an_action_with_several_is_told_once(layout: Layout, drive: Drive) -> None:
    for name in ("one", "two"):
        add_job(layout, name)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.active_bindings.get("f7"))
        await pilot.press("f7")
        assert not app._notifications
        assert app.frame.view is not None and app.frame.view.query_one(JobTable).cursor == 1

    drive(script, loaded=given(list__down="f7"))


def test_a_key_that_is_shared_with_the_same_action_works_and_keeps_its_precedence(layout: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "ctrl+q" in app._keymap.get("app.quit", ""))
        await pilot.press("q", "ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.is_running)

    drive(script, loaded=given(app__quit="ctrl+q"))


def test_a_key_that_comes_before_the_keys_are_checked_means_what_is_in_force(layout: Layout) -> None:
    async def scene() -> None:
        app = WorkbenchApp(Found(layout, "option"), loaded=given(app__jump="?", jobs__sort="f7"))
        app.call_later(app.on_event, Key("2", "2"))  # before anything is shown
        app.call_later(app.on_event, Key("question_mark", "?"))  # was to be another's, which is refused
        async with app.run_test() as pilot:
            await until(pilot, lambda: isinstance(app.screen, Help))
            assert app.frame.section is SECTIONS[1]

    asyncio.run(scene())


def test_keys_that_are_held_back_are_given_out_in_their_order(layout: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.hold_back_keys()
        await pilot.press("2", "question_mark", "escape", "3")
        await pilot.pause()
        assert app.frame.section is SECTIONS[0]
        app.give_out_keys()
        await pilot.press("colon", "x")
        await until(pilot, lambda: app.frame.command_line.value == "x")
        assert app.frame.section is SECTIONS[2]
        assert app.screen is app.frame

    drive(script)
