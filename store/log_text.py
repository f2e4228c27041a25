"""What a line of a log says on a terminal in the end: progress bars at their last state, no cursor movements."""

from __future__ import annotations

import re

ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    r"|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"  # titles and links
    r"|\x1b[ -/]*[0-~]"
)
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
BACKSPACES = re.compile(r"\x08+")

_NO_COLOUR = re.compile(rf"(?!\x1b\[[0-9;:]*m)(?:{ESCAPE.pattern}|\x1b)")
_TURNS = r"\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_HIDDEN = re.compile(rf"[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f-\x9f{_TURNS}]")
"""What moves a cursor or turns the writing round: a terminal would not stay within the line."""
_HIDDEN_IN_LINES = re.compile(rf"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f{_TURNS}]")


def last_state(data: bytes) -> bytes:
    """Of a line, what stood there last: ``\\r`` and backspaces begin it anew, a blank state does not count."""
    data = data.rstrip(b"\r\n")
    if b"\r" not in data and b"\x08" not in data:
        return data
    states = data.replace(b"\x08", b"\r").split(b"\r")
    return next((state for state in reversed(states) if plain_text(state).strip()), b"")


def coloured(data: bytes) -> str:
    """The text of a line at its last state, with the escape sequences for colours and no others."""
    text = last_state(data).decode("utf-8", "replace")
    if "\x1b" in text:
        text = _NO_COLOUR.sub("", text)
    return _HIDDEN.sub("", text)


def plain(data: bytes) -> str:
    """The text of a line at its last state."""
    return plain_text(last_state(data))


def plain_text(data: bytes, keep: str = "") -> str:
    """Bytes as text, without what moves the cursor or colours it; ``keep`` may be the end of line."""
    text = data.decode("utf-8", "replace")
    if "\x1b" in text:
        text = ESCAPE.sub("", text).replace("\x1b", "")
    return (_HIDDEN_IN_LINES if keep else _HIDDEN).sub("", text)
