"""``ctrl+o``: a label beside everything that can take the focus; its letter goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.widgets import Static

from workbench.tui.widgets.dialog import Dialog

LETTERS = "asdfghjklqwertzuiopyxcvbnm"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a label stands, and what its letter does."""

    offset: Offset
    go: Callable[[], object]


class Jump(Dialog[Target | None]):
    """Shows the labels and waits for one key."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "leave", id="jump.close")]

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self.targets = dict(zip(LETTERS, targets, strict=False))

    def compose(self) -> ComposeResult:
        for letter, target in self.targets.items():
            label = Static(f" {letter} ", classes="jump-label")
            label.absolute_offset = target.offset
            label.styles.offset = target.offset
            yield label

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.dismiss(self.targets.get(event.character or ""))
