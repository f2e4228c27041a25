"""Why a job ended as it did, as data: what ``report`` tells in words."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from engines.jobs.differences import differences
from engines.jobs.explain import telling_log
from engines.jobs.facts import cause
from engines.jobs.report import next_commands
from engines.jobs.symptoms.log_tail import read_tail
from store.jobs import Job
from store.layout import Layout


def explanation(job: Job, last_completed: Job | None, layout: Layout, *, here: Path | None = None) -> dict[str, Any]:
    """The explanation of a job that has ended; ``last_completed`` is the job that it is held against.

    Paths in commands are as they are reached from ``here``.
    """
    log = telling_log(job, layout)
    found = differences(job, last_completed, layout) if last_completed is not None else []
    return {
        "name": job.name,
        "status": job.status,
        "cause": cause(job),
        "log_file": str(log),
        "log_tail": read_tail(log).shown(),
        "last_completed": last_completed.name if last_completed is not None else None,
        "differences": [asdict(each) for each in found],
        "next_commands": [
            {"command": command, "purpose": purpose} for command, purpose in next_commands(job, here or Path.cwd())
        ],
    }
