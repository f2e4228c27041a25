"""What ``NO_COLOR`` leaves of a screen (no-color.org): letters, weights, and reversed video for what stood out."""

from __future__ import annotations

from functools import lru_cache
from math import inf

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import LineFilter

STANDS_OUT = 1.4
"""A ground of such a contrast to the screen's is reversed: panels stay below it, cursors and selections above."""
UNSEEN, FAINT = 1.15, 3.0
"""A sign of less contrast to its ground is part of it; one of less than the second is dim."""
BRIGHT_BLACK = 8


class WithoutColour(LineFilter):
    """Takes the colours away and keeps what they meant; Textual's own filters do either, by the first theme alone."""

    def __init__(self, background: str) -> None:
        """``background`` is the screen's, as a theme gives it."""
        super().__init__()
        self._ground = TextualColor.parse(background).rich_color

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        """The segments without colours."""
        return [self._bare(text, style) for text, style, _ in segments]

    def _bare(self, text: str, style: Style | None) -> Segment:
        if style is None:
            return Segment(text)
        bare, unseen = _without(style, self._ground)
        return Segment(" " * Segment(text).cell_length if unseen else text, bare)


@lru_cache(maxsize=4096)
def _without(style: Style, ground: Color) -> tuple[Style, bool]:
    """A style without colours, and whether its letters were of the colour of their ground."""
    ink, paper = style.color, style.bgcolor if _is_given(style.bgcolor) else ground
    if style.reverse:
        ink, paper = paper, ink
    stands_out = _contrast(paper, ground) >= STANDS_OUT
    contrast = _contrast(ink, paper) if _is_given(ink) else inf
    faint = contrast < FAINT or (ink is not None and ink.number == BRIGHT_BLACK)
    bare = Style(color="default", bgcolor="default", reverse=stands_out, dim=faint and not stands_out)
    return style + bare, contrast < UNSEEN


@lru_cache
def without_colour(background: str) -> WithoutColour:
    """The one filter for a background: lines are kept by the filters that they went through."""
    return WithoutColour(background)


def _is_given(color: Color | None) -> bool:
    return color is not None and not color.is_default


def _contrast(one: Color | None, other: Color | None) -> float:
    """The contrast of two colours (WCAG 2.1); one of the terminal's own differs from all but itself."""
    if one is not None and other is not None and one.triplet and other.triplet:
        darker, lighter = sorted((_luminance(one.triplet), _luminance(other.triplet)))
        return (lighter + 0.05) / (darker + 0.05)
    return 1.0 if one == other else inf


def _luminance(colour: ColorTriplet) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
