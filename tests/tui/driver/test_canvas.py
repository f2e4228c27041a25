"""The cells that changed make the same screen as all that Textual writes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.driver.judge import Judge
from workbench.tui.driver.canvas import Canvas
from workbench.tui.driver.clusters import clusters, is_certain
from workbench.tui.driver.output import Erasing
from workbench.tui.driver.pen import PLAIN, change, change_for_blank, changed, on_blanks

WIDTH, HEIGHT = 60, 12
STYLES = (
    *("0", "1", "3", "4", "7", "9", "2;3", "1;7;31", "31;44", "38;5;12;48;2;1;2;3", "48;2;9;9;9", "3;48;2;9;9;9"),
    *("1;38;2;10;20;30", "1;4;91;101", "38;2;1;2;3;48;2;9;9;9"),
)
TEXTS = ("a", "b", "xyz", " ", "     ", " " * 20, "漢字", "é", "e\u0301", "가", "─", "█", "⠿", "\u0627\u0644", "😀")
ERASING = (Erasing(), Erasing(coloured=True), Erasing(inside=True), Erasing(coloured=True, inside=True))


def strip(chance: random.Random, width: int) -> str:
    """Segments that fill so many cells, as Textual renders them."""
    parts = ""
    while width > 0:
        text = chance.choice(TEXTS) * chance.randint(1, 4)
        while cell_len(text) > width:
            text = text[:-1]
        text = text or " "
        width -= cell_len(text)
        parts += f"\x1b[{chance.choice(STYLES)}m{text}\x1b[0m" if chance.random() < 0.8 else text
    return parts


def frame(chance: random.Random, width: int, height: int) -> str:
    """All lines, or some pieces; then the cursor's place."""
    if chance.random() < 0.3:
        body = "\n".join(f"\x1b[{y + 1};1H{strip(chance, width)}" for y in range(height))
    else:
        body = ""
        for _ in range(chance.randint(1, 5)):
            x, y = chance.randrange(width), chance.randrange(height)
            body += f"\x1b[{y + 1};{x + 1}H{strip(chance, chance.randint(1, width - x))}"
    return f"{body}\x1b[{chance.randint(1, height)};{chance.randint(1, width)}H"


@pytest.mark.parametrize("seed", range(8))
def test_random_frames_give_the_same_screen(seed: int) -> None:
    chance, erasing = random.Random(seed), ERASING[seed % 4]
    plain = Judge(WIDTH, HEIGHT)
    ours = Judge(WIDTH, HEIGHT, coloured=erasing.coloured)
    canvas = Canvas(WIDTH, HEIGHT, erasing=erasing)
    for number in range(300):
        for _ in range(chance.choice((1, 1, 1, 3))):  # frames that come while the line is slow count as one
            written = frame(chance, WIDTH, HEIGHT)
            plain.feed(written)
            canvas.apply(written)
        ours.feed(canvas.difference())
        assert ours.seen() == plain.seen(), f"frame {number}"


@pytest.mark.parametrize("seed", range(3))
def test_a_new_size_and_a_screen_that_others_wrote_on_are_painted_anew(seed: int) -> None:
    chance = random.Random(seed)
    canvas = Canvas(WIDTH, HEIGHT)
    ours = Judge(WIDTH, HEIGHT)
    for _ in range(60):
        width, height = chance.randint(5, 90), chance.randint(2, 30)
        if chance.random() < 0.5:
            ours = Judge(width, height)
            canvas.resize(width, height)
        else:
            ours.feed("\x1b[31mgarbage\x1b[2;2H" * 5 + "\x1b[m")
            canvas.forget()
        plain = Judge(canvas.width, canvas.height)
        written = "\n".join(f"\x1b[{y + 1};1H{strip(chance, canvas.width)}" for y in range(canvas.height)) + "\x1b[1;1H"
        plain.feed(written)
        canvas.apply(written)
        ours.feed(canvas.difference())
        assert ours.seen() == plain.seen()


def test_nothing_is_written_when_nothing_changed() -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    written = frame(random.Random(1), WIDTH, HEIGHT)
    canvas.apply(written)
    assert canvas.difference()
    canvas.apply(written)
    assert canvas.difference() == ""


def test_one_cell_costs_a_few_bytes() -> None:
    canvas = Canvas(80, 24)
    canvas.apply(
        "\n".join(f"\x1b[{y + 1};1H\x1b[38;2;1;2;3;48;2;4;5;6m{'x' * 80}\x1b[0m" for y in range(24)) + "\x1b[1;1H"
    )
    canvas.difference()
    canvas.apply("\x1b[12;40H\x1b[38;2;1;2;3;48;2;4;5;6my\x1b[0m\x1b[1;1H")
    assert len(canvas.difference()) < 60


