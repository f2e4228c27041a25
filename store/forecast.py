"""How long jobs will take and when queued ones will start, told from earlier runs: pure functions, no promises."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Occupant:
    """A job that holds slots; ``remaining`` seconds, None where nothing tells how long it will go on."""

    slots: int
    remaining: float | None


@dataclass(frozen=True, slots=True)
class Queued:
    """A job that waits for slots; ``duration`` is what it is expected to take, None where nothing tells it."""

    name: str
    slots: int
    duration: float | None


def expected(durations: Sequence[float]) -> float | None:
    """What a run takes as a rule: the median of earlier ones, which one that hung does not spoil."""
    return median(durations) if durations else None


def remaining(elapsed: float, durations: Sequence[float]) -> float | None:
    """How much longer a run will go on: the median of the earlier ones that took longer than this one has so far.

    None where there are no earlier ones, or all were quicker: then nothing tells when it will end.
    """
    longer = [duration for duration in durations if duration > elapsed]
    return median(longer) - elapsed if longer else None


def starts(slots: int, running: Sequence[Occupant], queue: Iterable[Queued]) -> dict[str, float | None]:
    """In how many seconds each job of a queue will start, in the order of the queue.

    The queue is strict, as the agent's is: the first job that does not fit holds back those behind it. None where that
    hangs on a job of which nobody knows how long it takes, and for a job that is wider than all slots.
    """
    ends = [(each.remaining, each.slots) for each in running if each.remaining is not None]
    unknown = sum(each.slots for each in running if each.remaining is None)
    free = slots - unknown - sum(taken for _, taken in ends)
    heapq.heapify(ends)
    found: dict[str, float | None] = {}
    now: float | None = 0.0
    for job in queue:
        while now is not None and free < job.slots:
            if not ends:
                now = None  # and for all behind it
                break
            end, given_back = heapq.heappop(ends)
            now, free = max(now, end), free + given_back
        found[job.name] = now
        if now is not None:
            free -= job.slots
            if job.duration is not None:
                heapq.heappush(ends, (now + job.duration, job.slots))
    return found
