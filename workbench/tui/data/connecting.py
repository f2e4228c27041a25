"""``n`` of Datastores: from a type by its login to the fields, and a datastore that was tried before it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from store.errors import WorkbenchError
from workbench.tui.data.child import Child
from workbench.tui.job_columns import cell
from workbench.tui.widgets.menu import Choice, Menu
from workbench.tui.widgets.short_form import Field, ShortForm

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

LETTERS = "lbfgastowmdpheuvxyz"
"""The keys of choices in turn: none that moves in a menu or leaves it."""
ABOUT = 52
"""So much is said of a choice: each keeps to its line."""


def connect(app: WorkbenchApp, made: Callable[[str], object]) -> None:
    """Ask for all that a datastore needs; ``made`` hears of its name."""
    app.run_worker(_connect(app, made), group="connect")


async def _connect(app: WorkbenchApp, made: Callable[[str], object]) -> None:
    child = Child(app.access.layout.root.absolute())
    try:
        await app.access.write(lambda _: None)  # the workspace is made where there is none
        types = await child.ask("datastore_types")
        kind = await _chosen(app, "A datastore of which type?", [(each["type"], each["about"]) for each in types])
        if kind is None:
            return
        logins = next(each["logins"] for each in types if each["type"] == kind)
        login = logins[0]["label"] if logins else ""
        if len(logins) > 1:
            choice = await _chosen(app, "How does it log in?", [(each["label"], each["about"]) for each in logins])
            if choice is None:
                return
            login = choice
        await _fill_in(app, child, kind, login, made)
    except WorkbenchError as error:
        app.notify(str(error), title="Not done", severity="error", markup=False)
    finally:
        child.close()


async def _chosen(app: WorkbenchApp, title: str, words: list[tuple[str, str]]) -> str | None:
    choices = [
        Choice(LETTERS[at], word, word, cell(about, max(0, ABOUT - len(word)), app.signs).rstrip())
        for at, (word, about) in enumerate(words)
    ]
    found: str | None = await app.push_screen_wait(Menu(title, choices))
    return found


async def _fill_in(app: WorkbenchApp, child: Child, kind: str, login: str, made: Callable[[str], object]) -> None:
    wanted: list[dict[str, Any]] = await child.ask("datastore_fields", kind=kind, login=login)
    fields = [Field("name", "name", "such as sales")]
    fields += [
        Field(each["name"], each["name"], each["about"], each["value"], hidden=each["secret"]) for each in wanted
    ]

    async def create(given: dict[str, str]) -> str:
        form.tell("trying it…", "$foreground-muted")
        try:
            remark = await child.ask("connect", kind=kind, login=login, given=given)
        except WorkbenchError as error:
            return f"{error.message}. {error.hint}" if error.hint else error.message
        if remark:
            app.notify(remark, markup=False)
        return ""

    form = ShortForm(f"New datastore of type {kind}{f', by {login}' if login else ''}", fields, create)
    name = await app.push_screen_wait(form)
    if name is not None:
        made(name)
