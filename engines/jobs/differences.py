"""How a job differs from the last one of its experiment that went well."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.jobs.input_contents import Content
from store.jobs import Job
from store.layout import Layout
from store.secret_rules import NAME, replace_secrets

SECTIONS = (
    "command",
    "environment",
    "environment_variables",
    "compute",
    "resources",
    "distribution",
    "limits",
    "outputs",
    "identity",
    "services",
)
"""What of a document can make a job fail; names, tags and descriptions cannot."""

CONTENT = "content"

HIDDEN = "(hidden)"

COMPARED_BYTES = 256 << 20
SMALL_FILE = 64 << 10
SMALL_LINES = 2000
DIFF_LINES = 40
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was: ``before`` or ``after`` is None where there was or is none.

    ``section`` is the key of the document (``inputs``, ``command``, ``code``, ...), ``git``, or ``content`` for what
    lies behind an input; ``name`` the place below it, for code a file. ``lines`` holds a unified diff of a small text
    file.
    """

    section: str
    name: str
    before: str | None
    after: str | None
    lines: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The place in the document."""
        return f"{self.section}.{self.name}" if self.name else self.section


def differences(job: Job, last_completed: Job, layout: Layout) -> list[Difference]:
    """What is not the same in two jobs: inputs first, then the rest of the document, the code, and its commit."""
    return [
        *compare_inputs(job, last_completed),
        *compare_documents(job, last_completed),
        *compare_resolved(job, last_completed),
        *compare_code(job.snapshot, last_completed.snapshot, layout.snapshots),
        *compare_git(job, last_completed),
    ]


def compare_inputs(job: Job, other: Job) -> Iterator[Difference]:
    """Literals and data paths as they were written; where those agree, what they led to, and what was there."""
    old, new = inputs(other), inputs(job)
    for name in ordered(old, new):
        if old.get(name) != new.get(name):
            yield difference("inputs", name, old.get(name), new.get(name))
            continue
        before, after = (each.inputs and own_place(each, str(each.inputs.get(name))) for each in (other, job))
        if before and after and before != after:
            yield difference("inputs", name, before, after)
        elif words := compare_contents(name, job, other):
            yield Difference(CONTENT, name, *words)


def compare_contents(name: str, job: Job, other: Job) -> tuple[str, str] | None:
    """What lay behind an input when each job was submitted, in words, where that is known and not the same."""
    then, now = (Content.read((each.source.get("input_contents") or {}).get(name)) for each in (other, job))
    return then.differs(now) if then and now else None


def inputs(job: Job) -> dict[str, str]:
    """Each input in one text: a literal's value, or the path of data."""
    found: dict[str, str] = {}
    for name, value in (job.document.get("inputs") or {}).items():
        if isinstance(value, Mapping):
            value = value.get("value", value.get("path", value.get("default")))
        found[name] = text(value)
    return found


def own_place(job: Job, path: str) -> str:
    """A resolved path without the job's own name, which always differs."""
    return path.replace(f"/{job.name}/", "/JOB/")


def compare_documents(job: Job, other: Job) -> Iterator[Difference]:
    """The sections of the document that matter, key by key."""
    old_compute, new_compute = {"compute": other.compute}, {"compute": job.compute}
    for section in SECTIONS:
        old = dict(flatten((other.document | old_compute).get(section)))
        new = dict(flatten((job.document | new_compute).get(section)))
        for name in ordered(old, new):
            if old.get(name) != new.get(name):
                yield difference(section, name, old.get(name), new.get(name))


def compare_resolved(job: Job, other: Job) -> Iterator[Difference]:
    """An environment that has the same name and other packages than then."""
    if job.document.get("environment") != other.document.get("environment"):
        return
    old, new = requirements(other), requirements(job)
    for package in sorted({*old, *new}):
        if old.get(package) != new.get(package):
            yield difference("environment", package, old.get(package), new.get(package))


def requirements(job: Job) -> dict[str, str]:
    """Package to requirement, of the environment as it was resolved."""
    listed = [str(each) for each in (job.environment or {}).get("requirements") or ()]
    return {re.split(r"[\s\[<>=!~;@]", each, maxsplit=1)[0]: each for each in listed}


