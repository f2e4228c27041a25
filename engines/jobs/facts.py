"""A job as a flat document, with the dialect's keys: what ``job show`` and ``job list`` print."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engines.jobs.secret_addresses import take_out
from engines.jobs.symptoms.cause import Cause
from store.errors import WorkbenchError
from store.jobs import Job
from store.layout import JobFolder, Layout
from store.lineage import Made, Read
from store.times import timestamp


@dataclass(frozen=True, slots=True)
class DataOf:
    """The versions of data that a job read and made."""

    read: Sequence[Read]
    made: Sequence[Made]


def summary(job: Job, obstacle: WorkbenchError | None = None) -> dict[str, Any]:
    """The keys of a listing. Stable: scripts rely on them. ``obstacle`` is what the job waits for in vain."""
    return {
        "name": job.name,
        "status": job.status,
        "type": job.type,
        "display_name": job.display_name,
        "experiment_name": job.experiment_name,
        "compute": job.compute,
        "parent_job_name": job.parent_job_name,
        "tags": job.document.get("tags") or {},
        "archived": job.archived,
        "creation_time": timestamp(job.created_at),
        "start_time": timestamp(job.started_at),
        "end_time": timestamp(job.ended_at),
        "duration_seconds": duration(job),
        "cause": cause(job),
        "waits_for": {"message": obstacle.message, "hint": obstacle.hint} if obstacle else None,
        "unreadable": job.unreadable or None,
    }


def cause(job: Job) -> dict[str, Any] | None:
    """Why a job ended: ``code``, ``message``, ``hint`` and ``exception``; None while it has not."""
    if job.cause is None:
        return None
    return {key: value for key, value in Cause.read(job.cause).document().items() if key != "log_tail"}


def document(
    job: Job,
    layout: Layout,
    metrics: Mapping[str, float],
    parameters: Mapping[str, str],
    lost_metrics: Mapping[str, int],
    obstacle: WorkbenchError | None = None,
    data: DataOf | None = None,
) -> dict[str, Any]:
    """All that is known of a job: the submitted document, what became of it, and where everything lies."""
    folder = layout.job(job.name)
    shown, _ = take_out(job.document)  # older versions kept secrets in it
    submitted = {key: value for key, value in shown.items() if key not in ("name", "type", "tags", "compute")}
    return {
        **summary(job, obstacle),
        **submitted,
        "environment": submitted.get("environment"),
        "environment_definition": job.environment,
        "inputs": submitted.get("inputs") or {},
        "outputs": submitted.get("outputs") or {},
        "resolved_inputs": job.inputs or {},
        "resolved_outputs": job.outputs or {},
        "data_read": [each.flat() for each in data.read] if data else [],
        "data_made": [each.flat() for each in data.made] if data else [],
        "metrics": dict(metrics),
        "parameters": dict(parameters),
        "lost_metrics": dict(lost_metrics),
        "exit_code": job.exit_code,
        "wall_seconds": job.wall_seconds,
        "cpu_seconds": job.cpu_seconds,
        "peak_memory_bytes": job.peak_memory_bytes,
        "attempt": job.attempt,
        "creation_context": {
            "created_at": timestamp(job.created_at),
            "created_by": job.source.get("user"),
            "host": job.source.get("host"),
            "file": job.source.get("file"),
            "directory": job.source.get("directory"),
            "git": job.source.get("git"),
        },
        "code_snapshot": job.snapshot,
        "log_files": log_files(folder),
        "folder": str(folder.root),
        "artifacts": str(layout.artifacts(job.name)),
    }


def log_files(folder: JobFolder) -> dict[str, str]:
    """Where each log lies: of every process, of the preparation, of the environment's build."""
    found = [*folder.user_logs.glob("*.txt"), *folder.system_logs.glob("*.log")]
    return {str(path.relative_to(folder.root)): str(path) for path in [folder.log, *sorted({*found} - {folder.log})]}


def duration(job: Job) -> float | None:
    """Seconds from start to end, or so far."""
    if job.started_at is None:
        return None
    return round((job.ended_at or time.time()) - job.started_at, 3)
