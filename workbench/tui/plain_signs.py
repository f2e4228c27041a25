"""What stands for the signs that a terminal cannot draw: each as wide as what it stands for."""

from __future__ import annotations

import codecs
import locale
import os
import unicodedata
from functools import lru_cache

from rich.cells import split_graphemes
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

STAND_INS = {
    **dict.fromkeys("─━╌╍┄┅┈┉═╴╶╸╺▁▂▔", "-"),
    **dict.fromkeys("│┃╎╏┆┇┊┋║╵╷▏▎▍▌▐▕", "|"),
    **dict.fromkeys("█▇▆▅▄▃▀▉▊▋▓▒■▬", "#"),
    **dict.fromkeys("░·•∙", "."),
    **dict.fromkeys("←‹◀", "<") | dict.fromkeys("→›▶▸", ">") | dict.fromkeys("↑▲", "^") | dict.fromkeys("↓▼▾", "v"),
    **dict.fromkeys("“”„", '"') | dict.fromkeys("‘’‚", "'") | dict.fromkeys("–—−", "-"),
    **dict(zip("…⏎×✓✗●○", "~<xvxoo", strict=True)),
}
BOX, BRAILLE = range(0x2500, 0x2580), range(0x2800, 0x2900)


class PlainSigns(LineFilter):
    """Gives every line signs that this terminal can draw. Another one would show codes, and wider than laid out."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with other signs where they have to be."""
        if all(segment.text.isascii() for segment in segments):
            return segments
        letters = drawn_letters()
        return [Segment(plain(text, letters), style, control) for text, style, control in segments]


def plain(text: str, letters: str) -> str:
    """A text in ASCII and what of an encoding's letters a terminal draws."""
    if text.isascii():
        return text
    return "".join(_plain(text[start:end], width, letters) for start, end, width in split_graphemes(text)[0])


def drawn_letters() -> str:
    """The encoding whose letters this terminal draws: the locale's; of all of Unicode, only those of Latin 1."""
    try:
        name = codecs.lookup(locale.getencoding()).name
    except LookupError:
        return "ascii"
    return ("latin-1" if os.environ.get("TERM") == "linux" else "ascii") if name == "utf-8" else name


@lru_cache(maxsize=4096)
def _plain(sign: str, width: int, letters: str) -> str:
    """For a sign with the marks on it."""
    if sign.isascii() or not width:
        return sign if sign.isascii() else ""
    if (known := STAND_INS.get(sign)) is not None:
        return known * width
    if ord(sign[0]) in BOX:
        return "+" * width
    if ord(sign[0]) in BRAILLE:
        return " " if sign == "\u2800" else "*"
    if _is_letter_of(letters, sign) and width == 1:
        return sign
    bare = unicodedata.normalize("NFKD", sign)[0]
    return bare if bare.isascii() and bare.isprintable() and width == 1 else "?" * width


def _is_letter_of(letters: str, sign: str) -> bool:
    try:
        return len(sign.encode(letters)) == 1
    except UnicodeEncodeError:
        return False
