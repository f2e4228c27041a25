"""Copies of data that Workbench makes in datastores, and removes again: whole or not there, whatever is killed.

    <datastore>/LocalUpload/<fingerprint>/<name>          as on Azure; the same bytes are copied once
    <workspace>/run/uploads/<hash of the path>.removal    a copy that no version may need (JSON)

Such a note is written before anything is copied, and before a version is forgotten; it is struck off when the copy has
its version, or is gone. What was killed in between is removed with the next deletion.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from store import trees
from store.data import fingerprint, manifest
from store.data.fingerprint import Fingerprint
from store.datastores import registry
from store.disk import explain, flush_tree, locked, publish, staging, write_whole
from store.errors import MachineError, NotFoundError, WorkbenchError
from store.layout import Layout
from store.specs.references import DatastorePath
from store.telling import Progress
from store.uris import Resolver, inside, take_apart

FOLDER = "LocalUpload"
OWN = (FOLDER, "watches")
"""The folders of a datastore below which all is Workbench's own: what is uploaded, and the versions of watches."""
SUFFIX = ".removal"


@contextmanager
def copied(
    connection: sqlite3.Connection,
    layout: Layout,
    name: str,
    path: Path,
    found: Fingerprint,
    progress: Progress | None = None,
) -> Iterator[str]:
    """Copy local data into the datastore of a name, whole or not at all; the address that it has there.

    The copy is removed unless a version refers to it when the context ends. It is read again, and counts when it has
    the fingerprint of ``found``: raises MachineError where it has not.
    """
    datastore = registry.get(connection, layout, name)
    below = _below(layout, datastore, found.hash)
    address = str(DatastorePath(name, f"{below}/{path.name}"))
    with held(layout, address):
        note = removal(layout, address)
        if datastore.type == "local":
            _copy_to_folder(path, inside(Path(datastore.document["path"]), below), found)
        else:
            _copy_away(layout, datastore, path, below, found, progress or (lambda done, total: None))
        try:
            yield address
        finally:
            with suppress(WorkbenchError):  # the note is still there then
                finish(connection, layout, note)


def _below(layout: Layout, datastore: registry.Datastore, hash: str) -> str:
    """The folder of a copy. Where other workspaces may have copies too, each has its own, which it may remove."""
    own = datastore.type == "local" and Path(datastore.document["path"]).is_relative_to(layout.root)
    whose = hashlib.sha256(f"{platform.node()}\n{layout.root}".encode()).hexdigest()[:8]
    return f"{FOLDER}/{hash}" if own else f"{FOLDER}/{hash}-{whose}"


@contextmanager
def held(layout: Layout, path: str) -> Iterator[None]:
    """While nobody else of this workspace copies or removes the copy at an address."""
    folder = layout.run / "uploads"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(folder / f"{hashlib.sha256(path.encode()).hexdigest()[:2]}.lock"):
        yield


def _copy_to_folder(path: Path, root: Path, found: Fingerprint) -> None:
    target = root / path.name
    if target.exists() and fingerprint.take(target).hash == found.hash:
        return
    try:
        with staging(root.parent) as made:
            survey = trees.survey(path) if path.is_dir() else trees.of_file(path)
            copy = made / "copy" / path.name
            folder = copy if path.is_dir() else copy.parent
            folder.mkdir(parents=True, mode=0o700)
            for _ in trees.copy_items(survey.items, folder, writable=True):
                pass
            if fingerprint.take(copy).hash != found.hash:
                raise _changed(path)
            flush_tree(copy.parent)
            if target.exists():  # and is not what it was: whoever refers to it gets the right bytes back
                target.rename(made / "broken")
            if not publish(copy.parent, root):  # other bytes' names lie there: the same content, called otherwise
                copy.rename(target)
    except OSError as error:
        raise explain(error, f"copying {path} into the datastore") from error


