"""The names of tabs in one line; the shown one is marked by more than its colour."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class TabLine(Widget):
    """Titles with the key that opens each."""

    current: reactive[str] = reactive("")

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, tabs: dict[str, tuple[str, str]]) -> None:
        super().__init__()
        self.tabs = tabs

    def render(self) -> Content:
        """One after the other."""
        return Content("").join([self._entry(name) for name in self.tabs])

    def _entry(self, name: str) -> Content:
        title, key = self.tabs[name]
        if name == self.current:
            return Content.styled(f" [{title}] ", "bold $primary")
        return Content.assemble((f"  {title}", "$foreground-muted"), (f" {key} " if key else "  ", "$accent"))

    def on_click(self, event: events.Click) -> None:
        left = 0
        for name in self.tabs:
            left += self._entry(name).cell_length
            if event.x < left:
                self.post_message(self.Chosen(name))
                return
