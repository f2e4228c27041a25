"""The section Compute: where jobs run, and what runs there."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store import computes
from store.errors import WorkbenchError
from workbench.tui.access import Stores
from workbench.tui.glyphs import Glyphs
from workbench.tui.home_lines import (
    Running,
    Waiting,
    bar,
    running_at,
    running_height,
    running_lines,
    waiting_at,
    waiting_lines,
)
from workbench.tui.job_actions import JobActions
from workbench.tui.job_columns import cell
from workbench.tui.reading_compute import (
    ComputeFacts,
    ComputeJobs,
    all_computes,
    create_pool,
    delete_compute,
    one_compute,
    types,
)
from workbench.tui.reading_home import Curves
from workbench.tui.view import View
from workbench.tui.widgets.line_list import Entry, Line, LineList
from workbench.tui.widgets.menu import Question
from workbench.tui.widgets.pool_form import PoolForm

AGE_SECONDS = 5.0


class ComputeView(View):
    """Every compute: its type, its slots and its queue."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_pool", "new", id="compute.new"),
        Binding("d", "delete", "delete", id="compute.delete"),
        Binding("y", "copy_name", "copy name", id="compute.copy"),
    ]

    def compose_content(self) -> Iterable[Widget]:
        """The list."""
        yield LineList(compute_lines, compute_head)

    @property
    def listed(self) -> LineList:
        """The list."""
        return self.query_one(LineList)

    async def load(self) -> None:
        """Read every compute; ``local`` is always there."""
        found = await self.bench.access.read(all_computes)
        self.listed.take([Entry(each.name, each) for each in found])
        self.show_content()

    @on(LineList.Opened)
    async def open_compute(self, event: LineList.Opened) -> None:
        """Show what runs there."""
        event.stop()
        await self.bench.frame.push(ComputeJobsView(event.entry.key))

    def command(self, text: str) -> None:
        """``:compute NAME`` opens one."""
        self.app.run_worker(self.bench.frame.push(ComputeJobsView(text), self))

    @staticmethod
    def completions(stores: Stores, _text: str) -> Iterable[str]:
        """The names."""
        return computes.names(stores.workbench)

    def action_copy_name(self) -> None:
        """Copy the compute's name."""
        if self.listed.entry is not None:
            self.bench.copy_text(self.listed.entry.key, self.listed.entry.key)

    async def action_new_pool(self) -> None:
        """Ask for a new compute's fields and make it."""
        served = await asyncio.to_thread(types)

        def made(name: str | None) -> None:
            if name:
                self.notify(f"created {name}; d deletes it", markup=False)
                self.reload()

        self.app.push_screen(PoolForm(served, self._create), made)

    async def _create(self, given: dict[str, str]) -> str:
        try:
            await self.bench.access.write(create_pool, given)
        except WorkbenchError as error:
            return f"{error.message}. {error.hint}" if error.hint else error.message
        except (sqlite3.Error, OSError) as error:
            return str(error)
        return ""

    def action_delete(self) -> None:
        """Delete the compute under the cursor, after a question."""
        entry = self.listed.entry
        if entry is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._guard(self.bench.access.write(delete_compute, entry.key), f"deleted {entry.key}")

        self.app.push_screen(Question(f"Delete the compute {entry.key}?", "Jobs that ran on it stay."), answered)

    def _guard(self, work: Awaitable[Any], done: str) -> None:
        async def guarded() -> None:
            try:
                await work
            except (WorkbenchError, sqlite3.Error, OSError) as error:
                self.notify(str(error), title="Not done", severity="error", markup=False)
                return
            self.notify(done, markup=False)
            self.reload()

        self.app.run_worker(guarded(), group="action")


