"""The overview of a job tells long values whole, whatever the width."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.widgets.fact_list import FactList

GIT = {
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "branch": "feature/a-rather-long-branch-of-somebody-with-long-names",
    "dirty": True,
    "remote": "https://example.org/a/group/of/groups/and/a/repository-with-a-long-name",
}


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_commit_is_told_whole(layout: Layout, drive: Drive, width: int) -> None:
    add_job(layout, "one", source={"file": "job.yml", "user": "me", "host": "here", "git": GIT})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await app.open_job("one")
        await until(pilot, lambda: app.frame.query(FactList) and app.frame.query_one(FactList).has_focus)
        facts = app.frame.query_one(FactList)
        await pilot.press("G")
        await until(pilot, lambda: any("me on here" in facts.render_line(y).text for y in range(facts.size.height)))
        return "".join(
            facts.render_line(y).text.replace("git  ", "").replace(" ", "") for y in range(facts.size.height)
        )

    told = drive(script, size=(width, 40))
    assert f"0123456789on{GIT['branch']}withuncommittedchanges" in told
    assert str(GIT["remote"]) in told