def compare_git(job: Job, other: Job) -> Iterator[Difference]:
    """The commit that the code was at."""
    old, new = (commit(each.source.get("git")) for each in (other, job))
    if old != new:
        yield Difference("git", "commit", old, new)


def commit(git: Any) -> str | None:
    """A git state in a few words."""
    if not isinstance(git, Mapping) or not git.get("commit"):
        return None
    branch = f" on {git['branch']}" if git.get("branch") else ""
    return f"{str(git['commit'])[:10]}{branch}{' with uncommitted changes' if git.get('dirty') else ''}"


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a document with their places."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flatten(inner, f"{path}.{key}" if path else str(key))
    elif value is not None:
        yield path, text(value)


def text(value: Any) -> str:
    """A value as YAML would show it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def ordered(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The keys of both, those of the new one first."""
    return [*new, *(key for key in old if key not in new)]


def difference(section: str, name: str, before: str | None, after: str | None) -> Difference:
    """A difference whose values are safe to show."""
    if NAME.search(name.rpartition(".")[2]):
        return Difference(section, name, before and HIDDEN, after and HIDDEN)
    return Difference(section, name, without_secrets(before), without_secrets(after))


def without_secrets(value: str | None) -> str | None:
    """A text without passwords in addresses, signatures and keys."""
    return None if value is None else replace_secrets(value, lambda _: HIDDEN)


def compare_code(new: str | None, old: str | None, snapshots: Path) -> Iterator[Difference]:
    """Files of two snapshots that were added, removed or changed, by name."""
    if new == old:
        return
    if new is None or old is None:
        yield Difference(
            "code", "", "there was none" if old is None else "a folder", "none" if new is None else "a folder"
        )
        return
    folders = snapshots / old, snapshots / new
    if not all(folder.is_dir() for folder in folders):
        yield Difference("code", "", old[:12], new[:12])
        return
    before, after = (list_files(folder) for folder in folders)
    left = COMPARED_BYTES
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            was, now = ("present" if name in each else None for each in (before, after))
            yield Difference("code", name, was, now)
            continue
        size = max(before[name], after[name])
        differs = before[name] != after[name] or (size <= left and not same_bytes(*(each / name for each in folders)))
        left -= size
        if differs:
            yield changed_file(name, folders[0] / name, folders[1] / name)


def list_files(folder: Path) -> dict[str, int]:
    """Relative path to size of every file below a folder; links are not followed."""
    found: dict[str, int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            found[os.path.relpath(path, folder)] = os.lstat(path).st_size
    return found


def same_bytes(one: Path, other: Path) -> bool:
    """Whether two files, or the targets of two links, are equal."""
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    with one.open("rb") as left, other.open("rb") as right:
        while True:
            a, b = left.read(CHUNK), right.read(CHUNK)
            if a != b:
                return False
            if not a:
                return True


def changed_file(name: str, before: Path, after: Path) -> Difference:
    """A changed file, with a diff where it is small and text."""
    old, new = read_lines(before), read_lines(after)
    if old is None or new is None:
        return Difference("code", name, f"{before.lstat().st_size} bytes", f"{after.lstat().st_size} bytes")
    lines = list(difflib.unified_diff(old, new, name, name, n=1, lineterm=""))[2:]
    added, removed = (sum(line.startswith(mark) for line in lines) for mark in "+-")
    shown = lines[:DIFF_LINES]
    if len(lines) > DIFF_LINES:
        shown.append(f"... {len(lines) - DIFF_LINES} more lines")
    return Difference(
        "code", name, f"{count(removed)} less", f"{count(added)} more", [hide_in_line(line) for line in shown]
    )


def count(lines: int) -> str:
    """A number of lines in words."""
    return f"{lines} line{'' if lines == 1 else 's'}"


def hide_in_line(line: str) -> str:
    """A line of a diff without the secrets that an address can hold."""
    return without_secrets(line) or ""


def read_lines(file: Path) -> list[str] | None:
    """The lines of a small text file, None for any other."""
    if file.is_symlink() or file.stat().st_size > SMALL_FILE:
        return None
    data = file.read_bytes()
    if b"\0" in data:
        return None
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return None
    return lines if len(lines) <= SMALL_LINES else None
