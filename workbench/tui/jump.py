"""``ctrl+o``: a label beside every section, tab, row and pane in sight; typing it goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from workbench.tui.widgets.command_line import CommandLine
from workbench.tui.widgets.dialog import Dialog

LETTERS = "asdfghjklqwertzuiopyxcvbnm"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a label stands, and what typing it does."""

    offset: Offset
    go: Callable[[], object]


def targets_of(screen: Screen[Any]) -> list[Target]:
    """All that one can jump to: what a widget names as its ``jump_places``, else whatever can take the focus."""
    found: list[Target] = []
    for widget in screen.query("*"):
        if not widget.region.area or isinstance(widget, CommandLine):
            continue
        places = list(places()) if (places := getattr(widget, "jump_places", None)) is not None else []
        for offset, go in places:
            found.append(Target(widget.content_region.offset + offset, _going(widget, go)))
        if not places and widget.focusable:
            found.append(Target(widget.region.offset, widget.focus))
    seen = {target.offset: target for target in reversed(found)}
    return [target for target in found if seen[target.offset] is target]


def _going(widget: Widget, go: Callable[[], object]) -> Callable[[], object]:
    def both() -> None:
        if widget.focusable:
            widget.focus()
        go()

    return both


def labels(count: int) -> list[str]:
    """So many labels, one letter each where there are enough of those; none is the beginning of another."""
    letters = len(LETTERS)
    firsts = max(0, -(-(count - letters) // (letters - 1)))
    firsts = min(firsts, letters)
    singles = LETTERS[: letters - firsts]
    pairs = [first + second for first in LETTERS[letters - firsts :] for second in LETTERS]
    return [*singles, *pairs][:count]


class Jump(Dialog[Target | None]):
    """Shows the labels and waits for one to be typed; any other key leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "leave", id="jump.close")]

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self.targets = dict(zip(labels(len(targets)), targets, strict=False))
        self.typed = ""

    def compose(self) -> ComposeResult:
        for label, target in self.targets.items():
            shown = Static(label, classes="jump-label", name=label)
            shown.styles.offset = target.offset
            shown.styles.width = len(label)
            yield shown

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.typed += event.character or " "
        rest = [label for label in self.targets if label.startswith(self.typed)]
        if self.typed in self.targets or not rest:
            self.dismiss(self.targets.get(self.typed))
            return
        for shown in self.query(".jump-label"):
            shown.display = shown.name in rest
