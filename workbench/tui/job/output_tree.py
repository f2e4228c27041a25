"""The folders of a job as a tree that is read as it is opened: roots, pages of entries, what is open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engines.jobs.outputs import Output
from engines.jobs.working_copy import CAPTURED
from store import folder_pages
from store.errors import WorkbenchError
from store.folder_pages import Entry, FolderPage
from store.jobs import Job
from store.model_places import logged_models
from store.uris import tracking
from workbench.tui.access import Stores


@dataclass(frozen=True, slots=True)
class Root:
    """Something that a job left: ``title`` is what it is called, ``entry`` None where it lies on another machine."""

    title: str
    entry: Entry | None
    place: str
    output: str = ""
    """The name of a named output, ``artifacts`` for those; empty for what is none."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the tree: an entry, or the rest of a folder that is not read yet."""

    title: str
    depth: int
    entry: Entry | None
    place: str
    root: Root
    is_open: bool = False
    rest_of: Path | None = None
    """The folder whose other entries this row stands for."""

    @property
    def key(self) -> tuple[str, bool]:
        """What tells it from the other rows."""
        return self.place, self.rest_of is not None


def find_roots(stores: Stores, job: Job) -> list[Root]:
    """What a job left or leaves just now: artifacts, named outputs, models, its logs."""
    layout = stores.layout
    found = [_root("artifacts", layout.artifacts(job.name), "artifacts")]
    if not job.finished:
        work = layout.job(job.name).working_copy
        found += [_root(f"{name} (being written)", work / name) for name in CAPTURED]
    for name in job.document.get("outputs") or {}:
        try:
            output = Output.read(job.document, name, job.name, layout)
        except WorkbenchError as error:
            found.append(Root(f"outputs.{name}", None, error.message))
            continue
        path = output.place.path if job.finished else output.written
        title = f"outputs.{name}"
        found.append(_root(title, path, str(name)) if path is not None else Root(title, None, str(output.place)))
    with tracking(layout) as connection:
        found += [_root(f"model {name}", folder) for name, folder in logged_models(connection, job.name).items()]
    folder = layout.job(job.name)
    logs = [folder.system_logs]
    if not (layout.artifacts(job.name) / folder.user_logs.name).exists():  # at the end they are among the artifacts
        logs.insert(0, folder.user_logs)
    found += [_root(each.name, each) for each in logs]
    return [root for root in found if root.entry is None or root.entry.is_folder or root.entry.path.exists()]


def _root(title: str, path: Path, output: str = "") -> Root:
    return Root(title, folder_pages.entry(path), str(path), output)


def read_page(stores: Stores, folder: Path, after: folder_pages.Place | None) -> FolderPage:
    """A page of a folder. Raises OSError."""
    return folder_pages.page(folder, after)


def read_again(stores: Stores, folders: dict[Path, int]) -> dict[Path, FolderPage]:
    """The open folders anew, as many entries of each as were shown; one that is gone is empty."""
    found: dict[Path, FolderPage] = {}
    for folder, count in folders.items():
        try:
            found[folder] = folder_pages.page(folder, None, max(count, folder_pages.PAGE))
        except OSError:
            found[folder] = FolderPage(())
    return found


@dataclass(slots=True)
class OutputTree:
    """What is known of the folders, and which are open."""

    roots: list[Root] = field(default_factory=list)
    pages: dict[Path, FolderPage] = field(default_factory=dict)
    open: set[Path] = field(default_factory=set)

    def rows(self) -> list[Row]:
        """The lines, from the top."""
        return [row for root in self.roots for row in self._of_root(root)]

    def shown(self) -> dict[Path, int]:
        """The open folders, and how many entries of each are known."""
        return {folder: len(page.entries) for folder, page in self.pages.items() if folder in self.open}

    def add(self, folder: Path, page: FolderPage) -> None:
        """Take in the next page of a folder."""
        known = self.pages.get(folder)
        entries = (*known.entries, *page.entries) if known else page.entries
        self.pages[folder] = FolderPage(entries, page.more)

    def _of_root(self, root: Root) -> Iterator[Row]:
        entry = root.entry
        is_open = entry is not None and entry.path in self.open
        yield Row(root.title, 0, entry, root.place, root, is_open)
        if entry is not None and is_open:
            yield from self._below(entry.path, 1, root)

    def _below(self, folder: Path, depth: int, root: Root) -> Iterator[Row]:
        page = self.pages.get(folder)
        if page is None:
            return
        for entry in page.entries:
            is_open = entry.is_folder and entry.path in self.open
            yield Row(entry.name, depth, entry, str(entry.path), root, is_open)
            if is_open:
                yield from self._below(entry.path, depth + 1, root)
        if page.more:
            yield Row(f"{page.more:,} more", depth, None, str(folder), root, rest_of=folder)
        elif not page.entries:
            yield Row("empty", depth, None, str(folder), root)
