"""The command palette: Textual's own, silent while nothing is typed, with its place and look given by a stylesheet."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.command import CommandInput, CommandList, CommandPalette, SearchIcon


class Palette(CommandPalette):
    """Commands to choose from by typing a part of their names."""

    def __init__(self, **options: Any) -> None:
        super().__init__(placeholder=options.pop("placeholder", "Command"), **options)

    def compose(self) -> ComposeResult:
        """As Textual composes it, without an emoji, and without a cursor that blinks: it would write 3 kB a second."""
        for widget in super().compose():
            if isinstance(widget, CommandInput):
                widget.cursor_blink = False
            elif isinstance(widget, SearchIcon):
                widget.icon = ">"
            yield widget

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close it once, as every dialog; what is still being found has no place any more."""
        self._cancel_gather_commands()
        return super().dismiss(result) if self in self.app.screen_stack else AwaitComplete()

    def _action_command_list(self, action: str) -> None:
        """As in Textual, which counts pages in lines that a list not painted yet does not have."""
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)
