"""What a terminal puts into one place: characters with the marks that follow them, and how wide it draws them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, east_asian_width

from rich.cells import cell_len, split_graphemes

JOINERS = "\u200d\ufe0e\ufe0f"
ONE_CELL_EACH = re.compile(
    r"[\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u0377\u0391-\u03a1\u0400-\u0482\u2500-\u25fc\u2800-\u28ff]*"
)
"""Letters and lines that make up nearly all of what is written; Textual gives each one cell, and so do terminals."""


def clusters(text: str) -> Iterator[tuple[str, int]]:
    """The clusters of a text and their widths in cells, which are those that Textual lays out with.

    Control characters are left out, and a blank of another kind is a blank. What belongs to a character before the
    text comes first, with no width.
    """
    drawn = "".join(map(_drawn, text))
    for start, end, width in split_graphemes(drawn)[0]:
        yield drawn[start:end], width


def _drawn(character: str) -> str:
    """What may go to the terminal for a character, as wide as Textual takes it to be."""
    if character.isprintable() or character in JOINERS:
        return character
    kind = category(character)
    if kind == "Zs":
        return " " * cell_len(character)
    if kind in ("Co", "Cn"):  # symbol fonts, and what is newer than this Python
        return character
    return "?" * cell_len(character)


def is_certain(cluster: str) -> bool:
    """Whether every terminal gives this cluster the width that Textual does.

    Not so where characters join (Arabic, India's scripts, marks, emoji) and where a font or a version of Unicode
    decides. Of wide ones only those of East Asia's scripts are certain.
    """
    return len(cluster) == 1 and (
        cluster < "\u0300"
        or "\u0370" <= cluster < "\u0483"
        or "\u1e00" <= cluster < "\u2000"
        or "\u2010" <= cluster < "\u2300"
        or "\u2500" <= cluster < "\u25fd"
        or "\u2800" <= cluster < "\u2900"
        or "\u2e80" <= cluster < "\ua4d0"
        or "\uac00" <= cluster < "\ud7a4"
        or "\uff01" <= cluster < "\uff61"
    )


def is_ambiguous(character: str) -> bool:
    """Whether a terminal set up for East Asia may draw two cells (UAX 11, class A)."""
    return east_asian_width(character) == "A"
