"""Jobs side by side: what each was given, what came of it, and where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engines.jobs.differences import (
    HIDDEN,
    SECTIONS,
    Difference,
    commit,
    compare_code,
    compare_contents,
    flatten,
    inputs,
    own_place,
    requirements,
    text,
    without_secrets,
)
from store.jobs import Job
from store.main_metric import SYSTEM, is_better_higher
from store.secret_rules import NAME

NOISE = 0.02
"""The part of its amount by which a run's own measure varies between equal runs."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A job with what its run tells."""

    job: Job
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """How long it ran; None of one that has not ended."""
        if self.job.wall_seconds is not None:
            return self.job.wall_seconds
        if self.job.started_at is None or self.job.ended_at is None:
            return None
        return self.job.ended_at - self.job.started_at


@dataclass(frozen=True, slots=True)
class Row:
    """One thing, with what each job has for it: None where it has none.

    ``numbers`` are the values of a metric or another measure; ``best`` those jobs whose value is the best of all.
    ``details`` hold more lines for each job, such as the diff of a file.
    """

    section: str
    name: str
    values: tuple[str | None, ...]
    differs: bool
    numbers: tuple[float | None, ...] = ()
    best: frozenset[int] = frozenset()
    details: tuple[tuple[str, ...], ...] = ()

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or self.section


def compare(subjects: Sequence[Subject]) -> list[Row]:
    """Everything but the code, in the order of asking; of what differs and of what does not."""
    return [
        *_parameters(subjects),
        *_metrics(subjects),
        *_measures(subjects),
        *_inputs(subjects),
        *_environment(subjects),
        *_tags(subjects),
        *_documents(subjects),
    ]


def compare_snapshots(jobs: Sequence[Job], snapshots: Path) -> list[Row]:
    """The code of each job against that of the first: a row for each file that is another, with its diff."""
    if not jobs:
        return []
    base = jobs[0]
    rows = [_row("code", "commit", [commit(job.source.get("git")) for job in jobs])]
    found: list[dict[str, Difference]] = []
    known: dict[str | None, dict[str, Difference]] = {}
    for job in jobs:
        if job.snapshot not in known:
            told = compare_code(job.snapshot, base.snapshot, snapshots)
            known[job.snapshot] = {each.name: each for each in told}
        found.append(known[job.snapshot])
    for name in sorted({name for each in found for name in each}):
        values = [_code_value(each.get(name), is_base=job is base) for job, each in zip(jobs, found, strict=True)]
        details = tuple(tuple(each[name].lines) if name in each else () for each in found)
        rows.append(Row("code", name or "folder", tuple(values), True, details=details))
    if len(rows) == 1 and any(job.snapshot for job in jobs):
        rows.append(_row("code", "files", ["the same" for _ in jobs]))
    return [row for row in rows if any(row.values)]


def _code_value(difference: Difference | None, *, is_base: bool) -> str:
    if difference is None:
        return "base" if is_base else "as the base"
    if difference.before is None or difference.after is None:
        return "new" if difference.before is None else "gone"
    if difference.lines:
        return f"+{difference.after.split()[0]} -{difference.before.split()[0]}"
    return f"{difference.before} -> {difference.after}"


# -- sections -----------------------------------------------------------------------------------------------------


def _parameters(subjects: Sequence[Subject]) -> Iterator[Row]:
    names = _names(subject.parameters for subject in subjects)
    for name in names:
        yield _row("parameters", name, [_parameter(subject, name) for subject in subjects])


def _parameter(subject: Subject, name: str) -> str | None:
    """Inputs become parameters when a job ends: until then the input stands for its parameter."""
    if name in subject.parameters or subject.job.finished:
        return subject.parameters.get(name)
    return inputs(subject.job).get(name)


def _metrics(subjects: Sequence[Subject]) -> Iterator[Row]:
    for name in _names(subject.metrics for subject in subjects):
        if name.startswith(SYSTEM):
            continue
        yield _measure("metrics", name, [subject.metrics.get(name) for subject in subjects], is_better_higher(name))


