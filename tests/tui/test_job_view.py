"""The view of a job by keys: its tabs, all that is known of it, and what a person does to jobs."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import Static

from store import database, jobs, lineage
from store.layout import Layout
from tests.conftest import Cli
from tests.many_jobs import add_job, add_jobs
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.highlighting import json_lines, yaml_lines
from workbench.tui.job.facts import plain
from workbench.tui.screens.compare import CompareView
from workbench.tui.screens.job import TABS, JobView
from workbench.tui.widgets.fact_list import Fact, FactList, Opens, Section
from workbench.tui.widgets.menu import Menu, Question
from workbench.tui.widgets.text_dialog import TextDialog
from workbench.tui.widgets.text_pane import TextPane, broken
from workbench.tui.widgets.wrapping import wrap

CAUSE = {
    "code": "exception",
    "message": "There is no 'train.csv'.",
    "hint": "Put it there.",
    "exception": {
        "type": "FileNotFoundError",
        "message": "no train.csv",
        "file": "train.py",
        "line": 4,
        "function": "load",
        "code": "open(path)",
        "caused_by": None,
    },
}


async def open_view(app: WorkbenchApp, pilot: Pilot[None], name: str, tab: str = "overview") -> JobView:
    await app.open_job(name, tab)
    view = app.frame.view
    assert isinstance(view, JobView)
    await until(pilot, lambda: view.loaded and view.tab_name in view.tabs and view.has_focus_within)
    await until(pilot, lambda: not any(worker.group == "load" and not worker.is_finished for worker in app.workers))
    return view


def facts(app: WorkbenchApp) -> dict[str, str]:
    return {fact.title: fact.value for _, fact in app.frame.query_one(FactList).facts}


def go_to(app: WorkbenchApp, title: str) -> None:
    found = app.frame.query_one(FactList)
    found._move_to([fact.title for _, fact in found.facts].index(title))


def notes(app: WorkbenchApp) -> str:
    return "\n".join(notification.message for notification in app._notifications)


def status(layout: Layout, name: str) -> jobs.Job:
    with closing(database.connect(layout.database)) as connection:
        return jobs.get(connection, name)


# -- the view ---------------------------------------------------------------------------------------------------


def test_a_failed_job_says_what_happened(layout: Layout, drive: Drive) -> None:
    document = {
        "type": "command",
        "command": "python train.py\n--epochs 3",
        "inputs": {"lr": 0.1},
        "outputs": {"model": {"type": "uri_folder"}},
        "tags": {"team": "a"},
    }
    add_job(layout, "went_well", experiment_name="iris")
    add_job(
        layout, "broke", status="Failed", cause=CAUSE, document=document, metrics={"loss": 0.5}, experiment_name="iris"
    )

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[dict[str, str], str]:
        view = await open_view(app, pilot, "broke")
        await until(pilot, lambda: "last completed" in facts(app))
        return facts(app), str(view.query_one(".job-facts").render())

    told, line = drive(script)
    assert told["state"] == "✗ Failed" and told["why"] == CAUSE["message"] and told["hint"] == CAUSE["hint"]
    assert told["at"] == "train.py:4, in load\n  open(path)"
    assert told["command"] == "python train.py\n--epochs 3"
    assert told["input lr"] == "0.1" and told["loss"] == "0.5" and told["tags"] == "team=a"
    assert told["last completed"].startswith("went_well")
    assert "✗ Failed" in line and "loss 0.5" in line and "iris on local" in line


def test_an_unknown_name_is_answered_with_the_nearest(layout: Layout, drive: Drive) -> None:
    add_job(layout, "calm_fox")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await app.run_command("job calm_fix")
        view = app.frame.view
        assert view is not None
        notice = view.query_one(".notice")
        await until(pilot, lambda: notice.has_class("-error"))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.frame.view, JobView))
        return str(notice.render())

    assert "Did you mean calm_fox?" in drive(script)


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 10)])
def test_every_tab_opens_by_its_key_and_by_the_brackets(layout: Layout, drive: Drive, size: tuple[int, int]) -> None:
    add_job(layout, "calm_fox", metrics={"loss": 1.0})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        view = await open_view(app, pilot, "calm_fox")
        seen = []
        for _ in TABS:
            await pilot.press("right_square_bracket")
            await until(pilot, lambda: view.tab_name in view.tabs and view.tabs[view.tab_name].display)
            await until(pilot, lambda: view.tabs[view.tab_name].is_mounted and view.has_focus_within)
            seen.append(view.tab_name)
        return seen

    assert drive(script, size=size) == [*list(TABS)[1:], "overview"]


@pytest.mark.parametrize("name", TABS)
def test_the_keys_of_the_tabs_are_the_same_in_every_tab(layout: Layout, drive: Drive, name: str) -> None:
    add_job(layout, "calm_fox", metrics={"loss": 1.0, "system/cpu_utilization_percentage": 3.0})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        seen = []
        for other, kind in TABS.items():
            view = await open_view(app, pilot, "calm_fox", name)
            await until(pilot, lambda view=view: name in view.tabs and view.tabs[name].has_focus_within)
            await pilot.press(kind.key)
            seen.append(view.tab_name)
            assert view.tab_name == other, f"{kind.key} in {name}"
            await pilot.press("escape", "escape")
            await until(pilot, lambda view=view: app.frame.view is not view)
        return seen

    assert drive(script) == list(TABS)


def test_a_wrapped_text_has_no_bar_to_scroll_it_sideways(layout: Layout, drive: Drive) -> None:
    add_job(layout, "calm_fox", document={"type": "command", "command": "\n".join(["echo " + "long " * 40] * 40)})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> bool:
        view = await open_view(app, pilot, "calm_fox", "yaml")
        pane = await until(pilot, lambda: view.query(TextPane).first() if view.query(TextPane) else None)
        await until(pilot, lambda: pane.show_vertical_scrollbar)
        return bool(pane.show_horizontal_scrollbar)

    assert drive(script) is False


def test_a_question_is_asked_in_whole_sentences(drive: Drive) -> None:
    asked = "Cancel solid_station_xpbqx3pc40, snowy_thread_vnhpb7k2rr, early_yak_n0mpj434fp?"
    consequence = "SIGTERM to all processes, SIGKILL ten seconds later. What was logged stays."

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await app.push_screen(Question(asked, consequence))
        await pilot.pause()
        return " ".join(
            strip.text.strip()
            for widget in app.screen.query(Static)
            for strip in widget.render_lines(Region(0, 0, *widget.size))
        )

    said = drive(script)
    assert asked in said and consequence in said


def test_enter_leads_to_tabs_jobs_and_a_comparison(layout: Layout, drive: Drive) -> None:
    add_job(layout, "before")
    add_job(layout, "parent")
    add_job(layout, "broke", status="Failed", cause=CAUSE, parent_job_name="parent")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[Any]:
        view = await open_view(app, pilot, "broke")
        await until(pilot, lambda: "child of" in facts(app))
        go_to(app, "last completed")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.frame.view, CompareView))
        await pilot.press("escape")
        await until(pilot, lambda: app.frame.view is view)
        go_to(app, "child of")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.frame.view, JobView) and app.frame.view is not view)
        opened = app.frame.view.crumb if app.frame.view else ""
        await pilot.press("escape")
        go_to(app, "folder")
        await pilot.press("enter")
        await until(pilot, lambda: view.tab_name == "outputs")
        return [opened]

    assert drive(script) == ["parent"]


def test_a_value_is_copied_and_a_long_one_shown_whole(layout: Layout, drive: Drive) -> None:
    command = "\n".join(f"echo {number}" for number in range(100))
    add_job(layout, "talks", document={"type": "command", "command": command})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await open_view(app, pilot, "talks")
        go_to(app, "command")
        await pilot.press("y", "enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        return [app.clipboard, notes(app)]

    copied, said = drive(script)
    assert copied == command and "copied command" in said


def test_jobs_that_came_of_a_job_are_found(layout: Layout) -> None:
    rerun = {"file": None, "directory": "/", "user": "me", "host": "here", "git": None, "rerun_of": "first"}
    add_jobs(
        layout,
        [
            ("first", {}, {}),
            ("again", {"source": rerun}, {}),
            ("by_uri", {"document": _takes("azureml://jobs/first/outputs/model/paths/a")}, {}),
            ("by_run", {"document": _takes("runs:/first/model")}, {}),
            ("by_path", {"document": _takes("/ws/blobstore/azureml/first/model")}, {}),
            ("another", {"document": _takes("azureml://jobs/first_2/outputs/model")}, {}),
        ],
    )
    with closing(database.connect(layout.database)) as connection:
        first = jobs.get(connection, "first")
        reruns = [each.name for each in lineage.reruns(connection, "first", first.id)]
        places = ["/ws/blobstore/azureml/first/model"]
        consumers = [each.name for each in lineage.consumers(connection, "first", first.id, places)]
    assert reruns == ["again"] and consumers == ["by_uri", "by_run", "by_path"]


def test_lineage_goes_by_versions_of_data(layout: Layout) -> None:
    from store.data import assets, uses
    from store.data.assets import DataVersion
    from workbench.tui.glyphs import UNICODE
    from workbench.tui.job.facts import lineage as told
    from workbench.tui.reading_job import Details, Later

    add_jobs(layout, [("maker", {}, {}), ("reader", {}, {}), ("late", {}, {})])
    with closing(database.connect(layout.database)) as connection:
        made = DataVersion("table", "", "uri_folder", "azureml://jobs/maker/outputs/t", {}, fingerprint="aa")
        assets.create(connection, replace(made, job_name="maker", job_output="t"))
        for job, seen in (("reader", "aa"), ("late", "bb")):
            uses.add(connection, uses.Use("table", "1", "job", job, "d", seen))
        maker = jobs.get(connection, "maker")
        assert [each.name for each in lineage.consumers(connection, "maker", maker.id)] == ["reader", "late"]
        known = Details(
            read=tuple(lineage.data_read(connection, "reader")), made=tuple(lineage.data_made(connection, "maker"))
        )
    facts = told(maker, known, Later(), UNICODE)
    assert [(fact.title, fact.value, fact.opens) for fact in facts] == [
        ("read", "table:1 as input d, made by maker", Opens("job", "maker")),
        ("  changed", "the bytes have changed since: late was given others", None),
        ("made", "table:1 of output t", None),
    ]


def _takes(path: str) -> dict[str, Any]:
    return {"type": "command", "command": "x", "inputs": {"data": {"type": "uri_folder", "path": path}, "lr": 1}}


def test_values_are_told_in_one_line() -> None:
    assert plain({"type": "uri_folder", "path": "./x"}) == "./x (type: uri_folder)"
    assert [plain(value) for value in (None, True, 0, {"value": 3})] == ["", "true", "0", "3"]


def test_lines_are_broken_by_cells() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("猫猫猫", 4) == ["猫猫", "猫"]
    assert wrap("a\x1b[31mb\n\n  c", 20) == ["a·[31mb", "", "  c"]
    assert wrap("猫", 1) == ["猫"]
    assert broken([("key", "key"), (": a long value", "")], 8) == [
        [("key", "key"), (": a ", "")],
        [("long ", "")],
        [("value", "")],
    ]
    assert broken([("猫猫", "")], 1) == [[("猫", "")], [("猫", "")]]


def test_the_cursor_stays_with_its_fact(layout: Layout, drive: Drive) -> None:
    add_job(layout, "calm_fox")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[Any]:
        view = await open_view(app, pilot, "calm_fox")
        view.tabs["overview"]._paint = lambda: None  # type: ignore[attr-defined]
        found = app.frame.query_one(FactList)
        found.take([Section("A", (Fact("x", "1"), Fact("y", "2", Opens("job", "z"))))])
        await pilot.press("down")
        found.take([Section("A", (Fact("new", "0"), Fact("x", "1"), Fact("y", "3"))), Section("none", ())])
        return [found.fact.title if found.fact else "", len(found.sections)]

    assert drive(script) == ["y", 1]


def test_names_of_all_kinds_do_not_break_the_layout(layout: Layout, drive: Drive) -> None:
    document = {
        "type": "command",
        "command": "echo \x1b[31m " + "猫" * 300,
        "inputs": {"a" * 300: "b" * 700, "اسم": "قيمة"},
        "tags": {"x\ty": "[bold]no markup[/bold]"},
    }
    add_job(layout, "odd", display_name="名" * 250, experiment_name="تجربة" * 60, document=document)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[int]:
        await open_view(app, pilot, "odd")
        found = app.frame.query_one(FactList)
        over: list[int] = []
        for _ in range(len(found.facts)):
            width = found.scrollable_content_region.width  # one less from when the scroll bar is there
            over += [found.render_line(y).cell_length - width for y in range(found.size.height)]
            await pilot.press("j")
        assert "[bold]no markup[/bold]" in facts(app)["tags"]
        return over

    assert set(drive(script)) == {0}


def test_no_part_of_a_value_is_behind_the_scroll_bar(layout: Layout, drive: Drive) -> None:
    long = "0123456789" * 20
    add_job(layout, "odd", document={"type": "command", "command": long, "inputs": {f"in_{n}": n for n in range(30)}})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        view = await open_view(app, pilot, "odd")
        found = app.frame.query_one(FactList)
        await until(pilot, lambda: found.show_vertical_scrollbar)
        go_to(app, "command")
        shown = "".join(found.render_line(y).text[found._title_width + 4 :] for y in range(found.size.height))
        await pilot.press("Y")
        pane = await until(pilot, lambda: view.query(TextPane).first() if view.query(TextPane) else None)
        await until(pilot, lambda: pane.show_vertical_scrollbar)
        document = "".join(pane.render_line(y).text.strip() for y in range(pane.size.height))
        return [shown.replace(" ", ""), document]

    shown, document = drive(script)
    assert long in shown and long in document


def test_titles_take_what_room_there_is(layout: Layout, drive: Drive) -> None:
    title = "min_impurity_decrease_of_all"
    add_job(layout, "odd", document={"type": "command", "command": "x", "inputs": {title: 1}})

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_view(app, pilot, "odd")
        found = app.frame.query_one(FactList)
        await until(pilot, lambda: found._lines)
        return "\n".join(found.render_line(y).text for y in range(found.size.height))

    assert f"input {title}" in drive(script, size=(140, 40))


# -- what a person does -----------------------------------------------------------------------------------------


def test_archiving_is_undone_by_the_same_key(layout: Layout, drive: Drive) -> None:
    add_job(layout, "calm_fox")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        view = await open_view(app, pilot, "calm_fox")
        await pilot.press("d")
        await until(pilot, lambda: status(layout, "calm_fox").archived)
        await until(pilot, lambda: "archived" in str(view.query_one(".job-facts").render()))
        await pilot.press("d")
        await until(pilot, lambda: not status(layout, "calm_fox").archived)
        return notes(app)

    assert "d again undoes it" in drive(script)


def test_what_has_ended_cannot_be_cancelled(layout: Layout, drive: Drive) -> None:
    add_job(layout, "calm_fox")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_view(app, pilot, "calm_fox")
        await pilot.press("x")
        await until(pilot, lambda: notes(app))
        assert not isinstance(app.screen, Question)
        return notes(app)

    assert "calm_fox has ended already: Completed" in drive(script)


def test_the_copy_menu_tells_names_places_and_commands(layout: Layout, drive: Drive) -> None:
    add_jobs(layout, [("calm_fox", {}, {}), ("calm_owl", {}, {})])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        copied = []
        await pilot.press("2")
        await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
        for key in ("n", "u", "s", "d"):
            await pilot.press("y")
            await until(pilot, lambda: isinstance(app.screen, Menu))
            before = app.clipboard
            await pilot.press(key)
            await until(pilot, lambda before=before: app.clipboard != before)
            copied.append(app.clipboard)
        await pilot.press("g", "space", "g", "j", "space", "y")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        await pilot.press("n")
        await until(pilot, lambda: "\n" in app.clipboard and "calm_fox" in app.clipboard)
        return [*copied, app.clipboard]

    name, address, command, document, names = drive(script)
    assert name == "calm_owl" and address == "azureml://jobs/calm_owl/outputs/artifacts/paths/"
    assert command == "workbench job show calm_owl" and "command: 'true'" in document
    assert names.split("\n") == ["calm_owl", "calm_fox"]


@pytest.mark.slow
def test_a_real_job_is_watched_cancelled_and_run_again(layout: Layout, drive: Drive, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: echo here; sleep 1000\nexperiment_name: long\n")
    cli("job", "create", "-f", tmp_path / "job.yml", "--name", "sleeper")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[Any]:
        view = await open_view(app, pilot, "sleeper")
        await until(pilot, lambda: view.facts is not None and view.facts.job.status == "Running")
        assert view.live and "Running" in facts(app)["state"]
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: view.facts is not None and view.facts.job.status == "Canceled")
        await until(pilot, lambda: "Canceled" in facts(app)["state"])
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.frame.view, JobView) and app.frame.view is not view)
        again = app.frame.view
        assert isinstance(again, JobView)
        await until(pilot, lambda: again.loaded and again.tab_name == "log")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: again.facts is not None and again.facts.job.finished)
        return [again.job_name, view.live, notes(app)]

    name, live, said = drive(script, refresh_hz=10)
    assert not live and "cancelling sleeper" in said
    assert status(layout, name).source["rerun_of"] == "sleeper"
    assert json.loads(cli("job", "show", name, "-o", "json").stdout)["status"] == "Canceled"


def test_the_document_is_shown_in_colours_with_its_commands(layout: Layout, drive: Drive) -> None:
    document = {"name": "calm_fox", "type": "command", "command": "echo one\necho ${{inputs.x}}", "inputs": {"x": 3}}
    add_job(layout, "calm_fox", document=document)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[Any]:
        view = await open_view(app, pilot, "calm_fox", "yaml")
        pane = view.query_one(TextPane)
        await until(pilot, lambda: pane.lines)
        return [pane.text, [list(line) for line in pane.lines]]

    text, lines = drive(script)
    head, _, body = text.partition("\n\n")
    assert "workbench job rerun calm_fox" in head
    assert yaml.safe_load(body) == {key: value for key, value in document.items() if key != "name"}
    assert [("", ""), ("command", "key"), (":", ""), (" |-", "string")] in lines
    assert [("  echo ", "string"), ("${{inputs.x}}", "expression")] in lines
    assert [("  ", ""), ("x", "key"), (":", ""), (" 3", "number")] in lines


def test_yaml_and_json_in_colours() -> None:
    assert yaml_lines("a: 'x # y'  \n- b: true # note\nurl: http://x#y")[1:] == [
        [("- ", ""), ("b", "key"), (":", ""), (" true", "number"), (" # note", "comment")],
        [("", ""), ("url", "key"), (":", ""), (" http://x#y", "string")],
    ]
    assert json_lines('  "a": [1.5, "b:", null]') == [
        [("  ", ""), ('"a"', "key"), (": [", ""), ("1.5", "number"), (", ", ""), ('"b:"', "string"), (", ", ""),
         ("null", "number"), ("]", "")]
    ]  # fmt: skip
