"""Jobs with metrics in a workspace, and the tabs of a job in a view of their own."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from textual.widget import Widget

from store import database, jobs
from store.layout import Layout
from store.tracking import runs
from store.tracking.ingest import ingest
from store.tracking.template import ensure_mlflow_database
from workbench.tui.access import Stores
from workbench.tui.job.charts_tab import ChartsTab
from workbench.tui.view import View

JOB = "calm_fox_1"
START = 1_790_000_000.0

Logged = tuple[str, float, float, int]
"""Key, value, seconds since the start, step."""


def add_job(layout: Layout, name: str = JOB, status: str = "Running", **columns: Any) -> Path:
    """A job and its run; returns the path of its journal."""
    ensure_mlflow_database(layout, lambda _: None)
    layout.job(name).root.mkdir(parents=True, exist_ok=True)
    document = {"command": "python train.py", "name": name}
    with closing(database.connect(layout.database)) as connection:
        jobs.submit(connection, jobs.NewJob(document, {}, "local", name=name))
        with database.write(connection):
            for column, value in {"status": status, "started_at": START, **columns}.items():
                connection.execute(f"UPDATE job SET {column} = ? WHERE name = ?", (value, name))
    with closing(runs.connect(layout)) as connection:
        runs.create_run(
            connection, layout, job=name, experiment="exp", display_name=name, user="ann", start_ms=int(START * 1000)
        )
    return layout.job(name).journal


def log(journal: Path, points: Iterable[Logged], job: str = JOB) -> None:
    """Append to a journal, as a job's process does."""
    with journal.open("a") as file:
        for key, value, seconds, step in points:
            shown: Any = (
                value if math.isfinite(value) else {"nan": "NaN", "inf": "Infinity"}.get(str(value), "-Infinity")
            )
            line = {"r": job, "k": key, "v": shown, "t": int((START + seconds) * 1000), "s": step}
            file.write(json.dumps(line) + "\n")


def take_in(layout: Layout, job: str = JOB) -> None:
    """Ingest a journal, as the agent does."""
    with closing(runs.connect(layout)) as connection:
        while not ingest(connection, job, layout.job(job).journal).done:
            pass


class TabView(View):
    """Shows one tab of a job as the job's view does."""

    live = True

    def __init__(self, tab: ChartsTab) -> None:
        super().__init__()
        self.tab = tab
        self.crumb = tab.job_name
        self.shown_at = 0.0

    def compose_content(self) -> Iterable[Widget]:
        yield self.tab

    async def load(self) -> None:
        await self.tab.show(await self.bench.access.read(_job, self.tab.job_name))
        self.show_content()
        if not self.tab.has_focus_within:
            self.tab.focus_content()

    async def tick(self) -> None:
        await self.tab.tick()
        self.shown_at = time.monotonic()


def _job(stores: Stores, name: str) -> jobs.Job:
    return jobs.get(stores.workbench, name)
