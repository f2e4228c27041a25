"""All that is known of a job as facts under headings, in the order of asking. Pure functions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engines.jobs.differences import commit
from engines.jobs.report import code_folder, users_path
from engines.jobs.symptoms.cause import Cause, UserException
from store.jobs import Job
from store.lineage import NEAREST, Relative
from store.main_metric import SYSTEM
from workbench.tui.glyphs import Glyphs, kind_of_state
from workbench.tui.job_columns import elapsed, number
from workbench.tui.reading_job import Details, Later
from workbench.tui.widgets.fact_list import Fact, Opens, Section
from workbench.tui.widgets.file_tree import size_text

SHOWN_METRICS = 12
LOG, METRICS, OUTPUTS, SYSTEM_TAB, YAML = (
    Opens("tab", name) for name in ("log", "metrics", "outputs", "system", "yaml")
)


def sections(job: Job, known: Details, later: Later, signs: Glyphs, now: float) -> list[Section]:
    """What happened, what went in, what came out, where it came from, what belongs to it."""
    return [
        Section("What happened", tuple(happened(job, known, signs, now))),
        Section("What went in", tuple(went_in(job, known))),
        Section("What came out", tuple(came_out(job, known))),
        Section("Where it ran", tuple(ran(job))),
        Section("Where it came from", tuple(origin(job))),
        Section("Lineage", tuple(lineage(job, known, later, signs))),
    ]


# -- what happened ------------------------------------------------------------------------------------------------


def happened(job: Job, known: Details, signs: Glyphs, now: float) -> list[Fact]:
    """State, what it waits for, the cause in words with the user's own place, the end of the log, times."""
    kind = kind_of_state(job.status)
    found = [Fact("state", f"{signs.state(job.status)} {job.status}{_waits(job, known)}", LOG, job.status, kind)]
    if known.obstacle is not None:
        found += _facts(("waits for", known.obstacle.message), ("hint", known.obstacle.hint))
    cause = Cause.read(job.cause) if job.cause else None
    if cause is not None and cause.code != "completed":
        found.append(Fact("why", cause.message, LOG, kind=kind))
        if cause.exception is not None:
            found += _raised(cause.exception, cause.message, code_folder(job))
        found += _facts(("hint", cause.hint))
        if known.log_end:
            found.append(Fact("end of the log", "\n".join(known.log_end), LOG, kind="muted"))
    if known.lost_metrics:
        found.append(Fact("lost metrics", known.lost_metrics, METRICS, kind="failed"))
    ran = None if job.started_at is None else (job.ended_at or now) - job.started_at
    return [
        *found,
        *_facts(
            ("duration", elapsed(ran, running=not job.finished)),
            ("submitted", moment(job.created_at)),
            ("started", moment(job.started_at)),
            ("ended", moment(job.ended_at)),
            ("exit code", job.exit_code if job.exit_code else None),
            ("attempt", job.attempt if job.attempt > 1 else None),
        ),
    ]


def _waits(job: Job, known: Details) -> str:
    if known.ahead is None:
        return ", being cancelled" if job.wanted != "run" and not job.finished else ""
    before = "next in the queue" if not known.ahead else f"{known.ahead} ahead of it in the queue"
    return f": {before} of {job.compute}"


def _raised(raised: UserException, message: str, code: Path | None) -> list[Fact]:
    """The exception and the line of the user's that raised it."""
    found: list[Fact] = []
    if raised.title not in message:
        found.append(Fact("error", raised.title, LOG))
    if raised.caused_by and raised.caused_by not in message:
        found.append(Fact("caused by", raised.caused_by, LOG))
    if raised.file:
        place = f"{users_path(raised.file, code, Path.cwd())}:{raised.line}"
        function = f", in {raised.function}" if raised.function else ""
        line = f"\n  {raised.code}" if raised.code else ""
        found.append(Fact("at", f"{place}{function}{line}", LOG, place))
    return found


# -- what went in, what came out ----------------------------------------------------------------------------------


def went_in(job: Job, known: Details) -> list[Fact]:
    """Names, command, inputs with what they led to, parameters beyond those."""
    document = job.document
    named = job.display_name if job.display_name != job.name else None
    tags = {**(document.get("tags") or {}), **known.tags}  # the run may have set others
    found = _facts(
        ("name", job.name),
        ("display name", named),
        ("experiment", job.experiment_name),
        ("description", document.get("description")),
        ("tags", ", ".join(f"{key}={plain(value)}" for key, value in tags.items())),
        ("command", document.get("command")),
    )
    given, resolved = document.get("inputs") or {}, job.inputs or {}
    for name, value in given.items():
        told, led = plain(value), plain(resolved.get(name))
        text = f"{told}\n{led}" if led and led != told else told
        found.append(Fact(f"input {name}", text, copies=led or told))
    logged = {key: value for key, value in known.parameters.items() if plain(given.get(key)) != value}
    return [*found, *(Fact(f"parameter {key}", value) for key, value in logged.items())]


def came_out(job: Job, known: Details) -> list[Fact]:
    """Metrics, named outputs with their places, artifacts."""
    own = {key: value for key, value in known.metrics.items() if not key.startswith(SYSTEM)}
    found = [Fact(key, number(own[key]), METRICS, repr(own[key])) for key in list(own)[:SHOWN_METRICS]]
    if len(own) > SHOWN_METRICS:
        found.append(Fact("more metrics", f"{len(own) - SHOWN_METRICS}", METRICS, kind="muted"))
    places = job.outputs or {}
    for name, value in (job.document.get("outputs") or {}).items():
        place = plain(places.get(name)) or plain(value) or "known when it has run"
        found.append(Fact(f"output {name}", place, OUTPUTS))
    if known.artifacts:
        found.append(Fact("artifacts", known.artifacts, OUTPUTS))
    return [*found, Fact("folder", known.folder, OUTPUTS)] if job.started_at is not None else found


