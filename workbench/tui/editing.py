"""``n`` and ``e``: from a template or a job to a document, and from there to a job that runs."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from store.errors import DocumentError, Fault, MachineError, UsageError, WorkbenchError
from workbench.tui import drafts, reading_documents
from workbench.tui.drafts import TEXT, Draft

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


async def edit_job(app: WorkbenchApp, name: str) -> None:
    """Open a job's document in the user's editor; what it becomes is submitted as a new job.

    To be called in a worker. Raises NotFoundError for a job that is not there.
    """
    root = app.access.layout.root
    draft = await asyncio.to_thread(drafts.find, root, name)
    if draft is not None:
        from workbench.tui.widgets.menu import Choice, Menu

        choices = [
            Choice("g", "go on with the draft", "on", f"changed {when(draft.changed_at)}, not submitted"),
            Choice("b", "begin anew", "anew", "the draft is thrown away"),
        ]
        match await app.push_screen_wait(Menu(f"Edit {name}", choices)):
            case "on":
                await edit_draft(app, draft)
                return
            case None:
                return
    begun = await app.access.read(reading_documents.beginning, name)
    draft = await asyncio.to_thread(
        lambda: drafts.begin(
            root,
            name,
            begun.text,
            job=name,
            relative_to=begun.relative_to,
            directory=begun.directory,
            keeps_code=begun.keeps_code,
        )
    )
    await edit_draft(app, draft)


async def edit_draft(app: WorkbenchApp, draft: Draft, line: int = 1) -> None:
    """Open a draft in the user's editor at a line, then see to what became of it."""
    from workbench.tui import editor

    if app.editor_refusal is not None:
        await write_here(app, draft)
        return
    before = draft.text
    try:
        editor.command(app)
    except (MachineError, UsageError) as error:
        app.notify(f"{error}\n  The editor that is built in has it.", severity="warning", markup=False)
        await write_here(app, draft)
        return
    try:
        editor.edit(app, draft.file, line)
    except MachineError as error:
        app.notify(str(error), title="Not submitted", severity="warning", markup=False)
        await _abandoned(app, draft, before)
        return
    await settle(app, draft)


def keep(app: WorkbenchApp, draft: Draft, text: str) -> None:
    """Put a text into its draft; that it cannot be kept stops nobody from typing on."""
    try:
        if text != draft.text:
            draft.write(text)
    except (WorkbenchError, OSError) as error:
        app.notify(str(error), title="The draft is not kept", severity="warning", markup=False)


async def _abandoned(app: WorkbenchApp, draft: Draft, before: str) -> None:
    """The editor ended badly, as with ``:cq``: what was changed in it is kept and shown, not run."""
    if draft.changed and draft.text != before:
        await show_faults(app, draft, await faults_of(app, draft.text, draft))
    elif not draft.changed:
        draft.discard()


async def settle(app: WorkbenchApp, draft: Draft) -> None:
    """Submit a draft, or show what is wrong with it; one that says what its job said is not submitted."""
    text = draft.text
    if draft.job is not None and not draft.changed:
        await _close(app, draft)
        app.notify("nothing changed: not submitted", markup=False)
        return
    faults = await faults_of(app, text, draft)
    if faults:
        await show_faults(app, draft, faults)
        return
    await submit(app, draft, text)


async def submit(app: WorkbenchApp, draft: Draft, text: str) -> None:
    """Submit a text that was found to be sound, and open the new job's log."""
    try:
        name, notes = await app.access.write(reading_documents.submit, text, draft)
    except DocumentError as error:  # the workspace changed meanwhile
        await show_faults(app, draft, error.faults)
        return
    except (WorkbenchError, sqlite3.Error, OSError) as error:
        app.notify(f"{error}\n  The draft is kept.", title="Not submitted", severity="error", markup=False)
        return
    await _close(app, draft)
    for note in notes:
        app.notify(note, markup=False)
    app.notify(f"submitted {name}", markup=False)
    await app.open_job(name, "log")


async def faults_of(app: WorkbenchApp, text: str, draft: Draft) -> list[Fault]:
    """What is wrong with a text; nothing for one that can be submitted."""
    try:
        await app.access.read_or_imagine(reading_documents.examine, text, draft)
    except DocumentError as error:
        return list(error.faults)
    except WorkbenchError as error:
        return [Fault(TEXT, 1, 1, "", error.message, error.hint)]
    except (sqlite3.Error, OSError) as error:
        return [Fault(TEXT, 1, 1, "", str(error), "`workbench doctor` looks for the reason.")]
    return []


async def show_faults(app: WorkbenchApp, draft: Draft, faults: Sequence[Fault]) -> None:
    """Show a draft with its faults, in the view that it has already if there is one."""
    from workbench.tui.screens.document import DocumentView, shown_draft

    shown = shown_draft(app, draft)
    if shown is not None:
        shown.take(faults)
    else:
        await app.frame.push(DocumentView(draft, faults))


async def write_here(app: WorkbenchApp, draft: Draft) -> None:
    """Write a draft in the editor that is built in."""
    from workbench.tui.screens.document import DocumentView, shown_draft

    shown = shown_draft(app, draft)
    if shown is not None:
        shown.action_write()
    else:
        await app.frame.push(DocumentView(draft, writing=True))


async def leave(app: WorkbenchApp, draft: Draft) -> None:
    """Leave a draft: it is kept or thrown away, as the user says; one without changes is thrown away."""
    if not draft.changed:
        await _close(app, draft)
        return
    from workbench.tui.widgets.menu import Choice, Menu

    choices = [
        Choice("k", "keep the draft", "keep", "the same key brings it back"),
        Choice("d", "discard it", "discard"),
    ]
    match await app.push_screen_wait(Menu("Not submitted", choices)):
        case "keep":
            await _close(app, draft, discard=False)
        case "discard":
            await _close(app, draft)


async def _close(app: WorkbenchApp, draft: Draft, *, discard: bool = True) -> None:
    """Take the views of a draft away, and with them the draft unless it is kept."""
    if discard:
        draft.discard()
    while (view := app.frame.view) is not None and draft.folder == getattr(getattr(view, "draft", None), "folder", ""):
        if not await app.frame.pop():
            break


def when(at: float) -> str:
    """A time of today as such, another with its day."""
    same_day = time.localtime(at)[:3] == time.localtime()[:3]
    return time.strftime("at %H:%M" if same_day else "on %Y-%m-%d at %H:%M", time.localtime(at))
