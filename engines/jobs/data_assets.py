"""The data assets of a job: which versions it reads, which bytes it was given, and which versions it makes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.jobs.outputs import Output
from engines.jobs.script import Value
from store import database
from store.errors import WorkbenchError
from store.jobs import Job
from store.layout import Layout
from store.specs.references import PREFIX, AssetReference
from store.telling import Cancelled, Say
from store.transfer.incoming import AbandonedError
from store.uris import Resolver, take_apart

if TYPE_CHECKING:
    from store.data.uses import Seen, Use

DATA_TYPES = frozenset({"uri_file", "uri_folder", "mltable"})
"""The types of inputs and outputs that are data; models are assets of another kind."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """An input and the version that it means from now on."""

    input: str
    name: str
    version: str


def pin(
    connection: sqlite3.Connection, layout: Layout, document: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Pinned]]:
    """A document whose data assets have exact versions, so that ``@latest`` is the one of now; and which they are."""
    inputs, pinned = dict(document.get("inputs") or {}), list[Pinned]()
    for name, given in inputs.items():
        if not is_data(given) or not str(given.get("path") or "").startswith(PREFIX):
            continue
        reference = take_apart(given["path"])
        if isinstance(reference, AssetReference):
            found = Resolver(layout, connection).asset(reference)
            inputs[name] = {**given, "path": str(found)}
            pinned.append(Pinned(name, found.name, found.version))
    return ({**document, "inputs": inputs} if pinned else dict(document)), pinned


def is_data(given: object) -> bool:
    """Whether an input or output is data: no literal, and no model."""
    return isinstance(given, Mapping) and (given.get("type") or "uri_folder") in DATA_TYPES


def record_uses(connection: sqlite3.Connection, job: str, pinned: list[Pinned]) -> None:
    """Write down which versions a job uses. Inside of the write that accepts it."""
    if not pinned:
        return
    from store.data import uses

    for each in pinned:
        uses.add(connection, uses.Use(each.name, each.version, "job", job, each.input))


def look(job: Job, layout: Layout, inputs: Mapping[str, Value], say: Say, cancelled: Cancelled) -> list[Seen]:
    """Which bytes a job is given of each version that it uses; what has changed behind one is said."""
    if not any(is_data(each) and str(each.get("path")).startswith(PREFIX) for each in _inputs(job)):
        return []
    from store.data import uses

    with closing(database.connect(layout.database)) as connection:
        used = uses.of_job(connection, job.name)
        return [seen for use in used if (seen := _look_at(use, layout, connection, inputs, say, cancelled)) is not None]


def _inputs(job: Job) -> list[Any]:
    return list((job.document.get("inputs") or {}).values())


def _look_at(
    use: Use,
    layout: Layout,
    connection: sqlite3.Connection,
    inputs: Mapping[str, Value],
    say: Say,
    cancelled: Cancelled,
) -> Seen | None:
    from store.data import assets, fingerprint
    from store.data.uses import Seen

    version = assets.get(connection, use.name, use.version)
    path = Resolver(layout, connection).find(str(version)).path or Path(inputs[f"inputs.{use.input}"].text)
    if not path.exists():  # only its address is given to the job (mode: direct)
        return None
    found = fingerprint.take(path, layout.manifests, cancelled=cancelled)
    if version.fingerprint not in (None, found.hash):
        say(
            f"input {use.input}: the bytes behind {version} are no longer those that it was made with; "
            f"a new version keeps them apart: workbench data create --name {version.name} --path {version.path}"
        )
    return Seen(str(use.input), found)


def named_outputs(job: Job) -> dict[str, Mapping[str, Any]]:
    """The outputs that become versions of data assets."""
    outputs = job.document.get("outputs") or {}
    return {output: given for output, given in outputs.items() if is_data(given) and given.get("name")}


def look_at_outputs(job: Job, layout: Layout, say: Say, cancelled: Cancelled, *, uploaded: bool) -> list[Seen]:
    """Which bytes lie in the outputs that become versions: in those that are ``uploaded``, or in the others.

    The former are looked at before they are brought away, the latter when they lie in their places.
    """
    if not named_outputs(job):
        return []
    from store.data import fingerprint
    from store.data.uses import Seen

    found = list[Seen]()
    for name in named_outputs(job):
        output = Output.read(job.document, name, job.name, layout)
        path = output.written if uploaded else output.place.path
        if output.is_uploaded is not uploaded or path is None or not path.exists():
            continue
        try:
            found.append(Seen(name, fingerprint.take(path, layout.manifests, cancelled=cancelled)))
        except AbandonedError:
            raise
        except WorkbenchError as error:
            say(f"output {name}: its bytes could not be looked at: {error.message}")
    return found


def register_outputs(connection: sqlite3.Connection, job: Job, say: Say, seen: Iterable[Seen] = ()) -> None:
    """Make a version of each output that has a name. Inside of the write that completes the job.

    A version that cannot be made is said, and the job has completed all the same. ``seen`` are the bytes of outputs.
    """
    named = named_outputs(job)
    if not named:
        return
    from store.data import assets

    contents = {each.input: each.fingerprint for each in seen}
    for output, given in named.items():
        content = contents.get(output)
        made = assets.DataVersion(
            name=given["name"],
            version=str(given.get("version") or ""),
            type=given.get("type") or "uri_folder",
            path=f"azureml://jobs/{job.name}/outputs/{output}",
            document={},
            job_name=job.name,
            job_output=output,
            fingerprint=content.hash if content else None,
            files=content.files if content else None,
            bytes=content.bytes if content else None,
        )
        try:
            kept = assets.create(connection, made)
            twins = [str(twin) for twin in assets.twins(connection, kept)]
            say(f"output {output} is {kept}" + (f", same bytes as {', '.join(twins)}" if twins else ""))
        except WorkbenchError as error:
            say(f"output {output} was not registered: {error.message}")
