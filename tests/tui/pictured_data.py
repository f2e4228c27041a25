"""A workspace with data of every kind for pictures, always the same, and the steps to each view of it."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace

from textual.pilot import Pilot

from store import database
from store.data import assets, events, uses
from store.data.assets import DataVersion
from store.data.uses import Use
from store.datastores import registry
from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui.conftest import until
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.data_version import DataVersionView
from workbench.tui.screens.datastore import DatastoreView
from workbench.tui.screens.datastores import DatastoresView
from workbench.tui.widgets.fact_list import FactList
from workbench.tui.widgets.menu import Menu
from workbench.tui.widgets.text_pane import TextPane

Steps = Callable[[WorkbenchApp, Pilot[None]], Awaitable[None]]
PATHS = "azureml://datastores/workspaceblobstore/paths"


def fill(layout: Layout, now: float) -> None:
    """Assets with versions, labels, uses; a datastore that cannot be reached; what a watch saw."""
    layout = Layout(layout.root.absolute())  # MLflow wants whole paths
    write_files(layout)
    ended = {"created_at": now - 7300, "started_at": now - 7200, "ended_at": now - 7100}
    add_job(layout, "prepare", **ended)
    add_job(layout, "train", **(ended | {"ended_at": now - 3600}))
    add_job(layout, "retrain", **(ended | {"status": "Failed", "ended_at": now - 600}))
    table = DataVersion("churn", "", "uri_file", f"{PATHS}/churn/customers.csv", {}, created_at=now - 86400)
    seen = {"fingerprint": "5f" * 32, "files": 1, "bytes": 83_200}
    kinds = (
        replace(table, **seen),
        replace(table, **seen, created_at=now - 7000, job_name="prepare", job_output="table", document={
            "description": "Customers, without those of the tests.", "tags": {"team": "crm"}}),
        replace(table, name="daily", type="uri_folder", path=f"{PATHS}/watches/daily/a1/", stored=True, files=3,
                bytes=2_400_000_000, created_at=now - 700),
        replace(table, name="图像", type="uri_folder", path="azureml://datastores/lake/paths/images/"),
        replace(table, name="sales-table", type="mltable", path="azureml://datastores/nowhere/paths/sales/", files=12),
        replace(table, name="an-asset-with-a-name-that-is-longer-than-any-column-for-it-could-ever-be", archived=False),
    )  # fmt: skip
    with closing(database.connect(layout.database)) as connection:
        for each in kinds:
            assets.create(connection, each)
        assets.label(connection, "churn", "approved", "1")
        uses.add(connection, Use("churn", "1", "job", "prepare", "raw", at=now - 7200))
        uses.add(connection, Use("churn", "2", "job", "train", "rows", at=now - 7000))
        uses.add(connection, Use("churn", "2", "job", "retrain", "rows", "other", at=now - 900))
        assets.create(connection, replace(table, name="model-inputs", job_name="train", job_output="inputs"))
        folder = {"name": "inbox", "type": "local", "path": "inbox"}
        registry.create(connection, folder | {"description": "What comes in."})
        registry.create(connection, {"name": "gone", "type": "local", "path": "nowhere/at/all"})
        registry.create(connection, {"name": "lake", "type": "s3", "bucket": "lake", "region": "eu-central-1"})
        add_events(connection, now)


def add_events(connection: database.sqlite3.Connection, now: float) -> None:
    """Steps of jobs, and what a watch saw between them."""
    with database.write(connection):
        for at, status in ((now - 900, "Running"), (now - 600, "Failed")):
            message = "ValueError: no number: 'n/a'" if status == "Failed" else None
            connection.execute(
                "INSERT INTO job_event (job_name, at, status, message) VALUES ('retrain', ?, ?, ?)",
                (at, status, message),
            )
        came = {"event": events.NEW_FILES, "data": "azureml:daily:1", "job": "retrain", "paths": ["daily/monday.csv"]}
        for at, files, document in (
            (now - 1200, 0, {"event": events.LOST, "message": "datastore 'inbox': there is no folder inbox"}),
            (now - 1000, 0, {"event": "back", "message": "it is there again"}),
            (now - 950, 3, came),
            (now - 30, 1, {**came, "job": None, "error": "retrain.yml is not there"}),
        ):
            values = (
                at,
                files,
                files * 1_234_567,
                json.dumps({key: value for key, value in document.items() if value}),
            )
            connection.execute(
                "INSERT INTO data_event (watch, at, files, bytes, document) VALUES ('daily', ?, ?, ?, ?)", values
            )


def write_files(layout: Layout) -> None:
    """A table of two thousand customers, and a folder of files."""
    picked = random.Random(7)
    rows = ["customer,age,plan,monthly,since,churned,notes"]
    for number in range(2000):
        age = "" if picked.random() < 0.03 else str(max(18, min(90, round(picked.gauss(45, 14)))))
        plan = picked.choices(["free", "silver", "金"], [6, 3, 1])[0]
        since = f"2025-{picked.randint(1, 12):02d}-{picked.randint(1, 28):02d}"
        left, note = int(picked.random() < 0.2), "x" if picked.random() < 0.2 else ""
        rows.append(f"C{number:06d},{age},{plan},{math.exp(picked.gauss(3, 0.7)):.2f},{since},{left},{note}")
    folder = layout.blobstore / "churn"
    folder.mkdir(parents=True)
    (folder / "customers.csv").write_text("\n".join(rows) + "\n")
    inbox = layout.root.parent / "inbox"
    (inbox / "daily").mkdir(parents=True)
    for number, name in enumerate(("monday", "tuesday", "星期三", "يوم الخميس")):
        lines = [f"{hour:02d}:00,{(number + 1) * hour}" for hour in range(24)]
        (inbox / "daily" / f"{name}.csv").write_text("hour,visits\n" + "\n".join(lines) + "\n")
    (inbox / "README.md").write_text("What comes in.\n")


# -- the ways there ---------------------------------------------------------------------------------------------------


async def _go(app: WorkbenchApp, pilot: Pilot[None], command: str) -> None:
    await app.run_command(command)
    await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)


async def listed(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Every asset."""
    await _go(app, pilot, "data")
    await pilot.press("j")


