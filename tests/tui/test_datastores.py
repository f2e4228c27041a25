"""The section Datastores by keys: a list, checks, a new one, and the files of one as a tree."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from store import database, folder_pages
from store.datastores import browsing, registry
from store.datastores.transfers import Opened
from store.layout import Layout
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.data.child import AnswerError, Child
from workbench.tui.screens.data_version import DataVersionView
from workbench.tui.screens.datastore import DatastoreView
from workbench.tui.view import View
from workbench.tui.widgets.line_list import LineList
from workbench.tui.widgets.menu import Menu, Prompt, Question
from workbench.tui.widgets.short_form import ShortForm
from workbench.tui.widgets.text_pane import TextPane


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(layout.database)) as found:
        yield found


@pytest.fixture
def inbox(connection: sqlite3.Connection, tmp_path: Path) -> Path:
    """The folder of a datastore with a few files."""
    folder = tmp_path / "inbox"
    (folder / "daily" / "三月").mkdir(parents=True)
    (folder / "daily" / "b.csv").write_text("id,name\n1,one\n")
    (folder / "daily" / "a.txt").write_text("hello\n")
    registry.create(connection, {"name": "inbox", "type": "local", "path": str(folder)})
    return folder


def view(app: WorkbenchApp) -> View:
    assert app.frame.view is not None
    return app.frame.view


def listed(app: WorkbenchApp) -> LineList:
    return view(app).query_one(LineList)


def text(app: WorkbenchApp) -> str:
    """The list as it is drawn."""
    return "\n".join(listed(app).render_line(y).text.rstrip() for y in range(listed(app).size.height))


def said(app: WorkbenchApp) -> list[str]:
    return [str(each.message) for each in app._notifications]


async def go(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    await app.run_command("datastores")
    await until(pilot, lambda: view(app).loaded)


async def browse(app: WorkbenchApp, pilot: Pilot[None], name: str = "inbox") -> DatastoreView:
    await go(app, pilot)
    await app.run_command(f"datastores {name}")
    await until(pilot, lambda: isinstance(view(app), DatastoreView) and view(app).loaded)
    found = view(app)
    assert isinstance(found, DatastoreView)
    return found


def titles(found: DatastoreView) -> list[str]:
    return [row.title for row in found.files.rows]


async def point(found: DatastoreView, pilot: Pilot[None], title: str) -> None:
    await until(pilot, lambda: title in titles(found))
    found.files.move_to(titles(found).index(title))
    await pilot.pause()


def test_every_datastore_is_listed_and_folders_of_this_machine_are_tried(
    inbox: Path, connection: sqlite3.Connection, drive: Drive
) -> None:
    registry.create(connection, {"name": "gone", "type": "local", "path": str(inbox / "nowhere")})
    registry.create(connection, {"name": "far", "type": "sftp", "host": "127.0.0.1", "port": 9, "path": "/"})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[str, str]:
        await go(app, pilot)
        await until(pilot, lambda: text(app).count("can be read") == 5 and "mkdir -p" in text(app))
        first = text(app)
        await pilot.press("G", "k", "k", "c")
        await until(pilot, lambda: "connection failed" in text(app) or "not installed" in text(app))
        return first, text(app)

    first, second = drive(script, size=(150, 40))
    assert "workspaceblobstore *" in first and "there is no folder" in first
    assert "far" in first and "not checked" in first and "identity" in first
    assert "not checked" not in second


def test_a_datastore_is_browsed_as_a_tree_a_page_at_a_time(inbox: Path, drive: Drive) -> None:
    for number in range(1200):
        (inbox / "daily" / "三月" / f"part-{number:04d}").write_text("")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[list[str], list[int], list[str]]:
        found = await browse(app, pilot)
        await point(found, pilot, "daily")
        await pilot.press("enter")
        await until(pilot, lambda: "b.csv" in titles(found))
        first = titles(found)
        await point(found, pilot, "三月")
        await pilot.press("enter")
        await until(pilot, lambda: "700 more" in titles(found))
        counts = [len(titles(found))]
        for rest in ("700 more", "200 more"):
            await point(found, pilot, rest)
            await pilot.press("enter")
            await until(pilot, lambda rest=rest: rest not in titles(found))
            counts.append(len(titles(found)))
        await pilot.press("slash", *"0999", "enter")
        await until(pilot, lambda: len(titles(found)) < 20)
        narrowed = titles(found)
        await pilot.press("escape")
        await until(pilot, lambda: len(titles(found)) > 500)
        return first, counts, narrowed

    first, counts, narrowed = drive(script)
    assert first == ["inbox", "daily", "三月", "a.txt", "b.csv"]
    assert counts == [5 + 501, 5 + 1001, 5 + 1200]
    assert "part-0999" in narrowed and len(narrowed) == 6


def test_files_are_looked_at_and_their_address_copied(inbox: Path, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        found = await browse(app, pilot)
        await point(found, pilot, "daily")
        await pilot.press("y", "enter")
        await point(found, pilot, "b.csv")
        pane = found.query_one(TextPane)
        await until(pilot, lambda: "one" in pane.text)
        folder = app.clipboard
        await pilot.press("y")
        await pilot.press("enter")
        await until(pilot, lambda: pane.has_focus)
        await pilot.press("escape")
        await until(pilot, lambda: found.files.has_focus)
        return [folder, app.clipboard]

    uri = "azureml://datastores/inbox/paths/daily/"
    assert drive(script) == [uri, f"{uri}b.csv"]


def test_files_are_brought_and_put(inbox: Path, drive: Drive, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("new\n")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        async def put() -> None:
            await pilot.press("u")
            await until(pilot, lambda: isinstance(app.screen, Prompt) and isinstance(app.focused, Input))
            app.focused.value = str(tmp_path / "c.csv")  # type: ignore[union-attr]
            await pilot.press("enter")

        found = await browse(app, pilot)
        await point(found, pilot, "daily")
        await pilot.press("enter")
        await point(found, pilot, "a.txt")
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Prompt) and isinstance(app.focused, Input))
        app.focused.value = str(tmp_path / "here")  # type: ignore[union-attr]
        await pilot.press("enter")
        await until(pilot, lambda: any("brought" in each for each in said(app)))
        await put()
        await until(pilot, lambda: "c.csv" in titles(found))
        assert any("put azureml://datastores/inbox/paths/daily/c.csv" in each for each in said(app))
        (tmp_path / "c.csv").write_text("newer\n")
        await put()
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert (inbox / "daily" / "c.csv").read_text() == "new\n"
        await pilot.press("y")
        await until(pilot, lambda: (inbox / "daily" / "c.csv").read_text() == "newer\n")

    drive(script)
    assert (tmp_path / "here" / "a.txt").read_text() == "hello\n"
    assert not [each for each in (inbox / "daily").iterdir() if "partial" in each.name]


def test_a_file_is_registered_as_data_from_where_it_lies(inbox: Path, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        found = await browse(app, pilot)
        await point(found, pilot, "daily")
        await pilot.press("enter")
        await point(found, pilot, "b.csv")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ShortForm) and isinstance(app.focused, Input))
        await pilot.press(*"sales", "enter", "enter", "enter", "enter")
        await until(pilot, lambda: isinstance(view(app), DataVersionView) and view(app).loaded)
        found_version = view(app)
        assert isinstance(found_version, DataVersionView) and found_version.facts is not None
        return found_version.facts.data.path

    assert drive(script) == "azureml://datastores/inbox/paths/daily/b.csv"


def test_a_datastore_that_cannot_be_read_says_why_and_what_to_do(
    inbox: Path, connection: sqlite3.Connection, drive: Drive
) -> None:
    registry.create(connection, {"name": "base", "type": "sql", "database_url": "sqlite:///x.db"})
    registry.create(connection, {"name": "gone", "type": "local", "path": str(inbox / "nowhere")})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        found = []
        for name in ("gone", "base", "inbx"):
            await go(app, pilot)
            await app.run_command(f"datastores {name}")
            await until(pilot, lambda name=name: view(app).crumb == name)
            await until(pilot, lambda: view(app).query_one(".notice").has_class("-error"))
            found.append(str(view(app).query_one(".notice").render()))
        return found

    gone, base, inbx = drive(script)
    assert "there is no folder" in gone and "ctrl+r" in gone
    assert "table" in base
    assert "Did you mean 'inbox'" in inbx


def test_a_folder_of_this_machine_becomes_a_datastore_by_a_form(
    connection: sqlite3.Connection, layout: Layout, drive: Drive, tmp_path: Path
) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await go(app, pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, ShortForm) and isinstance(app.focused, Input))
        form = app.screen
        assert isinstance(form, ShortForm)
        await pilot.press(*"mine", "enter")
        form.entry("path").value = str(tmp_path / "nowhere")
        await pilot.press("enter")
        await until(pilot, lambda: "no folder" in str(form.query_one(".form-fault").render()))
        fault = str(form.query_one(".form-fault").render())
        form.entry("path").value = str(tmp_path)
        form.entry("path").focus()
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: any(entry.key == "mine" for entry in listed(app).entries))
        await pilot.press("G", "d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: all(entry.key != "mine" for entry in listed(app).entries))
        await pilot.press("g", "d")
        await until(pilot, lambda: any("the workspace's own" in each for each in said(app)))
        return fault

    assert "mkdir" in drive(script)
    assert {each.name for each in registry.find(connection, layout)} == set(registry.BUILT_IN)


def test_a_secret_is_asked_for_hidden_and_kept_in_the_vault_alone(
    layout: Layout, connection: sqlite3.Connection, drive: Drive
) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await go(app, pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("p")  # of a database
        await until(pilot, lambda: isinstance(app.screen, Menu) and "log in" in app.screen.menu_title)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, ShortForm) and isinstance(app.focused, Input))
        form = app.screen
        assert isinstance(form, ShortForm)
        assert form.entry("password").password
        given = {"name": "base", "database_url": "sqlite:///", "username": "ann", "password": "planted-secret"}
        for name, value in given.items():
            form.entry(name).value = value
        await until(pilot, lambda: isinstance(app.focused, Input))
        list(form.query(Input))[-1].focus()
        await pilot.pause()
        await pilot.press("enter")
        fault = form.query_one(".form-fault")
        await until(pilot, lambda: app.screen is not form or (fault.display and "…" not in str(fault.render())))
        return str(fault.render()) if app.screen is form else ""

    told = drive(script)
    assert "planted-secret" not in told
    files = [each for each in layout.root.rglob("*") if each.is_file() and "vault" not in each.parts]
    assert files and not [each for each in files if b"planted-secret" in each.read_bytes()]


def test_a_process_that_hangs_is_ended_with_its_view_and_holds_up_no_key(
    inbox: Path, drive: Drive, tmp_path: Path
) -> None:
    """The process is stopped, as a server that never answers would have it."""

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> int | None:
        found = await browse(app, pilot)
        process = found.child._process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        await point(found, pilot, "daily")
        await pilot.press("enter")
        await until(pilot, lambda: "reading daily" in str(found.query_one(".section-facts").render()))
        await pilot.press("j", "k", "escape")
        await until(pilot, lambda: view(app) is not found)
        await until(pilot, lambda: process.returncode is not None)
        return process.returncode

    assert drive(script) in (-signal.SIGTERM, -signal.SIGKILL)


def test_a_child_that_is_killed_is_said_and_the_next_question_has_another(layout: Layout) -> None:
    import asyncio

    async def scene() -> tuple[str, str]:
        child = Child(layout.root)
        try:
            with pytest.raises(AnswerError) as refused:
                await child.ask("folder", datastore="nowhere", path="", after=None, word="", limit=1)
            process = child._process
            assert process is not None
            process.send_signal(signal.SIGSTOP)
            asked = asyncio.ensure_future(child.ask("datastore_types"))
            await asyncio.sleep(0)
            process.kill()
            ended = ""
            try:
                await asked
            except Exception as error:  # noqa: BLE001  (whichever of the ends of the pipe notices first)
                ended = str(error)
            types = await child.ask("datastore_types")
            assert types[0]["type"] == "local"
            return str(refused.value), ended
        finally:
            child.close()

    refused, ended = asyncio.run(scene())
    assert "no datastore 'nowhere'" in refused and "the process that reads the data" in ended


def test_a_folder_that_is_not_local_is_paged_by_the_same_key(tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    system = MemoryFileSystem(skip_instance_cache=True)
    for name in ("b/x", "a/y", "two", "One", "three"):
        system.pipe(f"/top/{name}", b"12")
    there = Opened(registry.Datastore("far", "s3", {"bucket": "b"}), {}, system, "/top")
    first = browsing.page(there, "", limit=3)
    assert [each.name for each in first.entries] == ["a", "b", "One"] and first.more == 2
    last = first.entries[-1]
    rest = browsing.page(there, "", after=(not last.is_folder, last.name), limit=3)
    assert [each.name for each in rest.entries] == ["three", "two"] and rest.more == 0
    assert [each.name for each in browsing.page(there, "", word="ON").entries] == ["One"]


def test_a_folder_is_narrowed_by_a_part_of_names_in_any_case(tmp_path: Path) -> None:
    for name in ("Alpha", "beta", "alphabet"):
        (tmp_path / name).write_text("")
    found = folder_pages.page(tmp_path, word="ALPHA")
    assert [each.name for each in found.entries] == ["Alpha", "alphabet"]


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)])
def test_every_view_of_datastores_bears_any_size(
    inbox: Path, connection: sqlite3.Connection, drive: Drive, size: tuple[int, int]
) -> None:
    (inbox / "daily" / ("长" * 80)).write_text("描述\n" * 50)
    (inbox / "daily" / "ملف\x1b[31m.txt").write_text("نص\n")
    registry.create(connection, {"name": "n" * 255, "type": "local", "path": str(inbox / ("p" * 200))})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await go(app, pilot)
        await until(pilot, lambda: all(entry.value.check for entry in listed(app).entries))
        await pilot.press("G", "k", "g", "C", "y", "escape", "n")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("escape")
        found = await browse(app, pilot)
        await point(found, pilot, "daily")
        await pilot.press("enter")
        await until(pilot, lambda: len(titles(found)) > 5)
        for _ in range(7):
            await pilot.press("j")
        await pilot.press("tab", "j", "tab", "slash", "a", "escape", "u", "escape", "D", "escape", "escape")

    drive(script, size=size)
