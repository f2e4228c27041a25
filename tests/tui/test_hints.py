"""The line of hints names the keys that work here now, and no others."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.widgets.key_hints import KeyHints

OF_A_JOB = {"run again", "edit", "archive", "copy"}
WIDE = (200, 40)


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs here have no process: an agent would say so."""

    async def nothing(app: WorkbenchApp) -> None:
        pass

    monkeypatch.setattr(WorkbenchApp, "_keep_agent", nothing)


def hinted(app: WorkbenchApp) -> set[str]:
    """What the hints say."""
    return {hint.text for hint in app.frame.query_one(KeyHints).hints}


async def jobs(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    await pilot.press("2")
    await until(pilot, lambda: app.frame.view is not None and app.frame.view.place.startswith("jobs"))


@pytest.mark.parametrize("section", ["1", "2"])
def test_without_jobs_no_key_of_a_job_is_named(drive: Drive, section: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> set[str]:
        await pilot.press(section)
        await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
        await until(pilot, lambda: hinted(app) == {"new", "go to", "quit", "help"})
        await pilot.press("x")
        return {notification.message for notification in app._notifications}

    assert drive(script, size=WIDE) == {"no job is chosen"}, "it is said all the same"


def test_keys_are_named_as_soon_as_there_is_a_job(layout: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for section in "12":
            await pilot.press(section)
            await until(pilot, lambda: hinted(app) == {"new", "go to", "quit", "help"})
        add_job(layout, "one", status="Running", ended_at=None)
        await until(pilot, lambda: hinted(app) > OF_A_JOB | {"cancel", "filter", "sort", "open", "mark"})
        await pilot.press("1")
        await until(pilot, lambda: hinted(app) > OF_A_JOB | {"cancel", "open"})

    drive(script, size=WIDE)


def test_an_error_leaves_what_still_works(layout: Layout, drive: Drive) -> None:
    add_job(layout, "one")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await app.run_command("job ono")
        await until(pilot, lambda: app.frame.view and app.frame.view.query_one(".notice").has_class("-error"))
        await until(pilot, lambda: hinted(app) == {"new", "go to", "quit", "help"})

    drive(script, size=WIDE)


def test_what_has_ended_is_not_cancelled_and_one_alone_not_compared(layout: Layout, drive: Drive) -> None:
    add_job(layout, "running", status="Running", ended_at=None)
    add_job(layout, "ended")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await jobs(app, pilot)
        await until(pilot, lambda: hinted(app) > OF_A_JOB)
        assert not hinted(app) & {"cancel", "compare"}
        await pilot.press("j")
        await until(pilot, lambda: "cancel" in hinted(app))
        assert "compare" not in hinted(app)
        await pilot.press("k", "space")
        await pilot.press("space")
        await until(pilot, lambda: {"cancel", "compare"} <= hinted(app))
        await app.open_job("ended")
        await until(pilot, lambda: "next tab" in hinted(app))
        assert hinted(app) >= OF_A_JOB - {"copy"} and not hinted(app) & {"cancel", "compare"}

    drive(script, size=WIDE)


def test_a_filter_that_finds_nothing_leaves_the_keys_of_the_list(layout: Layout, drive: Drive) -> None:
    add_job(layout, "one")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await app.run_command("jobs failed")
        await until(pilot, lambda: {"filter", "sort"} <= hinted(app))
        await until(pilot, lambda: not hinted(app) & OF_A_JOB)

    drive(script, size=WIDE)