def _measures(subjects: Sequence[Subject]) -> Iterator[Row]:
    """What no run has twice in the same amount: a difference in the third digit is none."""
    for name, numbers in (
        ("duration", [subject.seconds for subject in subjects]),
        ("peak memory", [subject.job.peak_memory_bytes for subject in subjects]),
    ):
        row = _measure("run", name, numbers, None)
        told = [number for number in numbers if number is not None]
        alike = len(told) == len(numbers) and max(told) - min(told) <= NOISE * max(told)
        yield replace(row, differs=row.differs and not alike)


def _measure(section: str, name: str, numbers: Sequence[float | None], higher: bool | None) -> Row:
    values = tuple(None if number is None else repr(number) for number in numbers)
    return Row(section, name, values, len(set(values)) > 1, tuple(numbers), best(numbers, higher))


def best(numbers: Sequence[float | None], higher: bool | None) -> frozenset[int]:
    """Which values are the best; none where that is not known, or where all are alike."""
    told = [number for number in numbers if number is not None and number == number]
    if higher is None or len(told) < 2 or min(told) == max(told):
        return frozenset()
    wanted = max(told) if higher else min(told)
    return frozenset(index for index, number in enumerate(numbers) if number == wanted)


def _inputs(subjects: Sequence[Subject]) -> Iterator[Row]:
    """Literals that are no parameters, and data: as it was written, where it led to, and what was there."""
    given = [inputs(subject.job) for subject in subjects]
    for name in _names(given):
        values = [each.get(name) for each in given]
        if values == [_parameter(subject, name) for subject in subjects] and any(
            name in s.parameters for s in subjects
        ):
            continue
        row = _row("inputs", name, values)
        yield row
        if row.differs:
            continue
        places = [own_place(subject.job, str((subject.job.inputs or {}).get(name, ""))) for subject in subjects]
        if len(set(places)) > 1:
            yield _row("inputs", f"{name} place", places)
        elif any(contents := _contents(name, [subject.job for subject in subjects])):
            yield _row("inputs", f"{name} content", contents)


def _contents(name: str, jobs: Sequence[Job]) -> list[str | None]:
    """What lay behind an input, where it was not what the first job had."""
    found = [compare_contents(name, job, jobs[0]) for job in jobs]
    first = next((words[0] for words in found if words), None)
    return [words[1] if words else first for words in found]


def _environment(subjects: Sequence[Subject]) -> Iterator[Row]:
    named = [dict(flatten(subject.job.document.get("environment"))) for subject in subjects]
    for name in _names(named):
        yield _row("environment", name, [each.get(name) for each in named])
    packages = [requirements(subject.job) for subject in subjects]
    for name in sorted(_names(packages)):
        yield _row("environment", name, [each.get(name) for each in packages])


def _tags(subjects: Sequence[Subject]) -> Iterator[Row]:
    tags = [{key: text(value) for key, value in (s.job.document.get("tags") or {}).items()} for s in subjects]
    for name in _names(tags):
        yield _row("tags", name, [each.get(name) for each in tags])


def _documents(subjects: Sequence[Subject]) -> Iterator[Row]:
    """The rest of the document; what it calls itself apart."""
    for section in ("experiment_name", "description", *SECTIONS):
        if section == "environment":
            continue
        found = [dict(flatten({**s.job.document, "compute": s.job.compute}.get(section))) for s in subjects]
        for name in _names(found):
            yield _row(section, name, [each.get(name) for each in found])


def _row(section: str, name: str, values: Sequence[str | None]) -> Row:
    """A row whose values are safe to show."""
    differs = len(set(values)) > 1
    if section != "code" and NAME.search(name.rpartition(".")[2]):
        return Row(section, name, tuple(None if value is None else HIDDEN for value in values), differs)
    return Row(section, name, tuple(without_secrets(value) for value in values), differs)


def _names(found: Iterable[Mapping[str, object]]) -> list[str]:
    """The keys of all, in the order in which they come up."""
    return list(dict.fromkeys(name for each in found for name in each))
