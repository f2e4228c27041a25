"""What can be typed after ``:``: a section with a filter, a job's name, a theme, and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from workbench.tui.sections import SECTIONS, Section, named

WORDS = {
    "job": "open a job by name",
    "compare": "jobs side by side, by their names",
    "theme": "choose a theme",
    "help": "the keys that work here",
    "quit": "leave; work goes on",
}


@dataclass(frozen=True, slots=True)
class Command:
    """What was typed, understood: ``section`` with the ``argument`` for it, or one of ``WORDS``."""

    word: str
    argument: str
    section: Section | None = None


def parse(text: str) -> Command | str:
    """The command that a line means, or the answer to a line that means none."""
    word, _, argument = text.strip().removeprefix(":").strip().partition(" ")
    argument = argument.strip()
    if word in ("job", "compare") and argument:
        return Command(word, argument)
    if word.isdecimal() and not argument:
        return Command("line", word)
    if word in ("q", "quit", "exit", "q!"):
        return Command("quit", argument)
    if word in ("?", "help"):
        return Command("help", argument)
    if word == "theme":
        return Command("theme", argument)
    section = named(word)
    if section is not None:
        return Command(section.name, argument, section)
    return refusal(word, [*(each.name for each in SECTIONS), *WORDS])


def refusal(word: str, known: Sequence[str], what: str = "command") -> str:
    """What to say of a word that is no command, or no name of another kind."""
    close = get_close_matches(word, known, n=1)
    offer = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
    return f"no {what} {word!r}. {offer}"


def suggestion(text: str) -> str | None:
    """The first command that begins with what was typed."""
    if not text or " " in text:
        return None
    known = [*(section.name for section in SECTIONS), *WORDS]
    return next((word for word in known if word.startswith(text.casefold())), None)
