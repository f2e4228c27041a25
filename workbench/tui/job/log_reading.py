"""What the Log tab asks of a job's files; run in threads."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from store.bounded_search import BoundedSearch
from store.log_index import LineIndex
from store.log_lines import OpenLog, Window, window
from store.log_search import Pattern, Search
from store.time_limit import TooSlowError

if TYPE_CHECKING:
    from store.jobs import Job
    from workbench.tui.access import Stores

COUNT_BYTES = 64 << 20
"""What is counted at once, before others have their turn."""

YIELD_SECONDS = 0.001
PAUSE_SECONDS = 0.0001
"""After so long a search gives way to the thread that answers keys, which else gets Python's lock after 5 ms."""

BATCH_SECONDS = 0.5
"""How long a search goes on before it tells what it found."""


class LogFile:
    """One log of a job, whether it is there or not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = LineIndex()
        self.identity: tuple[int, int] | None = None
        self.counting = False
        """Whether line numbers are wanted."""
        self._lock = threading.Lock()

    def look(self, _stores: Stores) -> tuple[int, tuple[int, int]]:
        """Size and identity now."""
        with OpenLog(self.path) as log:
            return log.size, log.identity

    def window(self, _stores: Stores, offset: int | None, least: int) -> Window:
        """The lines around a byte; the last ones for None."""
        with OpenLog(self.path) as log:
            found = window(log, log.size if offset is None else offset, least, least)
            if not (self.counting and found.lines):
                return found
            with self._lock:
                self._same(log)
                return replace(found, number=self.index.number_at(log, found.lines[0].start))

    def count(self, _stores: Stores) -> bool:
        """Count lines further; whether all are counted."""
        with OpenLog(self.path) as log, self._lock:
            self._same(log)
            return self.index.extend(log, COUNT_BYTES)

    def offset_of(self, _stores: Stores, number: int) -> tuple[int | None, int, bool]:
        """Where a line begins, how many lines are counted, and whether those are all; counts further on the way."""
        with OpenLog(self.path) as log, self._lock:
            self._same(log)
            complete = number - 1 <= self.index.ends or self.index.extend(log, COUNT_BYTES)
            return self.index.offset_of(log, number), self.index.ends, complete

    def _same(self, log: OpenLog) -> None:
        """Begin anew where another file lies in its place, or a shorter one."""
        if log.identity != self.identity or log.size < self.index.scanned:
            self.identity, self.index = log.identity, LineIndex()


class Searching:
    """A search that can be ended."""

    def __init__(self, pattern: Pattern, origin: int, path: Path) -> None:
        self._bounded = BoundedSearch(pattern.text) if pattern.regular else None
        self.search = Search(pattern, origin, self._bounded.hits) if self._bounded else Search(pattern, origin)
        self.path = path
        self.ended = threading.Event()
        self.too_slow = False
        """Whether it was given up, because the expression takes too long."""

    def end(self) -> None:
        """Have the thread end, and the process where there is one."""
        self.ended.set()
        if self._bounded is not None:
            self._bounded.close()

    def batch(self) -> bool:
        """Search for a moment; whether there is more to search."""
        begun = yielded = time.monotonic()
        before = self.search.count
        try:
            with OpenLog(self.path) as log:
                while not self.ended.is_set() and self.search.step(log):
                    now = time.monotonic()
                    if now > begun + BATCH_SECONDS or (before == 0 and self.search.count):
                        return True
                    if now > yielded + YIELD_SECONDS:
                        time.sleep(PAUSE_SECONDS)
                        yielded = time.monotonic()
        except OSError:  # the view says it
            return False
        except TooSlowError:
            self.too_slow = not self.ended.is_set()
        return False


@dataclass(frozen=True, slots=True)
class Named:
    """A log of the job that can be chosen."""

    name: str
    path: Path
    size: int


def logs(stores: Stores, job: str) -> list[Named]:
    """All logs that are there, the job's own first."""
    from engines.jobs.facts import log_files

    found: list[Named] = []
    for name, path in log_files(stores.layout.job(job)).items():
        try:
            found.append(Named(name, Path(path), os.stat(path).st_size))
        except OSError:
            continue
    return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why there is no log yet."""

    ahead: int | None = None
    """How many jobs stand before it in the queue."""
    obstacle: str = ""
    """What it waits for in vain, as it is."""
    hint: str = ""
    others: int = 0
    """How many other logs of the job there are."""


def waiting(stores: Stores, job: Job) -> Waiting:
    """What the job waits for."""
    from engines.jobs.registry import obstacle
    from store import queue

    others = sum(each.path != stores.layout.job(job.name).log for each in logs(stores, job.name))
    if job.status not in ("NotStarted", "Queued"):
        return Waiting(others=others)
    missing = obstacle(stores.workbench, job)
    return Waiting(
        queue.position(stores.workbench, job) if job.status == "Queued" else None,
        missing.message if missing else "",
        (missing.hint or "") if missing else "",
        others,
    )
