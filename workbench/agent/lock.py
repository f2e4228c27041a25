"""The agent's lock: one agent per workspace, and what it says of itself."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from store.layout import Layout

FACTS_SIZE = 256


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """What an agent writes into its lock file."""

    pid: int
    version: str
    started_at: float


class AgentLock:
    """Held for as long as the agent lives; the kernel lets go of it however the agent ends (flock(2))."""

    def __init__(self, layout: Layout) -> None:
        self.path = layout.agent_lock
        self.descriptor: int | None = None

    def acquire(self, version: str, wait_seconds: float = 0.0) -> bool:
        """Take the lock and write who holds it; False when another agent keeps it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(0.02)
        self.descriptor = descriptor
        self.write(json.dumps(asdict(AgentFacts(os.getpid(), version, time.time()))))
        return True

    def write(self, text: str) -> None:
        """Overwrite what the file says. It keeps its size: on a full disk what it has is all the room there is."""
        assert self.descriptor is not None  # noqa: S101  (the lock is held)
        os.pwrite(self.descriptor, text.encode().ljust(FACTS_SIZE), 0)

    def release(self) -> None:
        """Let go of the lock."""
        if self.descriptor is not None:
            self.write("")
            os.close(self.descriptor)
            self.descriptor = None


def held(path: Path) -> bool:
    """Whether an agent is alive, by its lock alone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder(layout: Layout) -> AgentFacts | None:
    """The agent that is alive, None when there is none."""
    if not held(layout.agent_lock):
        return None
    try:
        return AgentFacts(**json.loads(layout.agent_lock.read_text()))
    except (OSError, ValueError, TypeError):
        return None
