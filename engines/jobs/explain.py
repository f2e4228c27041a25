"""A failed job explains itself: from its exit record and the end of its log to a cause in words.

``explain`` is called once, when the job ends, and what it finds is kept with the job (``report.py`` tells it). It only
reads, and never raises for what a log holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engines.jobs import job_secrets
from engines.jobs.symptoms import endings, machine, python, shell, tracebacks
from engines.jobs.symptoms.cause import Cause, JobFacts, Symptom, UserException
from engines.jobs.symptoms.log_tail import Tail, read_tail
from engines.jobs.symptoms.tracebacks import Raised
from store.errors import WorkbenchError
from store.jobs import Job
from store.layout import Layout

__all__ = ["Cause", "JobFacts", "UserException", "explain", "explain_log"]

WORDLESS = frozenset({"completed", "canceled", "time_limit"})
"""Causes that are told without a word of the log."""

ENDINGS: Mapping[str, Callable[[Mapping[str, Any], JobFacts], Symptom]] = {
    "canceled": endings.canceled,
    "timeout": endings.timed_out,
    "out_of_memory": endings.out_of_memory,
    "spawn_failed": endings.not_started,
}


def explain(record: Mapping[str, Any] | None, job: Job, layout: Layout) -> Cause:
    """Why a job ended, from the shim's exit record (None when the shim was lost) and what the job left behind."""
    folder = layout.job(job.name)
    names = [log.name for log in process_logs(folder.attempt(job.attempt))]
    server = names.index(folder.tracking_log.name) if folder.tracking_log.name in names else None
    processes = max(1, len(names) - (server is not None))
    log, facts = log_of(record, job, layout), JobFacts.of(job, layout, processes, server)
    told = explain_log(record, log, facts)
    if told.code in WORDLESS or not any(job_secrets.asked(job.document)):
        return told
    try:
        return explain_log(record, log, facts, job_secrets.hider(job, layout))
    except WorkbenchError:  # the vault cannot be read now, so nobody knows which words to hide
        return Cause(told.code, "The job failed. The log says why; it is not quoted, as secrets may be in it.")


def log_of(record: Mapping[str, Any] | None, job: Job, layout: Layout) -> Path:
    """The log that tells of a job's end: that of the process that failed."""
    folder = layout.job(job.name)
    logs = process_logs(folder.attempt(job.attempt)) or [folder.log]
    rank = whole((record or {}).get("failed_process")) or 0
    return logs[rank] if 0 <= rank < len(logs) else folder.log


def telling_log(job: Job, layout: Layout) -> Path:
    """The log that tells of an ended job's end, by its exit record."""
    try:
        record = json.loads((layout.job(job.name).attempt(job.attempt) / "exit.json").read_bytes())
    except (OSError, ValueError):
        record = None
    return log_of(record, job, layout)


