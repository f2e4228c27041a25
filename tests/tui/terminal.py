"""The terminal UI as a process in a pseudo-terminal, and the screen that a person would see."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

from store.layout import Layout
from tests.tui.driver.judge import Judge

PATIENCE_SECONDS = 30.0
UNTOLD = ("COLUMNS", "LINES", "TMUX", "STY", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "PYTHONUTF8", "PYTHONIOENCODING")
"""What the terminal that the tests run in says of itself."""


class Terminal:
    """Starts the program at once; ``close`` ends it."""

    def __init__(self, layout: Layout, state: Path, *, size: tuple[int, int] = (80, 24), **variables: str) -> None:
        self.judge = Judge(*size)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.written = b""
        self.state = state
        told = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "XDG_STATE_HOME": str(state), **variables}
        environment = {name: value for name, value in os.environ.items() if name not in UNTOLD} | told
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            command = [sys.executable, "-m", "workbench.tui", str(layout.root)]
            os.execve(sys.executable, command, environment)

    def press(self, keys: str) -> None:
        """Type keys, all in one piece."""
        os.write(self.file, keys.encode())

    def resize(self, width: int, height: int) -> None:
        """Have another size, as a window that is dragged."""
        self.judge = Judge(width, height)
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds: float = 0.0) -> bool:
        """Take what was written; False when nothing came."""
        if not select.select([self.file], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.file, 1 << 16)
        except OSError:
            return False
        self.written += data
        self.judge.feed(self.decoder.decode(data))
        return bool(data)

    def until(self, condition: Callable[[str], object]) -> str:
        """Read what the program writes until the screen shows it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(shown := "\n".join(self.judge.lines())):
            assert time.monotonic() < deadline, shown
            self.read(0.1)
        return shown

    def crashes(self) -> list[str]:
        """What the program kept of errors of its own."""
        return [file.read_text() for file in (self.state / "workbench").glob("crash-*.txt")]

    def leave(self) -> int:
        """Leave by the key for it; the exit status."""
        self.press("q")
        return self.ended()

    def ended(self) -> int:
        """Wait until the program has ended; the exit status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self.read(0.1)
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it did not end")

    def close(self) -> None:
        """End the program, if it has not ended."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.file)
