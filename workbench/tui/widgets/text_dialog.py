"""A longer text over what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from workbench.tui.widgets.dialog import Dialog
from workbench.tui.widgets.text_pane import Line, TextPane

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


class TextDialog(Dialog[None]):
    """Shows lines until it is closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss(None)", "close", id="text.close"),
        Binding("y", "copy", "copy", id="text.copy"),
    ]

    def __init__(self, title: str, lines: Sequence[Line]) -> None:
        super().__init__()
        self.text_title, self.lines = title, list(lines)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog text-dialog"):
            yield Static(self.text_title, classes="dialog-title", markup=False)
            yield TextPane()

    def on_mount(self) -> None:
        pane = self.query_one(TextPane)
        pane.show_lines(self.lines)
        pane.styles.height = min(len(self.lines) + 2, max(3, self.app.size.height - 8))
        pane.focus()

    def action_copy(self) -> None:
        """Copy the text."""
        cast("WorkbenchApp", self.app).copy_text(self.query_one(TextPane).text, self.text_title)
