"""The folder that a job runs in."""

from __future__ import annotations

from store import snapshots
from store.disk import explain
from store.jobs import Job
from store.layout import Layout

CAPTURED = ("outputs", "logs")
"""The folders of the working copy whose files become artifacts."""


def prepare_working_copy(job: Job, layout: Layout) -> None:
    """The folder that the job runs in: a copy of its code, with ``outputs`` and ``logs`` to write to."""
    work = layout.job(job.name).working_copy
    if job.snapshot and not work.exists():
        work.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        snapshots.checkout(job.snapshot, layout, work)
    try:
        for folder in (work, *(work / name for name in CAPTURED)):
            if not folder.exists():
                folder.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise explain(error, f"making the working copy {work}") from error
