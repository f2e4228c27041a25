"""Inputs that a job may read and not write: it is kept from writing where Linux allows that; elsewhere it is noticed.

What lay there when the job was prepared is noted in its folder, and held against what lies there when it has ended.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from engines.jobs.input_contents import Content, survey
from engines.jobs.inputs import Input
from engines.jobs.outputs import Output
from engines.jobs.script import Value
from store import database
from store.disk import explain, write_whole
from store.errors import WorkbenchError
from store.jobs import Job
from store.layout import Layout
from store.telling import Say
from store.uris import Resolver

MODES = frozenset({"ro_mount", "eval_mount"})
"""The modes whose inputs are not to be written to."""


def paths(job: Job, layout: Layout, inputs: Mapping[str, Value]) -> dict[str, list[Path]]:
    """By input that is not to be written to, the paths that it consists of; ``inputs`` are what the job gets."""
    found = dict[str, list[Path]]()
    resolver = Resolver(layout)
    for name in job.document.get("inputs") or {}:
        given = Input.read(job.document, name)
        if given is None or given.mode not in MODES:
            continue
        found[name] = [Path(inputs[f"inputs.{name}"].text)]
        table = resolver.find(given.path).path if given.evaluates else None
        if table is not None:
            found[name].append(table)
    return found


def guarded(argv: list[str], job: Job, layout: Layout, protected: Iterable[Path]) -> list[str]:
    """A command to which the paths are read-only where that is possible.

    What the job writes to stays writable also below such a path; a path that the whole home lies in is left alone.
    """
    home, writable = os.path.realpath(Path.home()), written(job, layout)
    closed = {os.path.realpath(path) for path in protected} - writable
    closed = {path for path in closed if os.path.exists(path) and not is_below(home, path)}
    program = find_spec("workbench.read_only")
    if not closed or program is None or program.origin is None:
        return argv
    told = json.dumps({"read_only": sorted(closed), "writable": sorted(writable)})
    return [sys.executable, "-I", "-S", program.origin, told, *argv]


def written(job: Job, layout: Layout) -> set[str]:
    """The paths that a job may write to: its outputs, the workspace, the folder for temporary files."""
    found = {os.path.realpath(path) for path in (layout.root, tempfile.gettempdir())}
    for name in job.document.get("outputs") or {}:
        output = Output.read(job.document, name, job.name, layout)
        if output.written is not None:
            found.add(os.path.realpath(output.written.parent if output.is_file else output.written))
    return found


def is_below(path: str, above: str) -> bool:
    """Whether a path is another, or lies in it."""
    return f"{path}/".startswith(f"{above.rstrip('/')}/")


def note(job: Job, layout: Layout, protected: Mapping[str, list[Path]]) -> None:
    """Note what lies at paths before a job can have written there. Raises MachineError."""
    open_to_all = written(job, layout)
    try:
        found = {
            name: [
                [str(path), asdict(survey(path))]
                for path in each
                if not any(is_below(other, os.path.realpath(path)) for other in open_to_all)
            ]
            for name, each in protected.items()
        }
        write_whole(layout.job(job.name).root / "read_only.json", json.dumps(found))
    except OSError as error:
        raise explain(error, "looking at the inputs") from error


def changed(job: Job, layout: Layout, say: Say) -> list[str]:
    """The inputs that are no longer what they were when the job was prepared, though it was not to write to them."""
    file, found = layout.job(job.name).root / "read_only.json", list[str]()
    try:
        noted = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return []
    try:
        versions = _other_bytes(job, layout) if noted else set[str]()
    except WorkbenchError as error:
        say(f"whether the inputs are what they were could not be looked at: {error.message}")
        versions = set()
    for name, each in noted.items():
        links = layout.job(job.name).inputs / name
        there = [(Path(path), before) for path, before in each if links.exists() or not is_below(path, str(links))]
        if name in versions or any(_differs(path, Content.read(before)) for path, before in there):
            found.append(name)
            say(
                f"input {name}: its bytes changed while the job ran, and its mode is one to read only; with "
                "`mode: download` a job has a copy of its own to write to"
            )
    return found


def _differs(path: Path, before: Content | None) -> bool:
    try:
        return before is not None and survey(path) != before
    except OSError:  # it is gone
        return True


def _other_bytes(job: Job, layout: Layout) -> set[str]:
    """The inputs that are versions of data with other bytes now than the job was given."""
    from store.data import fingerprint, uses

    found = set[str]()
    with closing(database.connect(layout.database)) as connection:
        for use in uses.of_job(connection, job.name):
            given = Input.read(job.document, str(use.input)) if use.fingerprint else None
            if given is None or given.mode not in MODES:
                continue
            path = Resolver(layout, connection).find(given.path).path
            if path is not None and path.exists() and fingerprint.take(path).hash != use.fingerprint:
                found.add(str(use.input))
    return found
