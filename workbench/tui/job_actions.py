"""What a person does to jobs, the same keys wherever jobs are shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from store import jobs
from store.errors import ConflictError, WorkbenchError
from store.layout import Layout
from workbench.tui.access import Stores
from workbench.tui.view import View
from workbench.tui.widgets.menu import Choice, Menu, Question

DOCUMENT = "document"
"""Stands in a menu for what is read when it is chosen."""

CANCEL = frozenset({"job.cancel"})
NEED_JOB = frozenset(f"job.{name}" for name in ("run_again", "edit", "cancel", "archive", "copy", "compare"))
TITLE_LENGTH = 60
"""Display names are cut behind so many characters."""

NAMED = 3
"""More jobs than this are counted, not named."""


class JobActions(View):
    """A view of jobs: a subclass says which are meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_job", "new", id="job.new"),
        Binding("r", "run_again", "run again", id="job.run_again"),
        Binding("e", "edit_job", "edit", id="job.edit"),
        Binding("x", "cancel_jobs", "cancel", id="job.cancel"),
        Binding("d", "archive_jobs", "archive", id="job.archive"),
        Binding("y", "copy_menu", "copy", id="job.copy"),
        Binding("c", "compare_jobs", "compare", id="job.compare"),
    ]

    def chosen_names(self) -> list[str]:
        """The jobs that an action is for."""
        return []

    def chosen_status(self) -> str | None:
        """The state of the job under the cursor, where it is known."""
        return None

    def hidden(self) -> frozenset[str]:
        """Chosen jobs that are not in the list that is shown."""
        return frozenset()

    def first_hints(self) -> frozenset[str]:
        """Of a job that has not ended first how to end it."""
        status = self.chosen_status()
        return CANCEL if status is not None and status not in jobs.TERMINAL else frozenset()

    def without_use(self, name: str) -> bool:
        """Keys of jobs where none is chosen; cancelling one that has ended, comparing fewer than two."""
        if name not in NEED_JOB:
            return super().without_use(name)
        names = self.chosen_names() if self.has_content else []
        if name == "job.cancel" and len(names) == 1:
            return self.chosen_status() in jobs.TERMINAL
        return len(names) < (2 if name == "job.compare" else 1)

    def chosen(self) -> list[str]:
        """As ``chosen_names``; says so where there are none."""
        names = self.chosen_names()
        if not names:
            self.notify("no job is chosen", severity="warning")
        return names

    def action_cancel_jobs(self) -> None:
        """Cancel jobs, after a question; those that are being cancelled already can be killed."""
        names = self.chosen()
        if names:
            self._act(lambda: self._ask_to_cancel(names))

    async def _ask_to_cancel(self, names: list[str]) -> None:
        found = await self.bench.access.read(told_facts, names)
        titles = {name: each.title for name, each in found.items()}
        running = [name for name, each in found.items() if each.status not in jobs.TERMINAL]
        if not running:
            words = (
                f"{titles[names[0]]} has ended already: {found[names[0]].status}"
                if len(names) == 1
                else "all have ended already"
            )
            self.notify(words, severity="warning", markup=False)
            return
        kill = all(found[name].wanted != "run" for name in running)
        whom = told(running, titles, self.hidden())
        question = f"Kill {whom} at once?" if kill else f"Cancel {whom}?"
        consequence = (
            "Being cancelled already. SIGKILL leaves it no time to save anything."
            if kill
            else "SIGTERM to all processes, SIGKILL ten seconds later. What was logged stays."
        )
        if ended := len(names) - len(running):
            consequence += f" {ended} {'has' if ended == 1 else 'have'} ended already."

        def answered(yes: bool | None) -> None:
            if yes:
                self._act(lambda: self._cancel(running, titles, kill=kill))

        self.app.push_screen(Question(question, consequence), answered)

    async def _cancel(self, names: list[str], titles: dict[str, str], *, kill: bool) -> None:
        cancelled, refused = await self.bench.access.write(cancel, names, kill)
        if cancelled:
            self.notify(
                f"{'killing' if kill else 'cancelling'} {told(cancelled, titles)}; "
                f"{self.bench.key_of('job.run_again', 'r')} runs it again",
                markup=False,
            )
        for reason in refused:
            self.notify(reason, severity="warning", markup=False)

    def action_archive_jobs(self) -> None:
        """Hide jobs from lists, or show them again; the same key undoes it."""
        names = self.chosen()
        if names:
            self._act(lambda: self._ask_to_archive(names))

    async def _ask_to_archive(self, names: list[str]) -> None:
        """Ask where somebody might not see what becomes of it: jobs out of sight, and jobs that have not ended."""
        found = await self.bench.access.read(told_facts, names)
        going_on = [name for name in names if found[name].status not in jobs.TERMINAL and not found[name].archived]
        if going_on:
            who, goes = (f"{len(going_on)} have", "they go") if len(names) > 1 else ("It has", "it goes")
            consequence = f"{who} not ended: {goes} on, hidden from lists. Home shows what runs."
            await self._ask(names, "Archive {}?", self._archive, consequence)
        elif self.hidden():
            await self._ask(names, "Archive {}, or restore what is archived?", self._archive)
        else:
            await self._archive(names)

    async def _ask(
        self, names: list[str], question: str, action: Callable[[list[str]], Awaitable[None]], consequence: str = ""
    ) -> None:
        """Ask, and do it to jobs where the answer is yes."""
        found = await self.bench.access.read(told_facts, names)
        whom = told(names, {name: each.title for name, each in found.items()}, self.hidden())

        def answered(yes: bool | None) -> None:
            if yes:
                self._act(lambda: action(names))

        self.app.push_screen(Question(question.format(whom), consequence), answered)

    async def _archive(self, names: list[str]) -> None:
        archived, titles = await self.bench.access.write(turn_archived, names)
        whom = told(names, titles)
        what = f"archived {whom}: hidden from lists" if archived else f"{whom} back in the lists"
        self.notify(f"{what}; d again undoes it", markup=False)

    def action_run_again(self) -> None:
        """Submit jobs again, with the document and code that they had; several after a question."""
        names = self.chosen()
        if len(names) == 1 and not self.hidden():
            self._act(lambda: self._run_again(names))
        elif names:
            consequence = "Each with the document, code and environment that it had."
            self._act(lambda: self._ask(names, "Run {} again?", self._run_again, consequence))

    async def _run_again(self, names: list[str]) -> None:
        submitted, talk = await self.bench.access.write(run_again, names)
        for line in talk:
            self.notify(line, severity="warning", markup=False)
        self.notify(f"submitted {told(submitted)}; x cancels", markup=False)
        if len(submitted) == 1:
            await self.bench.open_job(submitted[0], "log")

    def action_edit_job(self) -> None:
        """Open a job's document in the editor; what it becomes is submitted."""
        names = self.chosen()
        if not names:
            return
        editing = import_module("workbench.tui.editing")
        self._act(lambda: editing.edit_job(self.bench, names[0]))

    def action_new_job(self) -> None:
        """Write a new job."""
        beginnings = import_module("workbench.tui.screens.new_job").Beginnings(self.bench)

        def take(chosen: str | None) -> None:
            if chosen is not None:
                self._act(lambda: beginnings.open(chosen))

        self.app.push_screen(beginnings.menu, take)
        self._act(beginnings.look)

    def action_compare_jobs(self) -> None:
        """Show the marked jobs side by side."""
        names = self.chosen_names()
        if len(names) < 2:
            self.notify("mark two jobs or more with space, then c compares them", severity="warning")
            return
        compare = import_module("workbench.tui.screens.compare")
        self._act(lambda: self.bench.frame.push(compare.CompareView(names)))

    def action_copy_menu(self) -> None:
        """Choose what of the job goes to the clipboard."""
        names = self.chosen()
        if not names:
            return
        layout = self.bench.access.layout

        def chosen(text: str | None) -> None:
            if text is None:
                return
            if text == DOCUMENT:
                self._act(lambda: self._copy_document(names[0]))
            else:
                self.bench.copy_text(text, text if "\n" not in text else f"{len(names)} lines")

        title = "Copy" if len(names) == 1 else f"Copy, of {len(names)} jobs"
        self.app.push_screen(Menu(title, copy_choices(names, layout)), chosen)

    async def _copy_document(self, name: str) -> None:
        text = await self.bench.access.read(document_text, name)
        self.bench.copy_text(text, f"the document of {name}")

    def _act(self, action: Callable[[], Awaitable[Any]]) -> None:
        """Do it in the background, and say what went wrong."""

        async def guarded() -> None:
            try:
                await action()
            except WorkbenchError as error:
                hint = f"\n{error.hint}" if error.hint and error.hint not in str(error) else ""
                self.notify(f"{error}{hint}", title="Not done", severity="error", timeout=10, markup=False)
            except (sqlite3.Error, OSError) as error:
                self.notify(f"{error}; nothing was changed", title="Not done", severity="error", markup=False)

        self.app.run_worker(guarded(), group="action")


