"""The section Datastores: what data lies in, how each logs in, and whether it can be reached."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from store.datastores import registry
from store.datastores.registry import BUILT_IN, DEFAULT
from store.errors import WorkbenchError
from workbench.tui import reading_data
from workbench.tui.access import Stores
from workbench.tui.data.child import ask_once
from workbench.tui.glyphs import Glyphs
from workbench.tui.job_columns import cell
from workbench.tui.reading_data import Login
from workbench.tui.view import View
from workbench.tui.widgets.line_list import Entry, Line, LineList
from workbench.tui.widgets.menu import Choice, Menu, Question

AT_ONCE = 4
"""So many datastores are checked side by side."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check came to: ``state`` is ``waiting``, ``completed`` or ``failed``, as its colours are."""

    state: str
    word: str
    cause: str = ""
    hint: str = ""


CHECKING = Check("waiting", "checking")
READABLE = Check("completed", "can be read")


@dataclass(frozen=True, slots=True)
class Row:
    """A datastore with what is known of its state."""

    login: Login
    check: Check | None


class DatastoresView(View):
    """Every datastore: its type, its login, and the state of its last check here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "new", id="datastores.new"),
        Binding("c", "check", "check", id="datastores.check"),
        Binding("C", "check_all", "Check all", show=False, id="datastores.check_all"),
        Binding("d", "delete", "delete", id="datastores.delete"),
        Binding("y", "copy_menu", "copy", id="datastores.copy"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Login] = []
        self.checks: dict[str, Check] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    def compose_content(self) -> Iterable[Widget]:
        """The list."""
        yield LineList(datastore_lines, datastore_head)

    @property
    def listed(self) -> LineList:
        """The list."""
        return self.query_one(LineList)

    async def load(self) -> None:
        """Read every datastore; those of the workspace are always there. Folders of this machine are checked."""
        self.found = await self.bench.access.read(reading_data.all_datastores)
        self.fill()
        self.show_content()
        fresh = [each.datastore for each in self.found if each.datastore.name not in self.checks]
        for name in (each.name for each in fresh if each.type == "local"):
            self.check(name)

    def fill(self) -> None:
        """Show what is known."""
        rows = [Row(each, self.checks.get(each.datastore.name)) for each in self.found]
        self.listed.take(
            [
                Entry(row.login.datastore.name, row, 2 if row.check is not None and row.check.cause else 1)
                for row in rows
            ]
        )

    def check(self, name: str) -> None:
        """Try whether one can be reached and read, in a process of its own."""
        self.checks[name] = CHECKING
        self.run_worker(self._check(name), group=f"check {name}", exclusive=True)

    async def _check(self, name: str) -> None:
        async with self._room:
            self.checks[name] = await checked(self.bench.access.layout.root.absolute(), name)
        if self.is_attached:
            self.fill()

    @property
    def login(self) -> Login | None:
        """The datastore under the cursor."""
        entry = self.listed.entry
        return entry.value.login if entry is not None else None

    @on(LineList.Opened)
    async def open_datastore(self, event: LineList.Opened) -> None:
        """Show what lies in it."""
        event.stop()
        await self._open(event.entry.key)

    async def _open(self, name: str) -> None:
        from workbench.tui.screens.datastore import DatastoreView

        await self.bench.frame.push(DatastoreView(name), self)

    def command(self, text: str) -> None:
        """``:datastores NAME`` opens one."""
        self.app.run_worker(self._open(text))

    @staticmethod
    def completions(stores: Stores, _text: str) -> Iterable[str]:
        """The names."""
        return [each.name for each in registry.find(stores.workbench, stores.layout)]

    # -- keys ---------------------------------------------------------------------------------------------------

    def action_check(self) -> None:
        """Try the one under the cursor."""
        if self.login is not None:
            self.check(self.login.datastore.name)
            self.fill()

    def action_check_all(self) -> None:
        """Try them all."""
        for each in self.found:
            self.check(each.datastore.name)
        self.fill()

    def action_new(self) -> None:
        """Ask for a type, a login and the fields, and make a datastore."""
        from workbench.tui.data.connecting import connect

        def made(name: str) -> None:
            self.checks[name] = READABLE
            self.notify(f"created {name}; d deletes it", markup=False)
            self.reload()

        connect(self.bench, made)

    def action_copy_menu(self) -> None:
        """Choose what goes to the clipboard."""
        login = self.login
        if login is None:
            return

        def chosen(text: str | None) -> None:
            if text is not None:
                self.bench.copy_text(text, text)

        self.app.push_screen(Menu("Copy", copy_choices(login)), chosen)

    def action_delete(self) -> None:
        """Delete one, after a question; those of the workspace stay."""
        login = self.login
        if login is None:
            return
        name = login.datastore.name
        if name in BUILT_IN:
            self.notify(f"{name} is the workspace's own and cannot be deleted", severity="warning")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.run_worker(self._delete(name), group="action")

        consequence = "What lies there stays; assets that refer to it lead nowhere."
        self.app.push_screen(Question(f"Delete the datastore {name} and its secrets?", consequence), answered)

    async def _delete(self, name: str) -> None:
        try:
            await self.bench.access.write(reading_data.delete_datastore, name)
        except (WorkbenchError, sqlite3.Error, OSError) as error:
            self.notify(str(error), title="Not done", severity="error", markup=False)
            return
        self.checks.pop(name, None)
        self.notify(f"deleted {name}", markup=False)
        self.reload()


async def checked(root: object, name: str) -> Check:
    """What a check of a datastore comes to."""
    from pathlib import Path

    try:
        remark = await ask_once(Path(str(root)), "check", datastore=name)
    except WorkbenchError as error:
        cause = error.message.removeprefix(f"datastore {name!r}: ")
        return Check("failed", "failed", cause, error.hint or "")
    return Check("completed", "can be read", remark or "")


def copy_choices(login: Login) -> list[Choice]:
    """What can be copied of a datastore: a line each."""
    name = login.datastore.name
    uri = f"azureml://datastores/{name}/paths/"
    choices = [Choice("u", "address", uri, uri), Choice("n", "name", name, name)]
    if login.address:
        choices.append(Choice("p", "place", login.address, login.address))
    return choices


# -- lines --------------------------------------------------------------------------------------------------------

STATE = 13


def _widths(width: int) -> tuple[int, int, int, int]:
    """Of name, type, login and place."""
    left = max(12, width - STATE - 3)
    kind = 20 if left >= 84 else 13
    login = 17 if left >= 84 else 0
    name = max(10, min(26, (left - kind) * 5 // 10))
    return name, kind, login, max(0, left - name - kind - login - 3)


def datastore_head(width: int, signs: Glyphs) -> Line:
    """The titles of the columns."""
    name, kind, login, place = _widths(width)
    titles = [cell("Name", name, signs), cell("Type", kind, signs), *([cell("Login", login, signs)] if login else [])]
    return ((" ".join(["", *titles, cell("State", STATE, signs), cell("Where", place, signs)]), "muted"),)


def datastore_lines(value: Row, width: int, signs: Glyphs) -> list[Line]:
    """Name, type, login, state, and where it leads; of a failed check its cause and the next step too."""
    datastore, check = value.login.datastore, value.check
    name, kind, login, place = _widths(width)
    called = f"{datastore.name} *" if datastore.name == DEFAULT else datastore.name
    first: Line = (
        (f" {cell(called, name, signs)} ", ""),
        (f"{cell(datastore.type, kind, signs)} ", "muted"),
        *([(f"{cell(value.login.login or signs.bullet, login, signs)} ", "muted")] if login else []),
        _state(check, signs),
        (f" {cell(value.login.address, place, signs)}", "muted"),
    )
    if check is None or not check.cause:
        return [first]
    style = "failed" if check.state == "failed" else "muted"
    return [first, (("   ", ""), (check.cause, style), (f"  {check.hint}", "muted"))]


def _state(check: Check | None, signs: Glyphs) -> tuple[str, str]:
    if check is None:
        return cell("not checked", STATE, signs), "muted"
    sign = {"waiting": "Queued", "completed": "Completed", "failed": "Failed"}[check.state]
    return cell(f"{signs.state(sign)} {check.word}", STATE, signs), check.state
