"""From ended processes to a job's end: its metrics are in, its outputs in their places, its cause in words.

Runs in a thread of the agent; every step may be repeated after a kill.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engines.jobs import data, preparation, runtime
from engines.jobs.explain import explain
from engines.jobs.symptoms.cause import Cause
from store.jobs import Job
from store.layout import Layout
from store.tracking import ingest, runs

RUN_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: the columns of its row."""

    status: str
    message: str
    facts: dict[str, Any]


def collect(job: Job, layout: Layout, record: Mapping[str, Any] | None) -> Outcome:
    """Bring in all that a job left; ``record`` is the shim's exit record, None when the supervisor was lost."""
    folder = layout.job(job.name)
    connection = runs.connect(layout)
    try:
        while not ingest.ingest(connection, job.name, folder.journal).done:
            pass
        data.collect_outputs(job, layout)
        outcome = judge(job, layout, record)
        close_run(connection, job, outcome)
    finally:
        connection.close()
    preparation.discard(job, layout)
    return outcome


def judge(job: Job, layout: Layout, record: Mapping[str, Any] | None) -> Outcome:
    """The state that the exit record stands for, and why."""
    cause = explain(record, job, layout)
    status = "Completed" if cause.code == "completed" else "Canceled" if cause.code == "canceled" else "Failed"
    record = record or {}
    return Outcome(
        status,
        cause.message,
        {
            "cause": replace(cause, log_tail=[]).document(),  # the log has it; the store keeps no part of a log
            "exit_code": record.get("exit_code"),
            "started_at": record.get("started_at", job.started_at),
            "ended_at": record.get("ended_at") or time.time(),
            "wall_seconds": record.get("wall_seconds"),
            "cpu_seconds": record.get("cpu_seconds"),
            "peak_memory_bytes": record.get("peak_memory_bytes"),
        },
    )


def close_run(connection: sqlite3.Connection, job: Job, outcome: Outcome) -> None:
    """End the MLflow run as the job ended: parameters that the script left out, and what it cost as tags."""
    facts = outcome.facts
    cost = {
        f"workbench.{key}": facts[key]
        for key in ("exit_code", "wall_seconds", "cpu_seconds", "peak_memory_bytes")
        if facts.get(key) is not None
    }
    runs.finish_run(
        connection,
        job.name,
        RUN_STATUS[outcome.status],
        int(facts["ended_at"] * 1000),
        tags={**cost, "workbench.cause": facts["cause"]["code"]},
        params=runtime.parameters(job),
    )


def never_ran(job: Job, layout: Layout, status: str, cause: Cause) -> Outcome:
    """The end of a job that no process of ours ever ran for: cancelled in the queue, or not to be prepared."""
    connection = runs.connect(layout)
    try:
        runs.finish_run(connection, job.name, RUN_STATUS[status], int(time.time() * 1000))
    finally:
        connection.close()
    preparation.discard(job, layout)
    return Outcome(status, cause.message, {"cause": cause.document(), "ended_at": time.time()})
