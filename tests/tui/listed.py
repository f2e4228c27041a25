"""The list of jobs in the terminal UI: what it shows, and how one gets there by keys."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.conftest import until
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.jobs import JobsView
from workbench.tui.widgets.job_table import JobTable
from workbench.tui.widgets.key_hints import KeyHints


def table(app: WorkbenchApp) -> JobTable:
    return app.frame.query_one(JobTable)


def view(app: WorkbenchApp) -> JobsView:
    found = app.frame.view
    assert isinstance(found, JobsView)
    return found


def at(app: WorkbenchApp) -> str | None:
    row = table(app).row
    return row.name if row else None


def text(app: WorkbenchApp) -> list[str]:
    """The lines of the table as they are drawn."""
    shown = table(app)
    return ["".join(segment.text for segment in shown.render_line(y)) for y in range(shown.size.height)]


async def open_jobs(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    await pilot.press("2")
    await until(pilot, lambda: isinstance(app.frame.view, JobsView) and app.frame.view.loaded)


async def narrow(app: WorkbenchApp, pilot: Pilot[None], filter_text: str) -> None:
    """Type a filter as a user does, and wait for its list."""
    await pilot.press("slash")
    app.frame.query_one("FilterLine Input", Input).value = ""
    for character in filter_text:
        await pilot.press(
            {" ": "space", ":": "colon", ".": "full_stop", ">": "greater_than_sign"}.get(character, character)
        )
    await pilot.press("enter")
    await until(pilot, lambda: view(app).filter_text == filter_text)
    await until(pilot, lambda: not any(worker.group == "load" and not worker.is_finished for worker in app.workers))


def footer(app: WorkbenchApp) -> str:
    """The line of hints that is seen: a dialog's, where one is open."""
    return str(app.screen.query_one(KeyHints).render())
