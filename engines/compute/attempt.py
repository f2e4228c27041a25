"""The folder of one attempt: what it says, and the requests that are left in it for the shim.

``task.json`` is what to do. ``started`` exists once somebody owns the attempt: a shim, or whoever revoked it.
``cancel`` and ``kill`` are requests. ``exit.json`` is how it ended, ``shim.log`` the shim's own trouble.
"""

from __future__ import annotations

import json
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from engines.compute.base import ExitRecord, Task, TaskState
from engines.compute.process_identity import ProcessIdentity
from store.disk import write_whole

REVOKED = "revoked"
"""Where ``started`` leads in a revoked attempt. A link to nothing: it exists for whoever would create the file, says
what it is from the moment it is there, and needs no room on a full disk.
"""
CLAIM_SECONDS = 5.0
"""A shim creates ``started`` and fills it at once; one that is still empty after this long was cut short."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What ``started`` says: the shim that owns the attempt, None if it cannot be told; or that it was revoked."""

    owner: ProcessIdentity | None
    revoked: bool
    age: float


def write_task(attempt: Path, task: Task) -> None:
    """Leave ``task.json`` for a shim that is about to start, and make the places of its logs."""
    attempt.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(attempt / "task.json", json.dumps(task.document()))
    for process in task.processes:
        Path(process.log).parent.mkdir(parents=True, exist_ok=True)


def read_state(attempt: Path) -> TaskState:
    """What the folder and the process table say of an attempt on this machine."""
    record = read_record(attempt)
    if record is not None:
        return TaskState("exited", record)
    claim = read_claim(attempt)
    if claim is None or claim.revoked:
        return TaskState("not_started")
    alive = claim.owner.alive() if claim.owner else claim.age < CLAIM_SECONDS
    if alive:
        return TaskState("running")
    record = read_record(attempt)  # again: it may have been written before the shim went
    return TaskState("lost") if record is None else TaskState("exited", record)


def read_record(attempt: Path) -> ExitRecord | None:
    """How the task ended, if it has."""
    return cast("ExitRecord | None", read_json(attempt / "exit.json"))


def read_claim(attempt: Path) -> Claim | None:
    """Who owns the attempt, if anybody does."""
    started = attempt / "started"
    try:
        status = started.lstat()
    except FileNotFoundError:
        return None
    age = abs(time.time() - status.st_mtime)  # a clock that was set back must not make it young for ever
    if stat.S_ISLNK(status.st_mode):
        return Claim(None, True, age)
    content = read_json(attempt / "started") or {}
    if "pid" not in content:
        return Claim(None, bool(content.get("revoked")), age)
    return Claim(ProcessIdentity(content["pid"], content["start_time"], content["boot_id"]), False, age)


def revoke(attempt: Path) -> bool:
    """Own the attempt before a shim does; True if that was possible, now or earlier."""
    attempt.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        (attempt / "started").symlink_to(REVOKED)
    except FileExistsError:
        claim = read_claim(attempt)
        return claim is not None and claim.revoked
    return True


def request(attempt: Path, what: str) -> None:
    """Leave ``cancel`` or ``kill`` for the shim, now or when it starts."""
    attempt.mkdir(parents=True, exist_ok=True, mode=0o700)
    (attempt / what).touch(mode=0o600)


def complaint(attempt: Path) -> str | None:
    """The last line of the shim's own log."""
    try:
        lines = (attempt / "shim.log").read_text("utf-8", "replace").split("\n")
    except OSError:
        return None
    return next((line.strip() for line in reversed(lines) if line.strip()), None)


def read_json(path: Path) -> dict[str, Any] | None:
    """None where there is nothing, or nothing whole."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content if isinstance(content, dict) else None
