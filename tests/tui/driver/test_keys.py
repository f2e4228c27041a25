"""Escape and what is typed right after it, as a terminal sends them."""

from __future__ import annotations

import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key

from workbench.tui.driver.keys import BEGINNINGS, KeyParser


def typed(*pieces: str, is_typing: bool = False, taken: frozenset[str] = frozenset()) -> list[str]:
    """The keys that come of pieces of input, a pause after the last."""
    parser = KeyParser(is_typing=lambda: is_typing, taken=lambda: taken)
    found = [message for piece in pieces for message in parser.feed(piece)]
    if parser._timeout_time is not None:
        parser._timeout_time = 0.0  # the pause is over
        found += parser.tick()
    assert all(isinstance(message, Key) for message in found)
    return [message.key for message in found if isinstance(message, Key)]


@pytest.mark.parametrize("key", ["j", "3", "1", "-", "f", "b", "G"])
def test_a_key_right_after_escape_is_a_key(key: str) -> None:
    assert typed(f"\x1b{key}") == ["escape", *typed(key)]
    assert typed("\x1b", key) == ["escape", *typed(key)]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("\x1b\r", ["escape", "enter"]),
        ("\x1b\t", ["escape", "tab"]),
        ("\x1b ", ["escape", "space"]),
        ("\x1b[", ["escape", "left_square_bracket"]),
        ("\x1b]", ["escape", "right_square_bracket"]),
        ("\x1bj\x1b", ["escape", "j", "escape"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        ("\x1bjj\x1b[B", ["escape", "j", "j", "down"]),
    ],
)
def test_nothing_around_escape_is_lost(keys: str, told: list[str]) -> None:
    assert typed(keys) == told


@pytest.mark.parametrize(
    ("sent", "key"),
    [("\x1b[A", "up"), ("\x1bOP", "f1"), ("\x1b[15~", "f5"), ("\x1b[1;5C", "ctrl+right"), ("\x1b[120;3u", "alt+x")],
)
def test_sequences_of_a_terminal_are_what_they_were(sent: str, key: str) -> None:
    assert typed(sent) == [key]
    assert typed(*sent) == [key], "a byte at a time"


def test_a_key_with_alt_that_a_setting_gave_something_stays_one() -> None:
    assert typed("\x1bx", taken=frozenset({"alt+x"})) == ["alt+x"]
    assert typed("\x1b3", taken=frozenset({"alt+3"})) == ["alt+3"]
    assert typed("\x1b\r", taken=frozenset({"enter"})) == ["escape", "enter"]


@pytest.mark.parametrize(
    ("sent", "key"), [("\x1bb", "ctrl+left"), ("\x1bf", "ctrl+right"), ("\x1bd", "ctrl+f"), ("\x1b\x7f", "ctrl+w")]
)
def test_a_text_is_gone_through_by_words(sent: str, key: str) -> None:
    assert typed(sent, is_typing=True) == [key]
    assert typed(sent)[0] == "escape"


def test_a_line_feed_is_enter_unless_a_setting_gave_it_something() -> None:
    assert typed("\n") == ["enter"]
    assert typed("\x1b\n") == ["escape", "enter"]
    assert typed("\n", taken=frozenset({"ctrl+j"})) == ["ctrl+j"]


def test_the_console_says_shift_tab_by_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert typed("\x1b\t") == ["shift+tab"]


@given(st.text(alphabet=string.ascii_letters + string.digits + " \r\t\x1b", max_size=12))
def test_every_key_of_a_hurry_arrives(keys: str) -> None:
    """But those that can be the beginning of a terminal's own sequence."""
    if any(a == "\x1b" and b in BEGINNINGS for a, b in pairwise(keys)):
        keys = "".join(key for key in keys if key not in BEGINNINGS)
    assert typed(keys) == [name for key in keys for name in typed(key)]
