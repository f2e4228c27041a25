"""One datastore as a tree of files that is read as it is opened: looked at, brought, put, registered."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store.errors import WorkbenchError
from store.folder_pages import Entry, FolderPage
from workbench.tui import reading_data
from workbench.tui.data import moving
from workbench.tui.data.child import Child
from workbench.tui.job.output_tree import OutputTree, Root
from workbench.tui.job.preview import Preview, preview, table_lines
from workbench.tui.reading_data import Login
from workbench.tui.view import View, is_typing
from workbench.tui.widgets.file_tree import FileTree, size_text
from workbench.tui.widgets.filter_line import FilterLine
from workbench.tui.widgets.menu import Prompt
from workbench.tui.widgets.text_pane import TextPane

PAGE = 500
TOP = Path()
PAUSE_SECONDS = 0.08
"""How long the cursor has to rest on a file of this machine before it is read."""


class DatastoreView(View):
    """Folders are read by a process of its own, which ends with the view: one that hangs holds up no key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="datastore.filter", priority=True),
        Binding("D", "download", "download", id="datastore.download"),
        Binding("u", "upload", "upload", id="datastore.upload"),
        Binding("y", "copy_uri", "copy URI", id="datastore.copy"),
        Binding("n", "register", "register as data", id="datastore.register"),
        Binding("tab", "other_pane", "Files or preview", id="datastore.pane", show=False),
        Binding("escape", "leave", "Clear filter, to the files, or back", id="datastore.leave", show=False),
    ]

    NEED_CONTENT = frozenset({"datastore.filter"})

    def __init__(self, name: str) -> None:
        super().__init__()
        self.crumb = self.datastore = name
        self.place = f"datastores {name}"
        self.tree_of_files = OutputTree()
        self.login: Login | None = None
        self.words: dict[Path, str] = {}
        """What narrows a folder."""
        self._child: Child | None = None
        self._doing = ""
        self._looked: Path | None = None
        self._narrowed = TOP

    def compose_content(self) -> Iterable[Widget]:
        """What it is, the tree, and a look at one file."""
        yield FilterLine(suggest=lambda _: None, placeholder="part of a name")
        yield Static("", classes="section-facts", markup=False)
        with Container(classes="outputs-panes"):
            yield FileTree()
            with Vertical(classes="outputs-preview"):
                yield Static("", classes="outputs-title", markup=False)
                yield TextPane()

    def on_unmount(self) -> None:
        if self._child is not None:
            self._child.close()

    @property
    def files(self) -> FileTree:
        """The tree."""
        return self.query_one(FileTree)

    @property
    def child(self) -> Child:
        """The process that reads."""
        if self._child is None:
            self._child = Child(self.bench.access.layout.root.absolute())
        return self._child

    def store_changed(self) -> None:
        """What lies in a datastore does not change with the workspace; ctrl+r reads again."""

    # -- reading ------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read what it is, and the folders that are open; the first time the top."""
        self.login = await self.bench.access.read(reading_data.one_datastore, self.datastore)
        shown = self.tree_of_files.shown() or {TOP: 0}
        self.tell(f"reading {self.login.address or self.datastore}…")
        for folder, count in shown.items():
            try:
                page = await self._page(folder, None, max(count, PAGE))
            except WorkbenchError:
                if folder == TOP:
                    raise
                page = FolderPage(())  # a folder that is gone
            self.tree_of_files.pages[folder] = page
            self.tree_of_files.open.add(folder)
        top = Entry(self.datastore, TOP, True, 0)
        self.tree_of_files.roots = [Root(self.datastore, top, self.datastore)]
        self.tell("")
        self.show_content()
        self._paint()

    async def _page(self, folder: Path, after: Entry | None, limit: int = PAGE) -> FolderPage:
        place = after.place if after is not None else None
        found = await self.child.ask(
            "folder",
            datastore=self.datastore,
            path=as_path(folder),
            after=place,
            word=self.words.get(folder, ""),
            limit=limit,
        )
        listed = (Entry(name, folder / name, is_folder, size or 0) for name, is_folder, size, _ in found["entries"])
        return FolderPage(tuple(listed), found["more"])

    def tell(self, doing: str) -> None:
        """Say what goes on, in the line over the tree."""
        if not self.is_attached:
            return
        self._doing = doing
        parts = []
        if self.login is not None:
            parts = [self.login.datastore.type, self.login.login, self.login.address]
        narrowed = [f"/{word} in {as_path(folder) or self.datastore}" for folder, word in self.words.items() if word]
        told = Content.styled("  ".join(filter(None, [*parts, *narrowed])), "$foreground-muted")
        self.query_one(".section-facts", Static).update(
            Content.assemble((f"{doing}  ", "$accent"), told) if doing else told
        )

    def _paint(self) -> None:
        if self.is_attached:
            rows = self.tree_of_files.rows()
            if rows != self.files.rows:
                self.files.take(rows)
                self._look()

    @on(FileTree.Opened)
    def row_opened(self, event: FileTree.Opened) -> None:
        """Open or close a folder, read more of one, or look at a file."""
        event.stop()
        row = event.row
        if row.rest_of is not None:
            self.run_worker(self._open(row.rest_of, more=True), group="folder")
        elif row.entry is not None and row.entry.is_folder:
            if row.is_open:
                self._close(row.entry.path)
            else:
                self.run_worker(self._open(row.entry.path), group="folder")
        elif row.entry is not None:
            self._look(now=True)
            self.query_one(TextPane).focus(scroll_visible=False)

    @on(FileTree.Closed)
    def row_closed(self, event: FileTree.Closed) -> None:
        """Close a folder."""
        event.stop()
        if event.row.entry is not None:
            self._close(event.row.entry.path)

    def _close(self, folder: Path) -> None:
        self.tree_of_files.open.discard(folder)
        self.tree_of_files.pages.pop(folder, None)
        self._paint()

    async def _open(self, folder: Path, *, more: bool = False) -> None:
        known = self.tree_of_files.pages[folder].entries if more else ()
        self.tell(f"reading {as_path(folder) or self.datastore}…")
        try:
            page = await self._page(folder, known[-1] if known else None)
        except WorkbenchError as error:
            self.notify(str(error), title="Not read", severity="warning", markup=False)
            return
        finally:
            self.tell("")
        at = self.files.cursor
        if more:
            self.tree_of_files.add(folder, page)
        else:
            self.tree_of_files.pages[folder] = page
        self.tree_of_files.open.add(folder)
        self._paint()
        if more:
            self.files.move_to(at)

    async def read_again(self, folder: Path) -> None:
        """Read one folder anew, where it is open."""
        if folder in self.tree_of_files.open:
            await self._open(folder)

    # -- preview ------------------------------------------------------------------------------------------------

    @on(FileTree.Selected)
    def row_selected(self, event: FileTree.Selected) -> None:
        """Look at what is under the cursor now."""
        event.stop()
        self._look()

    def _look(self, *, now: bool = False) -> None:
        row = self.files.row
        entry = row.entry if row else None
        if entry is None or entry.is_folder:
            self._looked = None
            self.workers.cancel_group(self, "look")
            self._show(as_path(entry.path) if entry is not None else "", Preview("", []))
        elif entry.path != self._looked or now:
            self._looked = entry.path
            self.run_worker(self._preview(entry, now), group="look", exclusive=True)

    async def _preview(self, entry: Entry, now: bool) -> None:
        title = f"{as_path(entry.path)} {size_text(entry.size)}"
        root = self.login.datastore.document.get("path") if self.login is not None else None
        if self.login is None or self.login.datastore.type != "local" or root is None:
            if not now:
                self._show(title, Preview("", [[("enter reads its first rows, D brings it here", "muted")]]))
                return
            self._show(title, Preview("", [[("reading it…", "muted")]]))
            self._show(title, await self._rows(entry))
            return
        if not now:
            await asyncio.sleep(PAUSE_SECONDS)
        pane = self.query_one(TextPane)
        try:
            found = await preview(Path(root) / entry.path, (pane.size.width - 2, pane.size.height), self.bench.signs)
        except OSError as error:
            found = Preview("", [], note=f"it cannot be read: {error.strerror}")
        self._show(f"{title} {found.kind}".rstrip(), found)

    async def _rows(self, entry: Entry) -> Preview:
        try:
            found: dict[str, Any] = await self.child.ask("rows", place=self.uri(entry.path))
        except WorkbenchError as error:
            return Preview("", [[(str(error), "warning")], [("D brings the file here", "muted")]])
        names = [name for name, _ in found["columns"]]
        note = f"{len(names)} columns, the first {len(found['rows'])} rows"
        return Preview("table", table_lines(names, found["rows"], self.bench.signs), wrapped=False, note=note)

    def _show(self, title: str, found: Preview) -> None:
        if self.is_attached:
            self.query_one(".outputs-title", Static).update(f"{title}: {found.note}" if found.note else title)
            self.query_one(TextPane).show_lines(found.lines, wrapped=found.wrapped)

    # -- keys ---------------------------------------------------------------------------------------------------

    def focus_content(self) -> None:
        """The files take the keys."""
        if self.query_one(".content").display:
            self.screen.set_focus(self.files, scroll_visible=False)
        else:
            super().focus_content()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash that is typed into a text is a slash; without files there is nothing to do to them."""
        if action == "filter":
            return not is_typing(self.app.focused)
        if action in ("download", "upload", "copy_uri", "register"):
            return self.query_one(".content").display
        return True

    def action_other_pane(self) -> None:
        """From the files to the preview, and back."""
        pane = self.query_one(TextPane)
        (self.files if pane.has_focus else pane).focus(scroll_visible=False)

    def action_leave(self) -> None:
        """Back to the files from the preview; all of a folder again; else back."""
        if self.query_one(TextPane).has_focus:
            self.files.focus(scroll_visible=False)
        elif any(self.words.values()):
            folders = [folder for folder, word in self.words.items() if word]
            self.words.clear()
            for folder in folders:
                self.run_worker(self._open(folder), group="folder")
        else:
            self.app.run_worker(self.bench.action_back())

    @property
    def folder(self) -> Path:
        """The folder under the cursor, or the one that the file under it lies in."""
        row = self.files.row
        if row is None or row.entry is None:
            return row.rest_of if row is not None and row.rest_of is not None else TOP
        return row.entry.path if row.entry.is_folder else row.entry.path.parent

    def uri(self, path: Path) -> str:
        """The address of a path in any document."""
        return f"azureml://datastores/{self.datastore}/paths/{as_path(path)}"

    def action_copy_uri(self) -> None:
        """Copy the address of what is under the cursor."""
        row = self.files.row
        path = row.entry.path if row is not None and row.entry is not None else self.folder
        is_folder = row is None or row.entry is None or row.entry.is_folder
        uri = self.uri(path)
        uri = f"{uri}/" if is_folder and not uri.endswith("/") else uri
        self.bench.copy_text(uri, uri)

    def action_register(self) -> None:
        """Register what is under the cursor as a data asset."""
        from workbench.tui.data.registering import register

        row = self.files.row
        entry = row.entry if row is not None else None
        path = entry.path if entry is not None else self.folder
        is_folder = entry is None or entry.is_folder
        register(self.bench, "", self.uri(path), "uri_folder" if is_folder else "uri_file")

    def action_download(self) -> None:
        """Bring the file or the folder under the cursor to a folder of the user's."""
        row = self.files.row
        if row is None or row.entry is None:
            return
        entry = row.entry

        def answered(target: str | None) -> None:
            if target is not None:
                moving.download(self, self.datastore, as_path(entry.path), target)

        self.app.push_screen(Prompt(f"Bring {row.title} into the folder", os.getcwd()), answered)

    def action_upload(self) -> None:
        """Put a file of the user's into the folder under the cursor."""
        folder = self.folder

        def answered(file: str | None) -> None:
            if file is not None:
                moving.upload(self, self.datastore, file, as_path(folder), lambda: self.read_again(folder))

        where = as_path(folder) or self.datastore
        self.app.push_screen(Prompt(f"Put a file into {where}", hint="a file of this machine"), answered)

    def action_filter(self) -> None:
        """Narrow the folder under the cursor by a part of names."""
        self._narrowed = self.folder if self.folder in self.tree_of_files.open else self.folder.parent
        self.query_one(FilterLine).open(self.words.get(self._narrowed, ""))

    @on(FilterLine.Typed)
    def filter_typed(self, event: FilterLine.Typed) -> None:
        """Narrow while the user types."""
        event.stop()
        self._narrow(event.text)

    @on(FilterLine.Closed)
    def filter_closed(self, event: FilterLine.Closed) -> None:
        """Back to the files."""
        event.stop()
        self._narrow(event.text)
        self.focus_content()

    def _narrow(self, word: str) -> None:
        if self.words.get(self._narrowed, "") != word:
            self.words[self._narrowed] = word
            self.run_worker(self._open(self._narrowed), group="narrow", exclusive=True)


def as_path(path: Path) -> str:
    """A path as the datastore has it; empty for its top."""
    return "" if path == TOP else str(path)
