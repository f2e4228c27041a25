"""Start, poke and stop a workspace's agent; what clients use."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from store.disk import explain
from store.errors import ConflictError, MachineError, NotFoundError
from store.layout import Layout, runtime_folder
from workbench.agent import channel, lock, unit
from workbench.agent.version import VERSION

START_SECONDS = 10.0
SILENT_SECONDS = 2.0
"""An agent says at once who it is; what holds its lock for longer in silence is a migration, or a deletion."""
RUN = "systemd-run --user --scope --quiet --collect"
LINGERING = Path("/var/lib/systemd/linger")
"""Where logind keeps a file for each user who lingers."""


def wake(layout: Layout) -> bool:
    """Make sure that an agent looks at the store soon: started when there is none, replaced when it is older.

    Returns whether one was started. Raises ConflictError when a newer agent is at work, MachineError when none could be
    started.
    """
    if channel.poke(layout) and lock.held(layout.agent_lock):  # one that was killed hears a moment longer than it holds
        return refuse_or_replace(layout)
    start(layout)
    return True


def refuse_or_replace(layout: Layout) -> bool:
    """An agent of another version: a newer one stays, an older one is asked to leave and makes room (True)."""
    facts = lock.holder(layout)
    if facts is None or facts.version == VERSION:
        return False
    if version_key(facts.version) > version_key(VERSION):
        raise ConflictError(
            f"the agent of {layout.root} is version {facts.version}, this program is {VERSION}",
            hint="Use the newer program, or end the agent with it: `workbench agent stop`.",
        )
    stop(layout)
    start(layout)
    return True


def version_key(version: str) -> tuple[int, ...]:
    """A version for comparing."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def start(layout: Layout) -> None:
    """Start an agent: through its unit where it is enabled, else in a session of its own.

    It outlives this process, the terminal and the SSH connection.
    """
    if not layout.database.exists():
        raise NotFoundError(f"the workspace {layout.root} is not there any more")
    if unit.start(layout):
        return
    try:
        layout.run.mkdir(exist_ok=True, mode=0o700)
        log = os.open(layout.agent_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise explain(error, "the agent cannot be started") from error
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


def scope(lingering: Path = LINGERING) -> list[str]:
    """What to put before the agent's command, so that a logout does not end it (systemd-run(1), logind.conf(5)).

    A scope below the user's service manager outlives the session where the user lingers. Where not, the manager ends
    with the last session and takes its scopes along: then the agent is better off in the session, which ends nothing
    by default. Where the manager does not answer, the agent starts without.
    """
    if not (runtime_folder() / "systemd" / "private").exists() or not lingers(lingering):
        return []
    return ["/bin/sh", "-c", f'{RUN} true 2>/dev/null && exec {RUN} "$@"; exec "$@"', "workbench-agent"]


def lingers(lingering: Path = LINGERING) -> bool:
    """Whether the user's service manager runs from boot on, and outlives the last session."""
    return (lingering / user_name()).exists()


def user_name() -> str:
    """Of this process's user; the number where there is no name."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def ensure(layout: Layout) -> lock.AgentFacts:
    """Start an agent unless there is one, and wait until it holds the lock. Raises MachineError when it does not."""
    started = wake(layout)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (facts := lock.holder(layout)) is not None:
            return facts
        if not started and not lock.held(layout.agent_lock):  # the one that was poked has just ended
            started = wake(layout)
        time.sleep(0.01)
    hint = f"`workbench agent logs` shows why: {layout.agent_log}"
    raise MachineError("the agent did not start", hint=f"{hint}{last_words(layout)}")


def last_words(layout: Layout, count: int = 5) -> str:
    """The end of the agent's log, in lines of their own; nothing where there is none."""
    try:
        lines = layout.agent_log.read_text("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return ""
    return "".join(["\nThe end of its log:", *(f"\n  | {line}" for line in lines)]) if lines else ""


def stop(layout: Layout, wait_seconds: float = 30.0) -> bool:
    """Ask the agent to leave, and return when none is left; False when there was none. Running jobs go on without it.

    Whoever takes the lock meanwhile is asked too: one may have waited for it, as behind an agent that was killed, and
    for a moment the file tells of the one before.
    """
    began, asked = time.monotonic(), list[int]()
    while lock.held(layout.agent_lock):
        facts, waited = lock.holder(layout), time.monotonic() - began
        if facts is not None and facts.pid not in asked:
            asked.append(facts.pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(facts.pid, signal.SIGTERM)
        if not asked and waited > SILENT_SECONDS:
            return False
        if waited > wait_seconds:
            raise MachineError(f"the agent (process {asked[-1]}) did not leave within {wait_seconds:.0f} s")
        time.sleep(0.01)
    return bool(asked)
