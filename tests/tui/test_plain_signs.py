"""Signs for terminals that cannot draw them all."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from tests.tui.odd_jobs import CHINESE, ODD
from workbench.tui.plain_signs import PlainSigns, drawn_letters, plain


@pytest.mark.parametrize("text", [*ODD, "╭──▁▄█──╮", "⣀⡇\u2800x", "…✓⏎"])
def test_a_stand_in_is_as_wide_as_what_it_stands_for(text: str) -> None:
    shown = plain(text, "ascii")
    assert shown.isascii()
    assert cell_len(shown) == cell_len(text)


def test_letters_that_the_terminal_has_stay() -> None:
    assert plain("Größe │ 猫", "latin-1") == "Größe | ??"
    assert plain("Größe", "ascii") == "Gro?e"


@pytest.mark.parametrize(
    ("kind", "encoding", "letters"),
    [("linux", "utf-8", "latin-1"), ("vt100", "utf-8", "ascii"), ("xterm", "ISO-8859-15", "iso8859-15")],
)
def test_the_letters_are_those_of_the_locale(
    monkeypatch: pytest.MonkeyPatch, kind: str, encoding: str, letters: str
) -> None:
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr("locale.getencoding", lambda: encoding)
    assert drawn_letters() == letters


def test_lines_in_ascii_are_left_alone() -> None:
    segments = [Segment("abc"), Segment("def")]
    assert PlainSigns().apply(segments, Color(0, 0, 0)) is segments
    assert PlainSigns().apply([Segment(CHINESE)], Color(0, 0, 0))[0].text == "?" * cell_len(CHINESE)