def process_logs(attempt: Path) -> list[Path]:
    """The log of each process of an attempt, by rank; none where its task cannot be read."""
    try:
        task = json.loads((attempt / "task.json").read_bytes())
        return [Path(each["log"]) for each in task["processes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def explain_log(
    record: Mapping[str, Any] | None, log: Path, facts: JobFacts, hide: Callable[[str], str] = lambda line: line
) -> Cause:
    """The same, from the log of the process that failed; ``hide`` takes what is secret out of a line."""
    tail = read_tail(log)
    tail = replace(tail, lines=tuple(map(hide, tail.lines)))
    kills, peak = (whole((record or {}).get(key)) or 0 for key in ("memory_kills", "peak_memory_bytes"))
    facts = replace(facts, memory_kills=kills, peak_memory=peak)
    outcome = "lost" if record is None else str(record.get("outcome"))
    if record is None:
        return cause(endings.supervisor_lost(), tail, facts)
    if outcome in ENDINGS:
        return cause(ENDINGS[outcome](record, facts), tail, facts)
    if outcome == "signaled":
        return signaled(record, tail, facts)
    return exited(record, tail, facts)


def signaled(record: Mapping[str, Any], tail: Tail, facts: JobFacts) -> Cause:
    """The shell itself, or what replaced it, was killed."""
    symptom = endings.killed(whole(record.get("signal")) or 0, which_process(record, facts))
    return crashed(symptom, tail, facts)


def crashed(symptom: Symptom, tail: Tail, facts: JobFacts) -> Cause:
    """A signal; the reason that the program gave before its end comes first."""
    if frames := tracebacks.fatal_frames(tail.lines):
        said = next((line for line in tail.lines if line.startswith("Fatal Python error: ")), "")
        raised = Raised("Fatal Python error", said.partition(": ")[2], frames)
        return cause(replace(symptom, hint=None), tail, facts, users_exception(raised, facts))  # the frames are there
    last = shell.last(tail.lines)
    if grave := machine.grave(last) or next(filter(None, map(machine.allocation, last)), None):
        return cause(Symptom(grave.code, f"{grave.message} {symptom.message}", grave.hint), tail, facts)
    return cause(symptom, tail, facts)


def exited(record: Mapping[str, Any], tail: Tail, facts: JobFacts) -> Cause:
    """The job left with an exit code of its own."""
    exit_code = whole(record.get("exit_code"))
    if exit_code == 0:
        return Cause("completed", "It completed.", log_tail=tail.shown())
    exit_code = 1 if exit_code is None else exit_code
    who = which_process(record, facts)
    raised = tracebacks.find(tail.lines)
    since = tail.lines[raised.line + 1 :] if raised else tail.lines
    if (killed := endings.killed_inside(exit_code)) and (raised is None or raised.name != "KeyboardInterrupt"):
        return crashed(killed, tail, facts)
    if symptom := shell.from_lines(exit_code, since, facts) or shell.from_code(exit_code, since):
        return crashed(symptom, tail, facts) if symptom.code == "signal" else cause(symptom, tail, facts, who=who)
    if raised is not None and (exit_code in (1, 120) or near_end(raised, tail) or python.lacks_memory(raised, facts)):
        return from_exception(raised, tail, facts, who)
    grave = machine.grave(tail.lines)
    said = f"; the last it said: {last[0][:300]}" if (last := shell.last(since)) else "."
    general = Symptom("exit_code", f"{who} left with exit code {exit_code}{said}", exit_code_hint(raised, tail, facts))
    exception = users_exception(raised, facts) if raised else None
    return cause(grave or general, tail, facts, exception)


def from_exception(raised: Raised, tail: Tail, facts: JobFacts, who: str) -> Cause:
    """A Python exception that nobody caught."""
    exception = users_exception(raised, facts)
    if symptom := python.from_exception(raised, facts):
        return cause(symptom, tail, facts, exception, who)
    grave = machine.grave(tail.lines)
    hint = f"The log also says: {grave.message} {grave.hint}" if grave else None
    message = exception.title
    if raised.members:
        message += f": {'; '.join(title(each, facts) for each in leaves(raised))}"
    elif exception.caused_by:
        message += f" ({exception.caused_by})"
    if raised.name == "AssertionError" and not raised.message and exception.code:
        message += f" in `{exception.code}`"
    return cause(Symptom("exception", message, hint), tail, facts, exception, who)


def cause(
    symptom: Symptom, tail: Tail, facts: JobFacts, exception: UserException | None = None, who: str = "The job"
) -> Cause:
    """The parts together; of several processes, the one that failed is named."""
    if symptom.killed and facts.memory_kills:
        symptom = endings.memory_ran_out("one of its processes", facts)
    told = symptom.message
    if who != "The job" and not told.startswith(who):
        told = f"{who}: {told}"
    return Cause(symptom.code, told, symptom.hint, exception, tail.shown())


def which_process(record: Mapping[str, Any], facts: JobFacts) -> str:
    """Who it was that failed, in a job of several processes."""
    rank = whole(record.get("failed_process"))
    if rank is not None and rank == facts.tracking_server:
        return "The job's tracking server"
    return "The job" if facts.processes < 2 or rank is None else f"Process {rank} of {facts.processes} (counted from 0)"


def users_exception(raised: Raised, facts: JobFacts) -> UserException:
    """An exception with the user's own last frame."""
    frame = own_frame(raised, facts)
    return UserException(
        type=raised.type,
        message=raised.message,
        file=facts.shown(frame.file) if frame else None,
        line=frame.line if frame else None,
        function=frame.function if frame else None,
        code=(frame.code or source_line(frame, facts)) if frame else None,
        caused_by=caused_by(raised, facts),
    )


def own_frame(raised: Raised, facts: JobFacts) -> tracebacks.Frame | None:
    """The user's own last frame of an exception."""
    return tracebacks.users_frame(raised.frames, [facts.inside(frame.file) is not None for frame in raised.frames])


def source_line(frame: tracebacks.Frame, facts: JobFacts) -> str | None:
    """The line of source, from the working copy, where the interpreter did not print it."""
    place = facts.inside(frame.file)
    if place is None:
        return None
    try:
        with (facts.working_copy / place).open(encoding="utf-8", errors="replace") as file:
            for number, line in zip(range(1, frame.line + 1), file, strict=False):
                if number == frame.line:
                    return line.strip()[:1000] or None
    except OSError:
        return None
    return None


def caused_by(raised: Raised, facts: JobFacts) -> str | None:
    """What an exception was raised from, or while handling what, in a phrase.

    One that only repeats another, as one from a worker process does, has a place to tell at most.
    """
    if raised.cause is None:
        return None
    if (raised.cause.name, raised.cause.message) == (raised.name, raised.message):
        place = own_place(raised.cause, facts)
        return f"raised{place}" if place else None
    return f"{'caused by' if raised.direct else 'while handling'} {title(raised.cause, facts)}"


def title(raised: Raised, facts: JobFacts) -> str:
    """An exception in one phrase, with the user's place."""
    first = python.first_line(raised.message)
    return f"{raised.type}{f': {first}' if first else ''}{own_place(raised, facts)}"


def own_place(raised: Raised, facts: JobFacts) -> str:
    """The user's place, as the end of a phrase; empty where no frame is the user's."""
    frame = own_frame(raised, facts)
    if frame is None or facts.inside(frame.file) is None or tracebacks.is_library(frame.file):
        return ""
    return f" at {facts.shown(frame.file)}:{frame.line}"


def leaves(raised: Raised) -> list[Raised]:
    """The exceptions of a group that are no groups themselves, the first five."""
    found: list[Raised] = []
    for member in raised.members:
        found.extend(leaves(member) if member.members else [member])
    return found[:5]


def near_end(raised: Raised, tail: Tail) -> bool:
    """Whether an exception was the last thing said, up to a line or two of a launcher's."""
    return sum(bool(line.strip()) for line in tail.lines[raised.line + 1 :]) <= 3


def exit_code_hint(raised: Raised | None, tail: Tail, facts: JobFacts) -> str | None:
    """What to make of a bare exit code."""
    if facts.memory_kills:
        return (
            "Meanwhile the system ended a process on this machine because memory ran out, which may have been one of"
            " the job's: `dmesg` or `journalctl -k` says which."
        )
    if raised is not None:
        return "The last exception in its log may be the reason; the script went on after it."
    if not tail.lines:
        return 'It printed nothing. A script can say why it stops: `sys.exit("reason")`, `set -x` in a shell command.'
    return None


def whole(value: object) -> int | None:
    """A whole number from a record, None for anything else."""
    return value if isinstance(value, int) else None
