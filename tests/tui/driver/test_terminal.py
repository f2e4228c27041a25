"""A Textual program in a pseudo-terminal: the same screens as with Textual's driver, and a terminal left as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.driver.judge import Judge

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 30.0
QUIET_SECONDS = 0.4
KEYS = ("\x1b[B", "\x1b[B\x1b[B\x1b[6~", "t", "t", "\x10", "qui", "\x1b", "b", "t", "s", "\x1b[B")


class Program:
    """The program under test, and what it wrote so far."""

    def __init__(self, driver: str, size: tuple[int, int]) -> None:
        self.judge = Judge(*size)
        self.bytes = b""
        self.process, self.master = pty.fork()
        if self.process == 0:
            root = str(Path(__file__).parents[3])
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": root}
            os.execve(sys.executable, [sys.executable, str(Path(__file__).parent / "hello.py"), driver], environment)
        self.before = termios.tcgetattr(self.master)
        self.resize(*size)

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds: float) -> bool:
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            return False
        self.bytes += data
        self.judge.feed(data.decode("utf-8", "replace"))
        return bool(data)

    def settle(self) -> None:
        """Read until nothing comes any more."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and self.read(QUIET_SECONDS):
            pass

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not any(text in line for line in self.judge.screen.display):
            assert time.monotonic() < until, "\n".join(self.judge.screen.display)
            self.read(0.1)

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())
        self.settle()

    def wait(self) -> int:
        """The exit status, once it has one."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            self.read(0.05)
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process:
                self.process = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it did not end")

    def close(self) -> None:
        os.close(self.master)
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)


@pytest.fixture
def start() -> Iterator[Any]:
    running: list[Program] = []

    def begin(driver: str, size: tuple[int, int] = (80, 24)) -> Program:
        running.append(Program(driver, size))
        running[-1].wait_for("Quit")
        running[-1].settle()
        return running[-1]

    yield begin
    for program in running:
        program.close()


def test_every_screen_is_the_same_as_with_textuals_driver(start: Any) -> None:
    ours, plain = start("cells"), start("textual")
    assert ours.judge.seen() == plain.judge.seen()
    for keys in KEYS:
        ours.press(keys)
        plain.press(keys)
        assert ours.judge.seen() == plain.judge.seen(), repr(keys)
    assert len(ours.bytes) < len(plain.bytes) / 3


def test_a_new_size_is_painted_anew(start: Any) -> None:
    program = start("cells")
    for size in ((100, 30), (60, 15), (61, 15), (60, 15)):
        program.judge = Judge(*size)
        program.resize(*size)
        program.settle()
        fresh = start("cells", size)
        assert program.judge.screen.display == fresh.judge.screen.display


def test_the_terminal_is_left_as_it_was(start: Any) -> None:
    program = start("cells")
    os.write(program.master, b"q")
    assert program.wait() == 0
    assert termios.tcgetattr(program.master)[:4] == program.before[:4]
    assert program.bytes.rindex(b"\x1b[?1049l") > program.bytes.rindex(b"\x1b[?1049h")
    assert program.bytes.rindex(b"\x1b[?25h") > program.bytes.rindex(b"\x1b[?25l")
    assert b"Traceback" not in program.bytes


def test_a_terminal_that_goes_away_ends_the_program(start: Any) -> None:
    program = start("cells")
    os.close(program.master)
    program.master = os.open(os.devnull, os.O_RDWR)
    until = time.monotonic() + PATIENCE_SECONDS
    while not os.waitpid(program.process, os.WNOHANG)[0]:
        assert time.monotonic() < until, "it goes on without a terminal"
        select.select([], [], [], 0.05)
    program.process = 0
