"""The end of a log, as a person would have seen it on a terminal."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from store.log_text import BACKSPACES, CONTROL, ESCAPE

LIMIT = 64 << 10
LINES = 20
WIDTH = 300


@dataclass(frozen=True, slots=True)
class Tail:
    """The last lines of a log; ``complete`` when they are all there are."""

    lines: tuple[str, ...] = ()
    complete: bool = True

    def shown(self) -> list[str]:
        """The last few lines, without blank ones at the ends, cut to a width that a screen can hold."""
        kept = squeeze(self.lines)[-LINES:]
        while kept and not kept[0].strip():
            kept.pop(0)
        return [line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in kept]


def read_tail(log: Path, limit: int = LIMIT) -> Tail:
    """Read at most the last ``limit`` bytes of a log; empty when there is none or it is no regular file."""
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return Tail()
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Tail()
        start = max(0, status.st_size - limit)
        data = os.pread(descriptor, limit, start)
    except OSError:
        return Tail()
    finally:
        os.close(descriptor)
    return Tail(tuple(clean(data if start == 0 else from_line_start(data))), complete=start == 0)


def from_line_start(data: bytes) -> bytes:
    """Drop the line that the beginning was cut off; kept when there is no other."""
    for mark in (b"\n", b"\r"):
        _, found, rest = data.partition(mark)
        if found and rest.strip():
            return rest
    return data


def clean(data: bytes) -> list[str]:
    """Lines of text: progress bars at their last state, no escape sequences, no control characters."""
    lines = data.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [clean_line(line) for line in lines]


def clean_line(line: str) -> str:
    """One line as the terminal would show it in the end."""
    states = BACKSPACES.sub("\r", ESCAPE.sub("", line)).split("\r")
    last = next((state for state in reversed(states) if state.strip()), "")
    return CONTROL.sub("", last.replace("\t", "    ")).rstrip()


def squeeze(lines: tuple[str, ...]) -> list[str]:
    """The lines without those blank at the end, and runs of blank ones as one."""
    kept: list[str] = []
    for line in lines:
        if line.strip() or (kept and kept[-1].strip()):
            kept.append(line)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept
