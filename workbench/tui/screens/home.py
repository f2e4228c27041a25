"""The section Home: what runs, what failed and why, what waits, what came of it, and how the machine is."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from store.data.assets import DataVersion
from store.errors import WorkbenchError
from workbench.tui import home_lines
from workbench.tui.glyphs import Glyphs
from workbench.tui.home_lines import Ended, Machine, Output, Running, Waiting, Want, running_at, shares, waiting_at
from workbench.tui.job_actions import JobActions
from workbench.tui.job_columns import age
from workbench.tui.reading_home import LISTED, Curves, HomeFacts, MachineFacts, Made, home, machine
from workbench.tui.widgets.header import Header
from workbench.tui.widgets.line_list import Draw, Entry, Line, LineList
from workbench.tui.widgets.menu import Choice, Menu

TWO_COLUMNS = 130
THREE_COLUMNS = 230
GUTTER = 2
AGE_SECONDS = 5.0
"""How often it is looked whether a time that passes reads otherwise now."""
MACHINE_SECONDS = 600.0
"""How often the workspace's files are counted."""

COLUMNS: dict[int, tuple[tuple[str, ...], ...]] = {
    1: (("running", "failed", "queue", "finished", "data", "machine"),),
    2: (("running", "queue", "finished"), ("failed", "data", "machine")),
    3: (("running", "queue"), ("failed",), ("finished", "data", "machine")),
}
"""Which panels stand in each column, the most telling first."""


