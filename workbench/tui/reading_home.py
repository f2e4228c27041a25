"""What Home asks of the store and the engines; run in the threads of ``access``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from store import activity, computes, job_pages
from store.activity import BriefJob
from store.data import pages
from store.data.assets import DataVersion
from store.disk_usage import Room, Size, room_of, size_of
from store.forecast import Occupant, Queued, expected, remaining, starts
from store.job_progress import Progress, progress
from store.queue import HOLDS_SLOTS
from workbench.tui.access import Stores

FOLLOWED = 24
"""So many running jobs are followed; more are not seen at a glance."""
LISTED = 50
LATELY_SECONDS = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Curve:
    """The last values of a job's main metric, and the first and last step of it."""

    key: str
    values: tuple[float, ...]
    first_step: float | None
    last_step: float


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that is under way; ``children`` are how many of its children have ended, and how many there are."""

    job: BriefJob
    durations: tuple[float, ...] = ()
    children: tuple[int, int] | None = None

    def progress(self, curve: Curve | None, now: float) -> Progress:
        """How far it is."""
        started = self.job.started_at
        elapsed = None if started is None else max(0.0, now - started)
        if self.children is not None and self.children[1]:
            done, total = self.children
            return Progress(done / total, done, total, elapsed / done * (total - done) if elapsed and done else None)
        steps = {"first_step": curve.first_step, "last_step": curve.last_step} if curve else {}
        return progress(self.job.document or {}, elapsed, self.durations, **steps)


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that waits, and when it will start: a time, None where nothing tells it."""

    job: BriefJob
    starts_at: float | None


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job that ended, with its main metric."""

    job: BriefJob
    metric: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A named output of a completed job."""

    job: BriefJob
    name: str
    type: str
    place: str


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What Home shows of the store; ``new`` where no job was ever submitted."""

    new: bool = True
    running: tuple[RunningJob, ...] = ()
    queue: tuple[QueuedJob, ...] = ()
    waiting: int = 0
    failed: tuple[EndedJob, ...] = ()
    finished: tuple[EndedJob, ...] = ()
    made: tuple[Made | DataVersion, ...] = ()
    """Named outputs and registered versions of data, the newest first."""
    curves: Mapping[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What changes slowly."""

    cores: int
    memory: int
    room: Room | None
    workspace: Size | None


class Curves:
    """The curves of the jobs that run, followed from call to call, by one thread at a time."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self.patterns = patterns
        self._lock = threading.Lock()
        self._followed: dict[str, Any] = {}

    def follow(self, stores: Stores, jobs: Sequence[BriefJob]) -> dict[str, Curve]:
        """The curves of these jobs from now on, as database and journals have them."""
        from store.tracking.recent import RecentMetric

        with self._lock:
            wanted = {job.name: job for job in jobs[:FOLLOWED]}
            self._followed = {
                name: self._followed.get(name)
                or RecentMetric(name, stores.layout.job(name).journal, job.document or {}, self.patterns)
                for name, job in wanted.items()
            }
            for metric in self._followed.values():
                metric.poll(stores.mlflow, changed=True)
            return self._curves()

    def tick(self, stores: Stores) -> dict[str, Curve] | None:
        """The curves anew where a journal has grown; None where none has."""
        with self._lock:
            moved = [metric.poll(stores.mlflow, changed=False) for metric in self._followed.values()]
            return self._curves() if any(moved) else None

    def _curves(self) -> dict[str, Curve]:
        found: dict[str, Curve] = {}
        for name, metric in self._followed.items():
            if metric.key is not None and metric.points:
                values = tuple(point.value for point in metric.points)
                found[name] = Curve(metric.key, values, metric.first_step, metric.points[-1].step)
        return found


def home(stores: Stores, curves: Curves, now: float) -> HomeFacts:
    """All that Home shows, in one look at the store."""
    connection = stores.workbench
    if activity.is_new(connection):
        return HomeFacts()
    earlier = Earlier(stores)
    jobs = activity.running(connection, LISTED)
    followed = curves.follow(stores, jobs)
    running = tuple(RunningJob(job, earlier(job), _children(stores, job)) for job in jobs)
    ended = activity.ended_lately(connection, ("Completed", "Canceled"), LISTED)
    queue, waiting = _queue(stores, running, followed, earlier, now)
    return HomeFacts(
        new=False,
        running=running,
        queue=queue,
        waiting=waiting,
        failed=tuple(map(EndedJob, activity.ended_lately(connection, ("Failed",), LISTED, now - LATELY_SECONDS))),
        finished=_with_metrics(stores, ended, curves),
        made=_made(stores),
        curves=followed,
    )


def _made(stores: Stores) -> tuple[Made | DataVersion, ...]:
    """What came of jobs and was registered lately; an output that is a version of data stands there as that."""
    versions = pages.newest(stores.workbench, LISTED // 2)
    registered = {(data.job_name, data.job_output) for data in versions}
    found: list[tuple[float, Made | DataVersion]] = [(data.created_at, data) for data in versions]
    for job in activity.made_lately(stores.workbench, LISTED // 2):
        given = (job.document or {}).get("outputs") or {}
        for name, place in (job.outputs or {}).items():
            if (job.name, name) not in registered:
                found.append((job.ended_at or 0.0, Made(job, name, str(given.get(name, {}).get("type", "")), place)))
    return tuple(made for _, made in sorted(found, key=lambda each: -each[0])[:LISTED])


def machine(stores: Stores) -> MachineFacts:
    """The machine and the disk. Counts the workspace's files for two seconds at most: not for every change."""
    import psutil

    from engines.compute.local import usable_cores

    root = stores.layout.root
    return MachineFacts(usable_cores(), psutil.virtual_memory().total, room_of(root), size_of(root))


