"""Scenes of a job's log in the terminal UI: a job that printed something, its Log tab, and what that shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Static

from store.layout import Layout
from tests.tui.charted_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.job.log import LogTab

JOB = "calm_fox_1"
Script = Callable[[LogTab, Pilot[None]], Awaitable[Any]]


def printed(layout: Layout, data: bytes | None, status: str = "Running", **columns: Any) -> Path:
    """A job and what it printed; returns the path of its log."""
    add_job(layout, JOB, status, **columns)
    log = layout.job(JOB).log
    log.parent.mkdir(exist_ok=True)
    if data is not None:
        log.write_bytes(data)
    return log


def numbered(count: int, start: int = 0) -> bytes:
    return b"".join(b"line %05d\n" % number for number in range(start, start + count))


def on(drive: Drive, script: Script, size: tuple[int, int] = (80, 24), **options: Any) -> Any:
    async def whole(app: WorkbenchApp, pilot: Pilot[None]) -> Any:
        await app.open_job(JOB, "log")
        await until(pilot, lambda: app.frame.query(LogTab) and app.frame.query_one(LogTab).has_focus_within)
        tab = app.frame.query_one(LogTab)
        await until(pilot, lambda: tab._told or (tab.view.window.lines and tab.view.rows.width > 20))
        return await script(tab, pilot)

    return drive(whole, size=size, refresh_hz=20, **options)


def shown(tab: LogTab) -> list[str]:
    """What is on the screen."""
    return [tab.view.render_line(y).text.rstrip() for y in range(tab.view.rows.height)]


def watch_painting(tab: LogTab) -> list[int]:
    """Which rows are painted from now on."""
    painted: list[int] = []
    drawing = tab.view.render_line

    def draw(y: int) -> Strip:
        painted.append(y)
        return drawing(y)

    tab.view.render_line = draw  # type: ignore[method-assign]
    return painted


def status(tab: LogTab) -> str:
    return str(tab.query_one(".log-status", Static).content)


def notice(tab: LogTab) -> str:
    return str(tab.query_one(".notice").render())


async def typed(pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash", *text)


def current(tab: LogTab) -> str:
    found = tab.view.current_line
    return tab.view.text_of(found) if found is not None else ""
