"""From a job document on the disk to an accepted job."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engines.jobs import submission
from engines.jobs.submission import Submission
from store.specs.loading import load_job
from workbench.cli.options import Session


def read(file: Path, overrides: Iterable[str], **flags: str | None) -> Submission:
    """A job document, checked against the dialect. Raises DocumentError with every fault."""
    job = load_job(file, overrides, **{key: value for key, value in flags.items() if value is not None})
    return Submission(document=job.document, file=str(file), positions=job.positions)


def submit(session: Session, file: Path, overrides: Iterable[str], **flags: str | None) -> str:
    """Accept the job that a document describes; returns its name. A bad document makes no workspace."""
    submitted = read(file, overrides, **flags)
    return submission.submit(session.connection_for_writing(), session.layout, submitted)
