"""Follow a job: its own lines verbatim to stdout, ours to stderr, until its end."""

from __future__ import annotations

import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from engines.jobs.registry import obstacle
from store import database, jobs, queue
from store.disk import is_full
from store.errors import MachineError
from store.jobs import Job
from store.layout import Layout
from workbench.agent import lock, start
from workbench.cli.talk import mute, say

QUICK_SECONDS, CALM_SECONDS = 0.008, 0.05
CHUNK = 1 << 20
AGENT_CHECK_SECONDS = 2.0
MISSED_AGENTS, LOST_AGENTS = 3, 8
"""After how many checks in a row without an agent that stays, to say so, and to give up."""


class Tail:
    """A file that grows: each call gives what is new. It may not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: BinaryIO | None = None

    def read(self) -> bytes:
        """What was written since the last call, at most a chunk."""
        if self.file is None:
            try:
                self.file = self.path.open("rb")
            except FileNotFoundError:
                return b""
        return self.file.read(CHUNK)


class Interrupts:
    """Ctrl-C while following: counted, so that a second one can mean more than the first."""

    def __init__(self) -> None:
        self.count = 0
        self.handled = 0

    def __enter__(self) -> Interrupts:
        self.before = signal.getsignal(signal.SIGINT)
        if self.before is not signal.SIG_IGN:  # a shell starts `... &` that way: Ctrl-C is then meant for another
            signal.signal(signal.SIGINT, self.note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self.before)

    def note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1

    def fresh(self) -> bool:
        """Whether there was another Ctrl-C since the last call."""
        if self.count == self.handled:
            return False
        self.handled = self.count
        return True


class Detached(Exception):
    """The user stopped watching; the job goes on."""


class Agents:
    """Looks now and then whether there is an agent, and starts one where there is none."""

    def __init__(self, layout: Layout, job: str) -> None:
        self.layout, self.job = layout, job
        self.seen: lock.AgentFacts | None = None
        self.due = time.monotonic() + AGENT_CHECK_SECONDS
        self.missed = 0
        self.was_full = False

    def keep(self) -> None:
        """Raises MachineError when one agent after the other does not begin, or ends as soon as it did."""
        if time.monotonic() < self.due:
            return
        self.due = time.monotonic() + AGENT_CHECK_SECONDS
        if is_full(self.layout.root) and not self.was_full:
            self.was_full = True
            say(f"the disk that holds {self.layout.root} is full: jobs wait until there is room, and then go on")
        before, self.seen = self.seen, lock.holder(self.layout)
        alive = lock.held(self.layout.agent_lock)
        if alive and self.seen == before:
            self.missed = 0
            return
        self.missed += 1  # one that was not there the last time may be about to end, as those before it did
        why = f"`workbench agent logs` shows why: {self.layout.agent_log}{start.last_words(self.layout)}"
        if self.missed == MISSED_AGENTS:
            say(f"no agent stays alive; trying again. {why}")
        if self.missed == LOST_AGENTS:
            mended = f"When that is mended: workbench job stream {self.job}"
            raise MachineError("no agent stays alive; the job is accepted and waits for one", hint=f"{why}\n{mended}")
        if not alive:
            start.wake(self.layout)


def follow(
    connection: sqlite3.Connection,
    layout: Layout,
    name: str,
    interrupts: Interrupts,
    on_interrupt: Callable[[int], None],
) -> Job:
    """Stream a job to its end and return it. ``on_interrupt`` is called with 1, 2, ... at each Ctrl-C."""
    folder = layout.job(name)
    log, preparation = Tail(folder.log), Tail(folder.system_logs / "preparation.log")
    told = Told(connection)
    agents = Agents(layout, name)
    version, began = -1, time.monotonic()
    job = jobs.get(connection, name)
    while True:
        if interrupts.fresh():
            on_interrupt(interrupts.count)
            told.cancelling = True
        if (now := database.data_version(connection)) != version:
            version, job = now, jobs.get(connection, name)
            told.state(job)
        moved = copy_talk(preparation) + copy(log, sys.stdout.buffer)
        if job.finished and not moved:
            return job
        if not job.finished:
            agents.keep()
        if not moved:
            time.sleep(QUICK_SECONDS if time.monotonic() - began < 2 else CALM_SECONDS)


def copy(tail: Tail, target: Any) -> int:
    """Pass on what is new; returns how many bytes."""
    data = tail.read()
    if data:
        target.write(data)
        target.flush()
    return len(data)


def copy_talk(tail: Tail) -> int:
    """As ``copy``, to stderr, whether or not anybody reads it."""
    try:
        return copy(tail, sys.stderr.buffer)
    except OSError:
        mute(sys.stderr)
        return 0


class Told:
    """Says each change of state that a waiting person wants to know of, once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.last = ""
        self.cancelling = False
        """Whether the user asked for it right here, and was told so."""

    def state(self, job: Job) -> None:
        """Tell of waiting in the queue, and of a cancellation under way."""
        text = ""
        waiting = job.status in ("NotStarted", "Queued")
        if waiting and (missing := obstacle(self.connection, job)):
            text, waiting = f"waits: {missing}", False
        elif job.status == "Queued":
            ahead = queue.position(self.connection, job)
            text = f"queued on {job.compute}" + (f", {ahead} ahead" if ahead else "")
        elif job.status == "CancelRequested" and not self.cancelling:
            text = "cancelling"
        if text and text != self.last and (not waiting or time.time() - job.created_at > 0.5):
            say(text, dim=True)
            self.last = text
