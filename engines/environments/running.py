"""Programs that a build runs: their output line by line, an end when it is asked for, no one left behind."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from store.errors import WorkbenchError

if TYPE_CHECKING:
    import psutil

_GRACE = 5.0
"""Seconds between asking a program to end and ending it."""
ASKED_EVERY = 0.1
"""Seconds between two looks at whether to give up."""
_KEPT_LINES = 200


class BuildCanceled(WorkbenchError):
    """The build was given up on request."""


def run(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    each_line: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> tuple[int, list[str]]:
    """Run a program to its end and return its exit code and last lines. Raises BuildCanceled, OSError.

    It has a process group of its own, which is ended with it, so nothing that it started goes on alone.
    """
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    process = subprocess.Popen(
        arguments,
        env=environ,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=0o077,
    )
    try:
        for line in _lines(process, cancelled):
            last.append(line)
            each_line(line)
        return process.wait(), list(last)
    finally:
        _end_group(process)


def _lines(process: subprocess.Popen[bytes], cancelled: Callable[[], bool]) -> Iterator[str]:
    assert process.stdout is not None  # noqa: S101  (it is a pipe)
    stream = process.stdout.fileno()
    os.set_blocking(stream, False)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if cancelled():
                raise BuildCanceled("the build of the environment was canceled")
            if not selector.select(ASKED_EVERY):
                # Whoever the program has started may hold the pipe open after its end.
                if process.poll() is not None:
                    break
                continue
            block = os.read(stream, 65536)
            if not block:
                break
            *whole, rest = (rest + block).split(b"\n")
            yield from (line.decode(errors="replace").rstrip("\r") for line in whole)
    if rest:
        yield rest.decode(errors="replace")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def end_orphans(variable: str, value: str) -> int:
    """End every process of this user that has ``variable=value`` in its environment; returns how many there were.

    A builder that was killed at once could not end what it had started.
    """
    import psutil

    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(variable) == value:
                process.kill()
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline and any(_still_runs(process) for process in found):
        time.sleep(ASKED_EVERY / 10)
    return len(found)


def _still_runs(process: psutil.Process) -> bool:
    """A zombie does nothing any more, and stays one as long as its parent likes."""
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