def _copy_away(
    layout: Layout, datastore: registry.Datastore, path: Path, below: str, found: Fingerprint, progress: Progress
) -> None:
    """Copy to another machine; each file appears when it is whole, and the version counts when all are there."""
    from store.datastores.transfers import opened, upload
    from store.vault import open_vault

    there = opened(datastore, open_vault(layout))
    brought = 0

    def tell(done: int, _total: int | None) -> None:
        progress(brought + done, found.bytes)

    for entry in manifest.read(layout.manifests, found.hash):
        source, target = (path / entry.path, f"{path.name}/{entry.path}") if entry.path else (path, path.name)
        if not source.is_file():
            raise _changed(path)
        upload(
            there, source, f"{below}/{target}", overwrite=True, progress=tell, token=entry.hash[:8], expected=entry.hash
        )
        brought += entry.size


def _changed(path: Path) -> MachineError:
    return MachineError(f"{path} changed while it was being copied", hint="Try again when nobody writes to it.")


def removal(layout: Layout, path: str) -> Path:
    """Write down that a copy is to be removed, before what refers to it is forgotten. Inside of ``held``."""
    note = _note(layout, path)
    write_whole(note, json.dumps({"path": path}), durable=True)
    return note


def _note(layout: Layout, path: str) -> Path:
    return layout.run / "uploads" / (hashlib.sha256(path.encode()).hexdigest()[:32] + SUFFIX)


def finish_all(connection: sqlite3.Connection, layout: Layout) -> list[str]:
    """Finish the removals that were broken off; a line for each that cannot be finished now."""
    lines = list[str]()
    for note in sorted((layout.run / "uploads").glob(f"*{SUFFIX}")):
        with suppress(FileNotFoundError):  # another has just finished it
            path = json.loads(note.read_text())["path"]
            with held(layout, path):
                try:
                    finish(connection, layout, note)
                except WorkbenchError as error:
                    lines.append(f"the copy at {path}, which no version needs, could not be removed: {error.message}")
    return lines


def finish(connection: sqlite3.Connection, layout: Layout, note: Path) -> bool:
    """Remove the copy of a note, unless a version still needs it, and strike the note off. Whether it was removed."""
    path = json.loads(note.read_text())["path"]
    needed = is_needed(connection, path)
    if not needed:
        _remove(connection, layout, path)
    note.unlink(missing_ok=True)
    return not needed


def is_needed(connection: sqlite3.Connection, path: str) -> bool:
    """Whether a version refers to a copy, or to something in it."""
    inside_of = f"{path.rstrip('/')}/"
    rows = connection.execute(
        "SELECT 1 FROM data WHERE path = ? OR substr(path, 1, ?) = ? LIMIT 1", (path, len(inside_of), inside_of)
    )
    return rows.fetchone() is not None


def _remove(connection: sqlite3.Connection, layout: Layout, path: str) -> None:
    """Remove a copy: on this machine it vanishes at once, elsewhere bit by bit."""
    reference = take_apart(path)
    if not isinstance(reference, DatastorePath) or reference.path.partition("/")[0] not in OWN:
        return
    try:
        datastore = registry.get(connection, layout, reference.datastore)
    except NotFoundError:  # with the datastore, what lies there is somebody else's
        return
    place = Resolver(layout, connection).find(path)
    if place.path is None:
        _remove_away(layout, datastore, reference.path)
        return
    root = place.path.parent
    try:
        with suppress(FileNotFoundError), staging(root.parent) as trash:
            place.path.rename(trash / "gone")
            shutil.rmtree(trash / "gone", ignore_errors=True)
        with suppress(OSError):  # there are others in it
            root.rmdir()
    except OSError as error:
        raise explain(error, f"removing {path}") from error


def _remove_away(layout: Layout, datastore: registry.Datastore, path: str) -> None:
    from store.datastores.checking import explained
    from store.datastores.transfers import opened
    from store.vault import open_vault

    there = opened(datastore, open_vault(layout))
    with explained(datastore, there.given), suppress(FileNotFoundError):
        there.system.rm(there.full(path), recursive=True)
