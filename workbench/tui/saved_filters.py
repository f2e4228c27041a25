"""Filters that were given a name; they are kept in the configuration, where they can be edited as well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from store.errors import WorkbenchError
from workbench.tui.widgets.menu import Choice, Menu, Prompt

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

KEYS = "123456789abcdefghijklmnop"
SAVE, FORGET = "\0save", "\0forget"


def choose(app: WorkbenchApp, current: str, take: Callable[[str], object]) -> None:
    """Offer the saved filters; the current one can be saved, or forgotten where it is one of them."""
    saved = dict(app.configuration.filters)
    choices = [Choice(key, name, name, text) for key, (name, text) in zip(KEYS, saved.items(), strict=False)]
    name = next((name for name, text in saved.items() if text == current), None)
    if current and name is None:
        choices.append(Choice("s", "save", SAVE, current))
    if name is not None:
        choices.append(Choice("x", "forget", FORGET, name))
    if not choices:
        app.notify("no filter is saved yet: / narrows the list, then f saves what narrows it")
        return

    def chosen(value: str | None) -> None:
        if value == SAVE:
            app.push_screen(Prompt("Name of this filter", hint="failed-lately"), lambda name: _save(app, name, current))
        elif value == FORGET:
            _save(app, name, None)
        elif value is not None:
            take(saved[value])

    app.push_screen(Menu("Filters", choices), chosen)


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
