"""The line that ``/`` opens over a log."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from store.log_search import REGULAR


class LogSearch(Input):
    """Hidden until it is opened; goes again with enter or escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "search", id="log.search_enter"),
        Binding("escape", "give_up", "give up", id="log.search_give_up"),
        Binding("ctrl+t", "regular", "regular expression", id="log.search_regular"),
        Binding("up", "recall(1)", "Searched before", show=False, id="log.search_up"),
        Binding("down", "recall(-1)", "Searched after", show=False, id="log.search_down"),
    ]

    class Typed(Message):
        """The text is another."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The line is gone: ``text`` is to be searched for, None not."""

        def __init__(self, text: str | None) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(placeholder="text, or re: and a regular expression (ctrl+t)")
        self.cursor_blink = False
        self.display = False
        self._earlier: list[str] = []
        self._recalled = 0

    def open(self) -> None:
        """Show the line, empty."""
        with self.prevent(Input.Changed):
            self.value = ""
        self._recalled = 0
        self.display = True
        self.screen.set_focus(self, scroll_visible=False)  # at once: keys that follow are for it

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Tell what was typed."""
        event.stop()
        if self.display:
            self.post_message(self.Typed(self.value))

    async def action_submit(self) -> None:
        """Search for what was typed; for what was searched for last, where nothing was."""
        text = self.value or (self._earlier[0] if self._earlier else "")
        if text:
            self._earlier = [text, *(each for each in self._earlier if each != text)]
        self._leave(text or None)

    def action_give_up(self) -> None:
        """Back to the log as it was."""
        self._leave(None)

    def action_regular(self) -> None:
        """A regular expression, or a text as it stands."""
        regular = self.value.startswith(REGULAR)
        self.value = self.value.removeprefix(REGULAR) if regular else f"{REGULAR}{self.value}"
        self.cursor_position = len(self.value)

    def action_recall(self, steps: int) -> None:
        """What was searched for before."""
        self._recalled = max(0, min(self._recalled + steps, len(self._earlier)))
        self.value = self._earlier[self._recalled - 1] if self._recalled else ""
        self.cursor_position = len(self.value)

    def on_blur(self, _event: events.Blur) -> None:
        if self.display and self.app.app_focus:
            self._leave(None)

    def _leave(self, text: str | None) -> None:
        if self.display:
            self.display = False
            self.post_message(self.Left(text))
