"""How much room folders take, without keeping anybody waiting for a large one."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes on the disk; not ``whole`` where the time was up before all was counted."""

    bytes: int
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Room:
    """The file system that holds a folder."""

    total: int
    free: int
    """For this user."""


def size_of(folder: Path, seconds: float = 2.0) -> Size:
    """What a folder takes on the disk; files that are linked several times count once, links lead nowhere."""
    until = time.monotonic() + seconds
    met: set[tuple[int, int]] = set()
    total, waiting = 0, [str(folder)]
    while waiting:
        if time.monotonic() > until:
            return Size(total, whole=False)
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif status.st_nlink > 1:
                        if (status.st_dev, status.st_ino) in met:
                            continue
                        met.add((status.st_dev, status.st_ino))
                    total += status.st_blocks * 512
        except OSError:  # it went while it was looked at, or is another user's
            continue
    return Size(total)


def room_of(folder: Path) -> Room | None:
    """How much room the file system of a folder has; None where it does not tell."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Room(usage.total, usage.free) if usage.total else None
