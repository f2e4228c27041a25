"""``e``: a job's document through an editor that changes it, spoils it, fails, or is not there."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from engines.jobs import reading, submission
from store import database, jobs
from store.errors import MachineError
from store.layout import Layout
from tests.tui.conftest import Drive, until
from workbench.tui import drafts
from workbench.tui.app import WorkbenchApp
from workbench.tui.editing import edit_job
from workbench.tui.editor import arguments
from workbench.tui.screens.document import DocumentView
from workbench.tui.screens.job import JobView
from workbench.tui.widgets.menu import Menu

DOCUMENT = """\
# what a person wrote
name: {name}
command: echo "hello, ${{{{inputs.name}}}}"
inputs:
  name: world
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts of this test alone, and no editor but the test's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("WORKBENCH_AGENT_IDLE_SECONDS", "0")
    monkeypatch.delenv("EDITOR", raising=False)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``editor(script)``: the user's editor is this shell script, with the file as the last of its arguments."""

    def use(script: str) -> Path:
        file = tmp_path / "editor"
        file.write_text(f'#!/bin/sh\nfor file; do :; done\necho "$@" >> {tmp_path}/calls\n{script}\n')
        file.chmod(0o700)
        monkeypatch.setenv("VISUAL", str(file))
        return tmp_path / "calls"

    return use


@pytest.fixture
def job(layout: Layout, tmp_path: Path) -> str:
    """A job of a file."""
    return submitted(layout, tmp_path, "first")


def submitted(layout: Layout, folder: Path, name: str, *overrides: str, text: str = DOCUMENT) -> str:
    """Submit a file as the command line does, without an agent."""
    file = folder / f"{name}.yml"
    file.write_text(text.format(name=name))
    connection = database.connect(layout.database)
    try:
        found = reading.read(file, overrides, {}, lambda _: None, lambda _: None)
        return submission.submit(connection, layout, found)
    finally:
        connection.close()


def everything(layout: Layout) -> list[jobs.Job]:
    """All jobs, newest first."""
    connection = database.connect(layout.database)
    try:
        return jobs.find(connection, jobs.Filter(), 50)
    finally:
        connection.close()


def begin(app: WorkbenchApp, name: str) -> None:
    """As the key does."""
    app.run_worker(edit_job(app, name))


def test_a_changed_document_runs_as_a_new_job(drive: Drive, layout: Layout, job: str, editor: Any) -> None:
    editor('sed -i "s/world/moon/" "$file"')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        begin(app, job)
        view = await until(pilot, lambda: isinstance(app.frame.view, JobView) and app.frame.view)
        return str(view.job_name)

    new = drive(script)
    found = everything(layout)[0]
    assert found.name == new != job
    assert found.document["inputs"] == {"name": "moon"}
    assert found.source["rerun_of"] == job
    assert found.source["file"] is None, "its text is in no file"
    assert not list(drafts.drafts_folder(layout.root).iterdir()), "a draft that was submitted is gone"


def test_the_editor_gets_the_text_of_the_source_file(drive: Drive, layout: Layout, job: str, editor: Any) -> None:
    editor('cp "$file" "$file.seen"')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        begun = await app.access.read(_beginning, job)
        return str(begun.text)

    text = drive(script)
    assert "# what a person wrote\n" in text
    assert "# name: first  (the job that this was made from)\n" in text, "no two jobs have one name"


@pytest.mark.parametrize(
    "change",
    ["command: echo other", "command: [", None],
    ids=["says something else", "is no YAML any more", "is gone"],
)
def test_the_store_has_the_text_where_the_file(drive: Drive, job: str, tmp_path: Path, change: str | None) -> None:
    file = tmp_path / "first.yml"
    file.write_text(change) if change else file.unlink()

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        begun = await app.access.read(_beginning, job)
        return str(begun.text)

    text = drive(script)
    assert text.startswith("# Job first, as it was submitted.\n")
    assert "hello, ${{inputs.name}}" in text
    assert "\nname:" not in text


