"""The line that ``:`` opens: a section, a command, and what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from workbench.tui.completion import completed

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


class CommandSuggester(Suggester):
    """Completes commands and what stands behind them."""

    def __init__(self, line: CommandLine) -> None:
        super().__init__(use_cache=False, case_sensitive=True)  # a text in lower case would come with its command
        self.line = line

    async def get_suggestion(self, value: str) -> str | None:
        """The likeliest line that begins so."""
        return await completed(cast("WorkbenchApp", self.line.app), value) if value else None


class CommandLine(Input):
    """Hidden until it is opened; goes again with enter or escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "go", id="command.go"),
        Binding("escape", "leave", "close", id="command.leave"),
        Binding("tab", "complete", "complete", id="command.complete"),
    ]

    class Entered(Message):
        """A command was entered."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(
            placeholder="jobs failed · job NAME · theme NAME · quit",
            suggester=CommandSuggester(self),
            select_on_focus=False,
        )
        self.cursor_blink = False
        self.display = False

    def open(self, text: str = "") -> None:
        """Show the line, with a text to go on from."""
        self.value = text
        self.display = True
        self.screen.set_focus(self, scroll_visible=False)  # at once: keys that follow are for it
        self.cursor_position = len(text)

    def action_leave(self) -> None:
        """Hide it again."""
        self.display = False
        view = getattr(self.screen, "view", None)
        if view is not None:
            view.focus_content()
        if self.screen.focused is self:  # a view that is still being made: what is typed is not for a hidden line
            self.screen.set_focus(None)

    async def action_complete(self) -> None:
        """Take what is suggested, or will be in a moment."""
        if self.suggester is not None and (line := await self.suggester.get_suggestion(self.value)):
            self.value = line
        self.action_end()

    async def action_submit(self) -> None:
        """Run what was typed."""
        text = self.value.strip()
        self.action_leave()
        if text:
            self.post_message(self.Entered(text))
