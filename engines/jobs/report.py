"""What a failed job tells its user: what happened, where, the end of the log, what changed, and what to do next."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path

from engines.jobs.differences import CONTENT, Difference, differences
from engines.jobs.explain import telling_log
from engines.jobs.symptoms.cause import Cause, UserException
from engines.jobs.symptoms.log_tail import read_tail
from store.addresses import HIDDEN
from store.jobs import Job
from store.layout import Layout
from store.secret_rules import NAME

WIDTH = 100
SHOWN_DIFFERENCES = 12
SHOWN_DIFF_LINES = 12
VALUE_WIDTH = 60
EXCEPTION_WIDTH = 300
SAID_ONCE = 12
"""An exception's own words that are at least so long are not said again when the cause has them."""


def report(
    job: Job, last_completed: Job | None, layout: Layout, *, here: Path | None = None, with_log: bool = True
) -> list[str]:
    """The lines to show, plain text. ``last_completed`` is the job that this one is held against.

    Paths are shown as they are reached from ``here``; ``with_log`` is False where the log has just been shown whole:
    that of the first process, where there are several.
    """
    log, first = telling_log(job, layout), layout.job(job.name).log
    others = log.resolve() != first.resolve()
    cause, start = Cause.read(job.cause or {}), here or Path.cwd()
    found = differences(job, last_completed, layout) if last_completed is not None else []
    parts = [
        what_happened(job, cause, start),
        last_lines(read_tail(log).shown(), str(log) if others else "its log") if with_log or others else [],
        what_differs(last_completed, found),
        what_next(job, start, with_log=with_log),
    ]
    lines: list[str] = []
    for part in filter(None, parts):
        lines += ["", *part] if lines else part
    return lines


def what_happened(job: Job, cause: Cause, here: Path) -> list[str]:
    """The cause, the user's own place, and what to do."""
    lines = wrapped(cause.message, "")
    if cause.exception is not None:
        lines += place(cause.exception, cause.message, code_folder(job), here)
    if cause.hint:
        lines += wrapped(cause.hint, "")
    return lines


def place(raised: UserException, message: str, code: Path | None, here: Path) -> list[str]:
    """Where in the user's code, and the line itself."""
    lines: list[str] = []
    told = raised.message.partition("\n")[0].strip()
    if raised.title not in message and (len(told) < SAID_ONCE or told not in message):
        lines += wrapped(shortened(raised.title, EXCEPTION_WIDTH))
    if raised.caused_by and raised.caused_by not in message:
        lines += wrapped(f"({shortened(raised.caused_by, EXCEPTION_WIDTH)})")
    if raised.file:
        function = f", in {raised.function}" if raised.function else ""
        lines.append(f"    {users_path(raised.file, code, here)}:{raised.line}{function}")
    if raised.code:
        lines.append(f"        {shortened(raised.code, WIDTH)}")
    return lines


def code_folder(job: Job) -> Path | None:
    """The folder that a job's code was taken from."""
    code = job.document.get("code")
    if not code or "://" in code:
        return None
    folder = Path(code)
    return folder.parent if folder.suffix and folder.is_file() else folder


def users_path(file: str, code: Path | None, here: Path) -> str:
    """A file of the code as it can be opened from ``here``."""
    if code is None or file.startswith(("/", "<")):
        return file
    absolute = code / file
    relative = os.path.relpath(absolute, here)
    return str(absolute) if relative.startswith("../..") else relative


def last_lines(lines: list[str], log: str) -> list[str]:
    """The end of the log."""
    if not lines:
        return [f"{log[0].upper()}{log[1:]} is empty."]
    return [f"The last lines of {log}:", *(f"  | {line}" for line in lines)]


