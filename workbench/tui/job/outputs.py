"""The tab with what a job left: a tree of its files, and the beginning of the one under the cursor."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Static

from store.errors import WorkbenchError
from store.folder_pages import Entry
from store.jobs import Job
from workbench.tui.access import Stores
from workbench.tui.job.output_tree import OutputTree, find_roots, read_again, read_page
from workbench.tui.job.preview import Preview, preview
from workbench.tui.view import Notice
from workbench.tui.widgets.file_tree import FileTree, size_text
from workbench.tui.widgets.menu import Prompt
from workbench.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

PAUSE_SECONDS = 0.08
"""How long the cursor has to rest on a file before it is read."""


class OutputsTab(Widget):
    """Reads folders as they are opened, and files as the cursor rests on them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "download", "download", id="outputs.download"),
        Binding("y", "copy_path", "copy path", id="outputs.copy"),
        Binding("escape", "tree", "Back to the files", id="outputs.tree", show=False),
        Binding("tab", "other_pane", "Files or preview", id="outputs.pane", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job_name = name
        self.tree_of_files = OutputTree()
        self.job: Job | None = None
        self._previewed: tuple[Path, int] | None = None

    def compose(self) -> ComposeResult:
        yield Notice("Reading the folders...", classes="notice", markup=False)
        with Container(classes="outputs-panes"):
            yield FileTree()
            with Vertical(classes="outputs-preview"):
                yield Static("", classes="outputs-title", markup=False)
                yield TextPane()

    def on_mount(self) -> None:
        self.query_one(".outputs-panes").display = False

    @property
    def bench(self) -> WorkbenchApp:
        """The application, typed."""
        return cast("WorkbenchApp", self.app)

    @property
    def files(self) -> FileTree:
        """The tree."""
        return self.query_one(FileTree)

    # -- folders ------------------------------------------------------------------------------------------------

    async def show(self, job: Job) -> None:
        """Read what there is; the first time the artifacts are opened."""
        self.job = job
        roots = await self.bench.access.read(find_roots, job)
        if not self.tree_of_files.roots:
            known = [root.entry.path for root in roots if root.entry and root.entry.is_folder]
            opened = [*known[:1], *(folder / "outputs" for folder in known[:1] if (folder / "outputs").is_dir())]
            self.tree_of_files.pages.update(await self.bench.access.read(read_again, dict.fromkeys(opened, 0)))
            self.tree_of_files.open.update(opened)
        self.tree_of_files.roots = roots
        await self._read_again()

    async def tick(self) -> None:
        """Follow what the job writes."""
        await self._read_again()

    async def _read_again(self) -> None:
        found = await self.bench.access.read(read_again, self.tree_of_files.shown())
        self.tree_of_files.pages.update(found)
        self._paint()

    @property
    def present(self) -> bool:
        """Whether there is still something to show an answer in: the tab may have been closed meanwhile."""
        return self.is_attached and bool(self.query(FileTree))

    def _paint(self) -> None:
        if not self.present:
            return
        rows = self.tree_of_files.rows()
        notice, panes = self.query_one(".notice", Notice), self.query_one(".outputs-panes")
        had_focus = self.has_focus_within
        notice.display, panes.display = not rows, bool(rows)
        if not rows:
            job = self.job
            notice.update(
                "Nothing yet: files appear here as the job writes to outputs/"
                if job and not job.finished
                else "This job left no files\nWhat a script writes to outputs/ is kept and shown here"
            )
        if rows != self.files.rows:
            self.files.take(rows)
            self._look()
        if had_focus and not self.has_focus_within:
            self.focus_content()

    @on(FileTree.Opened)
    def row_opened(self, event: FileTree.Opened) -> None:
        """Open or close a folder, read more of one, or go to the preview."""
        event.stop()
        row = event.row
        if row.rest_of is not None:
            self.run_worker(self._read_more(row.rest_of), group="folder")
        elif row.entry is not None and row.entry.is_folder:
            if row.is_open:
                self._close(row.entry.path)
            else:
                self.run_worker(self._open(row.entry.path), group="folder")
        elif row.entry is not None:
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

    async def _open(self, folder: Path) -> None:
        try:
            page = await self.bench.access.read(read_page, folder, None)
        except OSError as error:
            self.notify(f"{folder.name}: {error.strerror}", severity="warning", markup=False)
            return
        self.tree_of_files.pages[folder] = page
        self.tree_of_files.open.add(folder)
        self._paint()

    async def _read_more(self, folder: Path) -> None:
        known = self.tree_of_files.pages[folder].entries
        page = await self.bench.access.read(read_page, folder, known[-1].place)
        at = self.files.cursor
        self.tree_of_files.add(folder, page)
        self._paint()
        self.files.move_to(at)

    # -- preview ------------------------------------------------------------------------------------------------

    @on(FileTree.Selected)
    def row_selected(self, event: FileTree.Selected) -> None:
        """Look at what is under the cursor now."""
        event.stop()
        self._look()

    def _look(self) -> None:
        """Read the file under the cursor, once for each size that it has."""
        row = self.files.row
        entry = row.entry if row else None
        wanted = (entry.path, entry.size) if entry is not None and not entry.is_folder else None
        if wanted is not None and wanted == self._previewed:
            return
        same_file = wanted is not None and self._previewed is not None and wanted[0] == self._previewed[0]
        self._previewed = wanted
        if entry is None or entry.is_folder:
            self.workers.cancel_group(self, "preview")
            self._show_preview(row.place if row else "", Preview("", []))
        else:
            self.run_worker(self._preview(entry, keep_place=same_file), group="preview", exclusive=True)

    async def _preview(self, entry: Entry, *, keep_place: bool) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        pane = self.query_one(TextPane)
        try:
            found = await preview(entry.path, (pane.size.width - 2, pane.size.height), self.bench.signs)
        except OSError as error:
            found = Preview("", [], note=f"it cannot be read: {error.strerror}")
        if self.present:
            title = " ".join(filter(None, (entry.name, size_text(entry.size), found.kind)))
            self._show_preview(title, found, keep_place)

    def _show_preview(self, title: str, found: Preview, keep_place: bool = False) -> None:
        told = f"{title}: {found.note}" if found.note else title
        self.query_one(".outputs-title", Static).update(told)
        self.query_one(TextPane).show_lines(found.lines, wrapped=found.wrapped, keep_place=keep_place)

    # -- keys ---------------------------------------------------------------------------------------------------

    def focus_content(self) -> None:
        """The files, or what is said in their place."""
        target: Widget = self.files if self.query_one(".outputs-panes").display else self.query_one(".notice")
        target.focus(scroll_visible=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape leads back to the files from the preview alone."""
        if action == "tree":
            return self.query_one(TextPane).has_focus
        if action in ("download", "copy_path"):
            return self.query_one(".outputs-panes").display
        return True

    def action_tree(self) -> None:
        """Back to the files."""
        self.files.focus(scroll_visible=False)

    def action_other_pane(self) -> None:
        """From the files to the preview, and back."""
        pane = self.query_one(TextPane)
        (self.files if pane.has_focus else pane).focus(scroll_visible=False)

    def action_copy_path(self) -> None:
        """Copy where the file lies."""
        row = self.files.row
        if row is not None:
            self.bench.copy_text(row.place, row.place)

    def action_download(self) -> None:
        """Copy the file or the folder to a folder of the user's."""
        row = self.files.row
        if row is None or row.entry is None:
            return
        entry = row.entry

        def answered(target: str | None) -> None:
            if target is not None:
                self.app.run_worker(self._download(entry, target), group="download")

        default = str(Path.cwd() / self.job_name)
        self.app.push_screen(Prompt(f"Copy {row.title} into the folder", default), answered)

    async def _download(self, entry: Entry, target: str) -> None:
        app = self.bench
        try:
            told = await app.access.read(download, entry.path, Path(target).expanduser())
        except WorkbenchError as error:
            app.notify(str(error), title="Not copied", severity="error", markup=False)
        else:
            app.notify(told, markup=False)


def download(_stores: Stores, path: Path, target: Path) -> str:
    """Copy a file or a folder below another folder; what was done, in words."""
    from engines.jobs.download import download_path

    done = download_path(path, target.absolute())
    files = f"{done.files} file{'' if done.files == 1 else 's'}"
    return " ".join([f"copied {files} into {done.target}", *done.notes])
