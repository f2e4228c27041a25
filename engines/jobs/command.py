"""The controller of command jobs: one task, from the queue to its end."""

from __future__ import annotations

from engines.jobs.control import (
    AbandonPreparation,
    Action,
    Adopt,
    Collect,
    Facts,
    Finish,
    Launch,
    Prepare,
    Process,
    Queue,
    Stop,
    Work,
)


def decide(facts: Facts) -> Action | None:
    """What to do next for a command job; None to wait for something to change."""
    match facts.job.status:
        case "NotStarted":
            return Queue()
        case "Queued":
            return decide_queued(facts)
        case "Preparing":
            return decide_preparing(facts)
        case "Running" | "CancelRequested":
            return decide_running(facts)
        case "Finalizing":
            return decide_finalizing(facts)
        case _:
            return None


def decide_queued(facts: Facts) -> Action | None:
    """A job that is not wanted any more ends before it began."""
    if facts.job.wanted != "run":
        return Finish(canceled=True)
    return Prepare() if facts.granted else None


def decide_preparing(facts: Facts) -> Action | None:
    """From here a process may exist: what the engine says comes first."""
    if facts.process is Process.RUNNING:
        return Adopt()
    if facts.process is Process.NEVER:
        return Queue()
    if facts.process in (Process.ENDED, Process.LOST):
        return Collect()
    unwanted = facts.job.wanted != "run"
    match facts.preparation:
        case Work.NONE:
            return Finish(canceled=True) if unwanted else Prepare()
        case Work.BUSY:
            return AbandonPreparation() if unwanted else None
        case Work.CALLED_OFF:
            return None
        case Work.FAILED:
            return Finish(canceled=unwanted)
        case Work.DONE:
            return Finish(canceled=True) if unwanted else Launch()


def decide_running(facts: Facts) -> Action | None:
    """Watch the process; pass on a cancellation once, and a kill once more."""
    if facts.process is Process.NEVER:
        return Queue()
    if facts.process is not Process.RUNNING:
        return Collect()
    if facts.job.wanted == "kill":
        return None if facts.killed else Stop(at_once=True)
    if facts.job.wanted == "cancel" and facts.job.status == "Running":
        return Stop(at_once=False)
    return None


def decide_finalizing(facts: Facts) -> Action | None:
    """The end is told only when everything is in; a collection that failed says so in the job's cause."""
    match facts.collection:
        case Work.NONE:
            return Collect()
        case Work.BUSY | Work.CALLED_OFF:
            return None
        case Work.DONE | Work.FAILED:
            return Finish()
