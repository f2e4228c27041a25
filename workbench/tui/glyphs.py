"""Signs for states and marks: a shape and a word beside every colour, in ASCII where the terminal has nothing else."""

from __future__ import annotations

import codecs
import locale
import os
from dataclasses import dataclass

STATES = {
    "NotStarted": "○",
    "Queued": "◌",
    "Preparing": "◔",
    "Running": "●",
    "Finalizing": "◕",
    "CancelRequested": "◍",
    "Completed": "✓",
    "Failed": "✗",
    "Canceled": "⊘",
}
ASCII_STATES = {
    "NotStarted": "o",
    "Queued": ".",
    "Preparing": ":",
    "Running": ">",
    "Finalizing": ">",
    "CancelRequested": "!",
    "Completed": "+",
    "Failed": "x",
    "Canceled": "-",
}
BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = ".:-=+*#@"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs of one kind of terminal."""

    states: dict[str, str]
    bars: str
    mark: str
    folded: str
    unfolded: str
    bullet: str
    rule: str
    ellipsis: str
    cursor: str
    data: str
    unicode: bool

    def state(self, status: str) -> str:
        """The sign of a job's state."""
        return self.states.get(status, "?")

    def bar(self, level: int) -> str:
        """A bar of one of eight levels, from 0."""
        return self.bars[max(0, min(7, level))]


UNICODE = Glyphs(STATES, BARS, "■", "▸", "▾", "•", "─", "…", "▌", "◆", True)
ASCII = Glyphs(ASCII_STATES, ASCII_BARS, "*", "+", "-", "*", "-", "~", "|", "#", False)


def glyphs(ascii_only: bool | None = None) -> Glyphs:
    """The signs that this terminal can draw; ``ascii_only`` decides it where it is given."""
    if ascii_only is None:
        ascii_only = not draws_unicode()
    return ASCII if ascii_only else UNICODE


def draws_unicode() -> bool:
    """Whether the locale is UTF-8 and the terminal is not the kernel's own, whose font has 512 signs (console(4))."""
    if os.environ.get("TERM") in ("linux", "dumb", "vt100", "vt220"):
        return False
    try:
        return codecs.lookup(locale.getencoding()).name == "utf-8"
    except LookupError:
        return False


def kind_of_state(status: str) -> str:
    """The colour group of a state: the variables ``$state-waiting``, ``-running``, ``-completed``, ..."""
    match status:
        case "Running" | "Preparing" | "Finalizing":
            return "running"
        case "Completed":
            return "completed"
        case "Failed":
            return "failed"
        case "Canceled" | "CancelRequested":
            return "canceled"
    return "waiting"