# -- where it ran, where it came from -----------------------------------------------------------------------------


def ran(job: Job) -> list[Fact]:
    """Compute, environment as it was resolved, limits, what it took."""
    document, environment = job.document, job.environment or {}
    resources, limits, distribution = (document.get(key) or {} for key in ("resources", "limits", "distribution"))
    asked = plain(document.get("environment"))
    name = ":".join(filter(None, (environment.get("name"), environment.get("version"))))
    told = f"{asked}, which is {name}" if asked and name and asked != name else asked or name or "current"
    interpreter = environment.get("interpreter") or {}
    packages = [str(each) for each in environment.get("requirements") or ()]
    found = _facts(
        ("compute", f"{job.compute}, {job.slots} slot{'' if job.slots == 1 else 's'}"),
        ("instances", resources.get("instance_count")),
        ("distribution", ", ".join(f"{key} {plain(value)}" for key, value in distribution.items())),
        ("time limit", elapsed(float(limits["timeout"])) if limits.get("timeout") else None),
        ("environment", told),
        ("Python", interpreter.get("version") or "that of Workbench"),
        ("packages", "\n".join(packages)),
    )
    taken = [
        ("CPU time", elapsed(job.cpu_seconds) if job.cpu_seconds is not None else None),
        ("peak memory", size_text(job.peak_memory_bytes) if job.peak_memory_bytes is not None else None),
    ]
    return [*found, *(Fact(title, value, SYSTEM_TAB) for title, value in taken if value)]


def origin(job: Job) -> list[Fact]:
    """The file, the code with its git state, and who submitted it."""
    source = job.source
    user, host = source.get("user"), source.get("host")
    git = source.get("git") or {}
    return _facts(
        ("file", source.get("file"), YAML),
        ("changed by", " ".join(f"--set {each}" for each in source.get("overrides") or ()), YAML),
        ("code", job.document.get("code")),
        ("snapshot", job.snapshot),
        ("git", commit(git), None, git.get("commit")),
        ("repository", git.get("remote")),
        ("submitted by", f"{user} on {host}" if user and host else user),
    )


def lineage(job: Job, known: Details, later: Later, signs: Glyphs) -> list[Fact]:
    """The data that it read and made, and other jobs that belong to it; enter opens them."""
    found = [*_data(known)]
    if known.parent is not None:
        found.append(_relative("child of", known.parent, signs))
    if known.rerun_of is not None:
        found.append(_relative("runs again", known.rerun_of, signs))
    elif before := job.source.get("rerun_of"):
        found.append(Fact("runs again", str(before), Opens("job", str(before))))
    if known.last_completed is not None and job.status != "Completed":
        told = f"{known.last_completed}: enter compares"
        found.append(Fact("last completed", told, Opens("compare", known.last_completed), copies=known.last_completed))
    if known.children:
        counts = ", ".join(f"{count} {state}" for state, count in known.children.items())
        found.append(Fact("children", counts))
    found += [_relative("child", each, signs) for each in known.first_children]
    total = sum(known.children.values())
    if total > len(known.first_children):
        found.append(Fact("more children", f"{total - len(known.first_children)}: `:jobs parent:{job.name}`"))
    found += _many("run again by", later.reruns, signs)
    return [*found, *_many("outputs used by", later.consumers, signs)]


def _data(known: Details) -> Iterator[Fact]:
    for read in known.read:
        by = f", made by {read.made_by}" if read.made_by else ""
        opens = Opens("job", read.made_by) if read.made_by else None
        yield Fact("read", f"{read.data.removeprefix('azureml:')} as input {read.input}{by}", opens, read.data)
        if read.changed:
            yield Fact("  changed", read.changed, kind="failed")
    for made in known.made:
        yield Fact("made", f"{made.data.removeprefix('azureml:')} of output {made.output}", None, made.data)


def _many(title: str, relatives: Sequence[Relative], signs: Glyphs) -> list[Fact]:
    found = [_relative(title, each, signs) for each in relatives]
    return [*found, Fact(title, "and perhaps more", kind="muted")] if len(relatives) >= NEAREST else found


def _relative(title: str, other: Relative, signs: Glyphs) -> Fact:
    called = f"  {other.display_name}" if other.display_name != other.name else ""
    told = f"{signs.state(other.status)} {other.name}{called}"
    return Fact(title, told, Opens("job", other.name), other.name, kind_of_state(other.status))


# -- values -------------------------------------------------------------------------------------------------------


def _facts(*told: tuple[Any, ...]) -> list[Fact]:
    """Those that have a value: title, value, what enter opens, what is copied."""
    return [Fact(title, str(value), *more) for title, value, *more in told if value not in (None, "", {}, [])]


def plain(value: Any) -> str:
    """An input, output or reference in one line."""
    if isinstance(value, Mapping):
        path = next((value[key] for key in ("path", "value", "default", "name", "image") if value.get(key)), None)
        rest = ", ".join(f"{key}: {each}" for key, each in value.items() if each != path and each is not None)
        return f"{path} ({rest})" if path and rest else str(path or rest)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def moment(seconds: float | None) -> str | None:
    """A time on this machine's clock, to the second."""
    return None if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
