"""The engine that runs tasks on this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import struct
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.compute import attempt as attempts
from engines.compute import leftovers
from engines.compute.base import ExitRecord, Task, TaskState
from store.disk import write_whole
from store.errors import MachineError

if TYPE_CHECKING:
    import subprocess


class LocalEngine:
    """Starts a shim for each task, in a session of its own: it outlives this process, and another can take over."""

    def __init__(self) -> None:
        self.shims: dict[Path, subprocess.Popen[bytes]] = {}
        """Those that this process started and that have not been seen to end; asking after them leaves no zombies."""

    def start(self, attempt: Path, task: Task, environment: Mapping[str, str]) -> None:
        """Write ``task.json`` and start the shim."""
        import subprocess

        self.forget_ended()
        try:
            attempts.write_task(attempt, task)
            link_first_log(task)
            with (attempt / "shim.log").open("ab") as log:
                self.shims[attempt] = subprocess.Popen(
                    [sys.executable, "-I", "-S", shim_program(), str(attempt)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env=dict(environment),
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in the environment
            raise MachineError(f"the supervisor of job {task.name!r} cannot be started: {error}") from error

    def poll(self, attempt: Path) -> TaskState:
        """What is known now."""
        shim = self.shims.get(attempt)
        ended = shim is not None and shim.poll() is not None  # before the folder is looked at: it left what it left
        state = attempts.read_state(attempt)
        if shim is None or not ended:
            return state
        if state.kind == "not_started" and attempts.read_claim(attempt) is None:  # else somebody revoked it
            state = self.give_up(attempt, shim.returncode)
        self.shims.pop(attempt, None)
        return state

    def cancel(self, attempt: Path) -> None:
        """Leave the request and wake the shim."""
        self.ask(attempt, "cancel")

    def kill(self, attempt: Path) -> None:
        """The same, without a grace period."""
        self.ask(attempt, "kill")

    def revoke(self, attempt: Path) -> bool:
        """Claim the attempt, so that a shim which comes late leaves."""
        try:
            return attempts.revoke(attempt)
        except OSError as error:
            raise MachineError(f"{attempt} cannot be revoked: {error}") from error

    def kill_leftovers(self, token: str) -> list[int]:
        """End all processes that carry the token."""
        return leftovers.end(token)

    def capacity(self, compute: Mapping[str, Any]) -> int:
        """As many as the document says, else one for each core that this process may use."""
        stated = compute.get("max_instances")
        return usable_cores() if stated is None else int(stated)

    def ask(self, attempt: Path, what: str) -> None:
        """The file first: a shim that has not claimed the attempt yet finds it then."""
        problem: OSError | None = None
        try:
            attempts.request(attempt, what)
        except OSError as error:  # a full disk: the signal alone cancels
            problem = error
        claim = attempts.read_claim(attempt)
        heard = claim is not None and claim.owner is not None and claim.owner.send(signal.SIGTERM)
        if problem is not None and not heard:
            raise MachineError(f"cannot {what} {attempt}: {problem}") from problem

    def give_up(self, attempt: Path, status: int) -> TaskState:
        """A shim that left without claiming its attempt will not come back: nothing ran, and the record says why."""
        if not attempts.revoke(attempt):
            return attempts.read_state(attempt)
        now = time.time()
        reason = attempts.complaint(attempt) or f"it left with status {status}"
        record = ExitRecord(
            token=(attempts.read_json(attempt / "task.json") or {}).get("token", ""),
            outcome="spawn_failed",
            exit_code=None,
            signal=None,
            failed_process=None,
            message=f"the supervisor could not begin: {reason}",
            started_at=now,
            ended_at=now,
            wall_seconds=0.0,
            cpu_seconds=0.0,
            peak_memory_bytes=0,
            memory_kills=0,
        )
        with contextlib.suppress(OSError):  # likely a full disk, which may be why
            write_whole(attempt / "exit.json", json.dumps(record))
        return TaskState("exited", record)

    def forget_ended(self) -> None:
        """Take in shims that have ended and whose attempts nobody asks after."""
        for attempt, shim in list(self.shims.items()):
            if shim.poll() is not None and os.path.lexists(attempt / "started"):
                self.shims.pop(attempt, None)


def link_first_log(task: Task) -> None:
    """Of several processes, the first one's log is the task's: ``std_log.txt`` leads to it."""
    first = Path(task.processes[0].log)
    shown = first.with_name("std_log.txt")
    if len(task.processes) > 1 and first != shown:  # the others may be services alone
        with contextlib.suppress(FileExistsError):
            shown.symlink_to(first.name)


@cache
def shim_program() -> str:
    """The shim as byte code where there is some: the interpreter would compile a script anew each time (4 ms)."""
    from workbench import shim  # importing it writes the byte code, where that may be written

    source, compiled = Path(shim.__file__), Path(importlib.util.cache_from_source(shim.__file__))
    try:
        made_from = compiled.read_bytes()[:16]
    except OSError:
        return str(source)
    now = source.stat()
    header = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, int(now.st_mtime), now.st_size)
    return str(compiled if made_from == header else source)


def usable_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1
