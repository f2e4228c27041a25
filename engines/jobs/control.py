"""What a controller sees and what it may ask for.

A controller is a pure function from ``Facts`` to an ``Action``, one per job kind, found through the entry-point group
``workbench.jobs``. It keeps nothing: after a crash the agent reads the store and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from store.jobs import Job


class Work(Enum):
    """Background work of the agent for a job: its preparation, or the collection of what it left."""

    NONE = "none"
    BUSY = "busy"
    CALLED_OFF = "called_off"
    """Asked to stop, and not there yet."""
    DONE = "done"
    FAILED = "failed"


class Process(Enum):
    """What the engine says of the job's current attempt."""

    NONE = "none"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"
    NEVER = "never"
    """The attempt did not begin, and cannot any more: there may be another."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision rests on."""

    job: Job
    granted: bool = False
    """The queue lets it start now."""
    preparation: Work = Work.NONE
    process: Process = Process.NONE
    killed: bool = False
    """Its processes were told to end at once."""
    collection: Work = Work.NONE


@dataclass(frozen=True, slots=True)
class Queue:
    """Put it in the queue of its compute; again, if its attempt never began."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """Make its environment, working copy, inputs and outputs ready."""


@dataclass(frozen=True, slots=True)
class AbandonPreparation:
    """Stop preparing it."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Commit a new attempt and start its processes."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Its processes are running already: say so in the store."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End its processes: politely, with the grace that it has, or at once."""

    at_once: bool


@dataclass(frozen=True, slots=True)
class Collect:
    """Its processes have ended: bring in metrics and outputs."""


@dataclass(frozen=True, slots=True)
class Finish:
    """It is at its end; ``canceled`` before it ever ran, or as its exit record says."""

    canceled: bool = False


Action = Queue | Prepare | AbandonPreparation | Launch | Adopt | Stop | Collect | Finish
Controller = Callable[[Facts], Action | None]
