"""How a job ended, in a few lines on stderr."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from store.jobs import Job
from store.layout import Layout
from workbench.cli.output import duration, size
from workbench.cli.talk import say

COLOURS = {"Completed": "green", "Failed": "red", "Canceled": "yellow"}
SHOWN_METRICS = 12


def tell(job: Job, layout: Layout, connection: sqlite3.Connection) -> None:
    """The outcome, the metrics, where the outputs are, and the command to look again; for a failure, why."""
    say()
    headline = f"{job.name} {job.status}"
    cost = [duration(job.wall_seconds), size(job.peak_memory_bytes)]
    details = ", ".join(part for part in cost if part)
    say(f"{headline}{f' in {details}' if details else ''}", bold=True, fg=COLOURS[job.status])
    if job.status == "Failed":
        tell_cause(job, layout, connection)
        return
    tell_metrics(job, layout)
    tell_places(job, layout)
    say(f"again     workbench job show {job.name}")


def tell_cause(job: Job, layout: Layout, connection: sqlite3.Connection) -> None:
    """Why it failed, and how it differs from the last one that did not."""
    from engines.jobs.report import report
    from store.jobs import last_completed

    for line in report(job, last_completed(connection, job.experiment_name, job.id), layout, with_log=False):
        say(line)


def tell_metrics(job: Job, layout: Layout) -> None:
    """The last value of each metric of the job's own, system metrics left out."""
    from store.tracking import metrics, runs

    tracking = runs.connect(layout)
    try:
        found = metrics.last_metrics(tracking, job.name)
    finally:
        tracking.close()
    own = {key: value for key, value in sorted(found.items()) if not key.startswith("system/")}
    if not own:
        return
    say("metrics")
    width = max(map(len, own))
    for key, value in list(own.items())[:SHOWN_METRICS]:
        say(f"  {key:<{width}}  {value:.6g}")
    if len(own) > SHOWN_METRICS:
        rest = f"workbench job show {job.name} -o json --query metrics"
        say(f"  and {len(own) - SHOWN_METRICS} more: {rest}")


def tell_places(job: Job, layout: Layout) -> None:
    """Where the outputs are; nothing of a job that never came to have any."""
    artifacts = layout.artifacts(job.name)
    if not artifacts.exists():
        return
    say(f"outputs   {artifacts}")
    for name, place in (job.outputs or {}).items():
        if "://" in place or Path(place).exists():
            say(f"  {name}  {place}")