async def versions(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Those of one."""
    await _go(app, pilot, "data")
    await _go(app, pilot, "data churn")
    await until(pilot, lambda: app.frame.view is not None and app.frame.view.crumb == "churn")


def version(reference: str, key: str = "", shown: str = "", tab: str = "") -> Steps:
    """A tab of a version."""

    async def steps(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await _go(app, pilot, "data")
        await app.run_command(f"data {reference}")
        await until(pilot, lambda: isinstance(app.frame.view, DataVersionView) and app.frame.view.loaded)
        await until(pilot, lambda: any(each.facts for each in app.frame.query(FactList).results()))
        if key:
            await pilot.press(key)
            await until(pilot, lambda: app.frame.query(f"{tab} TextPane"))
            pane = app.frame.query_one(f"{tab} TextPane", TextPane)
            await until(pilot, lambda: shown in pane.text)
            await until(pilot, lambda: app.frame.query_one(tab).has_focus_within)

    return steps


async def profiled(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """A column with its histogram."""
    await version("churn:2", "p", "customer", "ProfileTab")(app, pilot)
    await pilot.press("j")
    await until(pilot, lambda: app.frame.query_one("ProfileTab TextPane", TextPane).text.startswith("age"))


async def unreadable(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Data that is not where it was."""
    await version("sales-table:1")(app, pilot)
    await pilot.press("p")
    await until(pilot, lambda: app.frame.query("ProfileTab .notice.-error"))


async def connections(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Every datastore, with the folders of this machine tried."""
    await _go(app, pilot, "datastores")
    view = app.frame.view
    assert isinstance(view, DatastoresView)
    local = [each.datastore.name for each in view.found if each.datastore.type == "local"]
    await until(pilot, lambda: all(view.checks[name].state != "waiting" for name in local))


async def files(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """A datastore with an open folder and a file that is looked at."""
    await _go(app, pilot, "datastores")
    await app.run_command("datastores inbox")
    await until(pilot, lambda: isinstance(app.frame.view, DatastoreView) and app.frame.view.loaded)
    view = app.frame.view
    assert isinstance(view, DatastoreView)
    await pilot.press("j", "enter")
    await until(pilot, lambda: len(view.files.rows) == 7)
    await pilot.press("j")
    await until(pilot, lambda: "visits" in view.query_one(TextPane).text)


async def no_files(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """A datastore whose folder is not there."""
    await _go(app, pilot, "datastores")
    await app.run_command("datastores gone")
    await until(pilot, lambda: isinstance(app.frame.view, DatastoreView) and app.frame.query(".notice.-error"))


async def types(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """What a new datastore may be."""
    await connections(app, pilot)
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, Menu))


async def happened(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    """Jobs and watched data in one line of time."""
    await _go(app, pilot, "events")


DATA: dict[str, Steps] = {
    "data": listed,
    "data-overview": version("churn:2"),
    "data-profile": profiled,
    "datastores": connections,
    "datastore-files": files,
    "events": happened,
}
"""Those in every theme."""

DATA_ONCE: dict[str, Steps] = {
    "data-versions": versions,
    "data-rows": version("churn:2", "w", "customer", "RowsTab"),
    "data-unreadable": unreadable,
    "datastore-unreadable": no_files,
    "datastore-types": types,
}
