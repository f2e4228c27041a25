"""From a job document on the disk to an accepted job, in the workspace of a command."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engines.jobs import reading, submission
from engines.jobs.submission import Submission
from store.jobs import Job
from workbench.cli.options import Session
from workbench.cli.talk import say


def read(session: Session, file: Path, overrides: Iterable[str], **flags: str | None) -> Submission:
    """A job document, checked against the dialect and, where that fails, the workspace. Raises DocumentError."""

    def check(submitted: Submission) -> None:
        submission.check(session.connection_for_reading(), session.layout, submitted)

    return reading.read(file, overrides, flags, check, say)


def submit(session: Session, file: Path, overrides: Iterable[str], **flags: str | None) -> str:
    """Accept the job that a document describes; returns its name. A bad document makes no workspace."""
    submitted = read(session, file, overrides, **flags)
    if not session.found.exists:
        submission.check(session.connection_for_reading(), session.layout, submitted)
    return submission.submit(session.connection_for_writing(), session.layout, submitted, say)


def submit_again(session: Session, before: Job, overrides: Iterable[str]) -> str:
    """Accept a job's document again, with overrides; its code and environment are those that it had."""
    return reading.submit_again(session.connection, session.layout, before, overrides, say)
