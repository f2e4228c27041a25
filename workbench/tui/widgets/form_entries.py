"""What one types and chooses with in a form: a line, several lines, one of some words, a fold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input

from workbench.tui.glyphs import Glyphs
from workbench.tui.widgets.writing_area import WritingArea

Complete = Callable[[str, str], Awaitable[Sequence[str]]]
"""From a subject and what is typed to what it may become."""

NOT_SET = "not set"


class Entry(Input):
    """One line; what it may become is shown behind the cursor, and the right arrow takes it."""

    def __init__(
        self, value: str, placeholder: str = "", *, subject: str = "", complete: Complete | None = None
    ) -> None:
        self.subject = subject
        """What completes it; nothing where it is empty. It may change."""
        suggester = _Suggester(self, complete) if complete else None
        super().__init__(value, placeholder, compact=True, select_on_focus=False, suggester=suggester)
        self.cursor_blink = False


class _Suggester(Suggester):
    def __init__(self, entry: Entry, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._entry, self._complete = entry, complete

    async def get_suggestion(self, value: str) -> str | None:
        """The first name that begins so."""
        if not self._entry.subject:
            return None
        found = await self._complete(self._entry.subject, value)
        return next((name for name in found if name.startswith(value) and name != value), None)


class LongEntry(WritingArea):
    """Several lines, in a form: the arrows leave it at its first and last line."""

    class Edge(Message):
        """The cursor wants to leave, ``step`` fields on."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def action_cursor_down(self, select: bool = False) -> None:
        """A line on, or the next field."""
        if self.cursor_at_last_line and not select:
            self.post_message(self.Edge(1))
        else:
            super().action_cursor_down(select)

    def action_cursor_up(self, select: bool = False) -> None:
        """A line back, or the field before."""
        if self.cursor_at_first_line and not select:
            self.post_message(self.Edge(-1))
        else:
            super().action_cursor_up(select)


class ChoiceEntry(Widget, can_focus=True):
    """One of some words: the arrows change it, enter lists them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "Next choice", show=False, id="form.next_choice"),
        Binding("left", "turn(-1)", "Choice before", show=False, id="form.choice_before"),
        Binding("backspace,delete", "clear", "Not set", show=False, id="form.clear_choice"),
        Binding("enter", "list", "choices", id="form.choices"),
    ]

    value: reactive[str] = reactive("", layout=False)

    class Changed(Message):
        """Another word was chosen."""

    def __init__(self, choices: Sequence[str], value: str, signs: Glyphs, *, optional: bool = True) -> None:
        super().__init__()
        self.choices = (["", *choices] if optional else list(choices)) or [""]
        self.signs = signs
        self.set_reactive(ChoiceEntry.value, value)

    def render(self) -> Content:
        """The word, and a sign that there are others."""
        sign = f"{self.signs.unfolded} "
        if not self.value:
            return Content.assemble((sign, "$foreground-muted"), (NOT_SET, "$foreground-muted"))
        return Content.assemble((sign, "$foreground-muted"), self.value)

    def choose(self, value: str) -> None:
        """Take a word."""
        if value != self.value:
            self.value = value
            self.post_message(self.Changed())

    def action_turn(self, step: int) -> None:
        """The next word, round and round."""
        at = self.choices.index(self.value) if self.value in self.choices else 0
        self.choose(self.choices[(at + step) % len(self.choices)])

    def action_clear(self) -> None:
        """No word, where that may be."""
        if "" in self.choices:
            self.choose("")

    def action_list(self) -> None:
        """Choose from all."""
        from workbench.tui.widgets.menu import Choice, Menu

        keys = "123456789"
        lines = [
            Choice(keys[at] if at < len(keys) else " ", word or NOT_SET, word) for at, word in enumerate(self.choices)
        ]

        def chosen(word: str | None) -> None:
            if word is not None:
                self.choose(word)

        self.app.push_screen(Menu("Choose", lines), chosen)

    def on_click(self) -> None:
        self.action_list()


class Fold(Widget, can_focus=True):
    """A line that shows and hides what is below it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "fold", "unfold", id="form.fold"),
        Binding("right", "fold(True)", "Unfold", show=False, id="form.unfold"),
        Binding("left", "fold(False)", "Fold", show=False, id="form.close_fold"),
    ]

    unfolded: reactive[bool] = reactive(False, layout=False)
    summary: reactive[str] = reactive("", layout=False)

    class Toggled(Message):
        """Show or hide what is below."""

        def __init__(self, fold: Fold) -> None:
            super().__init__()
            self.fold = fold

    def __init__(self, title: str, signs: Glyphs, summary: str = "") -> None:
        super().__init__()
        self.title, self.signs = title, signs
        self.set_reactive(Fold.summary, summary)

    def render(self) -> Content:
        """The sign, the title, and what is inside in a few words."""
        sign = self.signs.unfolded if self.unfolded else self.signs.folded
        return Content.assemble(
            (f"{sign} ", "$foreground-muted"), self.title, (f"  {self.summary}", "$foreground-muted")
        )

    def action_fold(self, unfolded: bool | None = None) -> None:
        """Turn it round, or to one side."""
        wanted = not self.unfolded if unfolded is None else unfolded
        if wanted != self.unfolded:
            self.unfolded = wanted
            self.post_message(self.Toggled(self))

    def on_click(self) -> None:
        self.action_fold()