def what_differs(last: Job | None, found: Sequence[Difference]) -> list[str]:
    """How it differs from the last job that went well."""
    if last is None:
        return []
    heading = f"{last.name}, the last job of {last.experiment_name!r} that completed,"
    if not found:
        return wrapped(
            f"{heading} had the same inputs, command, environment and code: what changed lies outside the job"
            " (data behind a path, the machine, chance).",
            "",
        )
    lines = wrapped(f"{heading} differs from this one:", "")
    for each in found[:SHOWN_DIFFERENCES]:
        lines += [f"  {difference_line(each)}", *(f"      {line}" for line in shown_diff(each.lines))]
    if len(found) > SHOWN_DIFFERENCES:
        lines.append(f"  and {len(found) - SHOWN_DIFFERENCES} more")
    return lines


def difference_line(each: Difference) -> str:
    """One difference in one line."""
    if each.section == "code" and each.name:
        if each.before is None or each.after is None:
            return f"code: {each.name} is {'new' if each.before is None else 'gone'}"
        return f"code: {each.name} changed" + (f" ({each.after}, {each.before})" if each.lines else "")
    if each.section == CONTENT:
        return f"inputs.{each.name}: same path, changed since: {each.before} then, {each.after} now"
    if each.before is None:
        return f"{each.title}: {value(each.after)} (was not given)"
    if each.after is None:
        return f"{each.title}: not given (was {value(each.before)})"
    if each.before == each.after:
        return f"{each.title}: another value {each.after}"
    return f"{each.title}: {value(each.before)} -> {value(each.after)}"


def shown_diff(lines: Sequence[str]) -> list[str]:
    """The beginning of a diff."""
    shown = [shortened(line, WIDTH) for line in lines[:SHOWN_DIFF_LINES]]
    return [*shown, f"... {len(lines) - SHOWN_DIFF_LINES} more lines"] if len(lines) > SHOWN_DIFF_LINES else shown


def what_next(job: Job, here: Path, *, with_log: bool) -> list[str]:
    """The commands to go on with; that of the log goes where it has been shown whole."""
    shown = next_commands(job, here)[0 if with_log else 1 :]
    width = max(len(command) for command, _ in shown)
    return ["Next:", *(f"  {command:<{width}}   {purpose}" for command, purpose in shown)]


def next_commands(job: Job, here: Path) -> list[tuple[str, str]]:
    """The commands that show the rest and run it again, and what each does; that of the log comes first."""
    return [
        (f"workbench job stream {job.name}", "the whole log"),
        (f"workbench job show {job.name}", "everything that is known of it"),
        rerun(job, here),
    ]


def rerun(job: Job, here: Path) -> tuple[str, str]:
    """The command that runs the job's document again; where that would be none to type, the job as it was."""
    file, as_it_was = job.source.get("file"), (f"workbench job rerun {job.name}", "run it again")
    if not file or not Path(file).is_absolute() or not Path(file).is_file():
        return as_it_was
    relative = os.path.relpath(file, here)
    shown = file if relative.startswith("../..") else relative
    changes = [f"--set {override(each)}" for each in job.source.get("overrides", ())]
    command = " ".join(["workbench run", shlex.quote(shown), *changes])
    if changes and len(command) > WIDTH:
        return as_it_was
    return command, "run its file again, as it is now"


def override(text: str) -> str:
    """An argument of ``--set`` for the shell; a value that its name tells to be a secret is left to be filled in."""
    name, _, given = text.partition("=")
    secret = NAME.search(name.rpartition(".")[2]) or HIDDEN in given
    return f"{shlex.quote(name)}=..." if secret else shlex.quote(text)


def value(text: str | None) -> str:
    """A value in one short line."""
    return shortened(" ".join((text or "").split()), VALUE_WIDTH) or "''"


def shortened(text: str, width: int) -> str:
    """A text that fits into a line."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def wrapped(text: str, indent: str = "  ") -> list[str]:
    """Paragraphs broken into lines, each as far indented as it was; commands and paths stay whole."""
    lines: list[str] = []
    for line in text.splitlines():
        within = indent + line[: len(line) - len(line.lstrip())]
        width = max(WIDTH, len(within) + 40)
        lines += textwrap.wrap(
            line.strip(),
            width,
            initial_indent=within,
            subsequent_indent=within,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return lines or [""]
