"""The section rail: a column where there is room, else one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import events
from textual.content import Content
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from workbench.tui.sections import Section

if TYPE_CHECKING:
    from workbench.tui.themed_app import ThemedApp


class Rail(Widget):
    """Lists the sections with the digit that opens each; says which is shown."""

    current: reactive[str] = reactive("")

    class Chosen(Message):
        """A section was clicked."""

        def __init__(self, section: Section) -> None:
            super().__init__()
            self.section = section

    def __init__(self, sections: tuple[Section, ...]) -> None:
        super().__init__()
        self.sections = sections

    @property
    def vertical(self) -> bool:
        """Whether it is a column."""
        return self.size.height > 1

    def render(self) -> Content:
        """One entry a line, or all in one line; the shown one also has a mark, not a colour alone."""
        return Content("\n" if self.vertical else "").join(self._entries())

    def _entries(self) -> list[Content]:
        """Where they do not fit into a line, the others have their keys alone: the shown one is always in sight."""
        told = [self._entry(number, section) for number, section in enumerate(self.sections, 1)]
        width = self.size.width or 999  # there is none before the first layout
        if self.vertical or sum(each.cell_length for each in told) <= width + 1:
            return told
        return [self._entry(number, section, short=True) for number, section in enumerate(self.sections, 1)]

    def _entry(self, number: int, section: Section, *, short: bool = False) -> Content:
        shown = section.name == self.current
        style = "$rail-current-style" if shown else ""
        key = cast("ThemedApp", self.app).key_of(f"app.section.{section.name}", str(number))
        room = max(4, self.size.width - 3 - len(key)) if self.vertical else 99
        title = "" if short and not shown else f" {section.title[:room]}"
        text = f"{'>' if shown else ' '}{key}{title}"
        text = text.ljust(self.size.width) if self.vertical else f"{text} "
        return Content.styled(text, "bold $primary" if style else "$foreground-muted")

    def entry_at(self, x: int, y: int) -> Section | None:
        """The section at a place of the widget."""
        if self.vertical:
            return self.sections[y] if 0 <= y < len(self.sections) else None
        left = 0
        for section, entry in zip(self.sections, self._entries(), strict=True):
            if left <= x < left + entry.cell_length:
                return section
            left += entry.cell_length
        return None

    def jump_places(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Each section."""
        left = 0
        for number, (section, entry) in enumerate(zip(self.sections, self._entries(), strict=True)):
            go = partial(self.post_message, self.Chosen(section))
            if self.vertical:
                yield Offset(0, number), go
            else:
                yield Offset(left, 0), go
                left += entry.cell_length

    def on_click(self, event: events.Click) -> None:
        section = self.entry_at(event.x, event.y)
        if section is not None:
            self.post_message(self.Chosen(section))
