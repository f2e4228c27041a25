"""What new files of a watched path set off: an event, a new version, and a job that has it as its input.

All of it is one transaction, with the ledger of the files that were seen: whatever is killed, each file is in exactly
one event, and a job is there if its event is. What lies on the disk is made before, and swept when it is not needed.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engines.jobs import reading, submission
from engines.jobs.provenance import git_state
from engines.jobs.submission import Checked, Code, Submission
from store import names
from store.data import assets, events, gathering, watches
from store.data.assets import DataVersion
from store.data.gathering import Gathered
from store.data.refusals import Refusals
from store.data.sightings import Found
from store.data.watched_source import Source
from store.data.watches import Watch
from store.database import StoreError, write
from store.disk import locked
from store.errors import UsageError, WorkbenchError
from store.layout import Layout

DATA_TYPES = frozenset({"uri_file", "uri_folder", "mltable"})


@dataclass(frozen=True, slots=True)
class Ready:
    """A job that needs nothing more than the version's name."""

    submission: Submission
    checked: Checked
    code: Code
    input: str


def fire(
    connection: sqlite3.Connection,
    layout: Layout,
    watch: Watch,
    source: Source,
    taken: Sequence[Found],
    refusals: Refusals | None = None,
) -> int:
    """Make an event of new files; of how many. None where another process was first, or the watch is gone.

    Those that cannot be fetched or read are refused for a while, which is an event of its own. Raises WorkbenchError
    where nothing could be done: then nothing was, and the files are as new as before.
    """
    with locked(layout.run / f"watch-{watch.name}.lock"):
        if not _is_so(connection, watch) or _fresh(connection, watch, taken) != len(taken):
            return 0
        taken, why = gathering.obtain(layout, watch.name, source, taken, refusals or Refusals())
        if why:
            watches.refuse(connection, watch.name, why)
        if not taken:
            return 0
        files = _with_ledger(connection, watch, taken) if watch.appends else iter(taken)
        made = gathering.gather(layout, watch.name, source, files, watch.document.get("type", "uri_folder"))
        ready, fault = prepare(connection, layout, watch, made.folder) if watch.document.get("run") else (None, None)
        try:
            with write(connection):
                if not _is_so(connection, watch):
                    shutil.rmtree(made.folder, ignore_errors=True)
                    return 0
                _record(connection, layout, watch, taken, made, ready, fault)
        except BaseException:
            shutil.rmtree(made.folder, ignore_errors=True)
            raise
    return len(taken)


def _is_so(connection: sqlite3.Connection, watch: Watch) -> bool:
    row = connection.execute("SELECT * FROM data_watch WHERE name = ?", (watch.name,)).fetchone()
    return row is not None and watches.read(row) == watch


def _fresh(connection: sqlite3.Connection, watch: Watch, taken: Sequence[Found]) -> int:
    return sum(1 for _ in watches.unseen(connection, watch.name, taken))


def _with_ledger(connection: sqlite3.Connection, watch: Watch, taken: Sequence[Found]) -> Iterator[Found]:
    """The files that were seen before, and the new ones, which stand in for older content of theirs."""
    new = {each.path for each in taken}
    yield from (each for each in watches.ledger(connection, watch.name) if each.path not in new)
    yield from taken


def _record(
    connection: sqlite3.Connection,
    layout: Layout,
    watch: Watch,
    taken: Sequence[Found],
    made: Gathered,
    ready: Ready | None,
    fault: str | None,
) -> None:
    """Version, job, event and ledger. Inside of a write."""
    version = assets.create(connection, _version(watch, made))
    job = None
    if ready is not None:
        job, fault = _accept(connection, layout, ready, version)
    document: dict[str, Any] = {
        "event": events.NEW_FILES,
        "data": str(version),
        "paths": [found.path for found in taken[: events.FIRST_PATHS]],
        **({"missing": made.missing} if made.missing else {}),
        **({"job": job} if job else {}),
        **({"error": fault} if fault else {}),
    }
    number = events.add(connection, watch.name, taken, document)
    watches.note(connection, watch.name, taken, number)


def _version(watch: Watch, made: Gathered) -> DataVersion:
    kind = watch.document.get("type", "uri_folder")
    document = {"description": f"New files of {watch.datastore}/{watch.document['path']}"}
    name, files = watch.document["register"], made.files
    return DataVersion(name, "", kind, made.path, document, stored=True, files=files, bytes=made.bytes)


def prepare(
    connection: sqlite3.Connection, layout: Layout, watch: Watch, folder: Path
) -> tuple[Ready | None, str | None]:
    """All that takes time of a job's submission, or why the job cannot be: its document, its code, its environment."""
    file = Path(watch.document["run"])
    try:
        chosen = choose_input(file, watch.document.get("input"))
        overrides = [f"inputs.{chosen}.path={folder}"]
        read = reading.read(file, overrides, {}, lambda each: submission.check(connection, layout, each), _silent)
        document = {key: value for key, value in read.document.items() if key != "name"}  # a name is for one job alone
        read = replace(read, document=document, directory=file.parent)
        checked = submission.check(connection, layout, read)
        snapshot = submission.take_code(document, layout, _silent)
        code = Code(snapshot, git_state(Path(document.get("code") or file.parent)))
    except WorkbenchError as error:
        return None, str(error)
    except OSError as error:
        return None, f"{file}: {error.strerror or error}"
    return Ready(read, checked, code, chosen), None


def choose_input(file: Path, wanted: str | None) -> str:
    """The input of a job document that gets the new version. Raises UsageError where it cannot be told."""
    from store.specs.reading import load_document

    inputs = load_document(file, []).data.get("inputs") or {}
    there = [name for name, given in inputs.items() if _is_data(given)] if isinstance(inputs, Mapping) else []
    if wanted is not None:
        if wanted not in there:
            raise UsageError(f"{file} has no data input {wanted!r}", hint=f"It has {_named(there)}.")
        return wanted
    if len(there) != 1:
        raise UsageError(
            f"{file} has {len(there)} data inputs, and which one gets the new version is not said",
            hint=f"Make the watch anew with --input, one of {_named(there)}." if there else "Give it one.",
        )
    return str(there[0])


def _is_data(given: object) -> bool:
    return isinstance(given, Mapping) and (given.get("type") in DATA_TYPES or "path" in given)


def _named(there: Iterable[str]) -> str:
    return ", ".join(map(repr, there)) or "none"


def _accept(
    connection: sqlite3.Connection, layout: Layout, ready: Ready, version: DataVersion
) -> tuple[str | None, str | None]:
    """The name of the job, or why there is none; what was written for it is taken back then."""
    document = dict(ready.submission.document)
    inputs = dict(document["inputs"])
    inputs[ready.input] = {**inputs[ready.input], "path": str(version)}
    given = replace(
        ready.submission,
        document={**document, "inputs": inputs},
        overrides=(f"inputs.{ready.input}.path={version}",),
    )
    try:
        with write(connection):
            return submission.accept(connection, layout, given, ready.checked, ready.code, names.generate()), None
    except StoreError:  # the whole event comes to nothing, and is tried again
        raise
    except WorkbenchError as error:
        return None, str(error)


def _silent(_line: str) -> None:
    """Nobody listens."""


def sweep(connection: sqlite3.Connection, layout: Layout, watch: Watch) -> None:
    """Remove what firings left that were killed in the middle."""
    with locked(layout.run / f"watch-{watch.name}.lock"):
        rows = connection.execute("SELECT path FROM data WHERE path LIKE ?", (f"azureml://%/watches/{watch.name}/%",))
        gathering.sweep(layout, watch.name, [row[0] for row in rows])
