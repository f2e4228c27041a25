"""The way back to where the last session broke off, and keys that lead elsewhere meanwhile."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from textual.pilot import Pilot

import workbench.tui.app
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.sections import named


def test_a_view_that_a_section_opens_when_it_is_left_already_waits_there(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await app.run_command("events agent")
        await app.action_section("jobs")  # before the agent's log is there
        await until(pilot, lambda: len(app.frame.stacks["events"]) == 2)
        assert app.frame.section is named("jobs")
        assert len(app.frame.stacks["jobs"]) == 1
        assert app.frame.header.crumbs == ("Jobs",)
        await app.action_section("events")
        assert app.frame.places()[-1] == "events agent"

    drive(script)


def test_a_key_goes_before_the_way_back(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    way = ["events", "events agent"]
    asked, go_on = threading.Event(), threading.Event()

    def slow(_: Path) -> list[str]:
        asked.set()
        assert go_on.wait(20)
        return way

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        monkeypatch.setattr(workbench.tui.app, "remembered", slow)  # as on a slow disk
        begun = asyncio.create_task(app._begin())
        await until(pilot, asked.is_set)
        await app.action_section("jobs")
        go_on.set()
        await begun
        assert app.frame.section is named("jobs")
        assert len(app.frame.stacks["events"]) == 1

    drive(script, start="events")