class ComputeJobsView(JobActions):
    """What runs on one compute, and what waits for it, in the order in which it will start."""

    live = True

    def __init__(self, name: str) -> None:
        super().__init__()
        self.crumb = self.compute = name
        self.place = f"compute {name}"
        self.facts: ComputeJobs | None = None
        self._curves: Curves | None = None
        self._looked = 0.0

    def compose_content(self) -> Iterable[Widget]:
        """The facts of the compute, and the list of its jobs."""
        yield Static("", classes="section-facts", markup=False)
        yield LineList(job_lines)

    async def load(self) -> None:
        """Read the compute and its jobs."""
        if self._curves is None:
            self._curves = Curves(self.bench.configuration.main_metric)
        self.facts = await self.bench.access.read(one_compute, self.compute, self._curves, self.bench.now())
        self._fill(self.facts)

    def _fill(self, found: ComputeJobs) -> None:
        now = self._looked = self.bench.now()
        facts, listed = found.facts, self.query_one(LineList)
        parts = [facts.document["type"], slots_text(facts), f"{facts.waiting} waiting"]
        parts += [text for key in ("description",) if (text := facts.document.get(key))]
        self.query_one(".section-facts", Static).update(Content.styled("  ".join(map(str, parts)), "$foreground-muted"))
        if not found.running and not found.queue:
            self.show_empty(
                f"Nothing runs on {self.compute}, and nothing waits for it",
                "",
                f"A job runs here with `compute: azureml:{self.compute}` in its document.",
                f"{self.bench.key_of('job.new', 'n'):3}  new job",
                f"{self.bench.key_of('app.back', 'esc'):3}  back to the list",
            )
            return
        height = running_height(listed.scrollable_content_region.width or self.app.size.width)
        entries = [
            Entry(each.job.name, running_at(each, found.curves.get(each.job.name), now), height)
            for each in found.running
        ]
        entries += [Entry(each.job.name, waiting_at(each, now)) for each in found.queue]
        listed.take(entries)
        self.show_content()

    async def tick(self) -> None:
        """Follow the curves of what runs, and what time does to the rest."""
        if self.facts is None or self._curves is None or not self.loaded:
            return
        curves = await self.bench.access.read(self._curves.tick) if self.facts.running else None
        if curves is not None:
            self.facts = replace(self.facts, curves=curves)
        if curves is not None or self.bench.now() - self._looked > AGE_SECONDS:
            self._fill(self.facts)

    def on_resize(self) -> None:
        """Other widths, other lines."""
        if self.facts is not None and self.loaded:
            self._fill(self.facts)

    def chosen_names(self) -> list[str]:
        """The job under the cursor."""
        entry = self.query_one(LineList).entry
        return [entry.key] if entry is not None and self.query_one(".content").display else []

    @on(LineList.Opened)
    async def open_job(self, event: LineList.Opened) -> None:
        """Open the job."""
        event.stop()
        await self.bench.open_job(event.entry.key)


def job_lines(value: Running | Waiting, width: int, signs: Glyphs) -> list[Line]:
    """A running or a waiting job."""
    return running_lines(value, width, signs) if isinstance(value, Running) else waiting_lines(value, width, signs)


def widths(width: int) -> tuple[int, int, int]:
    """Of name, type and slots."""
    return max(12, min(32, width * 3 // 10)), max(10, min(16, width * 2 // 10)), 22


def compute_head(width: int, signs: Glyphs) -> Line:
    """The titles of the columns."""
    name, kind, slots = widths(width)
    titles = f" {cell('Name', name, signs)} {cell('Type', kind, signs)} {cell('Slots', slots, signs)} Queue"
    return ((titles, "muted"),)


def compute_lines(value: ComputeFacts, width: int, signs: Glyphs) -> list[Line]:
    """Name, type, how many of its slots are taken, and how many jobs wait."""
    name, kind, slots = widths(width)
    start = (f" {cell(value.name, name, signs)} ", ""), (f"{cell(value.document['type'], kind, signs)} ", "muted")
    if value.slots is None:
        return [(*start, (f"does not work: {value.trouble}", "warning"))]
    share = value.used / value.slots if value.slots else 0.0
    waiting = f" {value.waiting} waiting" if value.waiting else " empty"
    return [
        (
            *start,
            (f"{bar(share, 8, signs)} ", "running" if value.used else "muted"),
            (cell(f"{value.used} of {value.slots}", slots - 9, signs), ""),
            (waiting, "waiting" if value.waiting else "muted"),
        )
    ]


def slots_text(value: ComputeFacts) -> str:
    """Its slots in words."""
    if value.slots is None:
        return f"does not work: {value.trouble}"
    return f"{value.used} of {value.slots} slots taken"
