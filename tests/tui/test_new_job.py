"""``n``: from nothing to a job that runs, by keys alone; what is wrong is said where it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from store import computes, database, jobs
from store.layout import Layout
from store.specs.loading import kinds
from store.specs.outline import Outline, outline
from store.workspace import Found
from tests.tui.conftest import Drive, until
from workbench.agent import start
from workbench.tui import drafts
from workbench.tui.app import WorkbenchApp
from workbench.tui.form_values import fits, scalar, written
from workbench.tui.job_kinds import JOB_KINDS
from workbench.tui.screens.job import JobView
from workbench.tui.screens.new_job import NewJobView
from workbench.tui.widgets.form_entries import ChoiceEntry, Entry
from workbench.tui.widgets.form_fields import BlockField, Field, KeptField
from workbench.tui.widgets.form_maps import FormsRow, MapField
from workbench.tui.widgets.menu import Menu, Prompt
from workbench.tui.widgets.text_pane import TextPane

FormScript = Callable[[WorkbenchApp, Pilot[None], NewJobView], Awaitable[Any]]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, and drafts of this test alone."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


@pytest.fixture
def form(drive: Drive) -> Callable[..., Any]:
    """``form(script, key="c")``: the form of a template, and a script that types into it."""

    def run(script: FormScript, key: str = "c", **options: Any) -> Any:
        async def opened(app: WorkbenchApp, pilot: Pilot[None]) -> Any:
            return await script(app, pilot, await opened_form(app, pilot, key))

        return drive(opened, **options)

    return run


async def opened_form(app: WorkbenchApp, pilot: Pilot[None], key: str) -> NewJobView:
    """Open the form of a template."""
    await pilot.press("n")
    assert isinstance(app.screen, Menu), "it is there at once, for the key that comes with this one"
    await until(pilot, lambda: any(choice.key == key for choice in app.screen.choices))
    await pilot.press(key)
    view = await until(pilot, lambda: isinstance(app.frame.view, NewJobView) and app.frame.view)
    await until(pilot, lambda: view.loaded and view.screen.focused and view.form in view.screen.focused.ancestors)
    assert isinstance(view, NewJobView)
    return view


def field(view: NewJobView, key: str) -> Field:
    """The field of a key."""
    return next(each for each in view.query(Field) if each.key == key)


async def go_to(view: NewJobView, pilot: Pilot[None], key: str) -> Field:
    """Put the focus into a field."""
    found = field(view, key)
    view.form.focus_field(found)
    await pilot.pause()
    return found


def stored(layout: Layout) -> list[jobs.Job]:
    connection = database.connect(layout.database)
    try:
        return jobs.find(connection, jobs.Filter(), 10)
    finally:
        connection.close()


def test_from_an_empty_form_to_a_job_that_ran(form: Any, layout: Layout) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> str:
        await pilot.press(*'echo "$GREETING, ${{inputs.name}}"')
        await pilot.press("down", "down")  # code, the first row of inputs
        await pilot.press(*"name", "down", "down", *"42", "tab")
        await pilot.press("ctrl+r")
        shown = await until(pilot, lambda: isinstance(app.frame.view, JobView) and app.frame.view)
        name = str(shown.job_name)
        await until(pilot, lambda: stored(layout)[0].finished)
        return name

    name = form(script)
    job = stored(layout)[0]
    assert (job.name, job.status) == (name, "Completed"), job.cause
    assert job.document["inputs"] == {"name": 42}, "a literal keeps the type that YAML gives it"
    assert layout.job(name).log.read_text() == ", 42\n"
    assert drafts.find(layout.root, "new") is None


def test_the_first_job_makes_the_workspace(tmp_path: Path) -> None:
    found = Found(Layout(tmp_path / "fresh"), "option")

    async def scene() -> str:
        app = WorkbenchApp(found, start="jobs")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.frame.view is not None and "no workspace" in text_of(app))
            view = await opened_form(app, pilot, "c")
            await pilot.press(*"nonsense: ${{inputs.x}}", "ctrl+r")
            await until(pilot, lambda: view.faults)
            assert not found.exists, "a bad document makes no workspace"
            await pilot.press("ctrl+u", *"true", "ctrl+r")
            await until(pilot, lambda: isinstance(app.frame.view, JobView))
        return "made"

    try:
        assert asyncio.run(scene()) == "made"
        assert stored(found.layout)[0].document["command"] == "true"
    finally:
        start.stop(found.layout)


def text_of(app: WorkbenchApp) -> str:
    """What the notice of the view says."""
    from workbench.tui.view import Notice

    view = app.frame.view
    return str(view.query_one(Notice).render()) if view is not None else ""


def test_faults_stand_below_their_fields_while_one_types(form: Any) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> None:
        assert not shown_faults(view), "an empty form is not scolded"
        await pilot.press(*"echo ${{inputs.epochs}}")
        await until(pilot, lambda: "'epochs' is not an input" in shown_faults(view).get("command", ""))
        await go_to(view, pilot, "inputs")
        await pilot.press(*"epochs")
        await until(pilot, lambda: not shown_faults(view))
        await go_to(view, pilot, "compute")
        await pilot.press(*"lokal")
        await until(pilot, lambda: "no compute named 'lokal'" in shown_faults(view).get("compute", ""))
        await until(pilot, lambda: "Did you mean 'local'?" in str(view.query_one(".form-help").render()))

    form(script)


def shown_faults(view: NewJobView) -> dict[str, str]:
    """The faults that are told, by the key of their field."""
    found = {}
    for each in view.query(Field):
        for line in each.query(".field-fault"):
            if line.display and next(up for up in line.ancestors if isinstance(up, Field)) is each:
                found[each.key] = str(line.render())
    return found


def test_a_form_that_is_run_too_early_puts_the_focus_where_the_fault_is(form: Any) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> str:
        await go_to(view, pilot, "display_name")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: shown_faults(view))
        assert view.field is not None
        return view.field.key

    assert form(script) == "command"


def test_a_number_is_checked_as_one_types(form: Any) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> dict[str, Any]:
        await pilot.press(*"true")
        await unfold(view, pilot, "limits")
        await go_to(view, pilot, "timeout")
        await pilot.press(*"soon")
        await until(pilot, lambda: "expected a whole number" in shown_faults(view).get("timeout", ""))
        for _ in "soon":
            await pilot.press("backspace")
        await pilot.press(*"60")
        await until(pilot, lambda: not shown_faults(view))
        return view.form.value

    assert form(script)["limits"] == {"timeout": 60}


async def unfold(view: NewJobView, pilot: Pilot[None], *keys: str) -> None:
    """Open "more fields", then the blocks."""
    from workbench.tui.widgets.form_entries import Fold

    view.form.query_children(Fold).first().action_fold(True)
    for key in keys:
        await until(pilot, lambda key=key: any(each.key == key and each.query(Fold) for each in view.query(BlockField)))
        field(view, key).query_one(Fold).action_fold(True)
        await until(pilot, lambda key=key: field(view, key).query(Field))
    await pilot.pause()


def test_words_are_chosen_by_arrows_or_from_a_list(form: Any) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> dict[str, Any]:
        await unfold(view, pilot, "queue_settings", "distribution")
        await go_to(view, pilot, "priority")
        await pilot.press("right")
        await go_to(view, pilot, "job_tier")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("5")
        await go_to(view, pilot, "type")
        await pilot.press("right")
        await until(pilot, lambda: any(each.key == "process_count_per_instance" for each in view.query(Field)))
        await go_to(view, pilot, "process_count_per_instance")
        await pilot.press("2")
        return view.form.value

    value = form(script)
    assert value["queue_settings"] == {"job_tier": "premium", "priority": "low"}
    assert value["distribution"] == {"type": "pytorch", "process_count_per_instance": 2}


def test_rows_grow_and_become_what_they_are_chosen_to_be(form: Any, place: Path) -> None:
    (place / "data.csv").write_text("1\n")

    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> dict[str, Any]:
        inputs = next(each for each in view.query(MapField) if each.key == "inputs")
        assert len(inputs.rows) == 1
        await go_to(view, pilot, "inputs")
        await pilot.press(*"raw")
        await until(pilot, lambda: len(inputs.rows) == 2)
        await pilot.press("tab", "right")  # from a value to a file
        await pilot.press("tab", *"da")
        entry = await until(pilot, lambda: isinstance(app.focused, Entry) and app.focused)
        await until(pilot, lambda: entry._suggestion == "data.csv")
        await pilot.press("right", "tab", "enter")  # takes it; then unfolds the rest
        row = inputs.rows[0]
        assert isinstance(row, FormsRow)
        await until(pilot, lambda: row.query(Field))
        next(each for each in row.query(Field) if each.key == "mode").query_one(ChoiceEntry).choose("download")
        return view.form.value

    assert form(script)["inputs"] == {"raw": {"type": "uri_file", "path": "data.csv", "mode": "download"}}


def test_two_rows_of_one_name_are_refused(form: Any) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> None:
        await pilot.press(*"true")
        inputs = next(each for each in view.query(MapField) if each.key == "inputs")
        for number in range(2):
            await until(pilot, lambda number=number: len(inputs.rows) == number + 1 and inputs.rows[-1].entries)
            inputs.rows[number].entries[0].focus()
            await pilot.press(*"a")
        await until(pilot, lambda: "two rows have the name 'a'" in "".join(shown_faults(view).values()))

    form(script)


def test_a_value_that_no_name_goes_with_is_told_of_and_not_dropped(form: Any, layout: Layout) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> None:
        await pilot.press(*"true")
        inputs = next(each for each in view.query(MapField) if each.key == "inputs")
        row = await until(pilot, lambda: inputs.rows[0].entries and inputs.rows[0])
        row.entries[1].focus()
        await pilot.press(*"7")
        await until(pilot, lambda: "a value without a name" in "".join(shown_faults(view).values()))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: view.asked and view.faults)
        row.entries[0].focus()
        await pilot.press(*"seven")
        await until(pilot, lambda: not view.faults)
        assert view.form.value["inputs"] == {"seven": 7}

    form(script)
    assert stored(layout) == []


def test_names_of_the_workspace_are_offered(form: Any, layout: Layout) -> None:
    connection = database.connect(layout.database)
    computes.create(connection, {"name": "pool", "type": "amlcompute", "max_instances": 2}, 2)
    connection.close()

    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> Any:
        await go_to(view, pilot, "compute")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("2")
        await pilot.pause()
        return field(view, "compute").value

    assert form(script) == "pool"


def test_the_yaml_is_beside_the_form_or_on_a_key(form: Any) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> tuple[bool, bool]:
        pane = view.query_one(".form-yaml")
        before = pane.display
        await pilot.press("ctrl+l")
        assert "epochs: 10" in pane.text  # type: ignore[attr-defined]
        return before, pane.display

    assert form(script, "s", size=(80, 24)) == (False, True)
    assert form(script, "s", size=(120, 40)) == (True, True)


def test_the_focus_comes_back_from_the_yaml_into_the_form(form: Any) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> None:
        await pilot.press(*"echo ${{inputs.x}}", "f3")
        pane = view.query_one(TextPane)
        await until(pilot, lambda: pane.has_focus)
        await pilot.press("f5")
        await until(pilot, lambda: view.field is not None and view.field.key == "command")
        await pilot.press("f3")
        await until(pilot, lambda: pane.has_focus)
        await pilot.press("f3")
        await until(pilot, lambda: view.field is not None)

    form(script, size=(80, 24))


def test_a_template_left_as_it_is_asks_nothing(form: Any) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> None:
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.frame.view, NewJobView))
        assert not isinstance(app.screen, Menu)

    form(script, "s")


def test_what_was_typed_is_there_the_next_time(form: Any, layout: Layout) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> None:
        await pilot.press(*"echo 1")
        await until(pilot, lambda: (left := drafts.find(layout.root, "new")) and "echo 1" in left.text)

    async def again(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> Any:
        return view.form.value["command"]

    form(script)  # and the terminal is closed
    assert form(again, "g") == "echo 1"


def test_the_editor_fills_the_form(form: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "command: echo 2\\nservices: {a: {type: strange}}\\n" > "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))

    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> Any:
        await pilot.press("ctrl+g")
        await until(pilot, lambda: view.query("Form") and view.form.value.get("command") == "echo 2")
        await until(pilot, lambda: any(each.key == "services" for each in view.query(KeptField)))
        return view.form.value

    assert form(script) == {"command": "echo 2", "services": {"a": {"type": "strange"}}}


def test_it_is_saved_as_a_file(form: Any, place: Path) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> None:
        await pilot.press(*"echo 1", "ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, Prompt))
        await pilot.press("enter")
        await until(pilot, lambda: (place / "job.yml").exists())

    form(script)
    assert (place / "job.yml").read_text() == "type: command\ncommand: echo 1\n"


def test_it_is_at_home_in_a_tiny_terminal(form: Any) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None], view: NewJobView) -> None:
        await pilot.press(*"echo", *["down"] * 12)
        await pilot.pause()

    form(script, "s", size=(40, 10))


@pytest.mark.parametrize("kind", JOB_KINDS, ids=lambda kind: kind.kind)
def test_a_row_of_the_registry_fits_its_kind(kind: Any) -> None:
    import yaml

    whole = outline(kind.kind)
    assert {*kind.first} <= {part.key for part in whole.parts}
    keys = [template.key for template in kind.templates]
    assert len(set(keys)) == len(keys) and not {*keys} & set("gqjkl")
    for template in kind.templates:
        document = yaml.safe_load(template.text)
        document.pop("type")
        assert fits(whole, document)


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_an_outline(kind: str) -> None:
    def walk(each: Outline) -> None:
        assert each.kind != "map" or each.element is not None
        for part in (*each.parts, *each.forms, *([each.element] if each.element else ())):
            walk(part)

    walk(outline(kind))


@pytest.mark.parametrize("value", [1, 0.5, True, "a", "1", "true", "a: b", "null", "", 1e30, "#", "ümläut"])
def test_a_value_is_written_so_that_it_is_read_again(value: Any) -> None:
    assert scalar(written(value, "value"), "value") == (value if value != "" else "")
