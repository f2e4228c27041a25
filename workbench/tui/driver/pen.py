"""How a cell is drawn, and the shortest way from one way of drawing to another (ECMA-48 SGR, ISO 8613-6 colours)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

OFF = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 6: 25, 7: 27, 8: 28, 9: 29, 21: 24, 51: 54, 52: 54, 53: 55}
"""What switches each attribute off; some share it."""
SHOWN_ON_BLANKS = frozenset({4, 7, 9, 21, 51, 52, 53})
"""Attributes that one sees where there is no letter."""


@dataclass(frozen=True, slots=True)
class Pen:
    """Attributes by their SGR numbers, colours as the parameters that choose them, and a hyperlink (OSC 8)."""

    attributes: frozenset[int] = frozenset()
    foreground: str = ""
    background: str = ""
    link: str = ""

    @property
    def plain_blank(self) -> bool:
        """Whether a blank drawn so is nothing but background."""
        return not self.link and not self.attributes & SHOWN_ON_BLANKS


PLAIN = Pen()


@lru_cache(maxsize=8192)
def on_blanks(pen: Pen) -> Pen:
    """The part of a pen that one sees on a blank: its background alone, unless lines or a link show the rest."""
    return _shared(Pen(background=pen.background)) if pen.plain_blank else pen


@lru_cache(maxsize=8192)
def changed(pen: Pen, parameters: str) -> Pen:
    """The pen after an SGR sequence with these parameters."""
    attributes, foreground, background = set(pen.attributes), pen.foreground, pen.background
    numbers = iter((parameters or "0").split(";"))
    for text in numbers:
        number = int(text.partition(":")[0] or 0)
        if number == 0:
            attributes, foreground, background = set(), "", ""
        elif number in (38, 48, 58):
            colour = text if ":" in text else _colour(text, numbers)
            if number == 38:
                foreground = colour
            elif number == 48:
                background = colour
        elif number in OFF:
            attributes.add(number)
        elif number in OFF.values():
            attributes = {each for each in attributes if OFF[each] != number}
        elif number == 39:
            foreground = ""
        elif number == 49:
            background = ""
        elif 30 <= number <= 37 or 90 <= number <= 97:
            foreground = text
        elif 40 <= number <= 47 or 100 <= number <= 107:
            background = text
    return _shared(Pen(frozenset(attributes), foreground, background, pen.link))


@lru_cache(maxsize=1024)
def linked(pen: Pen, link: str) -> Pen:
    """The pen with another hyperlink; none where it is empty."""
    return _shared(Pen(pen.attributes, pen.foreground, pen.background, link))


@lru_cache(maxsize=8192)
def change(before: Pen, after: Pen) -> str:
    """The shortest sequence that turns one pen into another."""
    link = f"\x1b]8;{after.link or ';'}\x1b\\" if before.link != after.link else ""
    if (before.attributes, before.foreground, before.background) == (
        after.attributes,
        after.foreground,
        after.background,
    ):
        return link
    anew = _sgr(["", *_whole(after)])
    step = _sgr(_steps(before, after))
    return link + min(step, anew, key=len)


@lru_cache(maxsize=8192)
def change_for_blank(before: Pen, blank: Pen) -> tuple[str, Pen]:
    """The shortest sequence after which a blank looks as it should, and the pen that it leaves.

    Letters' colour and weight may stay for the letters that follow.
    """
    if before.plain_blank and blank.plain_blank:
        kept = _shared(Pen(before.attributes, before.foreground, blank.background))
        step = change(before, kept)
        if len(step) <= len(change(before, blank)):
            return step, kept
    return change(before, blank), blank


def _sgr(parameters: list[str]) -> str:
    return f"\x1b[{';'.join(parameters)}m"


def _whole(pen: Pen) -> list[str]:
    return [*map(str, sorted(pen.attributes)), *filter(None, (pen.foreground, pen.background))]


def _steps(before: Pen, after: Pen) -> list[str]:
    """Only what differs: attributes off, attributes on, colours."""
    gone = {OFF[each] for each in before.attributes - after.attributes}
    kept = {each for each in before.attributes & after.attributes if OFF[each] not in gone}
    steps = [*map(str, sorted(gone)), *map(str, sorted(after.attributes - kept))]
    if before.foreground != after.foreground:
        steps.append(after.foreground or "39")
    if before.background != after.background:
        steps.append(after.background or "49")
    return steps


def _colour(first: str, numbers: object) -> str:
    """The rest of a colour: ``38;5;N`` or ``38;2;R;G;B``."""
    kind = next(numbers, "")  # type: ignore[call-overload]
    count = {"5": 1, "2": 3}.get(kind, 0)
    return ";".join([first, kind, *(next(numbers, "0") for _ in range(count))])  # type: ignore[call-overload]


_pens: dict[Pen, Pen] = {PLAIN: PLAIN}


def _shared(pen: Pen) -> Pen:
    """The one object for equal pens, so that rows are compared by identity."""
    return _pens.setdefault(pen, pen)