class Earlier:
    """How long earlier runs of an experiment took, each experiment asked for once."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._known: dict[tuple[str, str], tuple[float, ...]] = {}

    def __call__(self, job: BriefJob) -> tuple[float, ...]:
        key = (job.experiment_name, job.type)
        if key not in self._known:
            self._known[key] = tuple(activity.durations(self._stores.workbench, *key))
        return self._known[key]


def _children(stores: Stores, job: BriefJob) -> tuple[int, int] | None:
    if job.type == "command":
        return None
    from store.jobs import TERMINAL

    states = activity.children(stores.workbench, job.name)
    return sum(count for state, count in states.items() if state in TERMINAL), sum(states.values())


def _queue(
    stores: Stores,
    running: Sequence[RunningJob],
    curves: Mapping[str, Curve],
    earlier: Callable[[BriefJob], tuple[float, ...]],
    now: float,
) -> tuple[tuple[QueuedJob, ...], int]:
    """What waits, the first to start first, and how many there are."""
    lengths = activity.queue_lengths(stores.workbench)
    if not lengths:
        return (), 0
    slots, holders = slots_of_computes(stores), activity.holders(stores.workbench)
    told = {each.job.name: each.progress(curves.get(each.job.name), now).remaining for each in running}
    found: list[QueuedJob] = []
    for compute in lengths:
        occupants = [
            Occupant(job.slots, told.get(job.name, _remaining(job, earlier(job), now)))
            for job in holders
            if job.compute == compute and job.status in HOLDS_SLOTS
        ]
        waiting = activity.queue(stores.workbench, compute, LISTED)
        found += in_line(waiting, slots.get(compute), occupants, earlier, now)
    found.sort(key=lambda each: each.starts_at if each.starts_at is not None else float("inf"))
    return tuple(found[:LISTED]), sum(lengths.values())


def in_line(
    waiting: Sequence[BriefJob],
    slots: int | None,
    occupants: Sequence[Occupant],
    earlier: Callable[[BriefJob], tuple[float, ...]],
    now: float,
) -> list[QueuedJob]:
    """Jobs that wait for one compute with the times when they will start; ``slots`` is None where it does not work."""
    queue = [Queued(job.name, job.slots, expected(earlier(job))) for job in waiting]
    begin = starts(slots, occupants, queue) if slots is not None else {}
    return [QueuedJob(job, None if (seconds := begin.get(job.name)) is None else now + seconds) for job in waiting]


def _remaining(job: BriefJob, durations: Sequence[float], now: float) -> float | None:
    return remaining(max(0.0, now - (job.started_at or now)), durations)


def slots_of_computes(stores: Stores) -> dict[str, int]:
    """The slots of each compute whose engine works."""
    from engines.compute.registry import engine

    found: dict[str, int] = {}
    for each in computes.find(stores.workbench):
        try:
            found[each["name"]] = engine(each["type"]).capacity(each)
        except Exception:  # noqa: BLE001, S112  (an engine may be somebody else's; Compute says what is wrong with it)
            continue
    return found


def _with_metrics(stores: Stores, jobs: Sequence[BriefJob], curves: Curves) -> tuple[EndedJob, ...]:
    metrics: Mapping[str, tuple[str, float]] = {}
    if stores.mlflow is not None:
        metrics = job_pages.main_metrics(stores.mlflow, [job.name for job in jobs], None, curves.patterns)
    return tuple(EndedJob(job, metrics.get(job.name)) for job in jobs)
