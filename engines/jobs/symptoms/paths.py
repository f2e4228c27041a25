"""A file that was not there, or could not be read: where the user meant it to be."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from engines.jobs.symptoms.cause import JobFacts, Symptom

SEARCHED_ENTRIES = 4000


def missing(path: str, facts: JobFacts) -> Symptom:
    """The words for a file that does not exist."""
    return Symptom("missing_file", f"There is no {facts.shown(path)!r}{belonging(path, facts)}.", advice(path, facts))


def belonging(path: str, facts: JobFacts) -> str:
    """To which input a path belongs, as the end of a phrase."""
    name = facts.input_of(path)
    return f", in the input {name!r}" if name else ""


def advice(path: str, facts: JobFacts) -> str | None:
    """What to do about a missing file."""
    name, relative = facts.input_of(path), facts.inside(path)
    if name:
        return f"Look at what the input holds: {facts.inputs[name]}"
    if relative is None:
        return (
            f"{check_path(path)}; declare data as an input of the job and name it in the command: ${{{{inputs.NAME}}}}."
        )
    if facts.code is not None and exists(facts.code / relative):
        return (
            f"It is in {facts.code}, but not in the copy that the job ran in: .amlignore or .gitignore leaves it out,"
            " or it was made after the job was submitted."
        )
    if close := similar(facts.working_copy / relative):
        return f"Did you mean {str(relative.parent / close)!r}?"
    if found := elsewhere(relative.name, facts):
        return f"There is {str(found)!r} in the code; a job starts in the folder that `code:` names."
    if not exists((facts.working_copy / relative).parent):
        return (
            f"There is no folder {str(relative.parent)!r} either. To write there, make it first (`mkdir -p`); to read"
            " from it, have it in the folder that `code:` names, or declare the data as an input."
        )
    if facts.code is None:
        return "The job has no `code:`, so it ran in an empty folder; `code: .` gives it the files beside its document."
    return "A job sees the files of its `code:` folder and its inputs; declare the data as an input."


def check_path(path: str) -> str:
    """What of a path outside the job to look at: the folder, where that is missing too."""
    folder = os.path.dirname(path)
    return "Check the path" if not folder or exists(Path(folder)) else f"There is no folder {folder!r} either"


def denied(path: str | None, facts: JobFacts) -> Symptom:
    """The words for a file that may not be read or written."""
    if path is None:
        return Symptom("permission_denied", "It was denied the permission to do what it tried.")
    name = facts.input_of(path)
    hint = (
        "Inputs are for reading; write to an output of the job or into ./outputs."
        if name
        else f"See who may: `ls -ld {facts.shown(path)}`; results belong in ./outputs or an output of the job."
    )
    return Symptom("permission_denied", f"Permission denied for {facts.shown(path)!r}{belonging(path, facts)}.", hint)


def wrong_kind(path: str, facts: JobFacts, *, is_folder: bool) -> Symptom:
    """The words for a folder read as a file, or a file taken for a folder."""
    what = "is a folder, and was opened as a file" if is_folder else "is a file, and was used as a folder"
    name = facts.input_of(path)
    hint = (
        f"The input {name!r} has to be of type {'uri_file' if is_folder else 'uri_folder'} for that,"
        " or the script has to pick a file of the folder."
        if name
        else None
    )
    return Symptom("unreadable_input", f"{facts.shown(path)!r} {what}.", hint)


def exists(path: Path) -> bool:
    """Whether a path exists; one that cannot even be asked for does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def similar(path: Path) -> str | None:
    """The name in the same folder that is most like a path's own."""
    try:
        names = os.listdir(path.parent)
    except (OSError, ValueError):
        return None
    close = difflib.get_close_matches(path.name, names[:SEARCHED_ENTRIES], n=1, cutoff=0.75)
    return close[0] if close else None


def elsewhere(name: str, facts: JobFacts) -> Path | None:
    """A file of this name anywhere in the working copy; large ones are searched in part only."""
    left = SEARCHED_ENTRIES
    for folder, folders, files in os.walk(facts.working_copy):
        if name in files or name in folders:
            return Path(os.path.relpath(folder, facts.working_copy)) / name
        left -= len(files) + 1
        if left < 0:
            return None
    return None
