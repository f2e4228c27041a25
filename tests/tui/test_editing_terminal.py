"""Editing in a real terminal: the UI steps aside for vim, and takes the screen again."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest

from store import database, jobs
from store.layout import Layout
from tests.many_jobs import add_job

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 30.0


class Screen(pyte.Screen):
    """Does without what vim asks of xterm alone."""

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        """Colours; the private form of the sequence is a question about keys."""
        if not private:
            super().select_graphic_rendition(*attributes)


class Terminal:
    """The program in a pseudo-terminal, and the screen that a person would see."""

    command: tuple[str, ...] = ()
    """What to start in place of the terminal UI."""

    def __init__(self, layout: Layout, **variables: str) -> None:
        self.screen = Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "WORKBENCH_SECTION": "jobs", **variables}
            command = list(self.command) or [sys.executable, "-m", "workbench.tui", str(layout.root)]
            os.execvpe(command[0], command, environment)
        self.resize(80, 24)

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        self.screen.resize(height, width)
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.file, keys.encode())

    def until(self, condition: Callable[[str], bool]) -> str:
        """Read what the program writes until the screen shows it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(shown := "\n".join(self.screen.display)):
            assert time.monotonic() < deadline, shown
            if select.select([self.file], [], [], 0.1)[0]:
                try:
                    self.stream.feed(os.read(self.file, 65536))
                except OSError:  # the program has left
                    assert condition("\n".join(self.screen.display)), shown
        return shown

    def close(self) -> None:
        os.kill(self.pid, signal.SIGHUP if self.command else signal.SIGTERM)  # a shell that one types into stays
        os.waitpid(self.pid, 0)
        os.close(self.file)


@pytest.mark.skipif(shutil.which("vim") is None, reason="this machine has no vim")
def test_vim_has_the_terminal_and_gives_it_back(layout: Layout, tmp_path: Path) -> None:
    document = {"type": "command", "command": "echo one"}
    add_job(layout, "first", document=document)
    terminal = Terminal(layout, VISUAL="vim -u NONE -N --cmd 'set ruler'", XDG_STATE_HOME=str(tmp_path / "state"))
    try:
        terminal.until(lambda shown: "first" in shown)
        terminal.press("e")
        before = terminal.until(
            lambda shown: "command: echo one" in shown and "1,1" in shown and "workbench" not in shown.splitlines()[0]
        )
        terminal.press("\x03")
        terminal.until(lambda shown: shown != before)  # vi says something of it; the UI behind it lives on
        terminal.press(":%s/one/two/\r")
        terminal.until(lambda shown: "command: echo two" in shown)
        terminal.press(":wq\r")
        terminal.until(lambda shown: "workbench" in shown.splitlines()[0] and "Log" in shown)
    finally:
        terminal.close()
    connection = database.connect(layout.database)
    newest = jobs.find(connection, jobs.Filter(), 1)[0]
    connection.close()
    assert newest.name != "first"
    assert newest.document["command"] == "echo two"
