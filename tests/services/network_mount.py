"""A folder that is mounted as one of another machine is: by rclone, through FUSE. The kernel tells nothing of it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.file_servers import rclone
from tests.services.running import end, program


@dataclass(frozen=True, slots=True)
class NetworkMount:
    """``folder`` is where it is mounted, ``behind`` where others write."""

    folder: Path
    behind: Path


@pytest.fixture
def network_mount(tmp_path: Path) -> Iterator[NetworkMount]:
    """Skipped where nothing can be mounted, as in a container without the right to."""
    command, unmount = rclone(), program("fusermount3", "apt install fuse3")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("nothing can be mounted here: no /dev/fuse")
    behind, folder = tmp_path / "behind", tmp_path / "mounted"
    behind.mkdir()
    folder.mkdir()
    options = ["--dir-cache-time", "0s", "--attr-timeout", "0s", "--config", os.devnull]
    process = subprocess.Popen(
        [command, "mount", *options, str(behind), str(folder)], stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        until = time.monotonic() + 20
        while not folder.is_mount():
            if process.poll() is not None:
                said = process.stderr.read().decode() if process.stderr else ""
                if "not permitted" in said.lower():
                    pytest.skip(f"nothing can be mounted here: {said}")
                pytest.fail(said)
            assert time.monotonic() < until, "it is not mounted in time"
            time.sleep(0.02)
        yield NetworkMount(folder, behind)
    finally:
        subprocess.run([unmount, "-uz", str(folder)], capture_output=True, check=False)
        end(process)
