"""The section Data: assets by name, and the versions of one."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from store.data import pages
from store.data.assets import LATEST, DataVersion
from store.data.pages import Asset, DataFilter, Version
from store.errors import WorkbenchError
from workbench.tui import paged, reading_data
from workbench.tui.access import Stores
from workbench.tui.data.asset_lines import Row, asset_head, asset_lines, version_head, version_lines
from workbench.tui.job_columns import age
from workbench.tui.paged import PagedView
from workbench.tui.view import View
from workbench.tui.widgets.line_list import LineList
from workbench.tui.widgets.menu import Choice, Menu


class DataActions(View):
    """What a person does to versions of data, the same keys wherever they are shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "register", "new", id="data.new"),
        Binding("d", "archive", "archive", id="data.archive"),
        Binding("y", "copy_menu", "copy", id="data.copy"),
        Binding("e", "edit", "edit", id="data.edit"),
        Binding("L", "label", "label", id="data.label"),
    ]

    NEED_CONTENT = frozenset(f"data.{name}" for name in ("archive", "copy", "edit", "label"))

    def chosen(self) -> DataVersion | None:
        """The version that is meant."""
        return None

    def meant(self) -> DataVersion | None:
        """As ``chosen``; says so where there is none."""
        found = self.chosen()
        if found is None:
            self.notify("no data is chosen", severity="warning")
        return found

    def acted(self) -> None:
        """Something was changed."""
        self.reload()

    def act(self, action: Callable[[], Awaitable[Any]]) -> None:
        """Do it in the background, and say what went wrong."""

        async def guarded() -> None:
            try:
                await action()
            except (WorkbenchError, sqlite3.Error, OSError) as error:
                self.notify(str(error), title="Not done", severity="error", timeout=10, markup=False)

        self.app.run_worker(guarded(), group="action")

    def action_register(self) -> None:
        """Register data by a form."""
        from workbench.tui.data.registering import register

        found = self.chosen()
        register(self.bench, found.name if found is not None else "")

    def action_copy_menu(self) -> None:
        """Choose what of the version goes to the clipboard."""
        found = self.meant()
        if found is None:
            return

        def chosen(text: str | None) -> None:
            if text is not None:
                self.bench.copy_text(text, text)

        self.app.push_screen(Menu("Copy", copy_choices(found)), chosen)

    def action_edit(self) -> None:
        """Edit description and tags in the user's editor."""
        found = self.meant()
        if found is None:
            return
        from workbench.tui.data.registering import edit_version

        async def edited() -> None:
            if await edit_version(self.bench, found):
                self.acted()

        self.act(edited)

    def action_label(self) -> None:
        """Put a label on the version."""
        found = self.meant()
        if found is None:
            return
        from workbench.tui.widgets.menu import Prompt

        def answered(text: str | None) -> None:
            if text is not None:
                self.act(lambda: self._label(found, text))

        self.app.push_screen(Prompt(f"Label for {told(found)}", hint="such as approved"), answered)

    async def _label(self, found: DataVersion, text: str) -> None:
        await self.bench.access.write(reading_data.set_label, found.name, found.version, text)
        self.notify(f"azureml:{found.name}@{text} is version {found.version} now", markup=False)
        self.acted()


