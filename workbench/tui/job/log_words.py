"""What the Log tab says: why there is no log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.jobs import Job
    from workbench.tui.job.log_reading import Waiting

OTHERS = "a  other logs of this job"


def plural(count: int, noun: str) -> str:
    """``1 line``, ``2 lines``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def empty_words(live: bool) -> tuple[str, ...]:
    """A log with nothing in it: a title, and what to do."""
    if live:
        return ("Nothing printed so far.", "What the job prints appears here at once.", OTHERS)
    return ("The job printed nothing.", OTHERS)


def missing_words(job: Job, path: Path, why: Waiting, *, seen: bool, own: bool) -> tuple[str, ...]:
    """A log that is not there: how to say it, a title, and what to do."""
    others = OTHERS if why.others else ""
    if not own or seen:
        return ("-error", "The log is gone.", str(path), "ctrl+r  look again", others)
    if job.finished:
        title = "The job was cancelled before it started: there is no log." if job.status == "Canceled" else ""
        return ("-empty", title or "The job left no log.", f"It would be {path}", others)
    if why.obstacle:
        return ("-empty", f"Waits: {why.obstacle}", why.hint, "The log begins when the job starts.", others)
    if job.status == "Queued":
        before = f", {plural(why.ahead, 'job')} before it" if why.ahead else ", next in line"
        return ("-empty", f"Queued on {job.compute}{before}.", "The log begins when the job starts.", others)
    if job.status == "Preparing":
        return ("-empty", "The job is being prepared.", "The log begins when it starts.", others)
    if job.status == "NotStarted":
        return ("-empty", "The job was submitted a moment ago.", "The log begins when the job starts.", others)
    return ("-empty", "No log yet.", "It begins with the job's first process.", others)
