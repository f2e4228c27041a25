"""Tags that a job gives its run by MLflow: in the overview, and for the filter of the list."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from tests.conftest import Cli
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.job.overview import OverviewTab
from workbench.tui.screens.jobs import JobsView
from workbench.tui.widgets.fact_list import FactList

DOCUMENT = """\
command: >-
  python -c "import mlflow; mlflow.set_tag('quality', 'good'); mlflow.set_tag('stage', 'done')"
tags: {team: a, stage: begun}
"""


@pytest.mark.slow
def test_tags_set_while_a_job_ran_are_told_and_found(layout: Layout, drive: Drive, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(DOCUMENT)
    assert cli("run", tmp_path / "job.yml", "--name", "tagged").returncode == 0

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        for text, found in (("tag:quality=good", 1), ("tag:team=a", 1), ("tag:stage=done", 1), ("tag:stage=begun", 0)):
            await app.run_command(f"jobs {text}")
            view = app.frame.view
            assert isinstance(view, JobsView)
            await until(pilot, lambda view=view, found=found: view.loaded and view.table.window.total == found)
            assert view.filter_text == text
        await app.open_job("tagged")
        await until(pilot, lambda: app.frame.query("OverviewTab FactList") and app.frame.query_one(OverviewTab).later)
        return next(fact.value for _, fact in app.frame.query_one(FactList).facts if fact.title == "tags")

    assert drive(script) == "team=a, stage=done, quality=good"