def test_overrides_are_in_the_text(drive: Drive, layout: Layout, tmp_path: Path) -> None:
    name = submitted(layout, tmp_path, "other", "inputs.name=sun")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        begun = await app.access.read(_beginning, name)
        return str(begun.text)

    text = drive(script)
    assert "with --set inputs.name=sun" in text.splitlines()[0]
    assert "name: sun" in text


def test_code_whose_folder_is_gone_is_the_jobs_own_copy(
    drive: Drive, layout: Layout, tmp_path: Path, editor: Any
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("print(1)\n")
    name = submitted(layout, tmp_path, "coded", text="name: {name}\ncommand: python a.py\ncode: src\n")
    (tmp_path / "src").rename(tmp_path / "elsewhere")
    editor('sed -i "s/a.py/a.py --x/" "$file"')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        begin(app, name)
        await until(pilot, lambda: isinstance(app.frame.view, JobView))

    drive(script)
    new, before = everything(layout)
    assert new.snapshot == before.snapshot is not None
    assert new.document["command"] == "python a.py --x"
    assert new.document["code"] == before.document["code"]


def test_an_unchanged_document_is_not_submitted(drive: Drive, layout: Layout, job: str, editor: Any) -> None:
    editor("true")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        begin(app, job)
        await until(pilot, lambda: told(app))
        return told(app)

    assert drive(script) == ["nothing changed: not submitted"]
    assert len(everything(layout)) == 1
    assert drafts.find(layout.root, job) is None


def test_faults_are_shown_in_place_and_the_editor_goes_back_to_their_line(
    drive: Drive, layout: Layout, job: str, editor: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = editor("""if grep -q inputs.nam} "$file"
        then sed -i "s/inputs.nam}/inputs.name}/; s/world/moon/" "$file"
        else sed -i "s/inputs.name}/inputs.nam}/" "$file"
        fi""")
    (tmp_path / "nano").symlink_to(tmp_path / "editor")
    monkeypatch.setenv("VISUAL", str(tmp_path / "nano"))

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        begin(app, job)
        view = await until(pilot, lambda: isinstance(app.frame.view, DocumentView) and app.frame.view)
        await until(pilot, lambda: view.loaded and view.pane.text)
        shown: str = view.pane.text
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.frame.view, JobView))
        return shown

    shown = drive(script)
    assert "'nam' is not an input of this job" in shown
    assert "did you mean 'name'?" in shown
    assert "✗ 3" in shown, "the line is marked"
    first, second = calls.read_text().splitlines()
    assert first.endswith("job.yml") and not first.startswith("+")
    assert second.startswith("+3 ")
    assert len(everything(layout)) == 2


def test_a_draft_that_is_left_comes_back(drive: Drive, layout: Layout, job: str, editor: Any) -> None:
    editor('echo "comput: local" >> "$file"')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        begin(app, job)
        await until(pilot, lambda: isinstance(app.frame.view, DocumentView) and app.frame.view.loaded)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("k")
        await until(pilot, lambda: not isinstance(app.frame.view, DocumentView))
        begin(app, job)
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.frame.view, DocumentView) and app.frame.view.loaded)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        left = drafts.find(layout.root, job)
        text = left.text if left else ""
        await pilot.press("d")
        await until(pilot, lambda: not isinstance(app.frame.view, DocumentView))
        return text

    assert drive(script).count("comput: local") == 2, "the editor was opened on what it had left"
    assert drafts.find(layout.root, job) is None
    assert len(everything(layout)) == 1


def test_a_draft_is_the_users_alone(layout: Layout, tmp_path: Path) -> None:
    draft = drafts.begin(layout.root, "a", "command: echo\n")
    assert stat.S_IMODE(os.stat(draft.folder).st_mode) == 0o700
    assert stat.S_IMODE(draft.file.stat().st_mode) == 0o600
    assert drafts.find(layout.root, "a") is None, "nothing in it would be lost"
    draft.write("command: echo 2\n")
    found = drafts.find(layout.root, "a")
    assert found is not None and found.text == "command: echo 2\n"


