"""From ended processes to a job's end: its metrics are in, its outputs in their places, its cause in words.

Runs in a thread of the agent; every step may be repeated after a kill.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engines.jobs import data_assets, inputs, outputs, preparation, protection, runtime
from engines.jobs.explain import explain
from engines.jobs.symptoms.cause import Cause
from store.database import StoreError
from store.errors import WorkbenchError
from store.jobs import Job
from store.layout import Layout
from store.telling import Cancelled, Say
from store.tracking import ingest, runs
from store.transfer.incoming import AbandonedError

if TYPE_CHECKING:
    from store.data.uses import Seen

log = logging.getLogger("workbench.agent")

RUN_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: the columns of its row."""

    status: str
    message: str
    facts: dict[str, Any]
    made: tuple[Seen, ...] = ()
    """The bytes of the outputs that become versions of data assets."""


def collect(
    job: Job,
    layout: Layout,
    record: Mapping[str, Any] | None,
    say: Say,
    without: Cause | None = None,
    cancelled: Cancelled = lambda: False,
) -> Outcome:
    """Bring in all that a job left; ``record`` is the shim's exit record, None when the supervisor was lost.

    Outputs that cannot be kept fail the job, and its MLflow run with it. ``say`` takes lines for who watches the job.
    ``without`` is the cause of its end where there is no record and it is known all the same. Raises
    AbandonedError when ``cancelled`` became true: then it is to be done again.
    """
    refused: WorkbenchError | None = None
    made = data_assets.look_at_outputs(job, layout, say, cancelled, uploaded=True)
    try:
        outputs.collect_outputs(job, layout, say, cancelled)
    except AbandonedError:
        raise
    except WorkbenchError as error:
        refused = error
    outcome = judge(job, record, explain(record, job, layout) if record or without is None else without)
    if refused is not None:
        outcome = incomplete(outcome, refused)
    protection.changed(job, layout, say)
    inputs.drop_links(job, layout)
    if outcome.status == "Completed":
        made += data_assets.look_at_outputs(job, layout, say, cancelled, uploaded=False)
    conclude(job, layout, outcome, say)
    return replace(outcome, made=tuple(made))


def conclude(job: Job, layout: Layout, outcome: Outcome, say: Say) -> None:
    """Take in the rest of a job's journal, and end its MLflow run as it ended."""
    with closing(tracked(job, layout, say)) as connection:
        while not ingest.ingest(connection, job.name, layout.job(job.name).journal).done:
            pass
        if any(lost := ingest.lost(connection, job.name)):
            say(f"warning: {lost}. The journal is kept: {layout.job(job.name).journal}")
        close_run(connection, job, outcome)


def tracked(job: Job, layout: Layout, say: Say) -> sqlite3.Connection:
    """Open ``mlflow.db`` with the job's run in it: made now where the job never got so far, or where it was removed."""
    if layout.mlflow_database.exists():
        connection = runs.connect(layout)
        if runs.exists(connection, job.name):
            return connection
        connection.close()
    preparation.create_run(job, layout, job.started_at or job.created_at, say)
    return runs.connect(layout)


def incomplete(outcome: Outcome, refused: WorkbenchError) -> Outcome:
    """The end of a job whose outputs could not be kept; what its process did is not forgotten."""
    message = f"Its outputs could not be collected: {refused.message}"
    if outcome.status != "Completed":
        message = f"{outcome.message} {message}"
    cause = Cause("collection_failed", message, refused.hint)
    return Outcome("Failed", message, {**outcome.facts, "cause": cause.document()})


def judge(job: Job, record: Mapping[str, Any] | None, cause: Cause) -> Outcome:
    """The state that a cause stands for, and what the exit record tells beside it."""
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
    """End the MLflow run as the job ended: its times, parameters that the script left out, and its cost as tags."""
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
        start_ms=int(started * 1000) if (started := facts.get("started_at")) else None,
        tags={**cost, "workbench.cause": facts["cause"]["code"]},
        params=runtime.parameters(job),
    )


def never_ran(job: Job, layout: Layout, status: str, cause: Cause, say: Say) -> Outcome:
    """The end of a job that left no outputs: cancelled in the queue, not to be prepared, not to be read.

    It has its run in MLflow too; without ``mlflow.db`` it ends all the same.
    """
    outcome = Outcome(status, cause.message, {"cause": cause.document(), "ended_at": time.time()})
    try:
        conclude(job, layout, outcome, say)
    except StoreError:
        raise  # a full disk passes
    except WorkbenchError as error:
        log.error("the MLflow run of job %s: %s", job.name, error)
    return outcome
