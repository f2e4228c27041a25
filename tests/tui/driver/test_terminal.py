"""A Textual program in a pseudo-terminal: the same screens as with Textual's driver, and a terminal left as it was."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.driver.judge import Judge

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 30.0
QUIET_SECONDS = 0.4
KEYS = ("\x1b[B", "\x1b[B\x1b[B\x1b[6~", "t", "t", "\x10", "qui", "\x1b", "b", "t")


class Program:
    """The program under test, and what it wrote so far."""

    def __init__(self, driver: str, size: tuple[int, int], deaf: bool) -> None:
        self.judge = Judge(*size)
        self.bytes = b""
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.process, self.master = pty.fork()
        if self.process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, _winsize(*size))
            signal.signal(signal.SIGHUP, signal.SIG_IGN if deaf else signal.SIG_DFL)
            root = str(Path(__file__).parents[3])
            told = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": root}
            untold = {"COLUMNS", "LINES", "TMUX", "STY", "NO_COLOR"}
            environment = {name: value for name, value in os.environ.items() if name not in untold} | told
            os.execve(sys.executable, [sys.executable, str(Path(__file__).parent / "hello.py"), driver], environment)
        self.before = termios.tcgetattr(self.master)

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, _winsize(width, height))

    def read(self, seconds: float) -> bool:
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            return False
        self.bytes += data
        self.judge.feed(self.decoder.decode(data))
        return bool(data)

    def settle(self) -> None:
        """Read until nothing comes any more."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and self.read(QUIET_SECONDS):
            pass

    def wait_for(self, text: str) -> None:
        self.wait_until(lambda: any(text in line for line in self.judge.lines()))

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < until, "\n".join(self.judge.lines())
            self.read(0.1)

    def wait_until_same(self, other: Program) -> None:
        """Both show the same, whichever is the slower."""
        self.wait_until(lambda: not other.read(0) and self.judge.seen() == other.judge.seen())

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())
        self.settle()

    def wait(self) -> int:
        """The exit status, once it has one."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            if self.master >= 0:
                self.read(0.05)
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process:
                self.process = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it did not end")

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)


def _winsize(width: int, height: int) -> bytes:
    return struct.pack("HHHH", height, width, 0, 0)


@pytest.fixture
def start() -> Iterator[Any]:
    running: list[Program] = []

    def begin(driver: str, size: tuple[int, int] = (80, 24), *, deaf: bool = False) -> Program:
        running.append(Program(driver, size, deaf))
        running[-1].wait_for("Quit")
        running[-1].settle()
        return running[-1]

    yield begin
    for program in running:
        program.close()


def test_every_screen_is_the_same_as_with_textuals_driver(start: Any) -> None:
    ours, plain = start("cells"), start("textual")
    ours.wait_until_same(plain)
    for keys in KEYS:
        ours.press(keys)
        plain.press(keys)
        ours.wait_until_same(plain)
    assert len(ours.bytes) < len(plain.bytes) / 3
    for program in (ours, plain):
        program.bytes = b""
        program.press("s")
        program.wait_until(lambda program=program: b"another program was here" in program.bytes)
        program.wait_until(lambda program=program: b"\x1b[?7l" in program.bytes)
    ours.wait_until_same(plain)


def test_a_new_size_is_painted_anew(start: Any) -> None:
    program = start("cells")
    for size in ((100, 30), (60, 15), (61, 15), (60, 15)):
        program.judge = Judge(*size)
        program.judge.feed("\x1b[?25l")
        program.resize(*size)
        program.wait_until_same(start("cells", size))


def test_a_size_that_changes_and_changes_back_is_painted_anew(start: Any) -> None:
    """Textual sees no change then, but the terminal has lost the cells outside the smaller size."""
    program = start("cells")
    before = program.judge.seen()
    program.resize(50, 10)
    program.resize(80, 24)
    program.judge.screen.reset()
    program.judge.feed("\x1b[?7l\x1b[?25l")
    program.wait_until(lambda: program.judge.seen() == before)


def test_stopped_and_continued_it_paints_its_screen_again(start: Any) -> None:
    program = start("cells")
    before = program.judge.seen()
    os.write(program.master, b"z")
    until = time.monotonic() + PATIENCE_SECONDS
    while not os.waitpid(program.process, os.WNOHANG | os.WUNTRACED)[0]:
        assert time.monotonic() < until
        program.read(0.05)
    program.settle()
    assert termios.tcgetattr(program.master)[:4] == program.before[:4]
    assert "\x1b[?1049l" in program.bytes.decode()
    program.judge.feed("what a shell writes\r\n" * 5)
    os.kill(program.process, signal.SIGCONT)
    program.wait_until(lambda: program.judge.seen() == before)


def test_what_another_program_wrote_is_painted_over(start: Any) -> None:
    program = start("cells")
    before = program.judge.seen()
    program.judge.feed("\x1b[5;5H\x1b[31ma message to all\x1b[2J\x1b[m")
    program.press("r")
    program.wait_until(lambda: program.judge.seen() == before)


def test_what_draws_nothing_goes_through(start: Any) -> None:
    program = start("cells")
    sofar = len(program.bytes)
    program.press("y")
    assert program.bytes[sofar:] == b"\x1b]52;c;Y29waWVk\a\a"


def test_a_slow_line_gets_fewer_frames_and_the_newest(start: Any) -> None:
    quick, slow = start("cells"), start("cells")
    for program in (quick, slow):
        program.press("t")
        program.bytes = b""
    quick.press("b")
    os.write(slow.master, b"b")
    until = time.monotonic() + PATIENCE_SECONDS
    while not any("burst 299" in line for line in slow.judge.lines()):
        assert time.monotonic() < until
        slow.read(0.1)
        time.sleep(0.15)  # the line is slow
    slow.wait_until_same(quick)


@pytest.mark.parametrize("key", [b"q", b"c"])
def test_the_terminal_is_left_as_textual_leaves_it(start: Any, key: bytes) -> None:
    ends = []
    for driver in ("cells", "textual"):
        program = start(driver)
        os.write(program.master, key)
        status = program.wait()
        program.settle()
        assert termios.tcgetattr(program.master)[:4] == program.before[:4]
        written = program.bytes.decode()
        if key == b"c":
            assert "a defect" in written
        ends.append((status, re.findall(r"\x1b\[[?<>][\d;]*[a-z]", written[written.rindex("\x1b[?2004l") :])))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("deaf", [False, True])
def test_it_ends_with_its_terminal(start: Any, deaf: bool) -> None:
    """``deaf``: whoever started it ignores the hangup, as nohup does."""
    program = start("cells", deaf=deaf)
    os.close(program.master)
    program.master = -1
    assert program.wait() == (0 if deaf else -signal.SIGHUP)
