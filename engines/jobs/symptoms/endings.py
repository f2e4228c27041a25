"""Ends that the exit record tells by itself: signals, limits, a cancellation, a supervisor that is gone."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engines.jobs.symptoms.cause import JobFacts, Symptom

MEANINGS = {
    "SIGHUP": ("the terminal or session that it belonged to went away", None),
    "SIGINT": ("it was interrupted, as Ctrl-C does", None),
    "SIGQUIT": ("it was asked to end with a core dump", None),
    "SIGILL": (
        "it used a processor instruction that this machine does not have",
        "A library was built for another processor: install the build for this one.",
    ),
    "SIGTRAP": ("it ran into a breakpoint or a failed check of its own", None),
    "SIGABRT": (
        "it ended itself after a failed check, most often in a library written in C or C++",
        "The lines before the end of the log name the check.",
    ),
    "SIGBUS": (
        "it read memory that had gone: a mapped file that became shorter, or shared memory (/dev/shm) that was full",
        "With data loader workers: fewer of them, or a larger /dev/shm.",
    ),
    "SIGFPE": ("it divided an integer by zero, or the like, in a library written in C or C++", None),
    "SIGKILL": (
        "it was ended by force: by the system when memory ran out, or by somebody with `kill -9`",
        "`dmesg` or `journalctl -k` says whether it was the memory.",
    ),
    "SIGSEGV": (
        "it used memory that is not its own, a fault in a library written in C or C++",
        "Run it with `python -X faulthandler` to see where; libraries whose versions do not fit are the usual reason.",
    ),
    "SIGPIPE": ("it wrote to a program that had stopped reading", None),
    "SIGALRM": ("an alarm that it had set itself went off", None),
    "SIGTERM": ("it was asked to end: by the machine going down, an administrator, or a service manager", None),
    "SIGXCPU": ("it used up the CPU time that it is allowed (`ulimit -t`)", None),
    "SIGXFSZ": ("it wrote a file larger than it is allowed (`ulimit -f`)", None),
    "SIGSYS": ("it made a system call that is forbidden here", None),
}

DESCRIPTIONS = {
    words: number for number in signal.Signals if number.name in MEANINGS and (words := signal.strsignal(number))
}
"""What a shell prints when a signal ended what it ran."""

PROGRAM = "A program of the command"


def name_of(number: int) -> str:
    """A signal's name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def killed(number: int, who: str = "The job") -> Symptom:
    """The words for a signal that ended a process."""
    name = name_of(number)
    meaning, hint = MEANINGS.get(name, ("it did not expect that signal", None))
    return Symptom("signal", f"{who} was ended by {name}: {meaning}.", hint, killed=name == "SIGKILL")


def killed_inside(exit_code: int) -> Symptom | None:
    """A shell answers with 128 and the signal's number when what it ran was killed."""
    name = name_of(exit_code - 128)
    if exit_code <= 128 or name not in MEANINGS:
        return None
    symptom = killed(exit_code - 128, PROGRAM)
    return replace(symptom, message=f"{symptom.message} (exit code {exit_code})")


def timed_out(record: Mapping[str, Any], facts: JobFacts) -> Symptom:
    """The job's own time limit."""
    limit = f" of {number(facts.time_limit)} s" if facts.time_limit else ""
    return Symptom(
        "time_limit",
        f"It ran into its time limit{limit} and was ended.",
        "Raise it with `--set limits.timeout=SECONDS`, or give it less to do.",
    )


def canceled(record: Mapping[str, Any], facts: JobFacts) -> Symptom:
    """Somebody's wish."""
    after = duration(record)
    return Symptom("canceled", f"It was cancelled{f' after {after}' if after else ''}.")


def out_of_memory(record: Mapping[str, Any], facts: JobFacts) -> Symptom:
    """The kernel's decision."""
    return memory_ran_out("it", facts)


def memory_ran_out(who: str, facts: JobFacts) -> Symptom:
    """The words for a process that the kernel ended, or for all of them."""
    most = f" It had used {facts.peak_memory / 2**30:.1f} GiB at most." if facts.peak_memory > 0 else ""
    return Symptom(
        "out_of_memory",
        f"The system ended {who} because memory ran out.{most}",
        "Load less at once (fewer rows or columns, smaller types, smaller batches), run fewer jobs at a time,"
        " or use a machine with more memory.",
    )


def not_started(record: Mapping[str, Any], facts: JobFacts) -> Symptom:
    """The first process could not be made."""
    said = str(record.get("message") or "the system gave no reason")
    hint = None
    if "Argument list too long" in said:
        hint = "Pass long values in a file: they are part of the process's environment, which is limited in size."
    elif "Resource temporarily unavailable" in said or "Cannot allocate memory" in said:
        hint = "The machine is out of processes or memory: `ulimit -u`, `free -h`."
    return Symptom("not_started", f"The command could not be started: {said}", hint)


def supervisor_lost() -> Symptom:
    """No exit record, and nobody who will write one."""
    return Symptom(
        "supervisor_lost",
        "The process that watched over the job was killed or the machine went down, so its end is not known;"
        " what was left of it was ended.",
        "Run it again; if it happens again, look for memory shortage: `dmesg` or `journalctl -k`.",
    )


def duration(record: Mapping[str, Any]) -> str:
    """How long it ran, in words."""
    seconds = record.get("wall_seconds")
    if not isinstance(seconds, (int, float)) or seconds != seconds or not 0 <= seconds < 1e10:
        return ""
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    return f"{minutes} min" if minutes < 120 else f"{hours} h {minutes % 60:02d} min"


def number(value: float) -> str:
    """A number without a needless fraction."""
    return f"{value:g}" if value < 1e6 else f"{value:.0f}"
