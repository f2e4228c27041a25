"""A short list to choose from, and a question to answer, over what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.tui.widgets.dialog import Choices, Dialog


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a menu: the key that takes it, its title, and a detail shown beside."""

    key: str
    title: str
    value: str
    detail: str = ""


class Menu(Dialog[str | None]):
    """Answers with the value of the choice, None for escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "close", id="menu.close"),
        Binding("j", "down", "Down", show=False, id="menu.down"),
        Binding("k", "up", "Up", show=False, id="menu.up"),
    ]

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self.menu_title, self.choices = title, choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self.menu_title, classes="dialog-title", markup=False)
            yield Choices(*(Option(self._line(choice)) for choice in self.choices), markup=False)

    def _line(self, choice: Choice) -> Content:
        return Content.assemble((f" {choice.key}  ", "bold $accent"), choice.title, (f"  {choice.detail}", "dim"))

    def offer(self, choice: Choice) -> None:
        """Add a choice that had to be looked for."""
        self.choices = [*self.choices, choice]
        for listed in self.query(OptionList):
            listed.add_option(Option(self._line(choice)))

    def on_key(self, event: events.Key) -> None:
        for choice in self.choices:
            if event.character == choice.key:
                event.stop()
                self.dismiss(choice.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.choices[event.option_index].value)

    def action_down(self) -> None:
        """The next choice."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """The choice before."""
        self.query_one(OptionList).action_cursor_up()


class _Entry(Input):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "take", id="prompt.take")]


class Prompt(Dialog[str | None]):
    """Asks for a text; None for escape or an empty one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "give up", id="prompt.close")]

    def __init__(self, title: str, value: str = "", hint: str = "") -> None:
        super().__init__()
        self.prompt_title, self.value, self.hint = title, value, hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self.prompt_title, classes="dialog-title", markup=False)
            entry = _Entry(self.value, placeholder=self.hint)
            entry.cursor_blink = False
            yield entry

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip() or None)


class Question(Dialog[bool]):
    """A question to say yes or no to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "yes", id="question.yes"),
        Binding("n,escape,q", "dismiss(False)", "no", id="question.no"),
    ]

    def __init__(self, text: str, consequence: str = "") -> None:
        super().__init__()
        self.text, self.consequence = text, consequence

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self.text, classes="dialog-title", markup=False)
            if self.consequence:
                yield Static(self.consequence, markup=False)
            yield Static(Content.assemble(("y", "bold $accent"), " yes   ", ("n", "bold $accent"), " no"))