def test_an_editor_that_fails_submits_nothing(drive: Drive, layout: Layout, job: str, editor: Any) -> None:
    editor('echo "tags: {a: b}" >> "$file"\nexit 3')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        begin(app, job)
        await until(pilot, lambda: isinstance(app.frame.view, DocumentView) and app.frame.view.loaded)
        return told(app)

    assert drive(script) == ["editor ended with 3: nothing is submitted"]
    assert len(everything(layout)) == 1
    assert drafts.find(layout.root, job) is not None, "what was typed is kept"


def test_without_an_editor_it_is_said_and_one_is_there(
    drive: Drive, layout: Layout, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor --fast")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        begin(app, job)
        view = await until(pilot, lambda: isinstance(app.frame.view, DocumentView) and app.frame.view)
        await until(pilot, lambda: view.loaded and view.editor.text)
        said = told(app)
        view.editor.move_cursor(view.editor.document.end)
        await pilot.press(*"tags: {a: b}")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.frame.view, JobView))
        return said

    (said,) = drive(script)
    assert said.startswith("there is no editor 'no-such-editor' on this machine")
    assert "$EDITOR" in said
    assert everything(layout)[0].document["tags"] == {"a": "b"}


def test_in_a_browser_one_writes_in_the_page(
    drive: Drive, layout: Layout, job: str, editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = editor("true")
    monkeypatch.setenv("WORKBENCH_WEB", "1")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        begin(app, job)
        view = await until(pilot, lambda: isinstance(app.frame.view, DocumentView) and app.frame.view)
        await until(pilot, lambda: view.loaded and view.editor.text)
        view.editor.move_cursor(view.editor.document.end)
        await pilot.press(*"comput: x")
        await until(pilot, lambda: view.faults)
        assert "unknown key 'comput'" in str(view.query_one(".document-faults").render())
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("d")
        await until(pilot, lambda: not isinstance(app.frame.view, DocumentView))

    drive(script)
    assert not calls.exists()


def told(app: WorkbenchApp) -> list[str]:
    """What the notifications say."""
    return [each.message for each in app._notifications]


def _beginning(stores: Any, name: str) -> Any:
    from workbench.tui.reading_documents import beginning

    return beginning(stores, name)


def test_a_document_that_is_mended_back_is_not_submitted(drive: Drive, layout: Layout, job: str, editor: Any) -> None:
    editor('if grep -q comput: "$file"; then sed -i /comput:/d "$file"; else echo "comput: x" >> "$file"; fi')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        begin(app, job)
        await until(pilot, lambda: isinstance(app.frame.view, DocumentView) and app.frame.view.loaded)
        await pilot.press("e")
        await until(pilot, lambda: not isinstance(app.frame.view, DocumentView))
        return told(app)

    assert drive(script) == ["nothing changed: not submitted"]
    assert len(everything(layout)) == 1


@pytest.mark.parametrize(
    ("words", "line", "expected"),
    [
        (["vi"], 1, ["vi", "F"]),
        (["/usr/bin/nvim", "-u", "NONE"], 7, ["/usr/bin/nvim", "-u", "NONE", "+7", "F"]),
        (["code"], 7, ["code", "--wait", "--goto", "F:7"]),
        (["code", "--wait"], 1, ["code", "--wait", "F"]),
        (["hx"], 7, ["hx", "F:7"]),
        (["own-editor"], 7, ["own-editor", "F"]),
    ],
)
def test_an_editor_is_told_the_line_in_its_own_way(words: list[str], line: int, expected: list[str]) -> None:
    assert arguments(words, Path("F"), line) == expected


def test_a_draft_begins_while_another_form_keeps_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    older, done = drafts.begin(tmp_path, "new", "older"), threading.Event()

    def type_on() -> None:
        while not done.is_set():
            with suppress(MachineError):  # removed at this moment: the form tells it, and keeps the next letter
                older.write("older, and longer")

    typing = threading.Thread(target=type_on)
    typing.start()
    try:
        for number in range(100):
            drafts.begin(tmp_path, "new", f"newer {number}")
    finally:
        done.set()
        typing.join()
