"""What is shown stays in sight where the names of all sections or tabs have no room."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.job import TABS, JobView
from workbench.tui.sections import SECTIONS
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.tab_line import TabLine

SMALL = (40, 10)


def test_the_section_that_is_shown_is_named_in_a_narrow_rail(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        rail = app.frame.query_one(Rail)
        for number, section in enumerate(SECTIONS, 1):
            await app.go(section)
            await pilot.pause()
            line = rail.render_line(0).text
            assert f">{number} {section.title}" in line
            assert all(f" {other} " in f"{line} " for other in range(1, len(SECTIONS) + 1) if other != number)
        first = next(iter(rail.jump_places()))[0]
        await pilot.click(Rail, offset=(first.x + 1, 0))
        await until(pilot, lambda: app.frame.section is SECTIONS[0])

    drive(script, size=SMALL)


def test_the_tab_that_is_shown_is_named_in_a_narrow_line(layout: Layout, drive: Drive) -> None:
    add_job(layout, "one")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await app.open_job("one")
        view = app.frame.view
        assert isinstance(view, JobView)
        await until(pilot, lambda: view.loaded and app.frame.query_one(TabLine).region.area)
        for name, kind in TABS.items():
            await app.open_job("one", name)
            await until(pilot, lambda name=name: app.frame.query_one(TabLine).current == name)
            line = app.frame.query_one(TabLine).render_line(0).text
            assert f"[{kind.title}]" in line
            assert all(f" {other.key} " in line for key, other in TABS.items() if key != name)
        places = [place.x for place, _ in app.frame.query_one(TabLine).jump_places()]
        await pilot.click(TabLine, offset=(places[2] + 1, 0))
        await until(pilot, lambda: view.tab_name == "log")

    drive(script, size=SMALL)


@pytest.mark.parametrize(("term", "name"), [("linux", "enter open"), ("xterm-256color", "⏎ open")])
def test_a_key_without_a_sign_has_a_word(
    layout: Layout, drive: Drive, monkeypatch: pytest.MonkeyPatch, term: str, name: str
) -> None:
    monkeypatch.setenv("TERM", term)
    add_job(layout, "one")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await until(pilot, lambda: name in str(app.frame.query_one(KeyHints).render()))

    drive(script)


def test_the_form_tells_the_way_out_and_where_there_is_more(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("n", "enter")
        await until(pilot, lambda: app.frame.places()[-1:] and app.frame.query("Form Input, Form TextArea"))
        hints = app.frame.query_one(KeyHints)
        await until(pilot, lambda: "esc leave" in str(hints.render()))
        line = str(hints.render())
        assert line.startswith(" ^r run ")
        assert line.endswith(" ^p more ")
        assert len(line) <= SMALL[0]

    drive(script, size=SMALL)
