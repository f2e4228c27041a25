"""Which process is meant: numbers are reused."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from engines.compute.process_identity import ProcessIdentity, boot_id, read_status

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def test_a_running_process() -> None:
    own = ProcessIdentity.of(os.getpid())
    assert own is not None
    assert (own.pid, own.boot_id) == (os.getpid(), boot_id())
    assert own.alive()
    assert not replace(own, start_time=1).alive()
    assert not replace(own, boot_id="another").alive()


def test_a_name_with_blanks_and_parentheses(tmp_path: Path) -> None:
    program = tmp_path / "a ) Z 1 (b"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "1000"])
    status = read_status(process.pid)
    process.kill()
    process.wait()
    assert status is not None
    assert (status.parent, status.zombie) == (os.getpid(), False)


def test_a_zombie_does_not_live() -> None:
    process = subprocess.Popen(["sleep", "1000"])
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    assert identity.send(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and still in the table
    assert not identity.alive()
    assert ProcessIdentity.of(process.pid) is None
    assert not identity.send(signal.SIGKILL)
    process.wait()
    assert not identity.alive()
    assert not identity.send(signal.SIGKILL)


def test_another_process_of_the_same_number_is_not_signalled() -> None:
    process = subprocess.Popen(["sleep", "1000"])
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    assert not replace(identity, start_time=1).send(signal.SIGKILL)
    assert process.poll() is None
    process.kill()
    process.wait()
