"""Search in the Log tab of a job, the first error, and lines by their number."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from tests.tui.conftest import Drive, until
from tests.tui.logged import current, numbered, on, printed, shown, status, typed
from workbench.tui.job.log import LogTab
from workbench.tui.job.log_search_line import LogSearch

pytestmark = pytest.mark.usefixtures("no_agent")


def test_search_shows_while_typing_and_goes_both_ways(drive: Drive, layout: Layout) -> None:
    printed(layout, numbered(30000))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await pilot.press("g")
        await until(pilot, lambda: shown(tab)[0] == "line 00000")
        await typed(pilot, "LINE")
        assert tab.view.pattern is not None and tab.view.pattern.spans("line") == []
        await pilot.press(*["backspace"] * 4, *"0777")
        await pilot.press("enter")
        await until(pilot, lambda: current(tab) == "line 00777")
        assert tab.view.has_focus and not tab.view.follow

        async def leads_to(key: str, wanted: str) -> None:
            await pilot.press(key)
            await until(pilot, lambda: current(tab) == f"line {wanted}")

        for number in ("07770", "07771"):
            await leads_to("n", number)
        for number in ("07770", "00777", "20777"):
            await leads_to("N", number)
        await leads_to("n", "00777")
        assert "0777: 1/13" in status(tab) and "from the beginning" in status(tab)
        await pilot.press("escape")
        assert tab.view.pattern is None and "0777" not in status(tab)
        assert tab.is_attached

    on(drive, script)


def test_from_the_end_the_nearest_before_is_found(drive: Drive, layout: Layout) -> None:
    printed(layout, numbered(30000))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await typed(pilot, "re:0{3}1$")
        await pilot.press("enter")
        await until(pilot, lambda: current(tab) == "line 20001")
        await pilot.press("N")
        await until(pilot, lambda: current(tab) == "line 10001")

    on(drive, script)


def test_what_is_not_there_and_what_is_no_expression(drive: Drive, layout: Layout) -> None:
    printed(layout, numbered(100))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await typed(pilot, "nowhere")
        await pilot.press("enter")
        await until(pilot, lambda: "nowhere: not found" in status(tab))
        await typed(pilot, "(")
        assert "expression" not in status(tab)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "no regular expression: missing )" in status(tab))
        await pilot.press("escape")
        assert "nowhere" in status(tab)
        await typed(pilot, "")
        await pilot.press("up")
        assert tab.query_one(LogSearch).value == "nowhere"

    on(drive, script)


def test_what_is_printed_later_is_found_too(drive: Drive, layout: Layout) -> None:
    log = printed(layout, b"a hit\n")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await typed(pilot, "hit")
        await pilot.press("enter")
        await until(pilot, lambda: "hit: 1/1" in status(tab))
        with log.open("ab") as file:
            file.write(b"another hit\n")
        await until(pilot, lambda: "hit: 1/2" in status(tab))
        await pilot.press("n")
        await until(pilot, lambda: current(tab) == "another hit")

    on(drive, script)


def test_the_first_error_is_a_key_away(drive: Drive, layout: Layout) -> None:
    trouble = b'Traceback (most recent call last):\n  File "t.py", line 1\nValueError: no\n'
    printed(layout, numbered(500) + b"mean error: 0.5\n" + trouble + numbered(3000) + b"Killed\n")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await pilot.press("E")
        await until(pilot, lambda: current(tab).startswith("Traceback"))
        await pilot.press("n")
        await until(pilot, lambda: current(tab) == "ValueError: no")
        await pilot.press("n")
        await until(pilot, lambda: current(tab) == "Killed")
        assert "errors: 3/3" in status(tab)

    on(drive, script)


def test_without_an_error_it_says_so(drive: Drive, layout: Layout) -> None:
    printed(layout, numbered(10))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await pilot.press("E")
        await until(pilot, lambda: any("No line tells" in str(each.message) for each in tab.app._notifications))
        assert not tab.searcher.active

    on(drive, script)


def test_an_expression_that_backtracks_without_end_holds_up_nothing(layout: Layout, drive: Drive) -> None:
    slow = b"a" * 60 + b"!\n"
    printed(layout, slow + numbered(20_000), status="Completed")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await pilot.press("slash", "r", "e")
        tab.query_one(LogSearch).value = "re:(a+)+$"
        await pilot.press("enter")
        await until(pilot, lambda: "takes too long" in status(tab))
        assert not tab.searcher.active
        await pilot.press("g")  # the slow line is on the screen now
        await until(pilot, lambda: shown(tab)[0].startswith("aaa"))
        await pilot.press("slash")
        tab.query_one(LogSearch).value = "re:(a+)+$"
        await until(pilot, lambda: "takes too long" in status(tab))
        tab.query_one(LogSearch).value = "re:line 0001[35]"
        await pilot.press("enter")
        await until(pilot, lambda: "1/2" in status(tab))
        assert tab.view.current_line is not None and tab.view.text_of(tab.view.current_line) == "line 00013"

    on(drive, script)


def test_a_line_is_shown_by_its_number(layout: Layout, drive: Drive) -> None:
    printed(layout, numbered(30_000, start=1), status="Completed")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        for number in (12_345, 3, 30_000, 1):
            await pilot.press("colon", *str(number), "enter")
            await until(pilot, lambda: tab.view.current_line is not None)
            await until(pilot, lambda number=number: f"line {number:05d}" in text_of_current(tab))  # type: ignore[misc]
        await pilot.press("ctrl+g", *"99999", "enter")
        await until(pilot, lambda: "line 30000" in text_of_current(tab))
        assert "no line 99,999: the log has 30,000" in [each.message for each in tab.app._notifications]

    on(drive, script)


def text_of_current(tab: LogTab) -> str:
    line = tab.view.current_line
    return tab.view.text_of(line) if line is not None else ""