class DataView(PagedView, DataActions):
    """Every data asset by its latest version."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="data.filter", priority=True),
        Binding("escape", "clear", "Clear filter, or back", show=False, id="data.clear"),
    ]
    placeholder = "parts of names, type:mltable, archived:yes"

    def compose_content(self) -> Iterable[Widget]:
        """The line that narrows, and the list."""
        yield from self.paged_list(asset_lines, asset_head, reading_data.suggest_data)

    def parse(self, text: str) -> DataFilter:
        """Words, types, archived."""
        return reading_data.parse_data(text)

    async def read_page(self, *, after: Any = None, before: Any = None, last: bool = False) -> list[Row]:
        """A page of assets by name."""
        key = {"after": after, "before": before}
        names = {name: row.data.name for name, row in key.items() if row is not None}
        return self._rows(await self._read(paged.PAGE, **names, **({"last": True} if last else {})))

    async def _read(self, limit: int, **key: Any) -> list[Asset]:
        return await self.bench.access.read(reading_data.asset_page, self.filter, limit, **key)

    def _rows(self, found: list[Asset]) -> list[Row]:
        now = self.bench.now()
        return [
            Row(each.latest, each.versions, each.labels, each.archived, age(each.latest.created_at, now))
            for each in found
        ]

    async def read_again(self) -> None:
        """Read the rows that are shown anew: any of them may have another version now."""
        start = {} if self.first_known else {"start": self.rows[0].data.name}
        limit = max(paged.PAGE, len(self.rows))
        found = await self._read(limit, **start)
        self.last_known = len(found) < limit
        self.take(self._rows(found))

    def row_key(self, row: Row) -> str:
        """Its name."""
        return row.data.name

    def clear_key(self) -> str:
        """The key that shows all again."""
        return self.bench.key_of("data.clear", "esc")

    def show_nothing(self) -> None:
        """No data is registered yet, or all of it is archived."""
        new = self.bench.key_of("data.new", "n")
        self.show_empty(
            "No data assets yet",
            "",
            f"{new}  register a file, a folder or a table",
            "`workbench data create --name NAME --path PATH` does it from a shell.",
            "`/archived:yes` shows archived ones too.",
        )

    @on(LineList.Opened)
    async def open_asset(self, event: LineList.Opened) -> None:
        """Show the versions; of an asset that has one, that."""
        event.stop()
        row: Row = event.entry.value
        await self._open(row.data.name if row.versions > 1 else told(row.data))

    async def _open(self, name: str) -> None:
        if ":" in name or "@" in name:
            from workbench.tui.screens.data_version import DataVersionView

            await self.bench.frame.push(DataVersionView.of(name), self)
        else:
            await self.bench.frame.push(VersionsView(name), self)

    def command(self, text: str) -> None:
        """``:data churn:2`` opens a version, ``:data churn`` its versions, ``:data /word`` narrows."""
        if text.startswith(("/", "type:", "archived:")) or " " in text:
            self.set_filter(text.removeprefix("/"))
        else:
            self.app.run_worker(self._open(text.removeprefix("azureml:")))

    @staticmethod
    def completions(stores: Stores, text: str) -> Iterable[str]:
        """Names, and behind a colon versions."""
        return pages.beginning(stores.workbench, text, paged.PAGE)

    def place_of(self, text: str) -> str:
        """With the filter behind it."""
        return f"data /{text}" if text else "data"

    def chosen(self) -> DataVersion | None:
        """The latest version of the asset under the cursor."""
        entry = self.listed.entry
        return entry.value.data if entry is not None else None

    def action_archive(self) -> None:
        """Hide the asset from lists, or show it again."""
        entry = self.listed.entry
        if entry is None:
            self.meant()
            return
        name, archived = entry.value.data.name, not entry.value.archived

        async def turned() -> None:
            await self.bench.access.write(reading_data.turn_asset_archived, name, archived=archived)
            what = f"archived {name}: hidden from lists, still usable" if archived else f"{name} back in the lists"
            self.notify(f"{what}{'; /archived:only shows it' if archived else ''}", markup=False)
            self.reload()

        self.act(turned)


class VersionsView(PagedView, DataActions):
    """Every version of one asset, the newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "Back", show=False, id="versions.back")]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.crumb = self.asset = name
        self.place = f"data {name}"

    def compose_content(self) -> Iterable[Widget]:
        """The list."""
        yield from self.paged_list(version_lines, version_head)

    async def read_page(self, *, after: Any = None, before: Any = None, last: bool = False) -> list[Row]:
        """A page of versions by when they were made."""
        key = {"older": after, "newer": before}
        ids = {name: row.id for name, row in key.items() if row is not None}
        return self._rows(await self._read(paged.PAGE, **ids, **({"last": True} if last else {})))

    async def _read(self, limit: int, **key: Any) -> list[Version]:
        return await self.bench.access.read(reading_data.version_page, self.asset, limit, **key)

    def _rows(self, found: list[Version]) -> list[Row]:
        now = self.bench.now()
        return [
            Row(each.data, 1, each.labels, each.data.archived, age(each.data.created_at, now), each.id)
            for each in found
        ]

    async def read_again(self) -> None:
        """Read the rows that are shown anew, labels may be elsewhere."""
        start = {} if self.first_known else {"start": self.rows[0].id}
        limit = max(paged.PAGE, len(self.rows))
        found = await self._read(limit, **start)
        self.last_known = len(found) < limit
        self.take(self._rows(found))

    def row_key(self, row: Row) -> str:
        """Its number."""
        return str(row.id)

    @on(LineList.Opened)
    async def open_version(self, event: LineList.Opened) -> None:
        """Show the version."""
        event.stop()
        from workbench.tui.screens.data_version import DataVersionView

        await self.bench.frame.push(DataVersionView.of(told(event.entry.value.data)))

    def chosen(self) -> DataVersion | None:
        """The version under the cursor."""
        entry = self.listed.entry
        return entry.value.data if entry is not None else None

    def action_archive(self) -> None:
        """Hide the version from lists, or show it again."""
        found = self.meant()
        if found is not None:
            self.act(lambda: archive_version(self, found))


async def archive_version(view: DataActions, found: DataVersion) -> None:
    """Turn round whether a version is archived, and say so."""
    archived = not found.archived
    await view.bench.access.write(reading_data.turn_version_archived, found.name, found.version, archived=archived)
    what = "archived" if archived else "restored"
    key = view.bench.key_of("data.archive", "d")
    view.notify(f"{what} {told(found)}; {key} again undoes it", markup=False)
    view.acted()


def told(data: DataVersion) -> str:
    """Name and version."""
    return f"{data.name}:{data.version}"


def copy_choices(data: DataVersion) -> list[Choice]:
    """What can be copied of a version: a line each."""
    reference = str(data)
    choices = [
        Choice("u", "reference", reference, reference),
        Choice("l", "reference", f"azureml:{data.name}@{LATEST}", "to whatever version is the latest"),
        Choice("p", "path", data.path, data.path),
        Choice("i", "input", f"{{type: {data.type}, path: {reference}}}", "for a job's document"),
        Choice("n", "name", data.name, data.name),
    ]
    if data.fingerprint:
        choices.append(Choice("f", "fingerprint", data.fingerprint, "of its bytes"))
    return choices
