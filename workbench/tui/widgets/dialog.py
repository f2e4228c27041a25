"""What dialogs share: each is closed once, and has the line of hints for its own keys."""

from __future__ import annotations

from typing import ClassVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import OptionList

from workbench.tui.widgets.key_hints import KeyHints


class Dialog(ModalScreen[ScreenResultType]):
    """A screen over what is shown. It gives one answer: a second one, such as that of a click behind a key, is none."""

    def on_mount(self) -> None:
        """The keys of what is below do not work: theirs give way to its own."""
        self.mount(KeyHints())

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close it, unless it is closed already: Textual would take the screen below away."""
        if self not in self.app.screen_stack:
            return AwaitComplete()
        for asked in self._result_callbacks:
            if asked is not None and asked.future is not None and asked.future.done():
                asked.future = None  # whoever asked has gone away
        return super().dismiss(result)


class Choices(OptionList):
    """A list that can be moved in before it is painted for the first time."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "choose", id="menu.choose")]

    def action_page_up(self) -> None:
        """A page up, where there are pages: Textual counts in lines, and knows none before the first picture."""
        if self.scrollable_content_region:
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """A page down, where there are pages."""
        if self.scrollable_content_region:
            super().action_page_down()  # type: ignore[no-untyped-call]
