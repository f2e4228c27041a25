"""The section Data by keys: assets, versions, what a version tells, its profile and its rows."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from store import database
from store.data import assets, events, uses
from store.data.assets import DataVersion
from store.data.registering import register
from store.data.uses import Use
from store.layout import Layout
from store.tabular.profile import ColumnProfile, Histogram
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.tui import paged
from workbench.tui.app import WorkbenchApp
from workbench.tui.data.asset_lines import place
from workbench.tui.data.profile_lines import Column, detail, tall
from workbench.tui.glyphs import ASCII, UNICODE
from workbench.tui.screens.data import VersionsView
from workbench.tui.screens.data_version import DataVersionView
from workbench.tui.screens.events import EventsView
from workbench.tui.view import View
from workbench.tui.widgets.fact_list import FactList
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.line_list import LineList
from workbench.tui.widgets.menu import Menu, Prompt
from workbench.tui.widgets.short_form import ShortForm
from workbench.tui.widgets.text_pane import TextPane


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(layout.database)) as found:
        yield found


@pytest.fixture
def churn(tmp_path: Path) -> Path:
    """A table of a hundred rows: ages, some missing, and three plans."""
    picked = random.Random(1)
    lines = [f"{'' if n % 10 == 0 else 20 + n % 40},{picked.choice(['金', 'free', 'free'])}" for n in range(100)]
    file = tmp_path / "churn.csv"
    file.write_text("age,plan\n" + "\n".join(lines) + "\n")
    return file


def add(connection: sqlite3.Connection, layout: Layout, name: str, path: Path, **more: Any) -> DataVersion:
    kind = "uri_folder" if path.is_dir() else "uri_file"
    return register(connection, layout, {"name": name, "type": kind, "path": str(path), **more}).version


def view(app: WorkbenchApp) -> View:
    assert app.frame.view is not None
    return app.frame.view


def listed(app: WorkbenchApp) -> LineList:
    return view(app).query_one(LineList)


def text(app: WorkbenchApp) -> list[str]:
    """The lines of the list as they are drawn."""
    return [listed(app).render_line(y).text.rstrip() for y in range(listed(app).size.height)]


def notice(app: WorkbenchApp) -> str:
    return str(view(app).query_one(".notice").render())


def told(app: WorkbenchApp) -> dict[str, str]:
    """The facts of a version by their titles, the last of each."""
    return {fact.title: fact.value for _, fact in view(app).query_one(FactList).facts}


async def go(app: WorkbenchApp, pilot: Pilot[None], command: str) -> None:
    await app.run_command(command)
    await until(pilot, lambda: view(app).loaded)


async def open_version(app: WorkbenchApp, pilot: Pilot[None], reference: str) -> DataVersionView:
    await app.run_command("data")
    await until(pilot, lambda: view(app).loaded)
    await app.run_command(f"data {reference}")
    await until(pilot, lambda: isinstance(view(app), DataVersionView) and view(app).loaded)
    found = view(app)
    assert isinstance(found, DataVersionView)
    await until(pilot, lambda: found.query("FactList") and found.query_one(FactList).facts)
    return found


def hinted(app: WorkbenchApp) -> set[str]:
    """What the line of hints names."""
    return {hint.text for hint in app.frame.query_one(KeyHints).hints}


def is_read(app: WorkbenchApp, tab: str) -> bool:
    """Whether a tab shows what its process read; fails with what it says where that went wrong."""
    for found in view(app).query(f"{tab} .notice"):
        assert "-error" not in found.classes, str(found.render())
    return any(each.display for each in view(app).query(f"{tab} .profile-content"))


def test_without_data_it_is_said_how_to_register_some(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await go(app, pilot, "data")
        await until(pilot, lambda: hinted(app) == {"new", "filter", "go to", "quit", "help"})
        for key in "dyeL":
            await pilot.press(key)
        await until(pilot, lambda: [each.message for each in app._notifications] == ["no data is chosen"] * 4)
        return notice(app)

    said = drive(script)
    assert "No data assets yet" in said and "n  register" in said and "workbench data create" in said


def test_assets_lead_to_their_versions_and_one_of_them(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "churn", churn)
    add(connection, layout, "churn", churn)
    add(connection, layout, "other", churn.parent)
    assets.label(connection, "churn", "approved", "1")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[list[str], list[str], str]:
        await go(app, pilot, "data")
        every = text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(view(app), VersionsView) and view(app).loaded)
        versions = text(app)
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(view(app), DataVersionView) and view(app).loaded)
        one = view(app).crumb
        await pilot.press("escape", "escape", "j", "enter")  # of one version there is no list to choose from
        await until(pilot, lambda: view(app).crumb == "other:1")
        return every, versions, one

    every, versions, one = drive(script, size=(120, 30))
    assert every[1].split()[0] == "churn" and "/churn.csv " in every[1] and " 2 of 2 " in every[1]
    assert every[2].split()[0] == "other"
    assert "latest" in versions[1] and "approved" in versions[2]
    assert one == "churn:1"


@pytest.fixture
def few_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paged, "PAGE", 60)
    monkeypatch.setattr(paged, "KEPT", 180)


@pytest.mark.usefixtures("few_in_memory")
def test_many_assets_are_a_window_that_moves_with_the_cursor(connection: sqlite3.Connection, drive: Drive) -> None:
    count = 500
    with database.write(connection):
        for number in range(count):
            name = f"asset-{number:04d}"
            connection.execute("INSERT INTO data_container (name, archived, last_number) VALUES (?, 0, 1)", (name,))
            connection.execute(
                "INSERT INTO data (name, version, type, path, document, archived, stored, created_at)"
                " VALUES (?, '1', 'uri_file', '/x', '{}', 0, 0, 1.0)",
                (name,),
            )

    def names(app: WorkbenchApp) -> list[str]:
        return [entry.key for entry in listed(app).entries]

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, "data")
        assert names(app)[0] == "asset-0000" and len(names(app)) <= 120
        await pilot.press("G")
        await until(pilot, lambda: names(app)[-1] == f"asset-{count - 1:04d}")
        while names(app)[0] > "asset-0300":
            before = names(app)[0]
            await pilot.press("pageup")
            await until(pilot, lambda before=before: listed(app).cursor > 20 or names(app)[0] < before)
        assert len(names(app)) <= 180 and names(app) == sorted(names(app))
        await pilot.press("g")
        await until(pilot, lambda: names(app)[0] == "asset-0000" and listed(app).cursor == 0)
        await pilot.press("slash", *"0123", "enter")
        await until(pilot, lambda: names(app) == ["asset-0123"])
        await pilot.press("escape")
        await until(pilot, lambda: len(names(app)) > 1)

    drive(script)


def test_a_filter_knows_types_and_the_archive(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "file", churn)
    add(connection, layout, "folder", churn.parent)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, "data")
        await pilot.press("d")  # hides the first, and says how it is found again
        await until(pilot, lambda: [entry.key for entry in listed(app).entries] == ["folder"])
        await until(pilot, lambda: any("archived:only" in str(each.message) for each in app._notifications))
        await pilot.press("slash", *"archived", "colon", *"only", "enter")
        await until(pilot, lambda: [entry.key for entry in listed(app).entries] == ["file"])
        assert "archived" in text(app)[1]
        await pilot.press("d")
        await until(pilot, lambda: not listed(app).entries)
        await pilot.press("slash", *["backspace"] * 13, *"type", "colon", *"uri_fi", "enter")
        await until(pilot, lambda: [entry.key for entry in listed(app).entries] == ["file"])
        await pilot.press("slash", *["backspace"] * 11, *"exp", "colon", *"y")
        answer = view(app).query_one(".filter-answer")
        await until(pilot, lambda: answer.display and "type:, archived:" in str(answer.render()))

    drive(script, size=(120, 30))


def test_a_version_tells_its_lineage_both_ways_and_leads_there(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "raw", churn)
    add_job(layout, "prepare")
    add_job(layout, "train", status="Failed")
    uses.add(connection, Use("raw", "1", "job", "prepare", "input"))
    made = DataVersion("clean", "", "uri_file", "/made", {}, job_name="prepare", job_output="table")
    assets.create(connection, made)
    assets.create(connection, DataVersion("model", "", "uri_folder", "/m", {}, job_name="train", job_output="model"))
    uses.add(connection, Use("clean", "1", "job", "train", "data"))
    uses.add(connection, Use("clean", "1", "model", "churn-model", None))

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> dict[str, str]:
        found = await open_version(app, pilot, "clean:1")
        facts = told(app)
        rows = view(app).query_one(FactList)
        titles = [fact.title for _, fact in rows.facts]
        await pilot.press(*["j"] * titles.index("made from"), "enter")
        await until(pilot, lambda: view(app).crumb == "raw:1" and view(app).loaded)
        await pilot.press("escape")
        await until(pilot, lambda: view(app) is found)
        await pilot.press(*["j"] * (titles.index("  which made") - titles.index("made from")), "enter")
        await until(pilot, lambda: view(app).crumb == "model:1")
        await pilot.press("escape")
        await until(pilot, lambda: view(app) is found)
        await pilot.press("k", "enter")
        await until(pilot, lambda: view(app).crumb == "train")
        return facts

    facts = drive(script, size=(100, 40))
    assert "prepare" in facts["made by"] and "output table" in facts["made by"]
    assert facts["made from"] == "raw:1" and facts["  which made"] == "model:1"
    assert "train" in facts["used by"] and "input data" in facts["used by"]


def test_bytes_that_changed_are_said_with_who_saw_it(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "churn", churn)
    add(connection, layout, "churn", churn, description="again")
    uses.add(connection, Use("churn", "1", "job", "late", "data", "other-bytes"))

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[dict[str, str], str]:
        found = await open_version(app, pilot, "churn:1")
        return told(app), str(found.query_one(".job-facts").render())

    facts, line = drive(script)
    assert "late saw other bytes" in facts["changed"] and facts["same bytes as"] == "churn:2"
    assert "its bytes changed" in line


def test_a_label_is_put_and_a_version_hidden_by_keys(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "churn", churn)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_version(app, pilot, "churn:1")
        await pilot.press("L")
        await until(pilot, lambda: isinstance(app.screen, Prompt) and isinstance(app.focused, Input))
        await pilot.press(*"good", "enter")
        await until(pilot, lambda: "good" in told(app)["labels"])
        await pilot.press("d")
        await until(pilot, lambda: told(app).get("archived") == "this version")
        await pilot.press("d")
        await until(pilot, lambda: "archived" not in told(app))
        await pilot.press("L")
        await until(pilot, lambda: isinstance(app.screen, Prompt) and isinstance(app.focused, Input))
        await pilot.press(*"latest", "enter")
        await until(pilot, lambda: any(each.severity == "error" for each in app._notifications))

    drive(script)
    assert assets.get(connection, "churn", label="good").version == "1"


def test_what_may_be_changed_is_edited_in_the_users_editor(
    layout: Layout,
    connection: sqlite3.Connection,
    churn: Path,
    drive: Drive,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    add(connection, layout, "churn", churn, description="old words", tags={"team": "a"})
    script_file = tmp_path / "editor"
    script_file.write_text("#!/bin/sh\nsed -i 's/old words/new words/; s/team: a/team: 中/' \"$1\"\n")
    script_file.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(script_file))

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_version(app, pilot, "churn:1")
        await pilot.press("e")
        await until(pilot, lambda: told(app)["description"] == "new words")
        script_file.write_text('#!/bin/sh\necho "colour: red" >> "$1"\n')
        await pilot.press("e")
        await until(pilot, lambda: any("nothing was changed" in str(each.message) for each in app._notifications))

    drive(script)
    assert assets.get(connection, "churn", "1").document["tags"] == {"team": "中"}


def test_data_is_registered_by_a_form(connection: sqlite3.Connection, churn: Path, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await go(app, pilot, "data")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ShortForm) and isinstance(app.focused, Input))
        form = app.screen
        assert isinstance(form, ShortForm)
        await pilot.press(*"churn", "enter")
        form.entry("path").value = str(churn)
        await pilot.press("enter", "enter", "enter")
        await until(pilot, lambda: "uri_file" in str(form.query_one(".form-fault").render()))
        fault = str(form.query_one(".form-fault").render())
        form.entry("type").value = "uri_file"
        form.entry("description").focus()
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(view(app), DataVersionView) and view(app).loaded)
        return fault

    assert "is a file" in drive(script)
    assert assets.get(connection, "churn").path == str(churn)


def test_a_profile_has_a_line_for_each_column_and_one_at_length(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "churn", churn)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[list[str], str, str]:
        await open_version(app, pilot, "churn:1")
        await pilot.press("p")
        await until(pilot, lambda: is_read(app, "ProfileTab"))
        pane = view(app).query_one(TextPane)
        await until(pilot, lambda: pane.text.startswith("age"))
        lines, first = text(app), pane.text
        await pilot.press("j")
        await until(pilot, lambda: pane.text.startswith("plan"))
        await pilot.press("enter")
        await until(pilot, lambda: pane.has_focus)
        await pilot.press("escape")
        await until(pilot, lambda: listed(app).has_focus)
        return lines, first, pane.text

    lines, first, second = drive(script, size=(120, 40))
    assert lines[1].split()[:4] == ["age", "int64", "10.0%", "36"] and "█" in lines[1]
    assert "missing   10 (10.0%)" in first and "quartiles" in first and "█" in first and "most often" not in first
    assert "what comes most often" in second and "金" in second and "%" in second


def test_a_histogram_has_the_height_of_its_counts() -> None:
    found = Histogram((0.0, 1.0, 2.0, 3.0), (8, 4, 0), True)
    lines = ["".join(span for span, _ in line) for line in tall(found, 40, UNICODE, height=2)]
    assert lines[:2] == ["8 ████", "  ████████"]
    assert lines[-1].split() == ["0", "3"]
    few = ["".join(span for span, _ in line) for line in tall(Histogram((0, 1, 2), (1000, 1), False), 40, ASCII)]
    assert few[0].startswith("~1,000 @@@@") and few[-3].endswith("@@@@....")


def test_rows_are_shown_and_narrowed_by_a_condition(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "churn", churn)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[str, str]:
        await open_version(app, pilot, "churn:1")
        await pilot.press("w")
        await until(pilot, lambda: is_read(app, "RowsTab"))
        pane = view(app).query_one("RowsTab TextPane", TextPane)
        await until(pilot, lambda: "age" in pane.text)
        every = pane.text
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.focused, Input))
        app.focused.value = 'col("age") > 58'  # type: ignore[union-attr]
        await pilot.press("enter")
        await until(pilot, lambda: pane.text != every and pane.text)
        return every, pane.text

    every, some = drive(script)
    assert len(every.split("\n")) == 101 and "null" in every
    assert {line.split()[0] for line in some.split("\n")[1:]} == {"59"}


def test_what_is_no_table_shows_its_files(
    layout: Layout, connection: sqlite3.Connection, tmp_path: Path, drive: Drive
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "图像.bin").write_bytes(b"\x00" * 3000)
    add(connection, layout, "images", folder)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_version(app, pilot, "images:1")
        await pilot.press("w")
        await until(pilot, lambda: is_read(app, "RowsTab"))
        pane = view(app).query_one("RowsTab TextPane", TextPane)
        await until(pilot, lambda: pane.text)
        return pane.text

    assert drive(script).split() == ["3.0", "kB", "图像.bin"]


def test_data_that_is_gone_is_said_with_a_next_step(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "churn", churn)
    churn.rename(churn.with_name("elsewhere.csv"))

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_version(app, pilot, "churn:1")
        await pilot.press("p")
        said = view(app).query("ProfileTab .notice")
        await until(pilot, lambda: said and "-error" in view(app).query_one("ProfileTab .notice").classes)
        error = str(view(app).query_one("ProfileTab .notice").render())
        churn.with_name("elsewhere.csv").rename(churn)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: listed(app).entries)
        return error

    error = drive(script)
    assert "churn.csv" in error and "ctrl+r" in error


def test_an_unknown_asset_is_answered_with_the_nearest(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "churn", churn)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await go(app, pilot, "data")
        await app.run_command("data chrun")
        await until(pilot, lambda: isinstance(view(app), VersionsView) and "no data asset" in notice(app))
        return notice(app)

    assert "Did you mean 'churn'" in drive(script)


def test_an_event_of_new_files_leads_to_the_version_and_the_job(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive
) -> None:
    add(connection, layout, "daily", churn)
    add_job(layout, "retrain")
    with database.write(connection):
        document = {"event": events.NEW_FILES, "data": "azureml:daily:1", "job": "retrain", "paths": ["a.csv"]}
        events.add(connection, "inbox", (), document)
        events.add(connection, "inbox", (), {"event": events.LOST, "message": "the folder is gone"})
        events.add(connection, "inbox", (), {"event": events.UNREAD, "message": "b.csv may not be read"})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await go(app, pilot, "events type:data")
        await until(pilot, lambda: isinstance(view(app), EventsView) and len(listed(app).entries) == 3)
        lines = text(app)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("v")
        await until(pilot, lambda: view(app).crumb == "daily:1")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(view(app), EventsView))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("j", "enter")
        await until(pilot, lambda: view(app).crumb == "retrain")
        return lines

    unread, lost, came, *_ = drive(script, size=(120, 30))
    assert "Unread" in unread and "b.csv may not be read" in unread
    assert "Lost" in lost and "the folder is gone" in lost
    assert "New files" in came and "made daily:1, ran retrain" in came


@pytest.mark.parametrize(
    ("path", "width", "shown"),
    [
        ("/data/churn.csv", 20, "/data/churn.csv     "),
        ("/a/long/way/to/churn.csv", 12, "…o/churn.csv"),
        ("azureml://datastores/inbox/paths/daily/", 14, "inbox/daily/  "),
        ("/数据/客户流失.csv", 11, "…户流失.csv"),
        ("/data", 0, ""),
    ],
)
def test_of_a_path_its_end_is_shown(path: str, width: int, shown: str) -> None:
    assert place(path, width, UNICODE) == shown


def test_figures_stand_beside_the_histogram_where_there_is_room() -> None:
    histogram = Histogram((0.0, 1.0, 2.0), (8, 4), True)
    shares = dict.fromkeys(("0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99"), 1.0)
    column = Column(ColumnProfile("age", "int64", "number", 12, 0, 12, quantiles=shares, histogram=histogram), ())

    def lines(width: int) -> list[str]:
        return ["".join(span for span, _ in line) for line in detail(column, width, UNICODE)]

    assert lines(80)[1].startswith("missing   0") and lines(80)[1].endswith("8 ████")
    assert len(lines(80)) < len(lines(40)) and not any("missing" in line and "█" in line for line in lines(40))


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)])
def test_every_view_of_data_bears_any_size(
    layout: Layout, connection: sqlite3.Connection, churn: Path, drive: Drive, size: tuple[int, int]
) -> None:
    for name in ("x" * 255, "churn"):
        add(connection, layout, name, churn, description="描述" * 250, tags={"وصف": "نص طويل " * 60})
        add(connection, layout, name, churn)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot, "data")
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(view(app), VersionsView) and view(app).loaded)
        await pilot.press("G", "enter")
        await until(pilot, lambda: isinstance(view(app), DataVersionView) and view(app).loaded)
        await until(pilot, lambda: view(app).tabs)  # type: ignore[attr-defined]
        await pilot.press("j", "G", "p")
        await until(pilot, lambda: is_read(app, "ProfileTab"))
        await pilot.press("G", "tab", "j", "tab", "w")
        await until(pilot, lambda: is_read(app, "RowsTab"))
        await until(pilot, lambda: view(app).query_one("RowsTab TextPane", TextPane).text)
        await pilot.press("right", "G", "o", "escape", "escape", "L", "escape", "y", "escape", "n", "escape")

    drive(script, size=size)
