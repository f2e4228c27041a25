"""``ctrl+z`` leads to the shell and ``fg`` back; where no shell waits nothing is stopped."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from textual.pilot import Pilot

from store.layout import Layout
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from tests.tui.test_editing_terminal import Terminal
from workbench.tui.app import WorkbenchApp


class Shell(Terminal):
    """A shell that controls jobs, in a terminal."""

    command = ("bash", "--norc", "-i")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="this machine has no bash")
def test_the_shell_has_the_terminal_until_fg(layout: Layout, tmp_path: Path) -> None:
    add_job(layout, "first")
    exported = {"COLUMNS": "80", "LINES": "24"}  # as some shells do: they say nothing of a size that changed since
    shell = Shell(layout, XDG_STATE_HOME=str(tmp_path / "state"), PS1="", **exported)
    try:
        shell.press(f"{shlex.join([sys.executable, '-m', 'workbench.tui', str(layout.root)])}\r")
        shell.until(lambda shown: "first" in shown and "filter" in shown)
        shell.press("\x1a")
        shell.until(lambda shown: "Stopped" in shown)
        shell.press("clear; echo it has $((6 * 7))\r")
        shell.until(lambda shown: "it has 42" in shown)
        shell.resize(100, 30)
        shell.press("fg\r")
        shell.until(lambda shown: "first" in shown and "it has" not in shown and " open" in shown.splitlines()[-1])
        shell.press("?")
        shell.until(lambda shown: "Here" in shown)
    finally:
        shell.close()


def test_where_no_shell_waits_it_is_said(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getsid", lambda pid: pid)  # the parent is of another session

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+z")
        await until(pilot, lambda: any("no shell" in str(each.message) for each in app._notifications))

    drive(script)
