"""The line that ``:`` opens: jobs by what they are called, and what it completes."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from store import database
from store.data import assets
from store.data.assets import DataVersion
from store.layout import Layout
from store.workspace import Found
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.job import JobView
from workbench.tui.view import Notice


@pytest.fixture
def named(layout: Layout) -> Layout:
    """Jobs of which two are called the same."""
    add_job(layout, "calm_fox", display_name="long-d")
    add_job(layout, "brave_owl_1", display_name="iris, wide")
    add_job(layout, "brave_owl_2", display_name="iris, wide")
    add_job(layout, "odd_100", display_name="odd")
    return layout


@pytest.mark.parametrize(
    ("text", "opened", "tab", "said"),
    [
        ("long-d", "calm_fox", "overview", ""),
        ("LONG-D log", "calm_fox", "log", ""),
        ("calm", "calm_fox", "overview", ""),  # a beginning that only one has
        ("iris, wide metrics", "brave_owl_2", "metrics", "the newest of 2 jobs that are called iris, wide"),
        ("brave_owl_1", "brave_owl_1", "overview", ""),
        ("odd_100 log", "odd_100", "log", ""),
    ],
)
@pytest.mark.usefixtures("named", "no_agent")
def test_a_job_opens_by_what_it_is_called(drive: Drive, text: str, opened: str, tab: str, said: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("colon", *f"job {text}", "enter")
        view = await until(pilot, lambda: isinstance(app.frame.view, JobView) and app.frame.view)
        assert (view.job_name, view.tab_name) == (opened, tab)
        await until(pilot, lambda: len(app._notifications) == bool(said))
        assert [str(each.message) for each in app._notifications] == [said][: bool(said)]

    drive(script)


@pytest.mark.usefixtures("named", "no_agent")
def test_a_beginning_of_several_names_them_and_opens_none(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await app.run_command("job brave")
        await until(pilot, lambda: app._notifications)
        told = [str(each.message) for each in app._notifications]
        assert told == ["2 jobs begin with 'brave': brave_owl_2, brave_owl_1"]
        assert not isinstance(app.frame.view, JobView)

    drive(script)


@pytest.mark.usefixtures("named", "no_agent")
@pytest.mark.parametrize("text", ["nobody", "od%", "calm-fox"])
def test_a_name_that_no_job_has_leads_to_the_list(drive: Drive, text: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await app.run_command(f"job {text}")
        await until(pilot, lambda: "no job named" in str(app.screen.query("JobView Notice").first(Notice).render()))
        return str(app.screen.query("JobView Notice").first(Notice).render())

    told = drive(script)
    assert "2 lists all, and / there finds one by a part of its name." in told
    assert ("Did you mean calm_fox?" in told) == (text == "calm-fox")


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("the", "theme"),
        ("theme sl", "theme slate"),
        ("job lon", "job long-d"),
        ("job cal", "job calm_fox"),
        ("job LON", "job LONg-d"),  # what was typed stays
        ("job brave", "job brave_owl_2"),  # the newest
        ("job calm_fox m", "job calm_fox metrics"),
        ("compare calm_fox odd", "compare calm_fox odd_100"),
        ("jobs fa", "jobs failed"),
        ("jobs exp:iris state:comp", "jobs exp:iris state:completed"),
        ("events ag", "events agent"),
        ("compute lo", "compute local"),
        ("c lo", "c local"),
        ("datastores workspaceb", "datastores workspaceblobstore"),
        ("data chu", "data churn"),
        ("data churn:", "data churn:2"),
        ("job nobody", "job nobody"),
        ("home x", "home x"),
    ],
)
@pytest.mark.usefixtures("named", "no_agent")
def test_tab_completes_what_stands_behind_a_command(layout: Layout, drive: Drive, typed: str, line: str) -> None:
    with closing(database.connect(layout.database)) as connection:
        for version in ("1", "2"):
            assets.create(connection, DataVersion("churn", version, "uri_file", f"/churn/{version}", {}))

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("colon", *typed, "tab", "!")
        await until(pilot, lambda: app.frame.command_line.value == f"{line}!")

    drive(script)


@pytest.mark.usefixtures("named", "no_agent")
def test_what_a_line_may_become_is_shown_while_it_is_typed(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("colon", *"job cal")
        await until(pilot, lambda: app.frame.command_line._suggestion == "job calm_fox")

    drive(script)


def test_where_there_is_no_workspace_nothing_is_suggested(tmp_path: Path) -> None:
    async def scene() -> None:
        app = WorkbenchApp(Found(Layout(tmp_path / "none"), "option"))
        async with app.run_test() as pilot:
            await pilot.press("colon", *"job c", "tab", "!")
            await until(pilot, lambda: app.frame.command_line.value == "job c!")

    asyncio.run(scene())
