"""Job documents read and checked on their way to an accepted job: from files, and from jobs that were run before."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from engines.jobs import submission
from engines.jobs.submission import Place, Submission
from store import names
from store.errors import DocumentError, Fault, WorkbenchError
from store.jobs import Job
from store.layout import Layout
from store.specs.document import Document
from store.specs.loading import parse
from store.specs.reading import load_document
from store.telling import Say


def read(
    file: Path,
    overrides: Iterable[str],
    flags: Mapping[str, str | None],
    check: Callable[[Submission], object],
    say: Say,
) -> Submission:
    """A job document, checked against the dialect. Raises DocumentError with every fault.

    Where the dialect is not kept, ``check`` holds what is sound of the document against the workspace too: one pass
    tells all.
    """
    overrides = list(overrides)
    submitted = held(lambda: loaded(file, overrides, flags), check, say)
    lasting = [each for each in overrides if not each.startswith("name=")]
    return replace(submitted, overrides=(*lasting, *as_overrides(flags)))


def held(load: Callable[[], Document], check: Callable[[Submission], object], say: Say) -> Submission:
    """As ``read``, of a document that comes from anywhere: ``load`` is called again after a fault."""
    document = load()
    try:
        submitted = checked(document, document.file)
        tell_unused(document, say)
        return submitted
    except DocumentError as error:
        document = load()
        if not reduce_to_sound(document, error.faults):
            raise
        further: list[Fault] = []
        try:
            check(checked(document, document.file))
        except DocumentError as more:
            further = [fault for fault in more.faults if fault not in error.faults]
        except WorkbenchError:
            pass  # no workspace to hold it against: the document's own faults are news enough
        raise DocumentError([*error.faults, *further]) from error


def as_overrides(flags: Mapping[str, str | None]) -> list[str]:
    """Flags as the ``--set`` that they stand for; a name is for one job alone."""
    return [f"{key}={value}" for key, value in flags.items() if value is not None and key != "name"]


def loaded(file: Path, overrides: Iterable[str], flags: Mapping[str, str | None]) -> Document:
    """A document with its overrides and flags, not yet checked."""
    document = load_document(file, overrides)
    for key, value in flags.items():
        if value is not None:
            document.set_flag(key, value)
    return document


def tell_unused(document: Document, say: Say) -> None:
    """An input that an override adds and the command does not name is most likely a slip of the pen."""
    if not document.added:
        return
    from store.specs.expressions import references
    from store.specs.nearest import suggestion

    inputs = document.data.get("inputs") or {}
    named = {reference.key for reference, _ in references(document.data["command"])}
    for path in document.added:
        if len(path) == 2 and path[0] == "inputs" and f"inputs.{path[1]}" not in named:
            others = [name for name in inputs if ("inputs", name) not in document.added]
            hint = suggestion(str(path[1]), others, introduction="The document has")
            say(str(document.fault(path, "a new input, which the command does not name", hint)))


def reduce_to_sound(document: Document, faults: Iterable[Fault]) -> bool:
    """Take out of a document what has faults; False where too little would be left to judge."""
    if document.faults:
        return False
    for fault in faults:
        head, _, rest = fault.path.partition(".")
        if not head or head in ("type", "$schema"):
            return False
        ports = document.data.get(head)
        if head in ("inputs", "outputs") and isinstance(ports, dict) and rest:
            ports.pop(rest.partition(".")[0], None)
        else:
            document.data.pop(head, None)
    document.data["command"] = "true"  # which names none of the inputs that are gone
    return True


def checked(document: Document, file: str) -> Submission:
    """A document that keeps the dialect, with the way to its places."""

    def place(path: tuple[str | int, ...]) -> Place:
        found = document.entry(path).value
        return found.file, found.line, found.column

    return Submission(parse(document, "job").document(), file, place)


def submit_again(
    connection: sqlite3.Connection, layout: Layout, before: Job, overrides: Iterable[str], say: Say
) -> str:
    """Accept a job's document again, with overrides; its code and environment are those that it had."""
    from store.specs.overrides import apply

    overrides = list(overrides)
    left_out = {"name", "code"}
    if submission.definition_of(before) and not any(re.match(r"environment[.\[=]", each) for each in overrides):
        left_out.add("environment")
    whole = submission.whole_document(layout, before)
    kept = {key: value for key, value in whole.items() if key not in left_out}
    document = Document.of(kept, file=f"job {before.name}")
    for argument in overrides:
        apply(document, argument)
    again = checked(document, str(before.source.get("file") or ""))
    tell_unused(document, say)
    folder = None if again.file else Path(before.source.get("directory") or ".")
    again = replace(again, overrides=(*before.source.get("overrides", ()), *overrides), folder=folder)
    return submission.resubmit(connection, layout, before, again, say)


def submit_edited(
    connection: sqlite3.Connection, layout: Layout, before: Job | None, edited: Submission, say: Say
) -> str:
    """Accept a document that somebody wrote; where it names no code, the copy that the job ``before`` had runs."""
    if before is None or before.snapshot is None or edited.document.get("code"):
        return submission.submit(connection, layout, edited, say)
    found = submission.check(connection, layout, edited)
    submission.tell(found, edited.document, say)
    code = submission.Code(before.snapshot, before.source.get("git"))
    edited = replace(edited, document={**edited.document, "code": before.document.get("code")})
    return submission.accept(connection, layout, edited, found, code, edited.document.get("name") or names.generate())
