"""The names of tabs in one line; the shown one is marked by more than its colour."""

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

if TYPE_CHECKING:
    from workbench.tui.themed_app import ThemedApp


class TabLine(Widget):
    """Titles with the key that opens each."""

    current: reactive[str] = reactive("")

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, tabs: dict[str, tuple[str, str]], keys: str = "job.tab") -> None:
        """``keys`` is what the ids of the keys that open them begin with."""
        super().__init__()
        self.tabs, self.keys = tabs, keys

    def render(self) -> Content:
        """One after the other."""
        return Content("").join(self._entries())

    def _entries(self) -> list[Content]:
        """Where they do not fit, the others have their keys alone: the shown one is always in sight."""
        told = [self._entry(name) for name in self.tabs]
        width = self.size.width or 999  # there is none before the first layout
        if sum(each.cell_length for each in told) <= width + 1:
            return told
        return [self._entry(name, short=True) for name in self.tabs]

    def _entry(self, name: str, *, short: bool = False) -> Content:
        title, usual = self.tabs[name]
        key = cast("ThemedApp", self.app).key_of(f"{self.keys}.{name}", usual)
        if name == self.current:
            return Content.styled(f" [{title}] ", "bold $primary")
        if short and key:
            return Content.styled(f" {key} ", "$accent")
        return Content.assemble((f"  {title}", "$foreground-muted"), (f" {key} " if key else "  ", "$accent"))

    def jump_places(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Each tab."""
        left = 0
        for name, entry in zip(self.tabs, self._entries(), strict=True):
            yield Offset(left, 0), partial(self.post_message, self.Chosen(name))
            left += entry.cell_length

    def on_click(self, event: events.Click) -> None:
        left = 0
        for name, entry in zip(self.tabs, self._entries(), strict=True):
            left += entry.cell_length
            if event.x < left:
                self.post_message(self.Chosen(name))
                return
