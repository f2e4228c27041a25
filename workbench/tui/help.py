"""``?``: the keys that work here, made from the same table as the bindings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from workbench.tui.view import View
from workbench.tui.widgets.dialog import Dialog
from workbench.tui.widgets.key_hints import how_common


class Help(Dialog[None]):
    """Every active key, first those of the view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close", id="help.close"),
        Binding("question_mark", "dismiss", "Close", id="app.help", show=False),  # closed by the key that opened it
        Binding("j", "scroll(1)", "Down", show=False, id="help.down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="help.up"),
    ]

    def __init__(self, groups: list[tuple[str, list[tuple[str, str]]]]) -> None:
        super().__init__()
        self.groups = groups

    def compose(self) -> ComposeResult:
        width = max((len(key) for _, rows in self.groups for key, _ in rows), default=0)
        lines: list[Content] = []
        for title, rows in self.groups:
            lines.append(Content.styled(title, "bold"))
            lines += [
                Content.assemble((f"  {key:<{width}}  ", "$accent"), f"{text[:1].upper()}{text[1:]}")
                for key, text in rows
            ]
            lines.append(Content(""))
        with Vertical(classes="dialog wide"):
            yield Static("Keys", classes="dialog-title")
            with VerticalScroll():
                yield Static(Content("\n").join(lines))

    def action_scroll(self, lines: int) -> None:
        """Move the list."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def groups(screen: Screen[object]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The keys of a screen by where they work: in this view or everywhere; as in the line of hints, then the rest."""
    sorted_out: dict[str, dict[str, tuple[list[str], str]]] = {"Here": {}, "Everywhere": {}}
    for active in _told(screen.active_bindings.values()):
        place = "Here" if any(isinstance(node, View) for node in active.node.ancestors_with_self) else "Everywhere"
        keys, _ = sorted_out[place].setdefault(active.binding.action, ([], active.binding.description))
        display = screen.app.get_key_display(active.binding)
        if display not in keys:
            keys.append(display)
    return [
        (place, [(" ".join(keys), text) for keys, text in rows.values()]) for place, rows in sorted_out.items() if rows
    ]


def _told(bindings: Iterable[ActiveBinding]) -> list[ActiveBinding]:
    """Those that have a description and are ours: what Textual gives any widget that scrolls is not worth a line."""
    told = [each for each in bindings if each.binding.description and each.binding.id and each.enabled]
    return sorted(told, key=lambda each: (not each.binding.show, how_common(each.binding.id or "")))
