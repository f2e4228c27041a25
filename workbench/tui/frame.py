"""The one screen: header line, section rail, body, command line and key hints."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget

from workbench.tui.sections import Section
from workbench.tui.view import Notice, View
from workbench.tui.widgets.command_line import CommandLine
from workbench.tui.widgets.header import Header
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.rail import Rail

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


class Body(Container):
    """Shows one view at a time."""


class Frame(Screen[None]):
    """Holds a stack of views for each section, and shows the top of one stack.

    Leaving a section keeps its stack: coming back finds the cursor where it was.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "Next field or pane", id="focus.next", show=False),
        Binding("shift+tab", "app.focus_previous", "Field or pane before", id="focus.previous", show=False),
        Binding("ctrl+c,super+c", "screen.copy_text", "Copy selected text", id="app.copy_selection", show=False),
    ]
    AUTO_FOCUS = ""  # a view takes the focus when it is shown
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  (declared by the base)

    def __init__(self, sections: tuple[Section, ...]) -> None:
        super().__init__()
        self.sections = sections
        self.header, self.rail, self.body = Header(), Rail(sections), Body()
        self.command_line = CommandLine()
        self.stacks: dict[str, list[View]] = {}
        self.section: Section | None = None
        self.previous: Section | None = None
        self._on_the_way = asyncio.Lock()
        """Ways are gone one after the other: a key and a command may ask for two at once."""

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.rail
        yield self.body
        yield self.command_line
        yield KeyHints()

    @property
    def view(self) -> View | None:
        """The view that is shown."""
        stack = self.stacks.get(self.section.name) if self.section else None
        return stack[-1] if stack else None

    def places(self) -> list[str]:
        """The commands that lead to what is shown."""
        stack = self.stacks.get(self.section.name, []) if self.section else []
        return [view.place or (self.section.name if self.section else "") for view in stack]

    async def show_section(self, section: Section) -> View:
        """Show a section as it was left; asked for a second time, its own first view."""
        async with self._on_the_way:
            if section is self.section:
                await self._drop(self.stacks[section.name][1:])
            if section.name not in self.stacks:
                await self._add(section.view(), section)
            if self.section is not section:
                self.previous, self.section = self.section, section
            return self._reveal()

    async def push(self, view: View, over: View | None = None) -> View:
        """Open a view over the one that is shown; in the section of ``over``, which may be left by now."""
        async with self._on_the_way:
            section = next((each for each in self.sections if over in self.stacks.get(each.name, ())), self.section)
            if section is None:
                raise LookupError("no section is shown")
            await self._add(view, section)
            return self._reveal() if section is self.section else view

    async def pop(self) -> bool:
        """Go back one view; False at a section's first."""
        async with self._on_the_way:
            stack = self.stacks[self.section.name] if self.section else []
            if len(stack) < 2:
                return False
            await self._drop([stack[-1]])
            self._reveal()
            return True

    def set_focus(self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False) -> None:
        """Give a widget the focus, unless a command is being typed: what else asks for it asks too late."""
        if self.command_line.display and widget is not self.command_line:
            return
        if widget is None and self.app.app_focus and self.view is not None and self.view.is_mounted:
            # What had it is hidden, and what follows is not there yet: with nobody the keys of the view would get lost.
            widget = self.view.query_one(Notice)
        super().set_focus(widget, scroll_visible, from_app_focus)

    async def _add(self, view: View, section: Section) -> None:
        view.display = False
        await self.body.mount(view)
        self.stacks.setdefault(section.name, []).append(view)

    async def _drop(self, views: list[View]) -> None:
        for view in list(views):
            for stack in self.stacks.values():
                if view in stack:
                    stack.remove(view)
            # Textual takes a widget's styles from it while it is still in the picture: first out of that, then away
            view.display = False
            view.call_after_refresh(view.remove)

    def _reveal(self) -> View:
        shown = self.view
        if shown is None or self.section is None:
            raise LookupError("no view is shown")
        behind = [view for stack in self.stacks.values() for view in stack if view is not shown and view.display]
        for view in behind:
            view.display = False
        if not shown.display:
            shown.display = True
            if shown.loaded:
                shown.store_changed()
        shown.focus_content()
        self.rail.current = self.section.name
        self.header.crumbs = tuple(view.crumb or self.section.title for view in self.stacks[self.section.name])
        cast("WorkbenchApp", self.app).place_changed()
        return shown

    @on(Rail.Chosen)
    async def rail_chosen(self, event: Rail.Chosen) -> None:
        """Go where the rail was clicked."""
        await self.show_section(event.section)
