"""The tab with a version's profile: its columns, and the one under the cursor at length with its histogram."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Static

from workbench.tui.data.child import Child
from workbench.tui.data.profile_lines import Column, columns_of, detail, profile_head, profile_line, summary
from workbench.tui.data.reading_tab import ReadingTab
from workbench.tui.reading_data import VersionFacts
from workbench.tui.view import Notice
from workbench.tui.widgets.line_list import Entry, LineList
from workbench.tui.widgets.text_pane import TextPane


class ColumnList(LineList):
    """The columns; says when the cursor moves."""

    def __init__(self) -> None:
        super().__init__(profile_line, profile_head)

    def move_to(self, number: int) -> None:
        """Put the cursor on a column, and show it."""
        super().move_to(number)
        tab = next((node for node in self.ancestors if isinstance(node, ProfileTab)), None)
        if tab is not None:
            tab.look()


class ProfileTab(ReadingTab):
    """Reads the profile in a process that ends with the tab."""

    reading = "Profiling the data…"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "columns", "Back to the columns", id="profile.columns", show=False),
        Binding("tab", "other_pane", "Columns or one of them", id="profile.pane", show=False),
    ]

    def compose(self) -> ComposeResult:
        yield Notice(self.reading, classes="notice", markup=False)
        with Container(classes="profile-content"):
            yield Static("", classes="section-facts", markup=False)
            with Container(classes="outputs-panes"):
                yield ColumnList()
                with Vertical(classes="outputs-preview"):
                    yield TextPane()

    @property
    def holder(self) -> Widget:
        """The list and what it shows."""
        return self.query_one(".profile-content")

    @property
    def columns(self) -> ColumnList:
        """The list."""
        return self.query_one(ColumnList)

    async def read(self, child: Child, facts: VersionFacts) -> Any:
        """The profile, as it is kept or made now."""
        return await child.ask("profile", self.progress, place=str(facts.data))

    def fill(self, answer: Any) -> None:
        """Show the columns."""
        from store.tabular.profile import Profile

        profile = Profile.of(answer["profile"])
        notes = list(profile.notes)
        if answer["changed"]:
            notes.insert(0, "the bytes changed since it was registered or profiled: this is what is there now")
        told = "  ".join([summary(profile), *(f"! {note}" for note in notes)])
        self.query_one(".section-facts", Static).update(told)
        self.columns.take([Entry(each.profile.name, each) for each in columns_of(profile)])
        self.call_after_refresh(self.look)

    def look(self) -> None:
        """Show the column under the cursor at length."""
        entry = self.columns.entry
        pane = self.query_one(TextPane)
        if entry is not None and self.is_attached:
            value: Column = entry.value
            pane.show_lines(detail(value, max(20, pane.size.width - 4), self.bench.signs))

    def on_resize(self) -> None:
        """Another width, another picture."""
        if self.answer is not None:
            self.call_after_refresh(self.look)

    @on(LineList.Opened)
    def open_column(self, event: LineList.Opened) -> None:
        """To the column at length."""
        event.stop()
        self.query_one(TextPane).focus(scroll_visible=False)

    def focus_holder(self) -> None:
        """The list takes the keys."""
        self.screen.set_focus(self.columns, scroll_visible=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape leads back to the columns from one of them alone."""
        return action != "columns" or self.query_one(TextPane).has_focus

    def action_columns(self) -> None:
        """Back to the columns."""
        self.focus_holder()

    def action_other_pane(self) -> None:
        """From the columns to the one at length, and back."""
        pane = self.query_one(TextPane)
        (self.columns if pane.has_focus else pane).focus(scroll_visible=False)
