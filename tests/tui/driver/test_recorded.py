"""What Textual really writes: programs are steered by keys, and their frames go to both screens."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from textual.app import App
from textual.driver import Driver
from textual.pilot import Pilot

from tests.tui.driver.hello import Hello
from tests.tui.driver.judge import Judge
from workbench.tui.driver.canvas import Canvas
from workbench.tui.driver.cell_driver import FRAME
from workbench.tui.driver.output import Erasing

pytestmark = pytest.mark.slow
KEYS = (
    *("down", "down", "pagedown", "end", "right", "t", "pageup", "t", "ctrl+p", "q", "u", "escape"),
    *("tab", "tab", "b", "t", "ctrl+p", "down", "escape", "home", "t", "b"),
)


class Recorder(Driver):
    """Keeps what is written; there is no terminal."""

    written: list[str]

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.written = []

    def write(self, data: str) -> None:
        self.written.append(data)

    def start_application_mode(self) -> None:
        pass

    def stop_application_mode(self) -> None:
        pass

    def disable_input(self) -> None:
        pass


def recorded(size: tuple[int, int]) -> list[str]:
    """The frames of a session."""
    app = Hello(driver_class=Recorder)

    async def steer(pilot: Pilot[None]) -> None:
        for key in KEYS:
            await pilot.press(key)
            await pilot.pause()
        app.exit()

    asyncio.run(app.run_async(headless=False, size=size, auto_pilot=steer))
    driver = app._driver
    assert isinstance(driver, Recorder)
    return [each for each in driver.written if FRAME.match(each)]


@pytest.mark.parametrize(
    ("colours", "size", "erasing"),
    [
        ("truecolor", (40, 10), Erasing(coloured=True, inside=True)),
        ("none", (40, 10), Erasing(inside=True)),
        ("256color", (80, 24), Erasing(coloured=True)),
        ("truecolor", (120, 40), Erasing()),
    ],
)
def test_recorded_frames_give_the_same_screen_in_fewer_bytes(
    colours: str, size: tuple[int, int], erasing: Erasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor" if colours == "truecolor" else "")
    if colours == "none":
        monkeypatch.setenv("NO_COLOR", "1")
    frames = recorded(size)
    assert len(frames) > len(KEYS) / 2
    chance = random.Random(1)
    plain, ours = Judge(*size), Judge(*size, coloured=erasing.coloured)
    canvas = Canvas(*size, erasing=erasing)
    written = 0
    for frame in frames:
        plain.feed(frame)
        canvas.apply(frame)
        if chance.random() < 0.7:  # the others come while the line is slow
            text = canvas.difference()
            written += len(text.encode())
            ours.feed(text)
            assert ours.seen() == plain.seen()
    assert written < sum(len(each.encode()) for each in frames) / 2
