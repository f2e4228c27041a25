"""The line that ``/`` opens: narrows a list while one types, and says what it does not understand."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.timer import Timer
from textual.widgets import Input, Static

PAUSE_SECONDS = 0.15
"""How long the user has to stop before the list is narrowed."""
JOBS = "state:failed exp:iris metric.accuracy>0.9 since:2d tag:x=y text"


class FilterLine(Vertical):
    """An input and the answer to it; hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "give up", id="filter.give_up"),
        Binding("enter", "keep", "keep", id="filter.keep", priority=True),
        Binding("down", "keep", "Keep, and go down", show=False, id="filter.keep_down", priority=True),
    ]

    class Typed(Message):
        """The text changed, and the user paused."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The line is gone; ``text`` is what holds from now on."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        suggest: Callable[[str], str | None],
        placeholder: str = JOBS,
        fault: Callable[[str], str] = lambda _: "",
    ) -> None:
        """``fault`` tells what is wrong with a text: the line keeps one that means nothing, with that beside it."""
        super().__init__()
        self._suggest, self._placeholder, self._fault = suggest, placeholder, fault
        self._before = ""
        self._pause: Timer | None = None
        self.display = False

    def compose(self) -> ComposeResult:
        entry = Input(
            placeholder=self._placeholder,
            suggester=_Suggester(self._suggest),
            select_on_focus=False,  # one goes on from the filter that holds
        )
        entry.cursor_blink = False
        yield entry
        yield Static("", classes="filter-answer", markup=False)

    def open(self, text: str) -> None:
        """Show the line with the filter that holds."""
        self._before = text
        entry = self.query_one(Input)
        with self.prevent(Input.Changed):
            entry.value = text
        self.display = True
        self.screen.set_focus(entry, scroll_visible=False)  # at once: keys that follow are for it
        entry.cursor_position = len(text)

    def answer(self, text: str) -> None:
        """Say what is wrong with what was typed; nothing when all is well."""
        line = self.query_one(".filter-answer", Static)
        line.update(text)
        line.display = bool(text)

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Wait for a pause."""
        event.stop()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_SECONDS, self._typed)

    def _typed(self) -> None:
        if self.display:
            self.post_message(self.Typed(self.query_one(Input).value.strip()))

    def action_keep(self) -> None:
        """Go back to the list with what was typed, unless that means nothing."""
        text = self.query_one(Input).value.strip()
        if fault := self._fault(text):
            self.answer(fault)
        else:
            self._close(text)

    def action_give_up(self) -> None:
        """Go back to the list as it was."""
        self._close(self._before)

    def _close(self, text: str) -> None:
        if self._pause is not None:
            self._pause.stop()
        self.display = False
        self.answer("")
        self.post_message(self.Closed(text))


class _Suggester(Suggester):
    def __init__(self, suggest: Callable[[str], str | None]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._suggest = suggest

    async def get_suggestion(self, value: str) -> str | None:
        """What the text may become."""
        return self._suggest(value)
