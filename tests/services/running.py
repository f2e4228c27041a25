"""Real services for tests: programs on ports of the loopback interface, ended by their process group."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest


def missing(why: str) -> NoReturn:
    """A service that is not there: the test is skipped, but fails where continuous integration has installed all."""
    if os.environ.get("CI_SERVICES") == "1":
        pytest.fail(why)
    pytest.skip(why)


def program(name: str, package: str, *folders: str) -> str:
    """The path of a program; ``package`` is what brings it."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *folders])
    found = shutil.which(name, path=path)
    return found or missing(f"{name} is not installed: {package}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str], port: int, log: Path, seconds: float = 20, *, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A service from the moment that it accepts connections on; its process group ends with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
        )
    try:
        until = time.monotonic() + seconds
        while not answers(port):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{command[0]} does not come up:\n{log.read_text(errors='replace')[-2000:]}")
        yield process
    finally:
        end(process)


def answers(port: int) -> bool:
    """Whether somebody listens; waits for a moment."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        time.sleep(0.02)
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all of its group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
