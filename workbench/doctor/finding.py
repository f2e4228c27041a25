"""What a check finds, and where it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from store.layout import Layout
from store.mounts import existing

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result: ``check`` names what was looked at and stays the same; ``mend`` is what to do."""

    check: str
    level: Level
    title: str
    detail: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """The workspace to look at, which may not exist or not be whole, and the cache."""

    layout: Layout
    cache: Path

    @property
    def exists(self) -> bool:
        """Whether there is a workspace; one that may not be looked into is."""
        try:
            return self.layout.database.exists()
        except OSError:
            return True


Check = Callable[[Place], Iterator[Finding]]


def size(count: float) -> str:
    """A number of bytes in words."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def nearest(path: Path) -> Path:
    """A folder, or the nearest one above it that exists."""
    found = existing(path)
    return found if found.is_dir() else found.parent
