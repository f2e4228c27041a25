"""A job's inputs, from its document to paths on this machine.

Whatever is prepared here appears whole, by rename: after a kill all of it can be done again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.jobs.keeping import LINK_REFUSED
from engines.jobs.script import Value, literal_text
from store import cache, database, trees
from store.addresses import Address
from store.data.evaluated import PARQUET
from store.datastores import filesystems, registry
from store.disk import copy_file, explain, publish, staging
from store.errors import UsageError, WorkbenchError
from store.jobs import Job
from store.layout import Layout
from store.specs.references import DatastorePath
from store.telling import Cancelled, Say
from store.transfer.incoming import AbandonedError, Watch
from store.trees import Item
from store.uris import EXPRESSION, Place, Resolver, substitute

FOLDER_TYPES = frozenset({"uri_folder", "mltable", "mlflow_model", "triton_model"})
MARKERS = {"mltable": "MLTable", "mlflow_model": "MLmodel"}
"""The file that makes a folder what its type says."""

SAY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Input:
    """A data input of a document."""

    name: str
    type: str
    path: str
    mode: str

    @classmethod
    def read(cls, document: Mapping[str, Any], name: str) -> Input | None:
        """None for a literal, and for an optional input without a value. Raises UsageError for a wrong mode."""
        value = (document.get("inputs") or {}).get(name)
        if not isinstance(value, Mapping) or not value.get("path"):
            return None
        kind, mode = value.get("type") or "uri_folder", value.get("mode") or "ro_mount"
        if mode.startswith("eval_") and kind != "mltable":
            raise UsageError(f"mode {mode} evaluates a table, and the type says {kind}", hint="Say `type: mltable`.")
        return cls(name, kind, substitute(value["path"], {"name": str(document.get("name") or "")}), mode)

    @property
    def wants_folder(self) -> bool:
        return self.type in FOLDER_TYPES

    @property
    def evaluates(self) -> bool:
        """Whether the job gets the files that a table resolves to, and not its folder."""
        return self.mode.startswith("eval_")


def check_input(connection: sqlite3.Connection, layout: Layout, document: Mapping[str, Any], name: str) -> None:
    """Hold an input against what there is, without fetching anything. Raises UsageError or NotFoundError."""
    given = Input.read(document, name)
    if given is None or (EXPRESSION.search(document["inputs"][name]["path"]) and not document.get("name")):
        return
    place = Resolver(layout, connection).find(given.path)
    if place.path is not None:
        check_type(given, place.path)
    elif given.mode == "direct":
        if "://" in str(place.url):
            Address.parse(str(place.url))
    elif place.datastore is not None:
        datastore = registry.get(connection, layout, place.datastore)
        if datastore.type == "sql":
            check_table(given)
        else:
            filesystems.check(datastore)
    else:
        cache.check(str(place.url), want_folder=given.wants_folder)


def check_table(given: Input) -> None:
    """Raises UsageError for a table of a database that is to be anything else."""
    if given.type != "mltable":
        raise UsageError(f"{given.path} is a table, and the type says {given.type}", hint="Say `type: mltable`.")


def check_type(given: Input, path: Path) -> None:
    """Raises UsageError for a path that does not exist or is not of the stated type."""
    if not path.exists():
        if ":/" in given.path:
            raise UsageError(f"there is nothing at {given.path}", hint=f"It would lie at {path}.")
        raise UsageError(f"there is no {path}", hint="A relative path starts at the folder of the document.")
    if not path.is_file() and not path.is_dir():
        raise UsageError(f"{path} is neither a file nor a folder")
    if given.type == "uri_file" and not path.is_file():
        raise UsageError(f"{path} is a folder, and the type says uri_file", hint="Say `type: uri_folder`.")
    if given.wants_folder and not path.is_dir():
        other = "custom_model" if given.type.endswith("_model") else "uri_file"
        raise UsageError(f"{path} is a file, and the type says {given.type}", hint=f"Say `type: {other}`.")
    marker = MARKERS.get(given.type)
    if marker and not (path / marker).is_file():
        raise UsageError(f"{path} has no file {marker} in it, and the type says {given.type}")


def place_inputs(job: Job, layout: Layout, say: Say, cancelled: Cancelled) -> dict[str, Value]:
    """Make every input ready; keys are ``inputs.NAME``. An input without a value has none here either.

    ``say`` is told of downloads. Raises WorkbenchError, naming the input and its document.
    """
    resolver = Resolver(layout)
    values: dict[str, Value] = {}
    for name in job.document.get("inputs") or {}:
        try:
            given = Input.read(job.document, name)
            if given is None:
                value = literal(job.document["inputs"][name])
            else:
                place = resolver.find(given.path)
                path = place_input(given, place, layout, job.name, say, cancelled)
                value = Value(path, is_path=True)
        except WorkbenchError as error:
            file = job.source.get("file")
            error.message = f"input {name!r}{f' of {file}' if file else ''}: {error.message}"
            raise
        except OSError as error:  # a folder that has been closed to the user meanwhile
            raise explain(error, f"looking at the input {name!r}") from error
        if value is not None:
            values[f"inputs.{name}"] = value
    return values


def literal(value: Any) -> Value | None:
    """The value of an input that is no data; None where there is none."""
    if isinstance(value, Mapping):
        value = value.get("value")
    return None if value is None else Value(literal_text(value))


def place_input(given: Input, place: Place, layout: Layout, job: str, say: Say, cancelled: Cancelled) -> str:
    """Make one input ready as its mode says; returns what the job gets for it."""
    if place.path is None and given.mode == "direct":
        return str(place.url)
    if place.datastore is not None:
        return str(place_from_datastore(given, place, layout, job, say, cancelled))
    path = place.path if place.path is not None else place_from_url(given, place, layout, job, say, cancelled)
    check_type(given, path)
    if given.evaluates:
        return str(place_files(given, path, layout, job, say, cancelled))
    return str(copy_for_job(path, layout, job, given.name, cancelled) if given.mode == "download" else path)


def place_from_url(given: Input, place: Place, layout: Layout, job: str, say: Say, cancelled: Cancelled) -> Path:
    """What lies at a URL, as it is there now, or was when it could last be asked."""
    url, progress = str(place.url), downloading(given, place, say)

    def told(line: str) -> None:
        say(f"input {given.name}: {line}")

    path = cache.fetch(url, want_folder=given.wants_folder, progress=progress, cancelled=cancelled, say=told)
    if url.startswith("file:") or given.mode == "download":
        return path
    address = Address.parse(url)
    with cache.exclusive(address, Watch(cancelled=cancelled)):  # another job may be fetching it anew by now
        path = cache.find(address) or path
        check_type(given, path)
        return copy_for_job(path, layout, job, given.name, cancelled, linked=True)


def place_files(given: Input, table: Path, layout: Layout, job: str, say: Say, cancelled: Cancelled) -> Path:
    """The files that a table resolves to, in a folder of the job."""
    from store.data.table_files import place_apart

    folder, telling = layout.job(job).inputs / given.name, Reporter(f"input {given.name}: its table's files", say)
    copied = given.mode == "eval_download"
    for warning in place_apart(layout, table, folder, copied=copied, progress=telling, cancelled=cancelled):
        say(f"input {given.name}: {warning}")
    return folder


def place_from_datastore(given: Input, place: Place, layout: Layout, job: str, say: Say, cancelled: Cancelled) -> Path:
    """What lies in a datastore of another machine, as it is there now; what the job has of it changes no more."""
    from store.datastores.cached import Wanted, copy_of
    from store.vault import open_vault

    with closing(database.connect(layout.database)) as connection:
        datastore = registry.get(connection, layout, str(place.datastore))
    if datastore.type == "sql":
        return place_table(given, place, layout, job, say, cancelled)
    wanted = Wanted(
        datastore,
        place.within,
        open_vault(layout),
        downloading(given, place, say),
        cancelled,
        lambda line: say(f"input {given.name}: {line}"),
    )
    with copy_of(wanted) as path:
        check_type(given, path)
        if not given.evaluates:
            return copy_for_job(path, layout, job, given.name, cancelled, linked=given.mode != "download")
        table = copy_for_job(path, layout, job, f".{given.name}.table", cancelled, linked=True)
    return place_files(given, table, layout, job, say, cancelled)


def place_table(given: Input, place: Place, layout: Layout, job: str, say: Say, cancelled: Cancelled) -> Path:
    """A table of a database, or what a query finds now, as a folder with an MLTable file and Parquet."""
    from store.data.evaluated import evaluate_apart

    check_table(given)
    folder, address = layout.job(job).inputs / given.name, str(DatastorePath(str(place.datastore), place.within))
    for warning in evaluate_apart(layout, address, folder, downloading(given, place, say), cancelled):
        say(f"input {given.name}: {warning}")
    return folder


class Reporter:
    """Says from time to time how far a transfer is; ``what`` begins the line."""

    def __init__(self, what: str, say: Say) -> None:
        self.what, self.say = what, say
        self.next = 0.0
        self.last = ""

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now >= self.next or done == total:
            self.next = now + SAY_SECONDS
            of_all = f" of {megabytes(total)}" if total is not None else ""
            line = f"{self.what}: {megabytes(done)}{of_all}"
            if line != self.last:
                self.last = line
                self.say(line)


def downloading(given: Input, place: Place, say: Say) -> Reporter:
    """Says how far the download of an input is."""
    return Reporter(f"input {given.name}: downloading {Address.parse(str(place.url))}", say)


def megabytes(count: int) -> str:
    """A size in words."""
    return f"{count / 1e6:.1f} MB"


def copy_for_job(
    path: Path, layout: Layout, job: str, name: str, cancelled: Cancelled, *, linked: bool = False
) -> Path:
    """A private copy of a file or a folder below the job's ``inputs``; one that is there already is whole.

    A workspace that lies in the folder is left out: the copy would be in it. ``linked`` has the job read the very same
    files, under names of its own, where the disk allows.
    """
    folder = layout.job(job).inputs
    target = folder / name
    copy = target if path.is_dir() else target / path.name
    if target.exists():
        return copy
    try:
        with staging(folder) as made:
            choice = trees.Everything(without=trees.identity(layout.root))
            survey = trees.survey(path, choice) if path.is_dir() else trees.of_file(path)
            for _ in link_items(survey.items, made) if linked else trees.copy_items(survey.items, made, writable=True):
                if cancelled():
                    raise AbandonedError("cancelled while an input was being copied")
            publish(made, target)
    except OSError as error:
        raise explain(error, f"copying {path} for the job") from error
    return copy


def drop_links(job: Job, layout: Layout) -> None:
    """Remove a job's links to what was fetched for it, once it has ended; copies of its own stay.

    So do tables of a database, which may never be the same again.
    """
    folder = layout.job(job.name).inputs
    for name in job.document.get("inputs") or {}:
        given = Input.read(job.document, name)
        if given is None or given.mode not in ("ro_mount", "eval_mount") or (folder / name / PARQUET).is_file():
            continue
        for each in (name, f".{name}.table"):
            shutil.rmtree(folder / each, ignore_errors=True)


def link_items(items: Iterable[Item], target: Path) -> Iterator[Item]:
    """Have files under further names below a folder; each that can have none, as on another disk, is copied."""
    for item in items:
        place = target / item.path
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(item.source, place)
        except OSError as error:
            if error.errno not in LINK_REFUSED:
                raise
            copy_file(item.source, place, 0o400, item.mtime_ns)
        yield item
