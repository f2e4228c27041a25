"""How Home draws its entries, and how it shares out its lines: pure functions of values and a width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from store.activity import BriefJob
from store.data.assets import DataVersion
from store.job_progress import Progress
from workbench.tui.glyphs import Glyphs, kind_of_state
from workbench.tui.job_columns import cell, elapsed, metric_text, number
from workbench.tui.reading_home import Curve, EndedJob, MachineFacts, Made, QueuedJob, RunningJob
from workbench.tui.widgets.line_list import Line, Span
from workbench.tui.widgets.sparkline import sparkline

ONE_LINE = 72
"""From this width on a running job takes one line."""
BAR = 8


@dataclass(frozen=True, slots=True)
class Running:
    """A running job at a moment."""

    job: BriefJob
    curve: Curve | None
    progress: Progress
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued job at a moment; ``seconds`` until it is expected to start."""

    job: BriefJob
    seconds: float | None


def running_at(each: RunningJob, curve: Curve | None, now: float) -> Running:
    """A running job as it is now."""
    started = each.job.started_at
    return Running(each.job, curve, each.progress(curve, now), None if started is None else max(0.0, now - started))


def waiting_at(each: QueuedJob, now: float) -> Waiting:
    """A queued job as it is now."""
    return Waiting(each.job, None if each.starts_at is None else max(0.0, each.starts_at - now))


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that ended, at a moment."""

    ended: EndedJob
    ago: str


@dataclass(frozen=True, slots=True)
class Output:
    """An output, or a version of data, at a moment."""

    made: Made | DataVersion
    ago: str


def name_of(job: BriefJob) -> str:
    """What a person calls it."""
    return job.display_name or job.name


def state(job: BriefJob, signs: Glyphs) -> Span:
    """The sign of a job's state."""
    return f"{signs.state(job.status)} ", kind_of_state(job.status)


def running_height(width: int) -> int:
    """How many lines a running job takes."""
    return 1 if width >= ONE_LINE else 2


