"""The command palette: Textual's own, silent while nothing is typed, with its place and look given by a stylesheet."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.command import CommandInput, CommandPalette, SearchIcon


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