def told(names: Sequence[str], titles: Mapping[str, str] | None = None, hidden: Collection[str] = ()) -> str:
    """Jobs in words: their titles, where they are few; how many of them are not in the list that is shown."""
    titles = titles or {}
    words = ", ".join(titles.get(name, name) for name in names) if len(names) <= NAMED else f"{len(names)} jobs"
    unseen = sum(name in hidden for name in names)
    if not unseen:
        return words
    return f"{words}, {f'{unseen} of them ' if len(names) > 1 else ''}not in this list"


def copy_choices(names: list[str], layout: Layout) -> list[Choice]:
    """What can be copied of jobs: a line each."""

    def lines(form: str) -> str:
        return "\n".join(form.format(name) for name in names)

    folders = "\n".join(str(layout.job(name).root) for name in names)
    choices = [
        Choice("n", "name", lines("{}"), names[0]),
        Choice("u", "address", lines("azureml://jobs/{}/outputs/artifacts/paths/"), "of its artifacts"),
        Choice("f", "folder", folders, "with its logs"),
        Choice("s", "command", lines("workbench job show {}"), "shows it"),
        Choice("l", "command", lines("workbench job stream {}"), "streams its log"),
        Choice("r", "command", lines("workbench job rerun {}"), "runs it again"),
        Choice("x", "command", lines("workbench job cancel {}"), "cancels it"),
    ]
    if len(names) > 1:
        choices.append(Choice("c", "command line", f"compare {' '.join(names)}", "compares them here, after :"))
    else:
        choices.append(Choice("d", "document", DOCUMENT, "as YAML"))
    return choices