class Panel(LineList):
    """A part of Home: a title, and what there is under it."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, name: str, title: str, draw: Draw, empty: str = "") -> None:
        super().__init__(draw, self._title)
        self.id, self.title, self.empty = f"home-{name}", title, empty
        self.total = 0
        self.capped = False

    def fill(self, entries: Sequence[Entry], total: int | None = None) -> None:
        """Show these, of ``total``; without it there are more where so many were asked for."""
        self.total = len(entries) if total is None else total
        self.capped = total is None and len(entries) >= LISTED
        self.can_focus = bool(entries)
        self.take(entries or ([Entry("", None)] if self.empty else []))

    def want(self) -> Want:
        """The lines that it would take; nothing at all where there is nothing to show."""
        return Want([entry.height for entry in self.entries], head=1 if self.entries else 0)

    def draw(self, value: object, width: int, signs: Glyphs) -> Sequence[Line]:
        """An entry, or what stands in place of entries."""
        return super().draw(value, width, signs) if value is not None else [(("  ", ""), (self.empty, "muted"))]

    def _title(self, width: int, signs: Glyphs) -> Line:
        count = f" {self.total}{'+' if self.capped else ''}" if self.total else ""
        sight = self.in_sight
        more = f" {self.total - sight}{'+' if self.capped else ''} more" if self.total and self.total > sight else ""
        rule = signs.rule * max(0, width - len(self.title) - len(count) - len(more) - 1)
        return ((self.title, "head"), (f"{count} {rule}{more}", "muted"))


class MachinePanel(Panel, can_focus=False):
    """How the machine is: nothing to choose."""

    def _title(self, width: int, signs: Glyphs) -> Line:
        return (("Machine ", "head"), (signs.rule * max(0, width - 8), "muted"))


class HomeBoard(Widget):
    """Puts the panels where they fit."""

    class Resized(Message):
        """There is another place for the panels; the first one comes after the first facts."""

    def __init__(self, panels: dict[str, Panel]) -> None:
        super().__init__()
        self.panels = panels
        self._placed: dict[str, tuple[int, int, int, int]] = {}

    def compose(self) -> Iterable[Widget]:
        yield from self.panels.values()

    def on_resize(self) -> None:
        """Other widths, other lines."""
        self.post_message(self.Resized())

    @property
    def columns(self) -> tuple[tuple[str, ...], ...]:
        """The panels of each column."""
        width = self.size.width
        return COLUMNS[3 if width >= THREE_COLUMNS else 2 if width >= TWO_COLUMNS else 1]

    @property
    def column_width(self) -> int:
        """The cells of one column."""
        count = len(self.columns)
        return max(1, (self.size.width - GUTTER * (count - 1) - 2) // count)

    def settle(self) -> None:
        """Give every panel its place."""
        width = self.column_width
        for number, names in enumerate(self.columns):
            panels = [self.panels[name] for name in names]
            wants = [panel.want() for panel in panels]
            given = shares(self.size.height, wants)
            gap = 1 if sum(given) + sum(1 for lines in given if lines) <= self.size.height else 0
            top, left = 0, 1 + number * (width + GUTTER)
            for name, lines in zip(names, given, strict=True):
                self._place(name, left, top, width, lines)
                top += lines + (gap if lines else 0)

    def _place(self, name: str, left: int, top: int, width: int, height: int) -> None:
        if self._placed.get(name) == (left, top, width, height):
            return
        self._placed[name] = (left, top, width, height)
        panel = self.panels[name]
        panel.display = height > 0
        panel.styles.offset = (left, top)
        panel.styles.width, panel.styles.height = width, height

    def neighbours(self) -> list[list[Panel]]:
        """The panels that can take the focus, by column."""
        shown = [[self.panels[name] for name in names] for names in self.columns]
        return [column for names in shown if (column := [each for each in names if each.display and each.can_focus])]


class HomeView(JobActions):
    """The whole workspace at a glance, live."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "column(1)", "Next column", show=False, id="home.right"),
        Binding("left", "column(-1)", "Column before", show=False, id="home.left"),
    ]
    live = True

    def __init__(self) -> None:
        super().__init__()
        self.facts = HomeFacts()
        self.machine: MachineFacts | None = None
        self._curves: Curves | None = None
        self._looked = self._counted = 0.0
        self._chosen: tuple[list[str], str | None] = ([], None)
        self._panels: dict[str, Panel] = {
            "running": Panel("running", "Running", home_lines.running_lines),
            "failed": Panel("failed", "Failed", home_lines.failed_lines),
            "queue": Panel("queue", "Queue", home_lines.waiting_lines),
            "finished": Panel("finished", "Finished", home_lines.ended_lines),
            "data": Panel("data", "Newest data", home_lines.made_lines),
            "machine": MachinePanel("machine", "Machine", home_lines.machine_lines),
        }

    def compose_content(self) -> Iterable[Widget]:
        """The board."""
        self._panels["running"].empty = f"nothing runs now; {self.bench.key_of('job.new', 'n')} writes a new job"
        yield HomeBoard(self._panels)

    @property
    def board(self) -> HomeBoard:
        """Where the panels stand."""
        return self.query_one(HomeBoard)

    def on_mount(self) -> None:
        """Follow the machine's load, which the header looks at."""
        super().on_mount()
        self.watch(self.bench.frame.query_one(Header), "load", self._show_machine, init=False)

    # -- reading ------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read all that is shown."""
        if self._curves is None:
            self._curves = Curves(self.bench.configuration.main_metric)
        self.facts = await self.bench.access.read(home, self._curves, self.bench.now())
        if self.facts.new:
            key = self.bench.key_of
            self.show_empty(
                "Welcome. Nothing was run in this workspace yet; three ways to begin:",
                "",
                f"{key('job.new', 'n'):2}  write a first job: a template, a form, and the YAML that it makes",
                f"{key('app.command', ':'):2}  go somewhere: compute, environments, theme, help; tab completes",
                f"{key('app.help', '?'):2}  see the keys that work here",
                "",
                "In a shell, `workbench run job.yml` runs a job document, and its metrics draw here as they come.",
            )
            return
        self.show_content()
        self._fill()
        if self.bench.now() - self._counted > MACHINE_SECONDS:
            self._counted = self.bench.now()
            self.run_worker(self._look_at_machine(), group="machine")

    async def _look_at_machine(self) -> None:
        with suppress(WorkbenchError, sqlite3.Error, OSError):  # what is wrong, the rest of Home says
            self.machine = await self.bench.access.read(machine)
            self._show_machine()

    async def tick(self) -> None:
        """Follow the curves of what runs, and what time does to the rest."""
        if not self.loaded or self.facts.new or self._curves is None:
            return
        curves = await self.bench.access.read(self._curves.tick) if self.facts.running else None
        now = asyncio.get_running_loop().time()
        if curves is not None:
            self.facts = replace(self.facts, curves=curves)
        if curves is not None or now - self._looked > AGE_SECONDS:
            self._fill()

    # -- showing ------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Give the panels what there is; they paint what differs."""
        self._looked = asyncio.get_running_loop().time()
        facts, now = self.facts, self.bench.now()
        height = home_lines.running_height(self.board.column_width)
        panels = self._panels
        running = [running_at(each, facts.curves.get(each.job.name), now) for each in facts.running]
        panels["running"].fill([Entry(each.job.name, each, height) for each in running])
        panels["failed"].fill(
            [Entry(each.job.name, Ended(each, _ago(each.job.ended_at, now)), 2) for each in facts.failed]
        )
        panels["finished"].fill(
            [Entry(each.job.name, Ended(each, _ago(each.job.ended_at, now))) for each in facts.finished]
        )
        waiting = [waiting_at(each, now) for each in facts.queue]
        panels["queue"].fill([Entry(each.job.name, each) for each in waiting], facts.waiting)
        panels["data"].fill([Entry(_key_of(each), Output(each, _ago(_made_at(each), now))) for each in facts.made])
        self._show_machine()
        if (chosen := (self.chosen_names(), self.chosen_status())) != self._chosen:
            self._chosen = chosen
            self.refresh_bindings()
        if self.query_one(".content").display and self.panel is None and self.may_take_focus:
            self.focus_content()

    def _show_machine(self) -> None:
        value = Machine(self.machine, self.bench.frame.query_one(Header).load)
        lines = len(home_lines.machine_lines(value, self.board.column_width, self.bench.signs))
        self._panels["machine"].take([Entry("machine", value, lines)] if lines else [])
        self.board.settle()

    @on(HomeBoard.Resized)
    def board_resized(self) -> None:
        """Give the panels what their place has room for."""
        if self.loaded and not self.facts.new:
            self._fill()

    # -- keys ---------------------------------------------------------------------------------------------------

    @property
    def panel(self) -> Panel | None:
        """The panel that has the focus."""
        return next((panel for panel in self._panels.values() if panel.has_focus), None)

    def chosen_names(self) -> list[str]:
        """The job under the cursor."""
        entry = self.panel.entry if self.panel else None
        if entry is None or not entry.key or _data_of(entry) is not None:
            return []
        return [entry.key.partition("/")[0]]

    def chosen_status(self) -> str | None:
        """The state of the job under the cursor."""
        match self.panel.entry.value if self.panel and self.panel.entry else None:
            case Running() | Waiting():
                return "Running"
            case Ended() | Output(made=Made()):
                return "Completed"
        return None

    def focus_content(self) -> None:
        """The first panel that has anything."""
        there = self.query_one(".content").display and self.loaded and not self.facts.new
        shown = self.board.neighbours() if there else []
        if shown:
            self.screen.set_focus(shown[0][0], scroll_visible=False)
        else:
            super().focus_content()

    def action_column(self, step: int) -> None:
        """To the panel beside."""
        columns = self.board.neighbours()
        at = next((n for n, column in enumerate(columns) if self.panel in column), None)
        if at is not None and 0 <= at + step < len(columns):
            row = columns[at].index(self.panel) if self.panel else 0
            beside = columns[at + step]
            self.screen.set_focus(beside[min(row, len(beside) - 1)], scroll_visible=False)

    @on(LineList.Edge)
    def leave_panel(self, event: LineList.Edge) -> None:
        """Up and down go on into the next panel."""
        event.stop()
        panels = [panel for column in self.board.neighbours() for panel in column]
        at = next((n for n, panel in enumerate(panels) if panel is event.source), None)
        if at is not None and 0 <= at + event.step < len(panels):
            panel = panels[at + event.step]
            panel.move_to(0 if event.step > 0 else len(panel.entries) - 1)
            self.screen.set_focus(panel, scroll_visible=False)

    @on(LineList.Opened)
    async def open_entry(self, event: LineList.Opened) -> None:
        """Open data, or the job: where it failed its overview, which says why; where it made something its outputs."""
        event.stop()
        if (data := _data_of(event.entry)) is not None:
            from workbench.tui.screens.data_version import DataVersionView

            await self.bench.frame.push(DataVersionView.of(str(data)))
            return
        name, _, output = event.entry.key.partition("/")
        if name:
            await self.bench.open_job(name, "outputs" if output else "overview")

    def action_copy_menu(self) -> None:
        """Copy what names the job, or the output."""
        value = self.panel.entry.value if self.panel and self.panel.entry else None
        if not isinstance(value, Output):
            super().action_copy_menu()
            return
        made = value.made
        if isinstance(made, DataVersion):
            self._copy(self._data_choices(made))
            return
        uri = f"azureml://jobs/{made.job.name}/outputs/{made.name}"
        choices = [Choice("u", "address", uri, uri), Choice("p", "place", made.place, made.place)]
        choices.append(Choice("n", "job", made.job.name, made.job.name))
        self._copy(choices)

    def _data_choices(self, data: DataVersion) -> list[Choice]:
        from workbench.tui.screens.data import copy_choices

        return copy_choices(data)

    def _copy(self, choices: list[Choice]) -> None:
        def chosen(text: str | None) -> None:
            if text is not None:
                self.bench.copy_text(text, text)

        self.app.push_screen(Menu("Copy", choices), chosen)


def _made_at(made: Made | DataVersion) -> float | None:
    return made.created_at if isinstance(made, DataVersion) else made.job.ended_at


def _key_of(made: Made | DataVersion) -> str:
    """What tells an entry from the others; no job has a colon in its name."""
    return str(made) if isinstance(made, DataVersion) else f"{made.job.name}/{made.name}"


def _data_of(entry: Entry) -> DataVersion | None:
    """The version that an entry is, if it is one."""
    made = entry.value.made if isinstance(entry.value, Output) else None
    return made if isinstance(made, DataVersion) else None


def _ago(then: float | None, now: float) -> str:
    return age(then, now) if then is not None else ""
