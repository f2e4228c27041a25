"""Accept a job: check it against the workspace, keep its code, and write it into the store."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engines.compute.distribution import check as check_distribution
from engines.compute.registry import engine
from engines.environments.definition import Definition
from engines.environments.resolve import resolve
from engines.jobs import data_assets, input_contents, inputs, job_secrets, outputs, runtime, secret_addresses, submitted
from engines.jobs.provenance import git_state, user_name
from engines.jobs.secret_addresses import SecretAddress
from store import cache, computes, jobs, names, snapshots
from store import environments as registered
from store.addresses import HIDDEN
from store.disk import explain
from store.errors import DocumentError, Fault, UsageError, WorkbenchError
from store.layout import Layout
from store.specs.expressions import in_variables
from store.specs.references import LocalPath
from store.telling import Say
from store.uris import take_apart

Place = tuple[str, int, int]
"""File, line and column, counted from 1."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A checked document on its way in.

    ``place`` tells where a path of keys stands in it; ``overrides`` are what ``--set`` and flags changed in its file.
    """

    document: dict[str, Any]
    file: str
    place: Callable[[tuple[str | int, ...]], Place] = lambda _: ("document", 1, 1)
    directory: Path = field(default_factory=Path.cwd)
    overrides: tuple[str, ...] = ()
    definition: Definition | None = None
    """What the environment was found to mean before, when a job is submitted again."""
    rerun_of: str | None = None
    """The job that it is submitted again from."""
    folder: Path | None = None
    """Where relative paths in an environment begin, for a document that is in no file; ``file`` is empty then."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a document was found to mean in this workspace."""

    compute: str
    slots: int
    environment: Definition


@dataclass(frozen=True, slots=True)
class Code:
    """What a job runs: the kept code's hash, and the state of the git repository that it was taken from."""

    snapshot: str | None
    git: dict[str, Any] | None


def check(connection: sqlite3.Connection, layout: Layout, submission: Submission) -> Checked:
    """Hold a document against the workspace: compute, environment, inputs, room.

    Raises DocumentError with all faults.
    """
    document, faults = submission.document, list[Fault]()
    compute = str(document.get("compute") or "local").removeprefix("azureml:")
    slots = 1 if document.get("resources") is None else int(document["resources"].get("instance_count") or 1)

    def attempt(path: tuple[str, ...], step: Any) -> Any:
        try:
            return step()
        except DocumentError as error:
            faults.extend(error.faults)
        except WorkbenchError as error:
            faults.append(Fault(*submission.place(path), ".".join(path), error.message, error.hint))
        except OSError as error:  # a path that cannot be looked at: too long, or in a folder closed to the user
            refusal = explain(error, "looking at it")
            faults.append(Fault(*submission.place(path), ".".join(path), refusal.message, refusal.hint))
        return None

    target = attempt(("compute",), lambda: computes.get(connection, compute))
    if target is not None:
        attempt(("resources", "instance_count"), lambda: check_room(target, slots))
    attempt(("distribution",), lambda: check_distribution(document))
    definition = attempt(("environment",), lambda: environment(connection, submission))
    attempt(("code",), lambda: check_code(document))
    if parent := document.get("parent_job_name"):
        attempt(("parent_job_name",), lambda: jobs.get(connection, parent))
    for name, given in (document.get("inputs") or {}).items():
        place = ("inputs", name, *path_key(given))
        attempt(place, lambda name=name: inputs.check_input(connection, layout, document, name))
    for name, given in (document.get("outputs") or {}).items():
        place = ("outputs", name, *path_key(given))
        attempt(place, lambda name=name: outputs.check_output(layout, document, name))
    for variable, name in job_secrets.asked(document):
        attempt(("environment_variables", variable), lambda name=name: job_secrets.check(layout, name))
    for place, address in secret_addresses.incomplete(document):
        attempt(place, lambda place=place, address=address: check_whole(document, place, address))
    if faults:
        raise DocumentError(faults)
    return Checked(compute, slots, definition)


def path_key(given: object) -> tuple[str, ...]:
    """The key that says where an input or output lies, where there is one."""
    return ("path",) if isinstance(given, Mapping) and "path" in given else ()


def check_whole(document: Mapping[str, Any], place: tuple[str, ...], address: str) -> None:
    """Raises UsageError for an address without its secret, unless what lies there is in the cache."""
    given = inputs.Input.read(document, place[1]) if place[0] == "inputs" else None
    if given is not None and given.mode != "direct" and cache.has(address):
        return
    raise UsageError(
        f"{address}: {HIDDEN} stands in place of a secret, which is kept no longer than until its job has ended",
        hint=f"Give it whole: --set '{'.'.join(place)}=ADDRESS'",
    )


def environment(connection: sqlite3.Connection, submission: Submission) -> Definition:
    """What the document's environment means in this workspace."""
    if submission.definition is not None:
        return submission.definition
    return resolve(
        submission.document.get("environment"),
        registered=lambda name, version: registered.lookup(connection, name, version),
        known=[each["name"] for each in registered.find(connection)],
        folder=submission.folder or Path(submission.file).absolute().parent,
        position=lambda path: submission.place(("environment", *path)),
    )


def check_code(document: Mapping[str, Any]) -> None:
    """Raises UsageError for code that is not on this machine: the job would run in an empty folder."""
    code = document.get("code")
    if code and not isinstance(take_apart(code), LocalPath):
        raise UsageError(
            f"the code {code} is elsewhere, and this version runs only code of this machine",
            hint="Fetch it (`git clone`) and give the folder as `code`.",
        )


