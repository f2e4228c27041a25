"""The Log tab of a job: the end at once, keys, following, copies, other logs, and what stands where there is no log."""

from __future__ import annotations

import os
import time
from contextlib import closing

import pytest
from textual.events import MouseScrollUp
from textual.pilot import Pilot
from textual.widgets import OptionList

from store import database, jobs
from store.layout import Layout
from tests.tui.charted_jobs import add_job
from tests.tui.conftest import Drive, until
from tests.tui.logged import JOB, current, notice, numbered, on, printed, shown, status, typed, watch_painting
from workbench.tui.app import WorkbenchApp
from workbench.tui.job.log import LogTab
from workbench.tui.job.log_search_line import LogSearch
from workbench.tui.widgets.menu import Menu

SIZES = [(80, 24), (120, 40), (40, 10)]


pytestmark = pytest.mark.usefixtures("no_agent")


@pytest.mark.parametrize("size", SIZES)
def test_it_opens_at_the_end(drive: Drive, layout: Layout, size: tuple[int, int]) -> None:
    printed(layout, numbered(5000))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: shown(tab)[-1] == "line 04999")
        rows = tab.view.rows.height
        assert shown(tab) == [f"line {number:05}" for number in range(5000 - rows, 5000)]
        assert "following" in status(tab) and "end" in status(tab)

    on(drive, script, size)


@pytest.mark.slow
def test_keys_move_through_all_of_it(drive: Drive, layout: Layout) -> None:
    printed(layout, numbered(5000), status="Completed", ended_at=1.0)

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        rows = tab.view.rows.height

        async def top(key: str, number: int) -> None:
            await pilot.press(key)
            await until(pilot, lambda: shown(tab)[0] == f"line {number:05}")

        await top("g", 0)
        assert "beginning" in status(tab)
        await top("j", 1)
        await top("down", 2)
        await top("k", 1)
        await top("up", 0)
        await top("k", 0)
        await top("pagedown", rows - 1)
        await top("ctrl+u", 0)
        for _ in range(40):
            await pilot.press("ctrl+d")
        await until(pilot, lambda: shown(tab)[0] == f"line {40 * (rows - 1):05}")
        await top("G", 5000 - rows)
        await top("j", 5000 - rows)
        for _ in range(30):
            await pilot.press("pageup")
        await until(pilot, lambda: shown(tab)[0] == f"line {5000 - rows - 30 * (rows - 1):05}")
        await top("home", 0)
        await top("end", 5000 - rows)

    on(drive, script)


def test_the_place_stays_while_the_log_grows(drive: Drive, layout: Layout) -> None:
    log = printed(layout, numbered(100))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        async def grow(count: int, start: int) -> None:
            with log.open("ab") as file:
                file.write(numbered(count, start))
            await until(pilot, lambda: tab.view.window.size == log.stat().st_size)

        await grow(1, 100)
        assert shown(tab)[-1] == "line 00100"
        await pilot.press("k")
        before = shown(tab)
        assert before[-1] == "line 00099" and "f  follow" in status(tab)
        await grow(1000, 101)
        assert shown(tab) == before
        await pilot.press("pagedown")
        assert shown(tab)[0] == before[-1]
        await pilot.press("f")
        await until(pilot, lambda: shown(tab)[-1] == "line 01100")
        await grow(1, 1101)
        assert shown(tab)[-1] == "line 01101"
        await pilot.press("f")
        await grow(1, 1102)
        assert shown(tab)[-1] == "line 01101"

    on(drive, script)


def test_a_progress_bar_shows_its_last_state_and_lives(drive: Drive, layout: Layout) -> None:
    log = printed(layout, b"start\n 10%|#   |\r 20%|##  |\r")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: shown(tab)[1] == " 20%|##  |")
        painted = watch_painting(tab)
        with log.open("ab") as file:
            file.write(b" 30%|### |")
        await until(pilot, lambda: 1 in painted)
        assert set(painted) == {1}, "other rows were painted too"
        assert shown(tab)[:3] == ["start", " 30%|### |", ""]
        with log.open("ab") as file:
            file.write(b"\rdone\r\nnext")
        await until(pilot, lambda: shown(tab)[:3] == ["start", "done", "next"])

    on(drive, script)


