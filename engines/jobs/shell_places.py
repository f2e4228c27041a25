"""What a scan of a shell script finds: the places where expressions stand, and the text that has to change around them.

The scanned text carries one ``MARK`` for every expression. A command can't contain that character (it could not be
passed to a shell), so a mark is never mistaken for text, and a value can't influence the scan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

MARK = "\0"


class Place(Enum):
    """How the shell treats the text around an expression, which decides what may be written there."""

    BARE = auto()  # a word that may become several, or none
    WHOLE = auto()  # outside quotes, where the shell itself would not split: assignment, redirection, `case`, `[[ ]]`
    QUOTED = auto()  # double quotes, here-document, arithmetic
    SINGLE = auto()  # single quotes
    ANSI = auto()  # $'...'


class Need(Enum):
    """What the shell would evaluate there, so that only harmless values may stand there."""

    NUMBER = auto()
    NAME = auto()


class Piece(Enum):
    """Parts of a word that are no expression."""

    TEXT = auto()
    QUOTED = auto()
    EXPANSION = auto()  # the script's own, outside quotes
    GAP = auto()  # an unquoted blank inside `${...}`, where it does not end the word but still splits


@dataclass(slots=True, eq=False)
class Site:
    """One expression's place. ``start`` and ``end`` are offsets in the scanned text."""

    start: int
    end: int
    place: Place
    backticks: int
    need: Need | None = None
    refusal: str | None = None
    word: Word | None = None


@dataclass(slots=True, eq=False)
class Word:
    """The parts of a word in their order, for what splitting does to an expression's neighbours."""

    pieces: list[Site | Piece] = field(default_factory=list)
    in_braces: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """Text to put in place of ``start:end``; ``backticks`` tells how many levels of them it stands in."""

    start: int
    end: int
    text: str
    backticks: int

    def escaped(self) -> str:
        """Each level of backticks takes one level of backslashes away before it parses what is inside."""
        text = self.text
        for _ in range(self.backticks):
            text = text.replace("\\", "\\\\").replace("`", "\\`")
        return text


@dataclass(slots=True)
class Findings:
    """Everything that a scan has found so far. ``vanishing`` holds the offsets of marks whose value has no word."""

    vanishing: frozenset[int] = frozenset()
    sites: list[Site] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    not_arithmetic: set[tuple[int, int]] = field(default_factory=set)
    integers: set[str] = field(default_factory=set)
