"""What an engine is: where one task runs, how it is started, watched and stopped.

A package brings an engine by declaring a class under the entry-point group ``workbench.compute``, by the name of the
type of compute that it serves (``registry.py`` finds it); the built-in one comes in the same way.
``engines/compute/contract.py`` holds the tests that each has to pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypedDict


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a task. Its place among the others is its rank."""

    argv: list[str]
    environment: Mapping[str, str]
    """Added to the environment that the whole task has; no secrets, for it is kept in ``task.json``."""
    log: str
    """Takes what it prints, to both streams."""
    service: bool = False
    """It serves the others and is ended when they are done (a parameter server)."""
    address_variable: str | None = None
    """Its standard input is a socket that listens on a port of the loopback address; all processes of the task find
    ``http://HOST:PORT`` in this variable. The shim takes the port, so that nobody else can have it meanwhile."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the shim is told, as ``task.json``. No secrets: those are in the environment given to ``Engine.start``."""

    token: str
    """Names this attempt and no other; its processes carry it as WORKBENCH_TOKEN."""
    name: str
    directory: str
    processes: tuple[Process, ...]
    time_limit: float | None = None
    """Seconds; then the processes are asked to end."""
    grace: float = 10.0
    """Seconds between asking and SIGKILL."""
    journal: str | None = None
    """Where system metrics are appended (see ``workbench/journal.py``)."""
    sample_every: float | None = None
    """Seconds between two samples of system metrics, and before the first."""
    notify: str | None = None
    """A datagram socket that hears of the end; nobody need listen."""

    def document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


Ending = Literal["exited", "signaled", "timeout", "canceled", "out_of_memory", "spawn_failed"]


class ExitRecord(TypedDict):
    """How a task ended: what the shim leaves as ``exit.json``."""

    token: str
    outcome: Ending
    exit_code: int | None
    signal: int | None
    failed_process: int | None
    """The rank of the process that ended the task, where one failed."""
    message: str | None
    started_at: float
    ended_at: float
    wall_seconds: float
    cpu_seconds: float
    """Of the processes and all that they started and did not outlive."""
    peak_memory_bytes: int
    """The most that one process ever had, or that all had together (what they share counted once) when they were looked
    at (each second or so). Never below the shim's own 9 MB: Linux counts what a process was before it became another
    program."""
    memory_kills: int
    """How often the kernel ended a process for lack of memory meanwhile, on the machine or in the task's control group:
    above zero, a process of the task that was killed was likely one of them."""


@dataclass(frozen=True, slots=True)
class TaskState:
    """What is known of an attempt now; ``record`` is there when, and only when, it has exited."""

    kind: Literal["not_started", "running", "exited", "lost"]
    """``lost``: it was started, its shim is gone, and there is no exit record."""
    record: ExitRecord | None = None


class Engine(Protocol):
    """Runs tasks. An attempt is known by its folder; all state lies there, so that any later process can take over.

    Methods may be called from several threads, but not for one attempt at the same time. They raise MachineError where
    the machine cannot do what is asked.
    """

    def start(self, attempt: Path, task: Task, environment: Mapping[str, str]) -> None:
        """Have a shim claim the attempt and run the task; returns before it has.

        However often it is called for one attempt, by whomever: the task runs at most once. ``environment`` is the
        whole environment of the processes and is written nowhere.
        """
        ...

    def poll(self, attempt: Path) -> TaskState:
        """What is known now, without waiting."""
        ...

    def cancel(self, attempt: Path) -> None:
        """Ask the processes to end, SIGKILL after the grace period. An attempt not yet started will not run."""
        ...

    def kill(self, attempt: Path) -> None:
        """End the processes at once."""
        ...

    def revoke(self, attempt: Path) -> bool:
        """Keep an attempt that has not started from ever starting; True if it never ran and never will."""
        ...

    def kill_leftovers(self, token: str) -> list[int]:
        """End every process of a task whose shim is lost; returns their numbers once they are gone."""
        ...

    def capacity(self, compute: Mapping[str, Any]) -> int:
        """How many slots a compute has; ``compute`` is its document."""
        ...