def test_at_rest_nothing_is_painted(drive: Drive, layout: Layout) -> None:
    printed(layout, numbered(100))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        painted = watch_painting(tab)
        looks = 0

        async def look() -> None:
            nonlocal looks
            looks += 1
            await looking()

        looking, tab._look = tab._look, look  # type: ignore[method-assign]
        await until(pilot, lambda: looks > 3)
        assert not painted

    on(drive, script)


def test_colours_are_shown_and_what_moves_the_cursor_is_not(drive: Drive, layout: Layout) -> None:
    printed(layout, b"\x1b[31mred\x1b[0m \x1b[2J\x1b[1;1Hplain\tx\x00\xff\n" + "日本 تدريب\n".encode())

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: shown(tab)[0])
        assert shown(tab)[0].startswith("red plain") and shown(tab)[0].endswith("x\ufffd")
        assert shown(tab)[1] == "日本 تدريب"
        strip = tab.view.render_line(0)
        colours = {segment.text.strip(): segment.style.color for segment in strip if segment.style is not None}
        assert colours["red"] is not None and colours["red"] != next(
            colour for text, colour in colours.items() if text.startswith("plain")
        )
        assert all(tab.view.render_line(y).cell_length == tab.view.scrollable_content_region.width for y in range(3))

    on(drive, script)


def test_long_lines_move_sideways_or_are_wrapped(drive: Drive, layout: Layout) -> None:
    printed(layout, b"0123456789" * 20 + b"\n" + "日".encode() * 100 + b"\nshort\n")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: shown(tab)[2] == "short")
        width = tab.view.rows.width
        assert shown(tab)[0].endswith("›") and len(shown(tab)[0]) == width
        await pilot.press("right")
        assert shown(tab)[0].startswith("‹9012") and "from column 9" in status(tab)
        await pilot.press(*["l"] * 18)
        assert shown(tab)[0].endswith("789")
        await pilot.press("h")
        assert shown(tab)[0].endswith("›") or len(shown(tab)[0]) == width
        await pilot.press("circumflex_accent")
        assert shown(tab)[0].startswith("0123")
        await pilot.press("w")
        text = ("0123456789" * 20, "日" * 100)
        assert "".join(shown(tab)[:3]) == text[0] and "wrapped" in status(tab)
        assert "".join(shown(tab)[3:6]) == text[1]
        await pilot.press("w")
        assert shown(tab)[2] == "short"

    on(drive, script)


def test_lines_of_megabytes_and_bytes_of_any_kind(drive: Drive, layout: Layout) -> None:
    printed(layout, b"begin\n" + b"x" * 3_000_000 + b"\n" + os.urandom(200_000) + b"\nend\n")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: shown(tab)[-1] == "end")
        await pilot.press("w", "pageup", "pageup", "w", "g")
        await until(pilot, lambda: shown(tab)[0] == "begin")
        for _ in range(10):
            await pilot.press("pagedown", "w")
        width = tab.view.scrollable_content_region.width
        assert all(tab.view.render_line(y).cell_length == width for y in range(tab.view.rows.height))

    on(drive, script)


def test_line_numbers_are_those_of_an_editor(drive: Drive, layout: Layout) -> None:
    printed(layout, numbered(3000))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await pilot.press("number_sign")
        await until(pilot, lambda: shown(tab)[-1].split() == ["3000", "line", "02999"])
        await pilot.press("g")
        await until(pilot, lambda: shown(tab)[0].split() == ["1", "line", "00000"])
        await pilot.press("number_sign")
        assert shown(tab)[0] == "line 00000"

    on(drive, script)


# -- copying, other logs ------------------------------------------------------------------------------------------


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(WorkbenchApp, "copy_text", lambda _app, text, _what: found.append(text))
    return found


def test_copy(drive: Drive, layout: Layout, copied: list[str]) -> None:
    log = printed(layout, numbered(100))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        for key in "ylpc":
            await pilot.press("y")
            await until(pilot, lambda: isinstance(tab.app.screen, Menu))
            await pilot.press(key)
            await until(pilot, lambda: not isinstance(tab.app.screen, Menu))
        rows = tab.view.rows.height
        lines = [f"line {number:05}" for number in range(100 - rows, 100)]
        assert copied == ["\n".join(lines), lines[0], str(log), f"workbench job stream {JOB}"]
        await typed(pilot, "00042")
        await pilot.press("enter")
        await until(pilot, lambda: current(tab))
        await pilot.press("y")
        assert copied[-1] == "line 00042"

    on(drive, script)


