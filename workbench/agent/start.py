"""Start, poke and stop a workspace's agent; what clients use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from store.errors import ConflictError, MachineError
from store.layout import Layout
from workbench.agent import channel, lock
from workbench.agent.version import VERSION

START_SECONDS = 10.0


def wake(layout: Layout) -> None:
    """Make sure that an agent looks at the store soon; started when there is none, replaced when it is older.

    Raises ConflictError when a newer agent is at work, MachineError when none could be started.
    """
    if channel.poke(layout):
        refuse_or_replace(layout)
        return
    start(layout)


def refuse_or_replace(layout: Layout) -> None:
    """An agent of another version: a newer one stays, an older one is asked to leave and makes room."""
    facts = lock.holder(layout)
    if facts is None or facts.version == VERSION:
        return
    if version_key(facts.version) > version_key(VERSION):
        raise ConflictError(
            f"the agent of {layout.root} is version {facts.version}, this program is {VERSION}",
            hint="Use the newer program, or end the agent with it: `workbench agent stop`.",
        )
    stop(layout)
    start(layout)


def version_key(version: str) -> tuple[int, ...]:
    """A version for comparing."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def start(layout: Layout) -> None:
    """Start an agent in a session of its own. It outlives this process, the terminal and the SSH connection."""
    layout.run.mkdir(exist_ok=True, mode=0o700)
    log = os.open(layout.agent_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(
            [*scope(), sys.executable, "-P", "-m", "workbench.agent", str(layout.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise MachineError(f"the agent could not be started: {error}") from error
    finally:
        os.close(log)
    process.returncode = 0  # it is not ours to wait for: init inherits it


def scope() -> list[str]:
    """Where systemd ends a user's processes at logout, a scope of its own keeps the agent alive (systemd-run(1))."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if not runtime or not (Path(runtime) / "systemd" / "private").exists():
        return []
    from shutil import which

    return ["systemd-run", "--user", "--scope", "--quiet", "--collect"] if which("systemd-run") else []


def ensure(layout: Layout) -> lock.AgentFacts:
    """Start an agent unless there is one, and wait until it holds the lock. Raises MachineError when it does not."""
    wake(layout)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (facts := lock.holder(layout)) is not None:
            return facts
        time.sleep(0.01)
    raise MachineError("the agent did not start", hint=f"`workbench agent logs` shows why: {layout.agent_log}")


def stop(layout: Layout, wait_seconds: float = 30.0) -> bool:
    """Ask the agent to leave, and return when it has; False when there was none. Running jobs go on without it."""
    facts = lock.holder(layout)
    if facts is None:
        return False
    try:
        os.kill(facts.pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    deadline = time.monotonic() + wait_seconds
    while lock.held(layout.agent_lock):
        if time.monotonic() > deadline:
            raise MachineError(f"the agent (process {facts.pid}) did not leave within {wait_seconds:.0f} s")
        time.sleep(0.01)
    return True
