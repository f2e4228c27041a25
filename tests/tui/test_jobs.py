"""The list of jobs by keys: moving, sorting, marking, folding, and what comes in while one looks."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from tests.many_jobs import NAMES, add_job, add_jobs
from tests.tui.conftest import Drive, until
from tests.tui.listed import at, footer, narrow, open_jobs, table, text, view
from workbench.tui.app import WorkbenchApp
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.menu import Menu, Question

pytestmark = pytest.mark.usefixtures("no_agent")


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


def test_a_column_without_texts_leaves_its_room_to_names(layout: Layout, drive: Drive) -> None:
    add_job(layout, "outputs_of_all_kinds_in_it")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await open_jobs(app, pilot)
        return text(app)[1]

    assert "outputs_of_all_kinds_in_it" in drive(script, size=(80, 24))


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


def test_a_row_that_cannot_be_read_is_shown_as_broken_among_the_others(layout: Layout, drive: Drive) -> None:
    add_jobs(layout, [("first", {}, {}), ("torn", {"document": '{"comm'}, {}), ("last", {}, {})])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        await open_jobs(app, pilot)
        return text(app)

    lines = drive(script)
    assert [line.split()[2] for line in lines[1:4]] == ["last", "torn", "first"]
    assert "! broken: document" in lines[2] and "broken" not in lines[1] + lines[3]


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
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert isinstance(app.screen, Question)
        assert app.screen.text == "Archive iris, wide (brave_owl)?"
        assert app.screen.consequence == "It has not ended: it goes on, hidden from lists. Home shows what runs."
        await pilot.press("y")
        await until(pilot, lambda: len(app._notifications))
        assert "archived iris, wide (brave_owl)" in " ".join(each.message for each in app._notifications)

    drive(script)
