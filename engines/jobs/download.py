"""What a job left, copied to where the user wants it.

<target>/artifacts/...                all that its run keeps, models among it
<target>/named-outputs/<output>/...   its named outputs
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engines.jobs.outputs import Output, fetch_output
from store import trees
from store.disk import explain, replace_file
from store.errors import ConflictError, NotFoundError, UsageError
from store.jobs import Job
from store.layout import Layout
from store.model_places import logged_models
from store.telling import Progress
from store.uris import ARTIFACTS, tracking

NAMED = "named-outputs"


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What was copied; ``notes`` name what there was nothing to copy of, and why."""

    target: Path
    files: int
    bytes: int
    notes: tuple[str, ...]


def download(
    job: Job,
    layout: Layout,
    target: Path,
    *,
    output_name: str | None = None,
    everything: bool = False,
    progress: Progress | None = None,
) -> Downloaded:
    """Copy a job's artifacts, or one named output, or all of both, below ``target``.

    Files that are there already and equal stay. Raises ConflictError for a job that has not ended and when a file
    would be overwritten (before anything is copied), NotFoundError for an output that there is not.
    """
    if not job.finished:
        raise ConflictError(
            f"the job {job.name!r} is {job.status}: it can be downloaded when it has ended",
            hint=f"`workbench job stream {job.name}` waits for that.",
        )
    outputs = job.document.get("outputs") or {}
    wanted = list(outputs) if everything else [output_name] if output_name in outputs else []
    if output_name and not everything and not wanted and output_name not in ARTIFACTS:
        raise NotFoundError(
            f"the job {job.name!r} has no output {output_name!r}", hint=f"It has {', '.join([*outputs, 'artifacts'])}."
        )
    plan = Plan()
    try:
        if everything or not wanted:
            plan_artifacts(job, layout, plan)
        for name in wanted:
            note = plan_output(job, layout, str(name), plan)
            if note and not everything:
                raise UsageError(note)
            if note:
                plan.notes.append(note)
        copied = carry_out(plan.items, target, progress)
    except OSError as error:
        raise explain(error, f"downloading the job {job.name!r} to {target}") from error
    return Downloaded(target, len(plan.items), copied, tuple(plan.notes))


def download_path(path: Path, target: Path, progress: Progress | None = None) -> Downloaded:
    """Copy one file or folder of a job, by its own name, below ``target``.

    Files that are there already and equal stay. Raises ConflictError when a file would be overwritten.
    """
    plan = Plan()
    try:
        if path.is_dir():
            plan.add(trees.survey(path), f"{path.name}/")
        else:
            plan.add(trees.of_file(path), "")
        copied = carry_out(plan.items, target, progress)
    except OSError as error:
        raise explain(error, f"copying {path} to {target}") from error
    return Downloaded(target, len(plan.items), copied, tuple(plan.notes))


@dataclass(slots=True)
class Plan:
    """What is to be copied, by its path below the target; ``notes`` name what is not, and why."""

    items: dict[str, trees.Item] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, found: trees.Survey, below: str) -> None:
        """Plan all that a walk found; what is planned already stays."""
        for item in found.items:
            self.items.setdefault(f"{below}{item.path}", item)
        self.notes += [f"{below}{note}" for note in found.notes]


def plan_artifacts(job: Job, layout: Layout, plan: Plan) -> None:
    """All that the run keeps; a model that MLflow keeps elsewhere counts like an artifact of its name."""
    folders = {"": layout.artifacts(job.name), "user_logs/": layout.job(job.name).user_logs}
    with tracking(layout) as connection:
        folders |= {f"{name}/": folder for name, folder in logged_models(connection, job.name).items()}
    for prefix, folder in folders.items():
        if folder.is_dir():
            plan.add(trees.survey(folder), f"artifacts/{prefix}")


def plan_output(job: Job, layout: Layout, name: str, plan: Plan) -> str | None:
    """The files of a named output; a sentence instead where there are none here."""
    output = Output.read(job.document, name, job.name, layout)
    path = output.place.path
    if path is None and output.is_uploaded:
        path = fetch_output(output, layout, plan.notes.append)
    if path is None:
        return f"the output {name!r} lies at {output.place}, where the job wrote it itself"
    if not path.exists():
        return f"the job has not written its output {name!r}"
    found = trees.of_file(path) if path.is_file() else trees.survey(path)
    plan.add(found, f"{NAMED}/{name}/")
    return None if found.items else f"the output {name!r} is empty"


def carry_out(plan: dict[str, trees.Item], target: Path, progress: Progress | None = None) -> int:
    """Copy what is not there yet; returns how many bytes that were. Raises ConflictError before anything is changed."""
    tell = progress or (lambda _done, _total: None)
    total, done = sum(item.size for item in plan.values()), 0
    missing: dict[str, trees.Item] = {}
    for path, item in plan.items():
        if present(item, target / path):
            done += item.size
            tell(done, total)
        else:
            missing[path] = item
    refuse_clashes(missing, target)
    for path, item in missing.items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(Path(item.source), place, 0o777 if item.executable else 0o666, item.mtime_ns)
        done += item.size
        tell(done, total)
    return sum(item.size for item in missing.values())


def refuse_clashes(paths: Iterable[str], target: Path) -> None:
    """Raises ConflictError where something lies in the place of a file, or a file in that of a folder."""
    places = [target / path for path in paths]
    folders = {folder for place in places for folder in (place.parent, *place.parent.parents)}
    clashes = [folder for folder in sorted(folders) if os.path.lexists(folder) and not folder.is_dir()]
    if not clashes:
        clashes = [place for place in places if os.path.lexists(place)]
    if clashes:
        shown = ", ".join(map(str, clashes[:3])) + (", ..." if clashes[3:] else "")
        raise ConflictError(
            f"{len(clashes)} file(s) would be overwritten: {shown}",
            hint="Give another folder with --download-path, or move them away.",
        )


def present(item: trees.Item, place: Path) -> bool:
    """Whether a file is there already, with the same content."""
    try:
        status = place.lstat()
    except OSError:
        return False
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_size == item.size
        and trees.digest(place) == trees.digest(item.source)
    )
