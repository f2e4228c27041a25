"""The section Environments: what jobs run in, what was built of it, and how much room that takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store.disk_usage import Size
from store.errors import WorkbenchError
from workbench.tui.glyphs import Glyphs
from workbench.tui.home_lines import size
from workbench.tui.job_columns import age, cell
from workbench.tui.reading_environments import (
    EnvironmentFacts,
    all_environments,
    definition_text,
    installed,
    measure,
    remove_built,
)
from workbench.tui.view import View
from workbench.tui.widgets.line_list import Entry, Line, LineList
from workbench.tui.widgets.menu import Choice, Menu, Question

PAUSE_SECONDS = 3.0
"""How often at most the list is read again while much is written: it changes seldom."""


@dataclass(frozen=True, slots=True)
class Row:
    """An environment at a moment; ``size`` is None while it is counted."""

    facts: EnvironmentFacts
    size: Size | None
    used: str


class EnvironmentsView(View):
    """Registered, curated and built environments."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "delete", "delete built", id="environments.delete"),
        Binding("y", "copy_menu", "copy", id="environments.copy"),
    ]
    live = True

    def __init__(self) -> None:
        super().__init__()
        self.found: list[EnvironmentFacts] = []
        self._sizes: dict[tuple[str, float | None], Size] = {}
        self._read_at = 0.0
        self._stale = False

    def compose_content(self) -> Iterable[Widget]:
        """What built ones take in all, and the list."""
        yield Static("", classes="section-facts", markup=False)
        yield LineList(environment_lines, environment_head)

    @property
    def listed(self) -> LineList:
        """The list."""
        return self.query_one(LineList)

    def store_changed(self) -> None:
        """Not at every change: ``tick`` reads again when some time has passed."""
        self._stale = True

    async def tick(self) -> None:
        """Read again what is out of date."""
        if self._stale and self.bench.now() - self._read_at > PAUSE_SECONDS:
            self.reload()

    async def load(self) -> None:
        """Read all environments; the sizes of built ones are counted behind."""
        self._read_at, self._stale = self.bench.now(), False
        self.found = await self.bench.access.read(all_environments)
        self._fill()
        if self.found:
            self.show_content()
            self.run_worker(self._measure(), group="sizes", exclusive=True)
        else:
            self.show_empty("No environments", "", "`workbench environment create -f FILE` registers one.")

    async def _measure(self) -> None:
        for each in self.found:
            if each.place is None or _mark(each) in self._sizes:
                continue
            with suppress(WorkbenchError, sqlite3.Error, OSError):  # what is wrong, the next reading says
                self._sizes[_mark(each)] = await self.bench.access.read(measure, each.place)
                self._fill()

    def _fill(self) -> None:
        now = self.bench.now()
        rows = [
            Row(each, self._sizes.get(_mark(each)), age(each.last_used, now) if each.last_used is not None else "")
            for each in self.found
        ]
        self.listed.take([Entry(row.facts.key, row) for row in rows])
        built = [row for row in rows if row.facts.place is not None]
        known = [row.size.bytes for row in built if row.size is not None]
        told = f"{len(rows)} environments, {len(built)} built"
        if known:
            told += f" that take {'over ' if len(known) < len(built) else ''}{size(sum(known))}"
        self.query_one(".section-facts", Static).update(Content.styled(told, "$foreground-muted"))

    @on(LineList.Opened)
    async def open_environment(self, event: LineList.Opened) -> None:
        """Show the definition and the packages."""
        event.stop()
        await self.bench.frame.push(EnvironmentView(event.entry.value.facts))

    @property
    def facts(self) -> EnvironmentFacts | None:
        """The environment under the cursor."""
        entry = self.listed.entry
        return entry.value.facts if entry is not None else None

    def action_copy_menu(self) -> None:
        """Choose what goes to the clipboard."""
        if self.facts is not None:
            copy(self, self.facts)

    def action_delete(self) -> None:
        """Give back the room of a built one, after a question."""
        facts = self.facts
        if facts is None:
            return
        if facts.place is None:
            self.notify(
                f"{facts.name} is {facts.kind}: only what was built can be deleted, and built again", severity="warning"
            )
            return
        taken = self._sizes.get(_mark(facts))
        room = f" That gives back {size(taken.bytes)}." if taken else ""
        used = f" {facts.last_job} used it {age(facts.last_used)} ago." if facts.last_job and facts.last_used else ""

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.run_worker(self._remove(facts), group="action")

        self.app.push_screen(
            Question(
                f"Delete the built environment {label(facts)}?",
                f"The next job that needs it builds it again.{room}{used}",
            ),
            answered,
        )

    async def _remove(self, facts: EnvironmentFacts) -> None:
        try:
            await self.bench.access.write(remove_built, facts.digest)
        except (WorkbenchError, sqlite3.Error, OSError) as error:
            self.notify(str(error), title="Not done", severity="error", markup=False)
            return
        self.notify(f"deleted {label(facts)}", markup=False)
        self.reload()