def running_lines(value: Running, width: int, signs: Glyphs) -> list[Line]:
    """Name, curve, last value and progress, in one line or two."""
    job, curve = value.job, value.curve
    done, told = progress_spans(value.progress, value.seconds, job.status, signs)
    metric = f"{number(curve.values[-1])} {curve.key}" if curve else ""
    if running_height(width) == 2:
        room = max(0, width - 2 - cell_len(done[0] + told[0]) - 1)
        spark = max(0, min(30, width - 2 - 1 - max(12, cell_len(metric))))
        return [
            (state(job, signs), (f"{cell(name_of(job), room, signs)} ", ""), done, told),
            (
                (f"  {_curve(curve, spark, signs)} ", "running"),
                (cell(metric or job.experiment_name, max(0, width - 3 - spark), signs), "" if metric else "muted"),
            ),
        ]
    left = width - 2 - 23 - 3
    shown = min(26, left * 4 // 10)
    spark = min(30, left * 5 // 20)
    name = left - spark - shown
    return [
        (
            state(job, signs),
            (f"{cell(name_of(job), name, signs)} ", ""),
            (f"{_curve(curve, spark, signs)} ", "running"),
            (f"{cell(metric or job.experiment_name, shown, signs)} ", "" if metric else "muted"),
            done,
            (cell(told[0], 23 - cell_len(done[0]), signs), told[1]),
        )
    ]


def _curve(curve: Curve | None, width: int, signs: Glyphs) -> str:
    drawn = sparkline(curve.values, width, bars=signs.bars) if curve else ""
    return cell(drawn, width, signs)


def progress_spans(progress: Progress, seconds: float | None, status: str, signs: Glyphs) -> tuple[Span, Span]:
    """A bar, and the share or the step with what is left; ``~`` marks what is estimated."""
    if seconds is None or status in ("Preparing", "Finalizing", "CancelRequested"):
        return ("", ""), ({"CancelRequested": "cancelling"}.get(status, status.lower()), "muted")
    if progress.share is None:
        ran = elapsed(seconds, running=True)
        return ("", ""), (f"{ran}, longer than ever" if progress.overdue else f"runs {ran}", "muted")
    left = f" ~{about(progress.remaining)} left" if progress.remaining is not None and progress.share < 1 else ""
    done = f"{progress.done}/{progress.total}" if progress.done is not None else f"~{progress.share:.0%}"
    room = 23 - len(left) - len(done) - 1
    drawn = f"{bar(progress.share, min(BAR, room), signs)} " if room >= 3 else ""
    return (drawn, "running"), (f"{done}{left}", "")


def bar(share: float, width: int, signs: Glyphs) -> str:
    """A share as a bar of so many cells."""
    full, empty = ("━", "┄") if signs.unicode else ("#", ".")
    cells = round(max(0.0, min(1.0, share)) * width)
    return full * cells + empty * (width - cells)


def about(seconds: float | None) -> str:
    """A length of time to come, in one unit: nobody knows it better."""
    if seconds is None:
        return "?"
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 1.5 * length:
            return f"{round(seconds / length)}{unit}"
    return "1m" if seconds >= 45 else f"{max(10, round(seconds / 10) * 10)}s"


def waiting_lines(value: Waiting, width: int, signs: Glyphs) -> list[Line]:
    """Name, experiment, compute, and when it will start."""
    job = value.job
    if value.seconds is None:
        told = "start unknown"
    else:
        told = f"starts in ~{about(value.seconds)}" if value.seconds > 5 else "starts next"
    left = max(0, width - 2 - 18 - 1)
    name = left * 5 // 10
    return [
        (
            state(job, signs),
            (f"{cell(name_of(job), name, signs)} ", ""),
            (cell(f"{job.experiment_name} on {job.compute}", max(0, left - name - 1), signs), "muted"),
            (cell(told, 19, signs, right=True), "muted" if value.seconds is None else ""),
        )
    ]


def failed_lines(value: Ended, width: int, signs: Glyphs) -> list[Line]:
    """Name, experiment and age; then where and why."""
    job = value.ended.job
    left = max(0, width - 2 - 5)
    name = left * 6 // 10
    cause = job.cause or {}
    raised = cause.get("exception") or {}
    place = f"{raised['file']}:{raised['line']}  " if raised.get("file") else ""
    message = " ".join(str(cause.get("message") or "the cause is not known").split())
    return [
        (
            state(job, signs),
            (f"{cell(name_of(job), name, signs)} ", ""),
            (cell(job.experiment_name, max(0, left - name - 1), signs), "muted"),
            (cell(value.ago, 5, signs, right=True), "muted"),
        ),
        (("  ", ""), (place, "accent"), (message, "")),
    ]


def ended_lines(value: Ended, width: int, signs: Glyphs) -> list[Line]:
    """Name, experiment, main metric, duration and age."""
    job, metric = value.ended.job, value.ended.metric
    seconds = None if job.started_at is None or job.ended_at is None else job.ended_at - job.started_at
    left = max(0, width - 2 - 7 - 5)
    shown = left * 3 // 10
    experiment = min(24, left * 3 // 10) if width >= ONE_LINE else 0
    return [
        (
            state(job, signs),
            (f"{cell(name_of(job), max(0, left - shown - experiment - 2), signs)} ", ""),
            (cell(job.experiment_name, experiment, signs), "muted"),
            (f" {cell(metric_text(metric), shown, signs)}", ""),
            (cell(elapsed(seconds), 7, signs, right=True), "muted"),
            (cell(value.ago, 5, signs, right=True), "muted"),
        )
    ]


def made_lines(value: Output, width: int, signs: Glyphs) -> list[Line]:
    """Name of the output or version, its type, its job or place, and age."""
    made = value.made
    is_data = isinstance(made, DataVersion)
    name_of_it = f"{made.name}:{made.version}" if isinstance(made, DataVersion) else made.name
    came_from = made.path if isinstance(made, DataVersion) else f"of {name_of(made.job)}"
    left = max(0, width - 2 - 5)
    name = left * 3 // 10
    kind = min(12, left * 2 // 10)
    return [
        (
            (f"{signs.data if is_data else signs.bullet} ", "accent"),
            (f"{cell(name_of_it, name, signs)} ", ""),
            (f"{cell(made.type, kind, signs)} ", "muted"),
            (cell(came_from, max(0, left - name - kind - 2), signs), "muted"),
            (cell(value.ago, 5, signs, right=True), "muted"),
        )
    ]


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine at a moment: its facts, and the levels of CPU and memory from 0 to 7."""

    facts: MachineFacts | None
    load: tuple[int, int] | None


def machine_parts(value: Machine, signs: Glyphs) -> list[list[Span]]:
    """What there is to say, each part to stay in one line."""
    facts, parts = value.facts, list[list[Span]]()
    if value.load is not None:
        cpu, memory = (signs.bar(level) for level in value.load)
        cores = f" {facts.cores} cores" if facts else ""
        parts.append([("cpu ", "muted"), (cpu, "accent"), (cores, "")])
        parts.append([("memory ", "muted"), (memory, "accent"), (f" of {size(facts.memory)}" if facts else "", "")])
    if facts is not None and facts.room is not None:
        used = 1 - facts.room.free / facts.room.total
        low = used > 0.95
        parts.append(
            [
                ("disk ", "muted"),
                (bar(used, BAR, signs), "warning" if low else "accent"),
                (f" {size(facts.room.free)} free{', low' if low else ''}", "warning" if low else ""),
            ]
        )
    if facts is not None and facts.workspace is not None:
        more = "" if facts.workspace.whole else "over "
        parts.append([("workspace ", "muted"), (f"{more}{size(facts.workspace.bytes)}", "")])
    return parts


def machine_lines(value: Machine, width: int, signs: Glyphs) -> list[Line]:
    """As many parts in a line as fit."""
    lines: list[list[Span]] = []
    room = 0
    for part in machine_parts(value, signs):
        needed = sum(cell_len(text) for text, _ in part)
        if lines and needed + 3 <= room:
            lines[-1] += [("   ", ""), *part]
            room -= needed + 3
        else:
            lines.append([("  ", ""), *part])
            room = width - 2 - needed
    return [tuple(line) for line in lines]


def size(count: float) -> str:
    """Bytes in few signs, by powers of 1000 as disks are sold."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5 or unit == "TB":
            return f"{count:.0f} {unit}" if count >= 99.5 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


@dataclass(frozen=True, slots=True)
class Want:
    """What a panel would take: a line for its head, and the heights of its entries."""

    heights: Sequence[int]
    head: int = 1


def shares(height: int, wants: Sequence[Want]) -> list[int]:
    """How many lines each panel gets, in order of importance.

    First each its head and its first entry, while they fit; then the first panel up to a third of all lines; then
    entry by entry whichever shows the fewest.
    """
    third = height // 3
    given = [0] * len(wants)
    shown = [0] * len(wants)
    for at, want in enumerate(wants):
        least = want.head + sum(want.heights[:1])
        if least <= height:
            given[at], shown[at] = least, min(1, len(want.heights))
            height -= least
    while growing := [
        at
        for at, want in enumerate(wants)
        if given[at] and shown[at] < len(want.heights) and want.heights[shown[at]] <= height
    ]:
        at = growing[0] if growing[0] == 0 and given[0] < third else min(growing, key=lambda each: shown[each])
        more = wants[at].heights[shown[at]]
        given[at], shown[at], height = given[at] + more, shown[at] + 1, height - more
    return given
