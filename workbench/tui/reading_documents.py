"""What writing and editing documents asks of the store; run in the threads of ``access``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store import jobs
from store.errors import DocumentError, WorkbenchError
from workbench.tui.access import Stores
from workbench.tui.drafts import TEXT, Draft

if TYPE_CHECKING:
    from engines.jobs.submission import Submission
    from store.jobs import Job
    from store.specs.document import Document


@dataclass(frozen=True, slots=True)
class Beginning:
    """The text that the editing of a job begins with; what is relative in it is relative to ``relative_to``."""

    text: str
    relative_to: str
    directory: str
    keeps_code: bool = False


def beginning(stores: Stores, name: str) -> Beginning:
    """A job's document: its source file where that still says the same, else what the store has."""
    job = jobs.get(stores.workbench, name)
    directory = str(job.source.get("directory") or "")
    if not os.path.isdir(directory):
        directory = os.getcwd()
    file = job.source.get("file")
    if file and not job.source.get("overrides"):
        text = _source_text(job, Path(file))
        if text is not None:
            return Beginning(text, str(Path(file).parent), directory)
    text, keeps_code = _stored_text(job)
    return Beginning(text, directory, directory, keeps_code)


def _source_text(job: Job, file: Path) -> str | None:
    """The text of a job's file, None where it is gone or says something else by now."""
    from engines.jobs.secret_addresses import take_out
    from store.specs.loading import parse
    from store.specs.reading import load_document

    try:
        text = file.read_bytes().decode("utf-8-sig")
        document = load_document(file)
        said, _ = take_out(parse(document, "job").document())
    except (OSError, ValueError, WorkbenchError):
        return None
    stored = {key: value for key, value in job.document.items() if key != "name"}
    if {"experiment_name": job.experiment_name, **said, "name": None} != {**stored, "name": None}:
        return None
    return _without_name(text, document) if document.data.get("name") == job.name else text


def _without_name(text: str, document: Document) -> str:
    """The text with its job's name as a comment: no two jobs have one."""
    entry, lines = document.entry(("name",)), text.splitlines(keepends=True)
    line = lines[entry.key.line - 1]
    if entry.key.line != entry.value.line or not line.startswith("name"):
        return text  # the check says that the name is taken
    lines[entry.key.line - 1] = f"# {line.rstrip()}  (the job that this was made from)\n"
    return "".join(lines)


def _stored_text(job: Job) -> tuple[str, bool]:
    """What the store has, and whether the job's own copy of its code has to do because the folder is gone."""
    from store.specs.writing import as_yaml

    document = {key: value for key, value in job.document.items() if key != "name" and value not in (None, {}, [])}
    changed = [shlex.quote(each) for each in job.source.get("overrides", ())]
    how = "".join(f" --set {each}" for each in changed)
    head = [f"# Job {job.name}, as it was submitted{f', with{how}' if how else ''}."]
    head.append("# Changed and saved, it runs as a new job; left as it is, nothing happens.")
    code = document.get("code")
    keeps_code = bool(code and job.snapshot and not os.path.exists(str(code)))
    if keeps_code:
        del document["code"]
        head.append(f"# {code} is gone: without `code` it runs the copy that the job had.")
    return "\n".join([*head, as_yaml(document)]), keeps_code


def examine(stores: Stores, text: str, draft: Draft) -> Submission:
    """A draft's text, held against the dialect and the workspace. Raises DocumentError with every fault."""
    from engines.jobs import reading, secret_addresses, submission, submitted
    from store.specs.reading import document_of

    relative_to, given = Path(draft.relative_to), submitted.read_addresses(stores.layout.job(draft.job or "-"))

    def check(found: Submission) -> object:
        return submission.check(stores.workbench, stores.layout, whole(found))

    def whole(found: Submission) -> Submission:
        return replace(
            found,
            document=secret_addresses.put_back(found.document, given),
            file="",
            folder=relative_to,
            directory=Path(draft.directory),
            rerun_of=draft.job,
        )

    found = reading.held(lambda: document_of(text, TEXT, relative_to), check, lambda _: None)
    check(found)
    if (name := found.document.get("name")) and jobs.exists(stores.workbench, name):
        taken = jobs.name_taken(name)
        raise DocumentError([document_of(text, TEXT, relative_to).fault(("name",), taken.message, taken.hint)])
    return whole(found)


def submit(stores: Stores, text: str, draft: Draft) -> tuple[str, list[str]]:
    """Accept the job that a draft describes; its name, and what there is to say. Raises DocumentError."""
    from engines.jobs import reading
    from workbench.agent import start

    notes: list[str] = []
    before = jobs.get(stores.workbench, draft.job) if draft.job and draft.keeps_code else None
    name = reading.submit_edited(stores.workbench, stores.layout, before, examine(stores, text, draft), notes.append)
    start.wake(stores.layout)
    return name, notes


def newest_text(stores: Stores) -> tuple[str, Beginning] | None:
    """The newest job's name and document; None where there is none."""
    from store import completion

    names = completion.newest_jobs(stores.workbench)
    return (names[0], beginning(stores, names[0])) if names else None


def names(stores: Stores) -> Mapping[str, list[str]]:
    """What can be completed, by subject."""
    from engines.environments.curated import curated
    from store import completion, job_pages

    connection = stores.workbench
    ours = [f"azureml:{each.name}@latest" for each in curated()]
    subjects: dict[str, Callable[[], list[str]]] = {
        "compute": lambda: completion.computes(connection),
        "environment": lambda: [*completion.environments(connection), "azureml:current@latest", *ours],
        "experiment": lambda: job_pages.experiments(connection),
        "data": lambda: completion.outputs(connection),
        "job": lambda: completion.newest_jobs(connection),
    }
    return {subject: read() for subject, read in subjects.items()}


def paths(typed: str, relative_to: str, *, folders: bool) -> list[str]:
    """The files and folders that a path may become; hidden ones only when a dot is typed."""
    head, slash, begun = typed.rpartition("/")
    folder = os.path.join(relative_to, os.path.expanduser(head + slash))
    found: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(begun) or (entry.name.startswith(".") and not begun):
                    continue
                is_folder = entry.is_dir()
                if is_folder or not folders:
                    found.append(f"{head}{slash}{entry.name}{'/' if is_folder else ''}")
                if len(found) == 200:
                    break
    except (OSError, ValueError):
        return []
    return sorted(found)


def load_yaml(text: str, draft: Draft) -> dict[str, Any]:
    """The keys and values of a text. Raises DocumentError for what is no YAML or no mapping."""
    from store.specs.reading import document_of

    document = document_of(text, TEXT, Path(draft.relative_to))
    if document.faults:
        raise DocumentError(document.faults)
    return document.data
