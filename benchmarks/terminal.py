"""A program in a pseudo-terminal of our own: keys go in, and what it writes is timed, counted and emulated (pyte)."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from pathlib import Path

import pyte

QUIET_SECONDS = 0.12
"""A screen that has said nothing for so long is painted."""
ANSWER_SECONDS = 1.0
"""So long a key is waited for: after Esc alone Textual waits 0.1 s for the rest of a sequence."""
MORE_SECONDS = 0.001
"""What comes so soon after is one piece."""
TOLD = 3
"""Lines with something in them that make a first picture."""


class Terminal:
    """Starts the program at once; ``close`` ends it."""

    def __init__(self, command: list[str], size: tuple[int, int], environment: dict[str, str]) -> None:
        self.screen = pyte.Screen(*size)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = 0
        self.began = self.arrived = time.monotonic()
        self.process, self.master = pty.fork()
        if self.process == 0:
            os.execvpe(command[0], command, {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def read(self, seconds: float) -> bool:
        """Take all that was written; False when nothing came within so many seconds."""
        parts: list[bytes] = []
        while select.select([self.master], [], [], MORE_SECONDS if parts else seconds)[0]:
            try:
                data = os.read(self.master, 1 << 16)
            except OSError as error:
                if error.errno == errno.EIO:
                    break
                raise
            if not data:
                break
            self.arrived = time.monotonic()
            parts.append(data)
        # Emulating takes longer than writing: meanwhile the program would wait for room in the terminal.
        self.bytes += sum(map(len, parts))
        self.stream.feed(b"".join(parts))
        return bool(parts)

    def first_paint(self, limit: float = 30.0) -> float:
        """Seconds from the start until there is a picture."""
        while time.monotonic() - self.began < limit:
            self.read(0.05)
            if sum(bool(line.strip()) for line in self.screen.display) >= TOLD:
                return time.monotonic() - self.began
        raise TimeoutError("no picture")

    def settle(self, quiet: float = QUIET_SECONDS, limit: float = 30.0) -> float:
        """Wait until nothing comes any more; the time of the last byte."""
        until = time.monotonic() + limit
        while time.monotonic() < until and self.read(quiet):
            pass
        return self.arrived

    def wait_for(self, text: str, limit: float = 60.0) -> None:
        """Wait until a text stands on the screen."""
        until = time.monotonic() + limit
        while not any(text in line for line in self.screen.display):
            if time.monotonic() > until:
                raise TimeoutError(f"{text!r} did not appear:\n" + "\n".join(self.screen.display))
            self.read(0.05)

    def press(self, keys: str, text: str = "", quiet: float = QUIET_SECONDS) -> tuple[float, int]:
        """Send keys; seconds to the last byte that they caused, and how many bytes; no seconds and none where nothing
        answers. Where a text is given, seconds until it stands on the screen; all is counted that comes until quiet.
        """
        before, sent = self.bytes, time.monotonic()
        os.write(self.master, keys.encode())
        if not self.read(ANSWER_SECONDS):
            return 0.0, 0
        if text:
            self.wait_for(text)
        shown = self.arrived
        last = self.settle(quiet)
        return (shown if text else last) - sent, self.bytes - before

    def rest(self, seconds: float) -> int:
        """Bytes that are written while nobody does anything."""
        before, until = self.bytes, time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.read(left)
        return self.bytes - before

    def resident_mb(self) -> float:
        """Resident memory of the program."""
        for line in Path(f"/proc/{self.process}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def cpu_seconds(self) -> float:
        """Processor time that it took so far."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the program as a lost connection does."""
        os.kill(self.process, signal.SIGHUP)
        os.close(self.master)
        os.waitpid(self.process, 0)
