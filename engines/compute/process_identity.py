"""Which process is meant: a number alone may belong to another one by now."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process by number, start time (clock ticks since boot, field 22 of /proc/PID/stat) and boot.

    Where there is no /proc the last two are None, and the number has to do.
    """

    pid: int
    start_time: int | None
    boot_id: str | None

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """The process that has this number now; None if there is none or it is a zombie."""
        status = read_status(pid)
        if status is not None:
            return None if status.zombie else cls(pid, status.start_time, boot_id())
        return cls(pid, None, None) if not has_proc() and exists(pid) else None

    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        if self.start_time is None:
            return exists(self.pid)
        return ProcessIdentity.of(self.pid) == self

    def send(self, number: signal.Signals) -> bool:
        """Signal it, and surely no other; False if it is gone."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        except (AttributeError, OSError):  # macOS; an old kernel: a moment remains in which the number may be reused
            return self.alive() and send(self.pid, number)
        try:
            if not self.alive():
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True


@dataclass(frozen=True, slots=True)
class Status:
    """What /proc/PID/stat says."""

    pid: int
    parent: int
    session: int
    start_time: int
    zombie: bool


def read_status(pid: int) -> Status | None:
    """None where there is no such process, or no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()  # the name before it may hold blanks and parentheses
    return Status(pid, int(fields[1]), int(fields[3]), int(fields[19]), fields[0] in (b"Z", b"X"))


@cache
def boot_id() -> str | None:
    """Changes with each boot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


@cache
def has_proc() -> bool:
    return Path("/proc/self/stat").exists()


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def send(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
