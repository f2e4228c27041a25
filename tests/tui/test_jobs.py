"""The list of jobs by keys: moving, filtering, sorting, marking, folding, and what comes in while one looks."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from store.layout import Layout
from store.workspace import Found
from tests.many_jobs import add_job, add_jobs
from tests.tui.conftest import Drive, until
from workbench.configuration.reading import load
from workbench.tui.app import WorkbenchApp
from workbench.tui.last_place import remembered
from workbench.tui.screens.jobs import JobsView
from workbench.tui.widgets.job_table import JobTable
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.menu import Menu, Question

NAMES = [f"job_{number:04d}" for number in range(1000)]


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs here have no process: an agent would say so."""

    async def nothing(app: WorkbenchApp) -> None:
        pass

    monkeypatch.setattr(WorkbenchApp, "_keep_agent", nothing)


@pytest.fixture
def many(layout: Layout) -> Layout:
    """A thousand jobs; every tenth failed, those of ``iris`` are every third, and have a metric."""
    add_jobs(
        layout,
        [
            (
                name,
                {
                    "status": "Failed" if number % 10 == 0 else "Completed",
                    "experiment_name": "iris" if number % 3 == 0 else "churn",
                },
                {"accuracy": number / 1000} if number % 3 == 0 else {},
            )
            for number, name in enumerate(NAMES)
        ],
    )
    return layout


def table(app: WorkbenchApp) -> JobTable:
    return app.frame.query_one(JobTable)


def view(app: WorkbenchApp) -> JobsView:
    found = app.frame.view
    assert isinstance(found, JobsView)
    return found


def at(app: WorkbenchApp) -> str | None:
    row = table(app).row
    return row.name if row else None


def text(app: WorkbenchApp) -> list[str]:
    """The lines of the table as they are drawn."""
    shown = table(app)
    return ["".join(segment.text for segment in shown.render_line(y)) for y in range(shown.size.height)]


