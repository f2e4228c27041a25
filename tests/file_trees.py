"""Folders of files for tests, and small disks that fill up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def fill(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


@contextmanager
def mounted(place: Path, *arguments: str | Path) -> Iterator[Path]:
    """A file system at ``place`` for as long as the context lasts; the test is skipped where nothing can be mounted."""
    place.mkdir()
    command = ["mount", *map(str, arguments), str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def small_disk(place: Path) -> Iterator[Path]:
    """A disk of one megabyte, as the body of a fixture."""
    with mounted(place, "-t", "tmpfs", "-o", "size=1m", "none") as disk:
        yield disk
