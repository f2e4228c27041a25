"""An editor of several lines, for a document or a command, without a cursor that blinks."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import TextArea


class WritingArea(TextArea):
    """Textual's, which leaves escape and the arrows at its edges to what is around it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "undo", "Undo", show=False, id="text.undo"),
        Binding("ctrl+y", "redo", "Redo", show=False, id="text.redo"),
    ]

    def __init__(self, text: str = "", **options: Any) -> None:
        super().__init__(text, compact=True, highlight_cursor_line=False, **options)
        self.cursor_blink = False
        self.indent_width = 2
        self.match_cursor_bracket = False


class DocumentEditor(WritingArea):
    """Writes a whole document: with line numbers, and tab indents."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text, show_line_numbers=True, tab_behavior="indent")

    def go_to(self, line: int, column: int = 1) -> None:
        """Put the cursor to a place, counted from 1."""
        row = max(0, min(line - 1, self.document.line_count - 1))
        self.move_cursor((row, max(0, min(column - 1, len(self.document.get_line(row))))), center=True)
