"""What lies behind a job's local inputs, in a few numbers: enough to notice later that it has changed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engines.jobs.inputs import Input
from store.errors import WorkbenchError
from store.layout import Layout
from store.uris import Resolver

ENTRIES = 5000
"""Of a larger folder only so many entries are looked at: whoever submits waits for it."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file, or the files below a folder; ``whole`` is False where there are more than were looked at."""

    files: int
    bytes: int
    newest_ns: int
    whole: bool = True

    @classmethod
    def read(cls, document: Any) -> Content | None:
        """What ``contents`` gave, from a job's stored record; None for what another version wrote."""
        fields = cls.__dataclass_fields__
        return cls(**document) if isinstance(document, Mapping) and document.keys() == fields.keys() else None

    def differs(self, other: Content) -> tuple[str, str] | None:
        """This content and another in words that tell them apart, None where they are alike."""
        if self == other:
            return None
        if (self.files, self.bytes) != (other.files, other.bytes):
            return self.size, other.size
        return f"{self.size} of {written(self.newest_ns)}", f"{other.size} of {written(other.newest_ns)}"

    @property
    def size(self) -> str:
        """How much it is, in words."""
        count = f"{self.bytes:,} bytes"
        if self.files == 1:
            return count
        return f"{'' if self.whole else 'first '}{self.files:,} files, {count}"


def contents(connection: sqlite3.Connection, layout: Layout, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What lies behind each input of a document that is on this machine, as a job's record keeps it."""
    resolver, found = Resolver(layout, connection), dict[str, dict[str, Any]]()
    for name in document.get("inputs") or {}:
        try:
            given = Input.read(document, name)
            path = resolver.find(given.path).path if given is not None else None
            if path is not None:
                found[name] = asdict(survey(path))
        except (WorkbenchError, OSError):
            continue  # nothing to compare with later; whether the job can have it is decided elsewhere
    return found


def survey(path: Path) -> Content:
    """Count what lies at a path; a link to a folder counts as one file. Raises OSError."""
    if not path.is_dir():
        status = path.stat()
        return Content(1, status.st_size, status.st_mtime_ns)
    files = size = newest = seen = 0
    waiting = [str(path)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if seen == ENTRIES:
                    return Content(files, size, newest, whole=False)
                seen += 1
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    continue
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    status = entry.stat(follow_symlinks=False)  # a link that leads nowhere
                files, size, newest = files + 1, size + status.st_size, max(newest, status.st_mtime_ns)
    return Content(files, size, newest)


def written(time_ns: int) -> str:
    """A time of writing as a person reads it, on the local clock."""
    return datetime.fromtimestamp(time_ns / 1e9).isoformat(" ", "milliseconds")