@dataclass(frozen=True, slots=True)
class Told:
    """What a question has to know of a job; its title is the name that lists show, with its own where they differ."""

    title: str
    status: str
    wanted: str
    archived: bool


def told_facts(stores: Stores, names: list[str]) -> dict[str, Told]:
    """Titles, states and what is wanted of jobs, by name."""
    found = [jobs.get(stores.workbench, name) for name in names]
    return {job.name: Told(title(job.name, job.display_name), job.status, job.wanted, job.archived) for job in found}


def title(name: str, display_name: str | None) -> str:
    """What to call a job, so that it can be found in a list and by its name."""
    if not display_name or display_name == name:
        return name
    short = display_name if len(display_name) <= TITLE_LENGTH else f"{display_name[: TITLE_LENGTH - 1]}…"
    return f"{short} ({name})"


def document_text(stores: Stores, name: str) -> str:
    """A job's document as YAML."""
    from workbench.tui.job.document import as_yaml

    return as_yaml(stores, jobs.get(stores.workbench, name))


def cancel(stores: Stores, names: list[str], kill: bool = False) -> tuple[list[str], list[str]]:
    """Ask for the end of jobs; those that were asked, and why others were not."""
    from workbench.agent import start

    cancelled: list[str] = []
    refused: list[str] = []
    for name in names:
        try:
            jobs.request_cancel(stores.workbench, name, wanted="kill" if kill else "cancel")
            cancelled.append(name)
        except ConflictError as error:
            refused.append(error.message)
    if cancelled:
        start.wake(stores.layout)
    return cancelled, refused


def turn_archived(stores: Stores, names: list[str]) -> tuple[bool, dict[str, str]]:
    """Archive jobs unless all are archived already, then restore them; whether they are archived now, and titles."""
    found = [jobs.get(stores.workbench, name) for name in names]
    archived = not all(job.archived for job in found)
    for name in names:
        jobs.set_archived(stores.workbench, name, archived)
    return archived, {job.name: title(job.name, job.display_name) for job in found}


def run_again(stores: Stores, names: list[str]) -> tuple[list[str], list[str]]:
    """Submit jobs again; the new names, and what was said."""
    from engines.jobs import reading
    from workbench.agent import start

    talk: list[str] = []
    submitted = [
        reading.submit_again(stores.workbench, stores.layout, jobs.get(stores.workbench, name), (), talk.append)
        for name in names
    ]
    start.wake(stores.layout)
    return submitted, talk