def test_what_the_mouse_selects_is_copied(drive: Drive, layout: Layout, copied: list[str]) -> None:
    printed(layout, numbered(100))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await pilot.mouse_down(tab.view, offset=(6, 2))
        await pilot.hover(tab.view, offset=(10, 3))
        await pilot.mouse_up(tab.view, offset=(10, 3))
        await until(pilot, lambda: tab.screen.selections)
        first, second = shown(tab)[2:4]
        await pilot.press("y")
        assert copied == [f"{first[5:]}\n{second[:10]}"]

    on(drive, script)


def test_the_wheel_and_the_bar(drive: Drive, layout: Layout) -> None:
    printed(layout, numbered(50_000))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        view = tab.view
        await pilot._post_mouse_events([MouseScrollUp], view, (5, 5))
        await until(pilot, lambda: shown(tab)[-1] == "line 49996")
        assert not view.follow
        view.scroll_to(y=view.vertical_scrollbar.window_virtual_size / 2)
        await until(pilot, lambda: 24_000 < int(shown(tab)[0][5:]) < 26_000)
        bar = view.vertical_scrollbar
        assert abs(bar.position / bar.window_virtual_size - 0.5) < 0.01
        view.scroll_to(y=bar.window_virtual_size)
        await until(pilot, lambda: shown(tab)[-1] == "line 49999")

    on(drive, script)


def test_other_logs_of_the_job(drive: Drive, layout: Layout) -> None:
    log = printed(layout, b"rank 0\n")
    log.with_name("std_log_process_1.txt").write_bytes(b"rank 1\n")
    layout.job(JOB).system_logs.mkdir()
    (layout.job(JOB).system_logs / "preparation.log").write_bytes(b"copied\n")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        assert shown(tab)[0] == "rank 0"
        await pilot.press("a")
        await until(pilot, lambda: isinstance(tab.app.screen, Menu))
        assert tab.app.screen.query_one(OptionList).option_count == 3
        await pilot.press("3")
        await until(pilot, lambda: shown(tab)[0] == "rank 1")
        assert "std_log_process_1.txt" in status(tab)

    on(drive, script)


# -- no log -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("Queued", "Queued on local, 1 job before it."),
        ("NotStarted", "submitted a moment ago"),
        ("Preparing", "being prepared"),
        ("Running", "No log yet"),
        ("Completed", "left no log"),
        ("Canceled", "cancelled before it started"),
    ],
)
def test_no_log_yet(drive: Drive, layout: Layout, state: str, words: str) -> None:
    add_job(layout, "first_job", "Queued")
    printed(layout, None, state, ended_at=1.0 if state in jobs.TERMINAL else None)

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: words in notice(tab))
        await pilot.press("slash", "f", "j", "G", "E")  # mean nothing here, and nothing breaks
        assert not tab.query_one(LogSearch).display

    on(drive, script)


def test_the_log_begins_under_the_eyes_and_goes(drive: Drive, layout: Layout) -> None:
    log = printed(layout, None, "Queued")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "next in line" in notice(tab))
        with closing(database.connect(layout.database)) as connection, database.write(connection):
            jobs.record(connection, JOB, "Running", started_at=time.time())
        await until(pilot, lambda: "No log yet" in notice(tab))
        log.touch()
        await until(pilot, lambda: "Nothing printed so far" in notice(tab))
        log.write_bytes(b"hello\n")
        await until(pilot, lambda: tab.view.display and shown(tab)[0] == "hello")
        assert tab.view.has_focus
        log.unlink()
        await until(pilot, lambda: "The log is gone" in notice(tab))
        log.write_bytes(b"again\n")
        await until(pilot, lambda: tab.view.display and shown(tab)[0] == "again")

    on(drive, script)


def test_a_log_that_begins_anew(drive: Drive, layout: Layout) -> None:
    log = printed(layout, numbered(100))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await pilot.press("number_sign", "k")
        log.write_bytes(b"second attempt\n")
        await until(pilot, lambda: shown(tab)[0].endswith("second attempt"))

    on(drive, script)


def test_what_cannot_be_read(drive: Drive, layout: Layout) -> None:
    printed(layout, None)
    layout.job(JOB).log.mkdir()

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "cannot be read: it is not a regular file" in notice(tab))

    on(drive, script)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(drive: Drive, layout: Layout) -> None:
    printed(layout, b"x\n").chmod(0)

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "Permission denied" in notice(tab))

    on(drive, script)
