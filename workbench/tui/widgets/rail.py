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
        entries = [self._entry(number, section) for number, section in enumerate(self.sections, 1)]
        return Content("\n" if self.vertical else "").join(entries)

    def _entry(self, number: int, section: Section) -> Content:
        shown = section.name == self.current
        style = "$rail-current-style" if shown else ""
        key = cast("ThemedApp", self.app).key_of(f"app.section.{section.name}", str(number))
        room = max(4, self.size.width - 3 - len(key)) if self.vertical else 99
        text = f"{'>' if shown else ' '}{key} {section.title[:room]}"
        text = text.ljust(self.size.width) if self.vertical else f"{text} "
        return Content.styled(text, "bold $primary" if style else "$foreground-muted")

    def entry_at(self, x: int, y: int) -> Section | None:
        """The section at a place of the widget."""
        if self.vertical:
            return self.sections[y] if 0 <= y < len(self.sections) else None
        left = 0
        for number, section in enumerate(self.sections, 1):
            width = self._entry(number, section).cell_length
            if left <= x < left + width:
                return section
            left += width
        return None

    def jump_places(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Each section."""
        left = 0
        for number, section in enumerate(self.sections, 1):
            go = partial(self.post_message, self.Chosen(section))
            if self.vertical:
                yield Offset(0, number - 1), go
            else:
                yield Offset(left, 0), go
                left += self._entry(number, section).cell_length

    def on_click(self, event: events.Click) -> None:
        section = self.entry_at(event.x, event.y)
        if section is not None:
            self.post_message(self.Chosen(section))
