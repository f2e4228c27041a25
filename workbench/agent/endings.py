"""The ends of jobs that their own processes do not tell: errors on the way, packages that are gone."""

from __future__ import annotations

import logging
import time

from engines.compute import attempt as attempts
from engines.compute import leftovers
from engines.jobs.collection import Outcome, collect, never_ran
from engines.jobs.symptoms.cause import Cause
from store.errors import WorkbenchError
from store.jobs import Job
from store.layout import Layout
from store.telling import Say

log = logging.getLogger("workbench.agent")


def cause_of(error: BaseException) -> Cause:
    """An error of preparation, as the cause of a job's end."""
    if isinstance(error, WorkbenchError):
        return Cause("preparation_failed", error.message, error.hint)
    log.error("unexpected error", exc_info=error)
    return Cause("internal_error", f"{type(error).__name__}: {error}", "`workbench agent logs` has the details.")


def failure(job: Job, error: BaseException) -> Outcome:
    """The end of a job whose outputs could not be brought in."""
    reason = cause_of(error)
    message = f"its outputs could not be collected: {reason.message}"
    cause = Cause("collection_failed", message, reason.hint)
    return Outcome("Failed", message, {"cause": cause.document(), "ended_at": time.time()})


def abandon(job: Job, layout: Layout, missing: WorkbenchError, say: Say) -> Outcome:
    """End a cancelled job without the package that knows how, and bring in what it left on this machine."""
    message = f"cancelled while its package was missing or broken: {missing.message}"
    if job.token is None:
        return never_ran(job, layout, "Canceled", Cause("canceled", message, missing.hint), say)
    end_processes(job, layout)
    message += ". What it ran on other machines was not ended."
    record = attempts.read_record(layout.job(job.name).attempt(job.attempt))
    return collect(job, layout, record, say, without=Cause("canceled", message, missing.hint))


def asked_to_end(job: Job, layout: Layout) -> bool:
    """Ask a supervisor on this machine to end a job that is not wanted, whatever engine started it; False for none."""
    attempt = layout.job(job.name).attempt(job.attempt)
    if job.token is None or attempts.read_state(attempt).kind != "running":
        return False
    attempts.request(attempt, "kill" if job.wanted == "kill" else "cancel")
    return True


def give_up(job: Job, layout: Layout, say: Say) -> Outcome:
    """End a job whose row cannot be read: nobody knows any more what it is to do, nor what it was to leave."""
    end_processes(job, layout)
    message = f"its row in {layout.database.name} cannot be read: {job.unreadable}"
    hint = f"`workbench doctor` looks at the database. What the job left lies in {layout.job(job.name).root}."
    return never_ran(job, layout, "Failed", Cause("unreadable", message, hint), say)


def end_processes(job: Job, layout: Layout) -> None:
    """End what a job runs on this machine, at once."""
    if job.token is not None:
        attempts.revoke(layout.job(job.name).attempt(job.attempt))  # a supervisor that comes late leaves
        leftovers.end(job.token)
