"""The terminal UI driven by keys, over a real workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from store.workspace import Found
from tests.many_jobs import NAMES, add_jobs
from workbench.tui.app import WorkbenchApp

Script = Callable[[WorkbenchApp, Pilot[None]], Awaitable[Any]]
Drive = Callable[..., Any]

PATIENCE_SECONDS = 20.0


async def until(pilot: Pilot[None], condition: Callable[[], Any]) -> Any:
    """Wait for a condition, letting the application work; its value. Fails when it does not come true."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not (value := condition()):
        assert asyncio.get_running_loop().time() < deadline, "the condition did not come true"
        await pilot.pause(0.01)
    return value


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that knows all colours and no user's settings, whatever the tests are run in."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("COLORFGBG", "NO_COLOR", "WORKBENCH_THEME", "WORKBENCH_CONFIG", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What keys pressed at random copy or save lands in no folder of the user's."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """For jobs that have no process: an agent would say so."""

    async def nothing(app: WorkbenchApp) -> None:
        pass

    monkeypatch.setattr(WorkbenchApp, "_keep_agent", nothing)


@pytest.fixture
def many(layout: Layout) -> Layout:
    """A thousand jobs; every tenth failed, those of ``iris`` are every third, and have a metric."""
    add_jobs(
        layout,
        [
            (
                name,
                {
                    "status": "Failed" if number % 10 == 0 else "Completed",
                    "experiment_name": "iris" if number % 3 == 0 else "churn",
                },
                {"accuracy": number / 1000} if number % 3 == 0 else {},
            )
            for number, name in enumerate(NAMES)
        ],
    )
    return layout


@pytest.fixture
def drive(layout: Layout) -> Drive:
    """``drive(script, size=(80, 24), **options)``: the application over ``layout``, and a script that presses keys."""

    def run(script: Script, size: tuple[int, int] = (80, 24), **options: Any) -> Any:
        async def scene() -> Any:
            app = WorkbenchApp(Found(layout, "option"), **options)
            async with app.run_test(size=size) as pilot:
                await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
                return await script(app, pilot)

        return asyncio.run(scene())

    return run
