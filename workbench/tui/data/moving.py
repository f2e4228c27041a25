"""Files into and out of datastores, by processes that go on when the view is left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.errors import WorkbenchError
from workbench.tui.data.child import ask_once
from workbench.tui.widgets.file_tree import size_text
from workbench.tui.widgets.menu import Question

if TYPE_CHECKING:
    from workbench.tui.screens.datastore import DatastoreView

TAKEN = "already"
"""What is said of a path that is taken has this word in it."""


def download(view: DatastoreView, datastore: str, path: str, target: str) -> None:
    """Bring a file or a folder, and say where it is."""
    folder = str(Path(target).expanduser().absolute())

    async def work() -> None:
        asked = {"datastore": datastore, "path": path, "target": folder}
        try:
            found = await _told(view, f"bringing {path or datastore}", "download", **asked)
        except WorkbenchError as error:
            refuse(view, error)
        else:
            view.bench.notify(f"brought {found}", markup=False)

    view.app.run_worker(work(), group="moving")


def upload(
    view: DatastoreView,
    datastore: str,
    file: str,
    folder: str,
    done: Callable[[], Awaitable[None]],
    *,
    overwrite: bool = False,
) -> None:
    """Put a file below a folder; asks before it replaces one."""
    whole = Path(file).expanduser().absolute()

    async def work() -> None:
        asked: dict[str, Any] = {
            "datastore": datastore,
            "file": str(whole),
            "path": f"{folder}/",
            "overwrite": overwrite,
        }
        try:
            arrived = await _told(view, f"putting {whole.name}", "upload", **asked)
        except WorkbenchError as error:
            if TAKEN in error.message and not overwrite:
                _ask(view, datastore, file, folder, done)
            else:
                refuse(view, error)
            return
        view.bench.notify(f"put azureml://datastores/{datastore}/paths/{arrived}", markup=False)
        if view.is_attached:
            await done()

    view.app.run_worker(work(), group="moving")


def _ask(view: DatastoreView, datastore: str, file: str, folder: str, done: Callable[[], Awaitable[None]]) -> None:
    def answered(yes: bool | None) -> None:
        if yes:
            upload(view, datastore, file, folder, done, overwrite=True)

    name = Path(file).name
    view.app.push_screen(Question(f"Replace {name}?", f"{folder or datastore} has one already."), answered)


async def _told(view: DatastoreView, doing: str, what: str, **arguments: Any) -> Any:
    """Ask for it, and say how far it is while the view is there."""

    def told(done: int, total: int | None) -> None:
        view.tell(f"{doing}: {size_text(done)}{f' of {size_text(total)}' if total else ''}")

    view.tell(f"{doing}…")
    try:
        return await ask_once(view.bench.access.layout.root.absolute(), what, told, **arguments)
    finally:
        view.tell("")


def refuse(view: DatastoreView, error: WorkbenchError) -> None:
    """Say what went wrong, wherever the user is now."""
    view.bench.notify(str(error), title="Not moved", severity="error", timeout=10, markup=False)
