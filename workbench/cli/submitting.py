"""From a job document on the disk to an accepted job."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engines.jobs import submission
from engines.jobs.submission import Place, Submission
from store.jobs import Job
from store.specs.document import Document, load_document
from store.specs.loading import parse
from workbench.cli.options import Session
from workbench.cli.talk import say


def read(file: Path, overrides: Iterable[str], **flags: str | None) -> Submission:
    """A job document, checked against the dialect. Raises DocumentError with every fault."""
    document = load_document(file, overrides)
    for key, value in flags.items():
        if value is not None:
            document.set_flag(key, value)
    return checked(document, str(file))


def checked(document: Document, file: str) -> Submission:
    """A document that keeps the dialect, with the way to its places."""

    def place(path: tuple[str | int, ...]) -> Place:
        found = document.entry(path).value
        return found.file, found.line, found.column

    return Submission(parse(document, "job").document(), file, place)


def submit(session: Session, file: Path, overrides: Iterable[str], **flags: str | None) -> str:
    """Accept the job that a document describes; returns its name. A bad document makes no workspace."""
    submitted = read(file, overrides, **flags)
    if not session.found.exists:
        submission.check(session.connection_for_reading(), session.layout, submitted)
    return submission.submit(session.connection_for_writing(), session.layout, submitted, say)


def submit_again(session: Session, before: Job, overrides: Iterable[str]) -> str:
    """Accept a job's document again, with overrides and the code that it had; returns the new job's name."""
    from store.specs.overrides import apply

    kept = {key: value for key, value in before.document.items() if key not in ("name", "code")}
    document = Document.of(kept, file=f"job {before.name}")
    for argument in overrides:
        apply(document, argument)
    again = checked(document, str(before.source.get("file") or before.name))
    return submission.resubmit(session.connection, session.layout, before, again, say)
