"""What is copied reaches the user's clipboard: in tmux by its buffer, elsewhere by OSC 52."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui.conftest import Drive
from workbench.tui.app import WorkbenchApp


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A tmux server of this test alone, in which it seems to run."""
    if shutil.which("tmux") is None:
        pytest.skip("this machine has no tmux")
    socket = tmp_path / "tmux"
    command = ["tmux", "-S", str(socket), "-f", os.devnull]
    subprocess.run([*command, "new-session", "-d", "sleep 60"], check=True)
    monkeypatch.setenv("TMUX", f"{socket},1,0")
    yield command
    subprocess.run([*command, "kill-server"], check=False)


def test_in_tmux_the_buffer_has_it(tmux: list[str], layout: Layout, drive: Drive) -> None:
    add_job(layout, "calm_fox")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2", "y", "n")
        assert app.clipboard == "calm_fox"
        assert subprocess.run([*tmux, "show-buffer"], capture_output=True, text=True).stdout == "calm_fox"
        app.copy_to_clipboard("a selection")  # as of a selection in a text
        assert subprocess.run([*tmux, "show-buffer"], capture_output=True, text=True).stdout == "a selection"

    drive(script)


def test_elsewhere_the_terminal_is_told(layout: Layout, drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    add_job(layout, "calm_fox")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        await pilot.press("2", "y", "n")
        app.copy_to_clipboard("")  # nothing takes the place of what was copied
        assert app.clipboard == "calm_fox"
        return [text for text in written if "]52;" in text]

    assert drive(script) == [f"\x1b]52;c;{base64.b64encode(b'calm_fox').decode()}\a"]
