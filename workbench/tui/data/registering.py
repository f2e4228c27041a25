"""``n`` and ``e`` of data: a form that registers a version, and the user's editor on what may be changed of one."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from store.data.assets import DataVersion
from store.errors import DocumentError, MachineError, UsageError, WorkbenchError
from workbench.tui import reading_data
from workbench.tui.data.child import ask_once
from workbench.tui.home_lines import size
from workbench.tui.widgets.short_form import Field, ShortForm

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


def register(app: WorkbenchApp, name: str = "", path: str = "", kind: str = "uri_folder") -> None:
    """Ask what is to be registered, and open what it became."""
    fields = (
        Field("name", "Name", "such as churn", name),
        Field("path", "Path", "./data, or azureml://datastores/NAME/paths/PATH", path),
        Field("type", "Type", "uri_file, uri_folder or mltable", kind, reading_data.TYPES),
        Field("description", "Description", "what the data is"),
    )
    made: list[str] = []

    async def create(given: dict[str, str]) -> str:
        if not given["name"] or not given["path"]:
            return f"{'path' if given['name'] else 'name'} is needed"
        given["path"] = _whole(given["path"])
        try:
            await app.access.write(lambda _: None)  # the workspace is made where there is none
            found = await ask_once(app.access.layout.root.absolute(), "register", told=progress, **given)
        except WorkbenchError as error:
            return f"{error.message}. {error.hint}" if error.hint else error.message
        made.append(found["reference"])
        for note in found["notes"]:
            app.notify(note, markup=False)
        return ""

    def progress(done: int, _total: int | None) -> None:
        form.tell(f"reading it: {size(done)}", "$foreground-muted")

    def ended(answer: str | None) -> None:
        if answer and made:
            app.run_worker(_show(app, made[0]))

    form = ShortForm("Register data", fields, create)
    app.push_screen(form, ended)


async def _show(app: WorkbenchApp, reference: str) -> None:
    from workbench.tui.screens.data_version import DataVersionView

    app.notify(f"registered {reference}", markup=False)
    await app.frame.push(DataVersionView.of(reference))


def _whole(path: str) -> str:
    """A path of this machine from the root on; an address as it is."""
    is_address = "://" in path or path.startswith(("azureml:", "runs:", "models:"))
    return path if is_address else os.path.abspath(os.path.expanduser(path))


async def edit_version(app: WorkbenchApp, data: DataVersion) -> bool:
    """Open what may be changed in the user's editor, again where it is faulty; whether it was changed."""
    from workbench.tui import editor

    if app.editor_refusal is not None:
        raise UsageError(app.editor_refusal, hint="`workbench data update` changes description and tags.")
    text = await app.access.read(reading_data.document_text, data.name, data.version)
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        file = Path(folder) / "data.yml"
        await asyncio.to_thread(file.write_text, text, "utf-8")
        try:
            editor.edit(app, file)
        except MachineError as error:
            raise MachineError(error.message.replace("submitted", "changed"), hint=error.hint) from error
        if await asyncio.to_thread(file.read_text, "utf-8") == text:
            app.notify("nothing was changed")
            return False
        try:
            await app.access.write(reading_data.change, data.name, data.version, file)
        except DocumentError as error:
            fault = error.faults[0]
            raise UsageError(f"line {fault.line}: {fault.message}; nothing was changed", hint=fault.hint) from error
    app.notify(f"changed {data.name}:{data.version}", markup=False)
    return True
