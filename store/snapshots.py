"""Code as it was at submission: each state of a code folder kept once, by the hash of its content.

    <workspace>/filestore/snapshots/<hash>/     the files, read-only

The hash is taken of the bytes that were stored, after they were stored; a copy for a job is checked against it. So an
edit while a snapshot is made, or a file of it that changes on the disk later, cannot pass unnoticed. Once ``take``
returns, the files survive a power cut: a job that was accepted has its code.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, overload

from store import trees
from store.disk import explain, flush, flush_tree, publish, staging
from store.errors import MachineError, NotFoundError, UsageError
from store.ignore import CodeFiles, Rules, read_rules
from store.layout import Layout
from store.telling import Say

ATTEMPTS = 3
"""How often a folder that changes meanwhile is read again before what was copied is taken as it is."""

LARGE = 100 << 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored state of a code folder; ``notes`` tell what was left out other than by an ignore file."""

    hash: str
    files: int
    bytes: int
    notes: tuple[str, ...] = ()


def take(code: Path, layout: Layout, say: Say | None = None) -> Snapshot:
    """Store a code folder, or a single file, unless the same content is stored already.

    Raises UsageError for a folder without files and for one that cannot be read, MachineError for a full disk.
    """
    if not code.exists():
        raise UsageError(f"the code {code} does not exist", hint="`code` is a folder, or one file.")
    try:
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(FileNotFoundError):  # removed between being found and being read
                snapshot = try_to_take(code, layout, say, final=False)
                if snapshot is not None:
                    return snapshot
        return try_to_take(code, layout, say, final=True)
    except PermissionError as error:
        if error.filename and not str(error.filename).startswith(str(layout.root)):
            raise UsageError(
                f"the code {code} cannot be read: {error.filename}: {error.strerror}",
                hint="Change its mode, or name it in .amlignore.",
            ) from error
        raise explain(error, f"storing the code {code}") from error
    except OSError as error:
        raise explain(error, f"storing the code {code}") from error


@overload
def try_to_take(code: Path, layout: Layout, say: Say | None, *, final: Literal[True]) -> Snapshot: ...


@overload
def try_to_take(code: Path, layout: Layout, say: Say | None, *, final: Literal[False]) -> Snapshot | None: ...


def try_to_take(code: Path, layout: Layout, say: Say | None, *, final: bool) -> Snapshot | None:
    """Read, store and compare once; None when the folder changed meanwhile and another attempt is left."""
    rules = read_rules(code) if code.is_dir() else Rules()
    survey = find_files(code, rules, layout)
    notes = (*rules.notes, *survey.notes)
    expected = trees.combine(read_sums(survey))
    stored = layout.snapshots / expected
    if stored.is_dir():
        flush(layout.snapshots)  # whoever put it there may not have come so far yet
        return Snapshot(expected, len(survey.items), survey.size, notes)
    if say and survey.size > LARGE:
        say(f"copying {survey.size >> 20} MB of code from {code}; .amlignore can name what the job does not need")
    with staging(layout.snapshots) as folder:
        sums = store(survey, folder)
        actual = trees.combine(sums)
        if actual != expected and not final:
            return None
        flush_tree(folder)
        publish(folder, layout.snapshots / actual)
        flush(layout.snapshots, layout.filestore)
    return Snapshot(actual, len(sums), sum(each.size for _, _, each in sums), notes)


def find_files(code: Path, rules: Rules, layout: Layout) -> trees.Survey:
    """The files that a snapshot of ``code`` consists of."""
    if not code.is_dir():
        survey = trees.of_file(code)
        if not survey.items:
            raise UsageError(f"the code {code} is neither a folder nor a regular file")
        return survey
    if layout.root.exists() and code.samefile(layout.root):
        raise UsageError(f"the code folder {code} is the workspace itself", hint="Point `code` to your own folder.")
    survey = trees.survey(code, CodeFiles(rules, trees.identity(layout.root)))
    if not survey.items:
        empty = not any(code.iterdir())
        raise UsageError(
            f"the code folder {code} is empty" if empty else f"nothing is left of the code folder {code}",
            hint="A job without code needs no `code` at all." if empty else f"{rules.name} leaves out every file.",
        )
    return survey


def read_sums(survey: trees.Survey) -> list[tuple[str, bool, trees.Sum]]:
    """Hash the files where they are; those that have just been removed do not count."""
    sums = []
    for item in survey.items:
        try:
            sums.append((item.path, item.executable, trees.digest(item.source)))
        except FileNotFoundError:
            continue
    return sums


def store(survey: trees.Survey, folder: Path) -> list[tuple[str, bool, trees.Sum]]:
    """Copy the files below ``folder`` and hash what came to lie there."""
    present = [item for item in survey.items if os.path.exists(item.source)]
    copied = trees.copy_items(present, folder, writable=False)
    return [(item.path, item.executable, trees.digest(place)) for item, place in copied]


def checkout(hash: str, layout: Layout, target: Path) -> None:
    """Make a private, writable copy of a snapshot at ``target``, which must not exist.

    It appears whole, by rename. Raises NotFoundError for an unknown snapshot, and MachineError for one that is no
    longer what was stored; such a one is put aside, so that the next submission stores it anew.
    """
    stored = layout.snapshots / hash
    if not stored.is_dir():
        raise NotFoundError(f"the workspace has no code snapshot {hash}", hint="Submit the job again from its file.")
    try:
        with staging(target.parent) as folder:
            copied = trees.copy_items(trees.survey(stored).items, folder, writable=True)
            sums = [(item.path, item.executable, trees.digest(place)) for item, place in copied]
            if trees.combine(sums) != hash:
                raise put_aside(stored)
            folder.rename(target)
    except OSError as error:
        raise explain(error, f"copying the code to {target}") from error


def put_aside(stored: Path) -> MachineError:
    """Rename a snapshot that is no longer what its name says; returns the error to raise."""
    aside = stored.with_name(f"{stored.name}.damaged-{os.getpid()}")
    stored.rename(aside)
    return MachineError(
        f"the code snapshot {stored.name} was changed after it was stored; it is now at {aside}",
        hint="Submit the job again from its file.",
    )
