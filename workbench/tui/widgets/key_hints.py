"""The footer: the keys that work here, those that matter most first, as many as fit, and how to see the rest."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from workbench.tui.view import View

COMMON = frozenset(f"job.{name}" for name in ("new", "run_again", "edit", "cancel", "archive", "copy", "compare"))
"""What is done to jobs is done by the same keys everywhere: these give way to the keys of the place."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A key and what it does."""

    key: str
    text: str
    leads_out: bool = False


NONE = Hint("", "")
MORE = "more"


def how_common(name: str, first: frozenset[str] = frozenset()) -> int:
    """How far behind a key stands: ``first``, those of the place, what is done to jobs, what works everywhere."""
    if name in first:
        return -1
    return 2 if name.startswith("app.") else 1 if name in COMMON else 0


def in_room(hints: list[Hint], width: int, last: Hint) -> list[Hint]:
    """The hints that fit, the way out among them, and ``last``; where others are left out it says that there are more.

    A ``last`` without a text is shown only then.
    """
    shown, left_out = fitting(hints, width, last if last.text else NONE)
    if not left_out:
        return [*shown, last if last.text else NONE]
    last = Hint(last.key, MORE) if last.key else NONE
    out = [each for each in hints if each.leads_out][:1]
    others, _ = fitting([each for each in hints if each not in out], width - sum(map(_width, out)), last)
    return [*others, *out, last]


def fitting(hints: list[Hint], width: int, last: Hint) -> tuple[list[Hint], int]:
    """The hints that fit into a width together with ``last``, and how many are left out."""
    room = width - _width(last) - 5
    shown: list[Hint] = []
    for hint in hints:
        room -= _width(hint)
        if room < 0:
            break
        shown.append(hint)
    return shown, len(hints) - len(shown)


def _width(hint: Hint) -> int:
    return len(hint.key) + len(hint.text) + 3


class KeyHints(Widget):
    """One line made from the bindings that are active; painted only when they change."""

    hints: reactive[tuple[Hint, ...]] = reactive((), layout=False)

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update)
        if self.screen.is_modal:  # nothing that changes will have it painted
            self._update(self.screen)

    def _update(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        found: dict[str, Hint] = {}
        view = getattr(screen, "view", None)
        here = view if isinstance(view, View) and view.is_attached else None
        first = here.first_hints() if here is not None else frozenset()
        active = sorted(screen.active_bindings.values(), key=lambda each: how_common(each.binding.id or "", first))
        for _node, binding, enabled, _tooltip in active:
            if here is not None and here.without_use(binding.id or ""):
                continue
            if binding.show and enabled and binding.action not in found:
                key = self.app.get_key_display(binding)
                found[binding.action] = Hint(key, binding.description, leads_out=binding.key == "escape")
        # where one types no key shows the help: the list of all that can be done has what it would tell
        palette = [each.binding for each in active if each.binding.id == "app.palette"]
        all_of_them = Hint(self.app.get_key_display(palette[0]), "") if palette else NONE
        last = found.pop("help", all_of_them)
        self.hints = (*found.values(), last)

    def render(self) -> Content:
        """Keys in the accent colour, texts muted; help is said to have more where not all has room."""
        *others, last = self.hints or (NONE,)
        parts = [
            Content.assemble((f" {hint.key}", "bold $accent"), (f" {hint.text} ", "$foreground-muted"))
            for hint in in_room(others, self.size.width, last)
        ]
        return Content("").join(parts)
