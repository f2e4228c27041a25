"""Filters that were given a name; they are kept in the configuration, where they can be edited as well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import OptionList

from store.errors import WorkbenchError
from workbench.tui.widgets.menu import Choice, Menu, Prompt

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

KEYS = "123456789abcdefghilmnopqrtuvwyz"
"""Without those that mean something in the menu."""

SAVE, FORGET = "\0save", "\0forget "


class SavedFilters(Menu):
    """The saved filters: one is taken, or forgotten; the cursor begins at the one that holds."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x,delete", "forget", "forget", id="filters.forget")]

    def __init__(self, saved: Mapping[str, str], current: str) -> None:
        choices = [Choice(key, name, name, text) for key, (name, text) in zip(KEYS, saved.items(), strict=False)]
        self.first = next((number for number, each in enumerate(choices) if each.detail == current), 0)
        if current and current not in saved.values():
            choices.append(Choice("s", "save", SAVE, current))
        super().__init__("Filters", choices)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(OptionList).highlighted = self.first

    @on(OptionList.OptionHighlighted)
    def cursor_moved(self) -> None:
        """What can be saved cannot be forgotten."""
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is kept can be forgotten."""
        return action != "forget" or self._under_cursor() not in (None, SAVE)

    def _under_cursor(self) -> str | None:
        number = self.query_one(OptionList).highlighted if self.is_mounted else None
        return None if number is None else self.choices[number].value

    def action_forget(self) -> None:
        """Forget the one under the cursor."""
        self.dismiss(f"{FORGET}{self._under_cursor()}")


def choose(app: WorkbenchApp, current: str, take: Callable[[str], object]) -> None:
    """Offer the saved filters, to take one or forget it; the current one can be saved where it is none of them."""
    saved = dict(app.configuration.filters)
    menu = SavedFilters(saved, current)
    if not menu.choices:
        app.notify("no filter is saved yet: / narrows the list, then f saves what narrows it")
        return

    def chosen(value: str | None) -> None:
        if value == SAVE:
            app.push_screen(Prompt("Name of this filter", hint="failed-lately"), lambda name: _save(app, name, current))
        elif value is not None and value.startswith(FORGET):
            _save(app, value.removeprefix(FORGET), None)
        elif value is not None:
            take(saved[value])

    app.push_screen(menu, chosen)


def _save(app: WorkbenchApp, name: str | None, text: str | None) -> None:
    """Keep a filter under a name, forget it where ``text`` is None; without a name nothing is done."""
    if name is not None:
        app.run_worker(_keep(app, name, text), group="keep-filter")


async def _keep(app: WorkbenchApp, name: str, text: str | None) -> None:
    from workbench.configuration.writing import save

    try:
        await asyncio.to_thread(save, ("filters", name), text)
    except WorkbenchError as error:
        app.notify(str(error), title="The filter is not kept", severity="error", markup=False)
        return
    filters = {**app.configuration.filters, name: text}
    kept = {key: each for key, each in filters.items() if each}
    app.loaded.configuration = replace(app.configuration, filters=kept)
    app.notify(f"{'saved' if text else 'forgot'} the filter {name}", markup=False)