async def open_jobs(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    await pilot.press("2")
    await until(pilot, lambda: isinstance(app.frame.view, JobsView) and app.frame.view.loaded)


async def narrow(app: WorkbenchApp, pilot: Pilot[None], filter_text: str) -> None:
    """Type a filter as a user does, and wait for its list."""
    await pilot.press("slash")
    app.frame.query_one("FilterLine Input", Input).value = ""
    for character in filter_text:
        await pilot.press(
            {" ": "space", ":": "colon", ".": "full_stop", ">": "greater_than_sign"}.get(character, character)
        )
    await pilot.press("enter")
    await until(pilot, lambda: view(app).filter_text == filter_text)
    await until(pilot, lambda: not any(worker.group == "load" and not worker.is_finished for worker in app.workers))


def test_the_newest_job_is_first_and_moving_is_exact(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[Any]:
        await open_jobs(app, pilot)
        seen = [at(app)]
        await pilot.press("j", "j", "k", "down")
        seen.append(at(app))
        await pilot.press("G")
        await until(pilot, lambda: at(app) == NAMES[0])
        await pilot.press("up")
        seen.append(at(app))
        await pilot.press("g")
        await until(pilot, lambda: at(app) == NAMES[-1])
        return seen

    assert drive(script) == [NAMES[-1], NAMES[-3], NAMES[1]]


def test_paging_through_meets_every_job(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await open_jobs(app, pilot)
        met: dict[str, None] = {}
        while NAMES[0] not in met:
            for line in text(app)[1:]:
                met.update({word: None for word in line.split() if word.startswith("job_")})
            await pilot.press("pagedown")
            await until(pilot, lambda: at(app) is not None)
        return list(met)

    assert set(drive(script, size=(120, 40))) == set(NAMES)


def test_memory_holds_a_window_only(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> int:
        await open_jobs(app, pilot)
        most = 0
        for _ in range(60):
            await pilot.press("pagedown")
            await until(pilot, lambda: at(app) is not None)
            most = max(most, len(table(app).window.rows))
        return most

    assert drive(script) < 800


def test_a_filter_narrows_while_one_types_and_escape_shows_all(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[int]:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed exp:iris")
        totals = [table(app).window.total]
        await narrow(app, pilot, "metric.accuracy>0.9")
        totals.append(table(app).window.total)
        await pilot.press("escape")
        await until(pilot, lambda: table(app).window.total == 1000)
        return totals

    assert drive(script) == [len(range(0, 1000, 30)), len([n for n in range(0, 1000, 3) if n > 900])]


def test_a_filter_that_means_nothing_is_answered_in_place(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_jobs(app, pilot)
        await pilot.press("slash", *"stat", "colon", "x")
        answer = app.frame.query_one(".filter-answer")
        await until(pilot, lambda: answer.display)
        said = str(answer.render())
        await pilot.press("escape")
        assert table(app).window.total == 1000
        return said

    assert "Did you mean 'state'" in drive(script)


def test_one_goes_on_from_the_filter_that_holds(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[str, list[tuple[str, str]]]:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed")
        await pilot.press("slash", "space", *"exp", "colon", *"iris")
        await until(pilot, lambda: table(app).window.total == len(range(0, 1000, 30)))
        hints = [(hint.key, hint.text) for hint in app.frame.query_one(KeyHints).hints[:2]]
        await pilot.press("enter")
        return view(app).filter_text, hints

    assert drive(script) == ("state:failed exp:iris", [("⏎", "keep"), ("esc", "give up")])


def test_a_filter_of_the_command_line_that_means_nothing_is_answered(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_jobs(app, pilot)
        await app.run_command("jobs state:bogus")
        await until(pilot, lambda: len(app._notifications))
        return "\n".join(notification.message for notification in app._notifications)

    assert "no state 'bogus'" in drive(script)


@pytest.mark.parametrize("order", ["created", "experiment", "duration", "state", "metric.accuracy"])
def test_titles_stand_whole_in_80_columns_and_one_tells_the_order(many: Layout, drive: Drive, order: str) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_jobs(app, pilot)
        await narrow(app, pilot, f"sort:-{order}")
        await until(pilot, lambda: table(app).sort.key == order.partition(".")[0])
        return text(app)[0]

    head = drive(script)
    assert head.count("▼") == 1
    assert [word for word in head.replace("▼", "").split() if word.endswith("…")] in ([], ["Experime…"])


def test_a_line_that_breaks_in_a_list_leads_back_to_its_filter_and_order(many: Layout, drive: Drive) -> None:
    async def work(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed exp:iris")
        await pilot.press("s", "d")
        await until(pilot, lambda: table(app).sort.key == "duration")
        await until(pilot, lambda: not any(worker.group == "place" for worker in app.workers))

    async def come_back(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[str, str, int]:
        await until(pilot, lambda: table(app).window.total)
        return view(app).filter_text, str(table(app).sort), table(app).window.total

    drive(work)
    assert drive(come_back) == ("state:failed exp:iris", "-duration", len(range(0, 1000, 30)))


def test_the_command_line_takes_a_state(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> int:
        await pilot.press("colon", *"jobs", "space", *"failed", "enter")
        await until(pilot, lambda: isinstance(app.frame.view, JobsView) and table(app).window.total == 100)
        return table(app).window.total

    assert drive(script) == 100


def test_sorting_by_a_metric_puts_the_best_first(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await open_jobs(app, pilot)
        await pilot.press("s", "m")
        await until(pilot, lambda: at(app) == NAMES[999])
        await pilot.press("s", "m")
        await until(pilot, lambda: at(app) == NAMES[0])
        return text(app)[:2]

    head, first = drive(script, size=(120, 40))
    assert "Metric▲" in head and "0 accuracy" in first


def test_marks_are_kept_while_the_list_changes(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await open_jobs(app, pilot)
        await pilot.press("space", "j", "space")
        await narrow(app, pilot, "state:failed")
        await pilot.press("space")
        return table(app).chosen_names()

    assert drive(script) == [NAMES[999], NAMES[997], NAMES[990]]


def test_the_cursor_stays_with_its_job_when_others_come_in(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[str | None, int, int]:
        await open_jobs(app, pilot)
        await pilot.press(*["j"] * 30)
        before, line = at(app), table(app).cursor - table(app).scroll_offset.y
        add_jobs(many, [(f"new_{number}", {}, {}) for number in range(5)])
        await until(pilot, lambda: table(app).window.total == 1005)
        assert at(app) == before
        return before, line, int(table(app).cursor - table(app).scroll_offset.y)

    name, before, after = drive(script)
    assert name == NAMES[969] and before == after


def test_at_the_top_the_newest_job_comes_into_sight(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        add_job(many, "newest")
        await until(pilot, lambda: at(app) == "newest")

    drive(script)


def test_children_fold_under_their_parent(layout: Layout, drive: Drive) -> None:
    add_job(layout, "sweep")
    add_jobs(layout, [(f"trial_{number}", {"parent_job_name": "sweep"}, {}) for number in range(3)])
    add_job(layout, "other")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[list[str]]:
        def names() -> list[str]:
            return [row.name for row in table(app).window.rows]

        await open_jobs(app, pilot)
        seen = [names()]
        await pilot.press("j", "right")
        await until(pilot, lambda: len(names()) == 5)
        seen.append(names())
        await pilot.press("j", "right")
        await until(pilot, lambda: len(names()) == 2)
        return seen

    folded, unfolded = drive(script)
    assert folded == ["other", "sweep"]
    assert unfolded == ["other", "sweep", "trial_0", "trial_1", "trial_2"]


@pytest.mark.parametrize("name", ["模型训练" * 20, "تجربة" * 30, "x" * 500, "a\tb\x1b[31mc", "[bold]not markup[/bold]"])
def test_odd_names_stay_in_their_column(layout: Layout, drive: Drive, name: str) -> None:
    add_job(layout, "odd", display_name=name, experiment_name=name)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> tuple[list[str], list[int]]:
        await open_jobs(app, pilot)
        shown = table(app)
        return text(app), [shown.render_line(y).cell_length for y in range(2)]

    lines, widths = drive(script)
    assert "Completed" in lines[1] and "\x1b" not in lines[1]
    assert widths[0] == widths[1]


def test_a_tiny_terminal_shows_what_it_can(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await open_jobs(app, pilot)
        await pilot.press("j", "G", "g", "slash", "escape")
        return text(app)

    assert any("job_0999" in line for line in drive(script, size=(40, 10)))


@pytest.mark.parametrize(("width", "least"), [(80, 22), (120, 28), (140, 36)])
def test_names_have_the_room_that_other_columns_do_not_need(
    layout: Layout, drive: Drive, width: int, least: int
) -> None:
    name = "a_job_of_somebody_with_long_names_00"
    add_jobs(layout, [(name, {"experiment_name": "iris"}, {"val_loss": 0.12})])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_jobs(app, pilot)
        return text(app)[1]

    line = drive(script, size=(width, 24))
    shown = next(word for word in line.split() if word.startswith("a_job"))
    assert len(shown) >= least
    assert "0.12 val_loss" in line and "iris" in line and "1h" in line


def test_columns_stay_where_they_are_while_one_goes_through_the_list(layout: Layout, drive: Drive) -> None:
    long = "a_job_of_somebody_with_long_names_00"
    add_jobs(layout, [(f"job_{number}", {}, {}) for number in range(400)] + [(long, {}, {})])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await open_jobs(app, pilot)
        heads = [text(app)[0]]
        await pilot.press("G")
        await until(pilot, lambda: table(app).row and table(app).row.name == "job_0")
        return [*heads, text(app)[0]]

    first, last = drive(script, size=(100, 24))
    assert first == last


def test_an_empty_workspace_says_what_to_do(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_jobs(app, pilot)
        return str(view(app).query_one(".notice").render())

    assert "No jobs yet" in drive(script) and "n  new job" in drive(script)


def test_a_saved_filter_is_forgotten_without_being_taken(many: Layout, drive: Drive, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[filters]\nbad = 'state:failed'\nslow = 'duration>1h'\nlong = 'duration>2h'\n")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:completed")
        await pilot.press("f", "j", "x")
        await until(pilot, lambda: set(app.configuration.filters) == {"bad", "long"})
        assert view(app).filter_text == "state:completed"
        await pilot.press("f", "k", "x")  # from the first to the last line, which saves
        assert isinstance(app.screen, Menu), "what is not kept cannot be forgotten"
        await pilot.press("escape", "f", "j", "delete")
        await until(pilot, lambda: set(app.configuration.filters) == {"bad"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CONFIG", str(file))
        drive(script, loaded=load())
    assert tomllib.loads(file.read_text())["filters"] == {"bad": "state:failed"}


def test_a_filter_is_saved_under_a_name_and_taken_again(many: Layout, drive: Drive, tmp_path: Path) -> None:
    async def save(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed")
        await pilot.press("f", "s", *"bad", "enter")
        await until(pilot, lambda: "bad" in app.configuration.filters)

    async def take(app: WorkbenchApp, pilot: Pilot[None]) -> int:
        await open_jobs(app, pilot)
        await pilot.press("f", "1")
        await until(pilot, lambda: table(app).window.total == 100)
        await pilot.press("f", "x")
        await until(pilot, lambda: not app.configuration.filters)
        return table(app).window.total

    file = tmp_path / "config.toml"
    file.write_text("# mine\ntheme = 'slate'\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CONFIG", str(file))
        drive(save, loaded=load())
        assert 'bad = "state:failed"' in file.read_text() and file.read_text().startswith("# mine\n")
        assert drive(take, loaded=load()) == 100
        assert "bad" not in file.read_text()


def test_a_row_that_cannot_be_read_is_shown_as_broken_among_the_others(layout: Layout, drive: Drive) -> None:
    add_jobs(layout, [("first", {}, {}), ("torn", {"document": '{"comm'}, {}), ("last", {}, {})])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await open_jobs(app, pilot)
        return text(app)

    lines = drive(script)
    assert [line.split()[2] for line in lines[1:4]] == ["last", "torn", "first"]
    assert "! broken: document" in lines[2] and "broken" not in lines[1] + lines[3]


def footer(app: WorkbenchApp) -> str:
    """The line of hints that is seen: a dialog's, where one is open."""
    return str(app.screen.query_one(KeyHints).render())


def test_the_line_of_hints_begins_with_what_matters_for_the_state(layout: Layout, drive: Drive) -> None:
    add_jobs(layout, [("ended", {}, {}), ("runs", {"status": "Running", "ended_at": None}, {})])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await until(pilot, lambda: footer(app).split()[:2] == ["x", "cancel"])
        assert footer(app).split()[-2:] == ["?", "more"] and "+" not in footer(app)
        await pilot.press("j")
        await until(pilot, lambda: footer(app).split()[:2] == ["⏎", "open"])
        await pilot.press("k", "enter")
        await until(pilot, lambda: app.frame.places()[-1].startswith("job runs"))
        await until(pilot, lambda: footer(app).split()[:2] == ["x", "cancel"])

    drive(script)


def test_a_dialog_has_hints_for_its_own_keys(layout: Layout, drive: Drive) -> None:
    add_jobs(layout, [("runs", {"status": "Running", "ended_at": None}, {})])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await open_jobs(app, pilot)
        lines = []
        for key, kind in (("x", Question), ("s", Menu)):
            await pilot.press(key)
            await until(pilot, lambda: app.screen is not app.frame and app.screen.query(KeyHints))
            assert isinstance(app.screen, kind)
            await until(pilot, lambda: app.screen.query_one(KeyHints).hints)
            await pilot.pause()
            lines.append(footer(app))
            assert app.screen.query_one(KeyHints).region.y == 23, "over the line of what is below"
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.frame)
        return lines

    assert [" ".join(line.split()) for line in drive(script)] == ["y yes n no", "⏎ choose esc close"]


def test_a_question_tells_the_name_that_the_list_shows_and_the_jobs_own(layout: Layout, drive: Drive) -> None:
    running = {"status": "Running", "ended_at": None}
    add_jobs(layout, [("brave_owl", {**running, "display_name": "iris, wide"}, {}), ("plain", running, {})])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await pilot.press("space", "space", "x")
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert isinstance(app.screen, Question)
        assert app.screen.text == "Cancel plain, iris, wide (brave_owl)?"
        await pilot.press("escape", "asterisk", "d")
        await until(pilot, lambda: len(app._notifications))
        assert "archived iris, wide (brave_owl)" in " ".join(each.message for each in app._notifications)

    drive(script)


def test_marks_that_a_filter_hides_are_told_in_the_list_and_in_every_question(layout: Layout, drive: Drive) -> None:
    running = {"status": "Running", "ended_at": None}
    add_jobs(layout, [(name, {**running, "experiment_name": name[0]}, {}) for name in ("a1", "a2", "b1")])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        await pilot.press("space", "space", "space")
        await narrow(app, pilot, "exp:b")
        line = app.frame.query_one(".jobs-status", Static)
        await until(pilot, lambda: "3 marked, 2 of them not in this list" in str(line.content))
        for key, asked in (
            ("x", "Cancel b1, a2, a1, 2 of them not in this list?"),
            ("r", "Run b1, a2, a1, 2 of them not in this list again?"),
            ("d", "Archive b1, a2, a1, 2 of them not in this list, or restore what is archived?"),
        ):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, Question))
            assert isinstance(app.screen, Question) and app.screen.text == asked
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.frame)
        await pilot.press("escape")
        await until(pilot, lambda: "3 marked" in str(line.content) and "not in" not in str(line.content))

    drive(script)


@pytest.mark.parametrize("narrowed", ["", "exp:iris"])
def test_a_broken_line_leads_back_to_the_job_under_the_cursor(many: Layout, narrowed: str) -> None:
    wanted = [name for number, name in enumerate(NAMES) if not narrowed or number % 3 == 0][-40]

    async def session(script: Any) -> Any:
        app = WorkbenchApp(Found(many, "option"))
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.frame.view is not None and app.frame.view.loaded)
            return await script(app, pilot)

    async def leave_off(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await open_jobs(app, pilot)
        if narrowed:
            await narrow(app, pilot, narrowed)
        await pilot.press(*["j"] * 39)
        await until(pilot, lambda: at(app) == wanted)
        await until(pilot, lambda: any(wanted in place for place in remembered(many.root)))

    async def come_back(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.frame.query(JobTable) and at(app) == wanted)
        assert view(app).filter_text == narrowed
        assert any(wanted in line for line in text(app)), "it is in sight"

    asyncio.run(session(leave_off))
    asyncio.run(session(come_back))


def test_the_end_of_a_filter_leaves_the_cursor_on_its_job(many: Layout, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str | None]:
        await open_jobs(app, pilot)
        await narrow(app, pilot, "state:failed")
        await pilot.press(*["j"] * 30)
        before = await until(pilot, lambda: at(app))
        await pilot.press("escape")
        await until(pilot, lambda: table(app).window.total == 1000 and table(app).cursor > 0)
        return [before, at(app)]

    before, after = drive(script)
    assert before == after
