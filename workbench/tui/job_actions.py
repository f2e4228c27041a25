"""What a person does to jobs, the same keys wherever jobs are shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from store import jobs
from store.errors import ConflictError, WorkbenchError
from workbench.tui.access import Stores
from workbench.tui.view import View
from workbench.tui.widgets.menu import Choice, Menu, Question

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

    def chosen(self) -> list[str]:
        """As ``chosen_names``; says so where there are none."""
        names = self.chosen_names()
        if not names:
            self.notify("no job is chosen", severity="warning")
        return names

    def action_cancel_jobs(self) -> None:
        """Cancel jobs, after a question."""
        names = self.chosen()
        if not names:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._act(lambda: self._cancel(names))

        consequence = "Their processes get SIGTERM, and SIGKILL ten seconds later."
        self.app.push_screen(Question(f"Cancel {told(names)}?", consequence), answered)

    async def _cancel(self, names: list[str]) -> None:
        cancelled, refused = await self.bench.access.write(cancel, names)
        if cancelled:
            self.notify(f"cancelling {told(cancelled)}", markup=False)
        for reason in refused:
            self.notify(reason, severity="warning", markup=False)

    def action_archive_jobs(self) -> None:
        """Hide jobs from lists, or show them again; the same key undoes it."""
        names = self.chosen()
        if names:
            self._act(lambda: self._archive(names))

    async def _archive(self, names: list[str]) -> None:
        archived = await self.bench.access.write(turn_archived, names)
        what = f"archived {told(names)}: archived:only lists them" if archived else f"{told(names)} back in the lists"
        self.notify(f"{what}; d again undoes it" if len(names) == 1 else what, markup=False)

    def action_run_again(self) -> None:
        """Submit jobs again, with the document and code that they had."""
        names = self.chosen()
        if names:
            self._act(lambda: self._run_again(names))

    async def _run_again(self, names: list[str]) -> None:
        submitted, talk = await self.bench.access.write(run_again, names)
        for line in talk:
            self.notify(line, severity="warning", markup=False)
        self.notify(f"submitted {told(submitted)}", markup=False)
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
        editing = import_module("workbench.tui.editing")
        self._act(lambda: editing.new_job(self.bench))

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
        name, folder = names[0], self.bench.access.layout.job(names[0]).root
        choices = [
            Choice("n", "name", name, name),
            Choice("u", "address", f"azureml://jobs/{name}/outputs/artifacts/paths/", "of its artifacts"),
            Choice("f", "folder", str(folder), str(folder)),
            Choice("s", "command", f"workbench job show {name}", "that shows it"),
            Choice("l", "command", f"workbench job stream {name}", "that streams its log"),
            Choice("r", "command", f"workbench job rerun {name}", "that runs it again"),
        ]

        def chosen(text: str | None) -> None:
            if text is not None:
                self.bench.copy_text(text, text)

        self.app.push_screen(Menu("Copy", choices), chosen)

    def _act(self, action: Callable[[], Awaitable[Any]]) -> None:
        """Do it in the background, and say what went wrong."""

        async def guarded() -> None:
            try:
                await action()
            except WorkbenchError as error:
                self.notify(str(error), title="Not done", severity="error", markup=False)

        self.app.run_worker(guarded(), group="action")


def told(names: list[str]) -> str:
    """Jobs in words."""
    return ", ".join(names) if len(names) <= NAMED else f"{len(names)} jobs"


def cancel(stores: Stores, names: list[str]) -> tuple[list[str], list[str]]:
    """Ask for the end of jobs; those that were asked, and why others were not."""
    from workbench.agent import start

    cancelled: list[str] = []
    refused: list[str] = []
    for name in names:
        try:
            jobs.request_cancel(stores.workbench, name)
            cancelled.append(name)
        except ConflictError as error:
            refused.append(error.message)
    if cancelled:
        start.wake(stores.layout)
    return cancelled, refused


def turn_archived(stores: Stores, names: list[str]) -> bool:
    """Archive jobs unless all are archived already, then restore them; whether they are archived now."""
    archived = not all(jobs.get(stores.workbench, name).archived for name in names)
    for name in names:
        jobs.set_archived(stores.workbench, name, archived)
    return archived


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
