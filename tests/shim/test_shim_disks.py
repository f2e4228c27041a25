"""The shim on disks that are full at each of its steps, and in folders that vanish."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.compute.contract import wait_until
from tests.shim.attempts import Attempt, needs_root

# Full disks and vanished folders


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, b"size=256k") != 0:
        pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(bytes(folder), 2)


def fill(disk: Path, leave: int = 0) -> Path:
    """Fill the disk but for ``leave`` bytes; returns the file that has the rest."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    os.truncate(filler, filler.stat().st_size - leave)
    return filler


@needs_root
def test_a_disk_that_fills_up_while_the_task_runs(attempt: Attempt, small_disk: Path) -> None:
    attempt.folder = small_disk
    journal = str(small_disk / "metrics.jsonl")
    os.mkfifo(small_disk / "go")
    attempt.start("read line < go; echo lost; exit 6", journal=journal, sample_every=0.05)
    attempt.wait_for("metrics.jsonl")
    with contextlib.suppress(OSError):
        while True:
            fill(small_disk)  # again, for the journal has room yet in its last block
            with open(journal, "ab", buffering=0) as file:
                file.write(b"\n" * 512)
    (small_disk / "go").write_text("go\n")
    record = attempt.wait()
    assert (record["outcome"], record["exit_code"]) == ("exited", 6)
    assert attempt.log.read_text() == ""


@needs_root
def test_a_disk_that_is_full_from_the_start(attempt: Attempt, small_disk: Path) -> None:
    attempt.folder = small_disk
    attempt.write("echo > begun")
    fill(small_disk)
    assert attempt.start().wait(30) != 0
    assert not (attempt.attempt / "started").exists(), "it may be tried again"
    assert not (small_disk / "begun").exists()


@needs_root
def test_a_disk_that_has_room_for_the_record_only_later(attempt: Attempt, small_disk: Path) -> None:
    attempt.folder = small_disk
    attempt.write("exit 6")
    filler = fill(small_disk, leave=4096)  # which the claim takes
    attempt.start()
    wait_until(lambda: (attempt.attempt / "started").exists(), "the claim")
    wait_until(lambda: attempt.log.exists(), "the task to start")
    assert attempt.shims[0].poll() is None
    filler.unlink()
    assert attempt.wait()["exit_code"] == 6


def test_a_log_on_a_full_disk(attempt: Attempt) -> None:
    process = {"argv": ["bash", "-c", "echo lost; exit 2"], "environment": {}, "log": "/dev/full"}
    record = attempt.run(processes=[process], journal="/dev/full", sample_every=0.01)
    assert (record["outcome"], record["exit_code"]) == ("exited", 2)


def test_a_folder_that_is_removed_meanwhile(attempt: Attempt) -> None:
    os.mkfifo(attempt.folder / "go")
    shim = attempt.start("echo > begun; read line < go")
    attempt.wait_for("begun")
    wait_until(lambda: (attempt.attempt / "exit.json.tmp").exists(), "room for the record")
    shutil.rmtree(attempt.attempt)
    (attempt.folder / "go").write_text("go\n")
    assert shim.wait(30) == 1
