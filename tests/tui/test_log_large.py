"""The Log tab of a job that printed a gigabyte: little is read, little is held."""

from __future__ import annotations

import tracemalloc

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from store.log_lines import OpenLog
from tests.tui.conftest import Drive, until
from tests.tui.logged import current, numbered, on, printed, shown, status, typed
from workbench.tui.job.log import LogTab

GIGABYTE = 1 << 30


pytestmark = pytest.mark.usefixtures("no_agent")


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is read of logs, in bytes."""
    found = [0]
    reading = OpenLog.read

    def read(log: OpenLog, start: int, end: int) -> bytes:
        data = reading(log, start, end)
        found[0] += len(data)
        return data

    monkeypatch.setattr(OpenLog, "read", read)
    return found


@pytest.mark.slow
def test_a_gigabyte_is_shown_searched_and_numbered_in_little_memory(
    drive: Drive, layout: Layout, bytes_read: list[int]
) -> None:
    log = printed(layout, numbered(1000))
    with log.open("r+b") as file:
        for place in (GIGABYTE // 2, GIGABYTE):
            file.seek(place)  # a hole between: zeros that take no room on the disk
            file.write(b"\n" + numbered(1000, start=place // GIGABYTE * 1000 + 1000))

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: shown(tab)[-1] == "line 02999")
        assert bytes_read[0] < 8 << 20, "far more was read than is shown"
        await pilot.press("g")
        await until(pilot, lambda: shown(tab)[0] == "line 00000")
        tab.view.scroll_to(y=tab.view.vertical_scrollbar.window_virtual_size / 3)
        await until(pilot, lambda: shown(tab)[0] == "" and "33%" in status(tab))
        assert bytes_read[0] < 24 << 20
        await pilot.press("G")
        await typed(pilot, "line 01500")
        await pilot.press("enter", "k")  # keys go on meanwhile
        assert tab.searcher.active
        await until(pilot, lambda: current(tab) == "line 01500")
        await until(pilot, lambda: "1/1" in status(tab))
        assert bytes_read[0] < GIGABYTE + (80 << 20)
        await pilot.press("number_sign", "G")
        await until(pilot, lambda: shown(tab)[-1].split() == ["3002", "line", "02999"])

    tracemalloc.start()
    try:
        on(drive, script)
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_a_progress_bar_without_end_opens_too(drive: Drive, layout: Layout, bytes_read: list[int]) -> None:
    log = printed(layout, b"begin\n")
    bar = b"".join(b"%3d%%|###     | %09d/s\r" % (number % 100, number) for number in range(40_000))
    with log.open("ab") as file:
        for _ in range(GIGABYTE // 8 // len(bar)):
            file.write(bar)
        file.write(b"100%|########|")

    async def script(tab: LogTab, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: shown(tab)[-1] == "100%|########|" or "100%|########|" in shown(tab))
        assert bytes_read[0] < 96 << 20
        await pilot.press("g")
        await until(pilot, lambda: shown(tab)[0] == "begin")

    on(drive, script)