class EnvironmentView(View):
    """One environment: its definition, and the packages of one that is installed here."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy_menu", "copy", id="environment.copy")]

    def __init__(self, facts: EnvironmentFacts) -> None:
        super().__init__()
        self.facts = facts
        self.crumb = label(facts)
        self.place = "environments"

    def compose_content(self) -> Iterable[Widget]:
        """The lines."""
        yield LineList(text_lines, opens=False)

    async def load(self) -> None:
        """Read what it holds."""
        lines: list[tuple[str, str]] = [(f" {label(self.facts)}, {self.facts.kind}", "head")]
        if self.facts.place is not None:
            lines += [(f" {self.facts.place}", "muted")]
        text = await self.bench.access.read(lambda _: definition_text(self.facts))
        lines += [("", ""), (" Definition", "head"), *((f"   {line}", "") for line in text.splitlines())]
        if self.facts.is_installed:
            found = await self.bench.access.read(installed, self.facts.place)
            lines += [("", ""), (f" Packages {len(found)}", "head"), *((f"   {line}", "") for line in found)]
        self.query_one(LineList).take([Entry(str(number), line) for number, line in enumerate(lines)])
        self.show_content()

    def store_changed(self) -> None:
        """A version of an environment stays as it is."""

    def action_copy_menu(self) -> None:
        """Choose what goes to the clipboard."""
        copy(self, self.facts)


def copy(view: View, facts: EnvironmentFacts) -> None:
    """Offer what of an environment can be copied."""
    choices = [Choice("r", "reference", f"environment: {facts.reference}", "for a job's document")]
    if facts.kind == "built":
        choices = [Choice("p", "folder", str(facts.place), str(facts.place))]
    choices.append(Choice("n", "name", facts.name, facts.name))

    def chosen(text: str | None) -> None:
        if text is not None:
            view.bench.copy_text(text, text)

    view.app.push_screen(Menu("Copy", choices), chosen)


def label(facts: EnvironmentFacts) -> str:
    """Name and version."""
    return f"{facts.name}:{facts.version}" if facts.version else facts.name


def text_lines(value: tuple[str, str], width: int, signs: Glyphs) -> list[Line]:
    """A line of text."""
    return [(value,)]


def _widths(width: int) -> int:
    return max(10, width - 14 - 13 - 10 - 12 - 3)


def environment_head(width: int, signs: Glyphs) -> Line:
    """The titles of the columns."""
    name = cell("Name", _widths(width), signs)
    titles = f" {name} {'Kind':<14}{'Python':<13}{'Size':>10}{'Last used':>12}"
    return ((titles, "muted"),)


def environment_lines(value: Row, width: int, signs: Glyphs) -> list[Line]:
    """Name and version, what kind, its Python, its size, and when a job last used it."""
    facts = value.facts
    if facts.place is None:
        taken, used = "", ""
    else:
        taken = signs.ellipsis if value.size is None else size(value.size.bytes)
        used = f"{value.used} ago" if value.used and value.used != "now" else value.used or "not lately"
    return [
        (
            (f" {cell(label(facts), _widths(width), signs)} ", ""),
            (cell(facts.kind, 14, signs), "accent" if facts.kind == "built" else "muted"),
            (f"{cell(facts.python, 12, signs)} ", "muted"),
            (cell(taken, 10, signs, right=True), ""),
            (cell(used, 12, signs, right=True), "muted"),
        )
    ]


def _mark(facts: EnvironmentFacts) -> tuple[str, float | None]:
    return facts.digest, facts.built_at
