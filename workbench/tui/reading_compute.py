"""What Compute asks of the store and the engines; run in the threads of ``access``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from store import activity, computes
from store.errors import DocumentError, UsageError, WorkbenchError
from store.forecast import Occupant
from store.queue import HOLDS_SLOTS
from workbench.tui.access import Stores
from workbench.tui.reading_home import Curve, Curves, Earlier, QueuedJob, RunningJob, in_line


@dataclass(frozen=True, slots=True)
class ComputeFacts:
    """A compute as a list shows it; ``trouble`` is why its engine does not work, ``slots`` None then."""

    document: dict[str, Any]
    slots: int | None
    trouble: str = ""
    jobs: int = 0
    used: int = 0
    waiting: int = 0

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["name"])


@dataclass(frozen=True, slots=True)
class ComputeJobs:
    """What runs on a compute, and what waits for it."""

    facts: ComputeFacts
    running: tuple[RunningJob, ...]
    queue: tuple[QueuedJob, ...]
    curves: Mapping[str, Curve]


def all_computes(stores: Stores) -> list[ComputeFacts]:
    """Every compute, by name."""
    used, waiting = activity.slots_in_use(stores.workbench), activity.queue_lengths(stores.workbench)
    return [_facts(document, used, waiting) for document in computes.find(stores.workbench)]


def one_compute(stores: Stores, name: str, curves: Curves, now: float) -> ComputeJobs:
    """A compute with its jobs. Raises NotFoundError."""
    connection = stores.workbench
    used, waiting = activity.slots_in_use(connection), activity.queue_lengths(connection)
    facts = _facts(computes.get(connection, name), used, waiting)
    earlier = Earlier(stores)
    running = tuple(RunningJob(job, earlier(job)) for job in activity.holders(connection) if job.compute == name)
    followed = curves.follow(stores, [each.job for each in running])
    occupants = [
        Occupant(each.job.slots, each.progress(followed.get(each.job.name), now).remaining)
        for each in running
        if each.job.status in HOLDS_SLOTS
    ]
    queue = in_line(activity.queue(connection, name), facts.slots, occupants, earlier, now)
    return ComputeJobs(facts, running, tuple(queue), followed)


def create_pool(stores: Stores, given: dict[str, str]) -> str:
    """Add a compute that a form describes, and return its name. Raises UsageError, ConflictError."""
    from engines.compute import pools
    from store.specs.loading import load
    from workbench.agent import channel

    count = given.get("max_instances") or None
    if count is not None and not count.isdigit():
        raise UsageError(f"max_instances is a number of jobs, not {count!r}")
    flags = {"name": given.get("name"), "type": given.get("type"), "max_instances": int(count) if count else None}
    try:
        document = load("compute", None, (), **flags).document()
    except DocumentError as error:
        fault = error.faults[0]
        raise UsageError(f"{fault.path}: {fault.message}" if fault.path else fault.message, hint=fault.hint) from error
    pools.create(stores.workbench, document)
    channel.poke(stores.layout)
    return str(document["name"])


def delete_compute(stores: Stores, name: str) -> None:
    """Remove a compute. Raises ConflictError while jobs need it, UsageError for this machine itself."""
    computes.delete(stores.workbench, name)


def types() -> list[str]:
    """Types of compute that an installed engine serves."""
    from engines.compute.registry import types as served

    return served()


def _facts(document: dict[str, Any], used: dict[str, tuple[int, int]], waiting: dict[str, int]) -> ComputeFacts:
    from engines.compute.registry import engine

    slots: int | None = None
    trouble = ""
    try:
        slots = engine(document["type"]).capacity(document)
    except WorkbenchError as error:
        trouble = error.message
    except Exception as error:  # noqa: BLE001  (an engine may be somebody else's)
        trouble = str(error) or repr(error)
    jobs, taken = used.get(document["name"], (0, 0))
    return ComputeFacts(document, slots, trouble, jobs, taken, waiting.get(document["name"], 0))