def check_room(target: Mapping[str, Any], slots: int) -> None:
    """A job wider than its compute would wait for ever."""
    room = engine(target["type"]).capacity(target)
    if slots > room:
        raise UsageError(
            f"instance_count {slots} is more than the compute {target['name']!r} has: {room}",
            hint=f"Lower it, or make a larger pool: `workbench compute create --name {target['name']} "
            f"--type {target['type']} --max-instances {slots}`.",
        )


def submit(connection: sqlite3.Connection, layout: Layout, submission: Submission, say: Say = lambda _: None) -> str:
    """Accept a job; returns its name. Nothing is left behind when it is refused. ``say`` takes notes for the user."""
    checked = check(connection, layout, submission)
    tell(checked, submission.document, say)
    document = submission.document
    given = document.get("name")
    if given and jobs.exists(connection, given):
        raise jobs.name_taken(given)
    snapshot = take_code(document, layout, say)
    git = git_state(Path(document.get("code") or submission.directory))
    return accept(connection, layout, submission, checked, Code(snapshot, git), given or names.generate())


def accept(
    connection: sqlite3.Connection,
    layout: Layout,
    submission: Submission,
    checked: Checked,
    code: Code,
    chosen: str,
) -> str:
    """Write a checked job into the store, and beside it what its submitter lends it."""
    given = {**submission.document, "name": chosen}
    given["experiment_name"] = experiment(given, submission.directory)
    given, pinned = data_assets.pin(connection, layout, given)
    document, addresses = secret_addresses.take_out(given)
    new = jobs.NewJob(
        document=document,
        source={
            **source(submission, code.git, addresses),
            "input_contents": input_contents.contents(connection, layout, document),
        },
        compute=checked.compute,
        environment=checked.environment.as_dict(),
        snapshot=code.snapshot,
        name=chosen,
        slots=checked.slots,
        parent_job_name=document.get("parent_job_name"),
    )
    lent = {**runtime.carried(os.environ), **checked.environment.secrets}
    kept: list[str] = []

    def keep(name: str) -> None:
        kept.append(name)
        submitted.keep(layout, name, lent, addresses)
        data_assets.record_uses(connection, name, pinned)

    try:
        return jobs.submit(connection, new, keep)
    except BaseException as error:
        if kept:
            with contextlib.suppress(WorkbenchError):  # else the agent clears it
                submitted.clear(connection, layout, kept)
        if isinstance(error, OSError):
            raise explain(error, "the job was not accepted") from error
        raise


def tell(checked: Checked, document: Mapping[str, Any], say: Say) -> None:
    """What was decided for the user about the environment, and what in its variables will be no value."""
    for note in checked.environment.notes:
        say(f"environment {checked.environment}: {note}")
    for variable, text, known in in_variables(document):
        if not known:
            say(f"environment variable {variable}: {text} stands for nothing in this job and stays as it is")


def resubmit(
    connection: sqlite3.Connection,
    layout: Layout,
    before: jobs.Job,
    submission: Submission,
    say: Say = lambda _: None,
) -> str:
    """Accept a job again; what the submission does not bring is as it was, whatever was edited since."""
    submission = replace(submission, definition=None if "environment" in submission.document else definition_of(before))
    checked = check(connection, layout, submission)
    tell(checked, submission.document, say)
    if code := submission.document.get("code"):
        kept = Code(take_code(submission.document, layout, say), git_state(Path(code)))
    else:
        kept = Code(before.snapshot, before.source.get("git"))
    same = {key: before.document[key] for key in ("code", "environment") if before.document.get(key)}
    submission = replace(submission, document={**same, **submission.document}, rerun_of=before.name)
    return accept(connection, layout, submission, checked, kept, names.generate())


def whole_document(layout: Layout, before: jobs.Job) -> dict[str, Any]:
    """A job's document, with the secrets of its addresses as long as they are kept."""
    return secret_addresses.put_back(before.document, submitted.read_addresses(layout.job(before.name)))


def definition_of(before: jobs.Job) -> Definition | None:
    """The environment that a job ran in; None where it named secrets, which are kept nowhere."""
    if before.environment is None or "${" in json.dumps(before.environment):
        return None
    return Definition.from_dict(before.environment)


def take_code(document: Mapping[str, Any], layout: Layout, say: Say) -> str | None:
    """Keep a job's code; its content hash, None for a job without code."""
    code = document.get("code")
    if not code:
        return None
    snapshot = snapshots.take(Path(code), layout, say)
    for note in snapshot.notes:
        say(note)
    return snapshot.hash


def experiment(document: Mapping[str, Any], directory: Path) -> str:
    """The experiment's name: given, or that of the current folder without spaces, else ``Default``."""
    return document.get("experiment_name") or directory.name.replace(" ", "") or "Default"


def source(submission: Submission, git: Mapping[str, Any] | None, addresses: Sequence[SecretAddress]) -> dict[str, Any]:
    """Where a job comes from: file, folder, overrides, user, host and the state of the code's git repository."""
    return {
        "file": str(Path(submission.file).absolute()) if submission.file else None,
        "directory": str(submission.directory),
        "overrides": [secret_addresses.hide_in_override(each, addresses) for each in submission.overrides],
        "user": user_name(),
        "host": socket.gethostname(),
        "git": git,
        **({"rerun_of": submission.rerun_of} if submission.rerun_of else {}),
    }
