"""A list of facts under headings: each can be copied, and some lead somewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

KEY_WIDTH = 16
LONGEST_VALUE = 4000


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value; ``target`` is where enter leads, ``style`` how the value is drawn."""

    title: str
    value: str
    target: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the facts behind it are about."""

    title: str


Entry = Fact | Heading


class FactList(OptionList):
    """Facts that the cursor walks over. Painted anew only where they differ."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "open", id="facts.open"),
        Binding("j", "cursor_down", "Down", show=False, id="list.down"),
        Binding("k", "cursor_up", "Up", show=False, id="list.up"),
        Binding("g", "first", "First", show=False, id="list.first"),
        Binding("G", "last", "Last", show=False, id="list.last"),
    ]

    class Opened(Message):
        """A fact that leads somewhere was opened."""

        def __init__(self, fact: Fact) -> None:
            super().__init__()
            self.fact = fact

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.entries: tuple[Entry, ...] = ()
        self._laid_out: tuple[tuple[Entry, ...], int] | None = None

    @property
    def fact(self) -> Fact | None:
        """The fact under the cursor."""
        entry = self.entries[self.highlighted] if self.highlighted is not None else None
        return entry if isinstance(entry, Fact) else None

    def take(self, entries: Sequence[Entry]) -> None:
        """Show other facts; the cursor stays at its place."""
        self.entries = tuple(entries)
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0 or self._laid_out == (self.entries, width):
            return
        at, top = self.highlighted, self.scroll_offset.y
        self._laid_out = (self.entries, width)
        self.clear_options()
        self.add_options([self._option(entry, width) for entry in self.entries])
        facts = [index for index, entry in enumerate(self.entries) if isinstance(entry, Fact)]
        if facts:
            self.highlighted = at if at in facts else facts[0]
        self.scroll_to(y=top if at is not None else 0, animate=False, force=True)

    def _option(self, entry: Entry, width: int) -> Option:
        if isinstance(entry, Heading):
            return Option(Content.styled(entry.title, "bold $primary"), disabled=True)
        lines = lines_of(entry.value, max(8, width - KEY_WIDTH - 2))
        told = [
            Content.assemble(
                (f"  {entry.title[: KEY_WIDTH - 3]:<{KEY_WIDTH - 2}}", "$text-muted"), (lines[0], entry.style)
            )
        ]
        told += [Content.assemble(" " * KEY_WIDTH, (line, entry.style)) for line in lines[1:]]
        return Option(Content("\n").join(told))

    def on_resize(self, _event: events.Resize) -> None:
        self._lay_out()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        entry = self.entries[event.option_index]
        if isinstance(entry, Fact) and entry.target:
            self.post_message(self.Opened(entry))


def lines_of(value: str, width: int) -> list[str]:
    """A value in lines that fit; control characters are shown as blanks."""
    lines: list[str] = []
    for line in value[:LONGEST_VALUE].split("\n"):
        clean = "".join(character if character.isprintable() else " " for character in line)
        lines += [clean] if cell_len(clean) <= width else textwrap.wrap(clean, width, drop_whitespace=False) or [""]
    return lines or [""]