def test_blanks_to_the_end_of_a_line_are_erased() -> None:
    canvas = Canvas(80, 2)
    canvas.apply(f"\x1b[1;1H{'x' * 80}\x1b[1;1H")
    canvas.difference()
    canvas.apply(f"\x1b[1;1H{' ' * 80}\x1b[1;1H")
    assert canvas.difference() == "\x1b[K"


def test_a_hyperlink_survives_and_ends() -> None:
    canvas = Canvas(20, 1)
    canvas.apply("\x1b[1;1H\x1b]8;id=1;https://example.org\x1b\\\x1b[4mhere\x1b[0m\x1b]8;;\x1b\\ now\x1b[1;1H")
    written = canvas.difference()
    assert written.count("\x1b]8;id=1;https://example.org\x1b\\") == 1
    assert written.index("here") < written.index("\x1b]8;;\x1b\\") < written.index("now")


ODD = ("👩\u200d🚀", "☺\ufe0f", "😀", "\u0627\u0644", "क\u094dष", "e\u0301", "\ue0b0", "⌚")


@pytest.mark.parametrize("cells", [1, 2, 4])
def test_what_has_no_certain_width_harms_nothing_beside_it(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terminals that draw such clusters in one, two or four cells show all else where it belongs."""
    monkeypatch.setattr("pyte.screens.wcwidth", lambda character: 1 if is_certain(character) else cells)
    chance = random.Random(cells)
    canvas = Canvas(WIDTH, 1, erasing=ERASING[3])
    terminal = Judge(WIDTH, 1)
    margin = " " * 10  # where there is no room to the right, such a cluster harms what is to its left
    for _ in range(400):
        x = chance.randrange(WIDTH)
        text = "".join(chance.choice((*ODD, "abc", "  ", "x")) for _ in range(chance.randint(1, 8)))
        canvas.apply(f"\x1b[1;{x + 1}H\x1b[{chance.choice(STYLES)}m{text}\x1b[0m\x1b[1;{WIDTH - 9}H{margin}\x1b[1;1H")
        terminal.feed(canvas.difference())
        for at, wanted in enumerate(canvas.wanted[0][0]):
            if wanted.isascii() and wanted:
                assert terminal.screen.buffer[0][at].data == wanted


def test_a_mark_that_comes_in_another_style_stays_with_its_letter() -> None:
    canvas = Canvas(20, 1)
    canvas.apply("\x1b[1;1He\x1b[1m\u0301x\x1b[0m\x1b[1;1H")
    assert canvas.wanted[0][0][:3] == ["e\u0301", "x", " "]


def test_letters_of_east_asia_need_no_moves() -> None:
    canvas = Canvas(40, 1)
    canvas.apply("\x1b[1;1H漢字かな交じり文\x1b[1;1H")
    assert "漢字かな交じり文" in canvas.difference()


def test_no_control_character_reaches_the_terminal() -> None:
    canvas = Canvas(20, 1)
    canvas.apply("\x1b[1;1Ha\x07b\x00c\x9bd\u202ee\xa0f\x1b[1;1H")
    written = canvas.difference()
    assert not {"\x07", "\x00", "\x9b", "\u202e", "\xa0"} & set(written)
    assert "abcde f" in written


parameters = st.lists(st.sampled_from([*STYLES, "22", "23", "24", "27", "39", "49", "21", "53"]), max_size=4)


@given(parameters, parameters)
def test_the_shortest_change_of_pen_is_right(first: list[str], second: list[str]) -> None:
    before, after = PLAIN, PLAIN
    for each in first:
        before = changed(before, each)
    for each in second:
        after = changed(after, each)
    told = change(before, after)
    pen = before
    for piece in told.split("m"):
        if piece:
            pen = changed(pen, piece.removeprefix("\x1b["))
    assert (pen.attributes, pen.foreground, pen.background) == (after.attributes, after.foreground, after.background)
    assert len(told) <= max(3, len(change(PLAIN, after)) + 2)


@given(parameters, st.sampled_from(STYLES))
def test_a_blank_looks_as_it_should(first: list[str], second: str) -> None:
    before = PLAIN
    for each in first:
        before = changed(before, each)
    blank = on_blanks(changed(PLAIN, second))
    told, after = change_for_blank(before, blank)
    assert on_blanks(after) is blank
    assert told == change(before, after)


@given(st.text(st.one_of(st.characters(exclude_categories=["Cc"]), st.sampled_from("".join(ODD))), max_size=30))
def test_clusters_are_as_wide_as_textual_takes_them_to_be(text: str) -> None:
    found = list(clusters(text))
    assert all(width in (0, 1, 2) for _, width in found)
    assert sum(width for _, width in found) == cell_len(text)
