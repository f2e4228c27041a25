"""What a task left running after its shim was killed, found by the token that its processes carry."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from engines.compute.process_identity import ProcessIdentity, Status, boot_id, read_status

LOOK_AGAIN = 0.01
"""Seconds. A process that SIGKILL was sent to is gone in less, unless it hangs in the kernel."""


def end(token: str, patience: float = 5.0) -> list[int]:
    """Kill every process of the task, until none is left or ``patience`` seconds are over; returns their numbers.

    They are looked for again and again: a process may fork while the others are being killed.
    """
    deadline = time.monotonic() + patience
    ended: set[int] = set()
    while left := find(token):
        if time.monotonic() > deadline:
            break
        for process in left:
            process.send(signal.SIGKILL)
            ended.add(process.pid)
        time.sleep(LOOK_AGAIN)
    return sorted(ended - {process.pid for process in left})


def find(token: str) -> list[ProcessIdentity]:
    """The processes that carry the token, and those that threw it away: their descendants and sessions."""
    table = all_processes()
    found = {pid for pid in table if carries(pid, f"WORKBENCH_TOKEN={token}".encode())}
    # A session belongs to the task if its leader does or is gone (the shim that was killed may have led it); 0 stands
    # for all whose leader is outside this container.
    sessions = {session for pid in found if (session := table[pid].session) in found or session not in table} - {0}
    found |= {pid for pid, status in table.items() if status.session in sessions}
    generation = set(found)
    while generation:
        generation = {pid for pid, status in table.items() if status.parent in generation} - found
        found |= generation
    found.discard(os.getpid())
    return [ProcessIdentity(pid, table[pid].start_time, boot_id()) for pid in found if not table[pid].zombie]


def all_processes() -> dict[int, Status]:
    """Nothing where there is no /proc."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return {}
    statuses = (read_status(int(name)) for name in names if name.isdigit())
    return {status.pid: status for status in statuses if status is not None}


def carries(pid: int, variable: bytes) -> bool:
    """Whether a process was started with this variable in its environment."""
    try:
        return variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
