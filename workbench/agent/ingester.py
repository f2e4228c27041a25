"""Brings the metrics of running jobs into ``mlflow.db``, in one thread of the agent."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from store.errors import WorkbenchError
from store.layout import Layout
from store.tracking import ingest, runs

log = logging.getLogger("workbench.agent")

INGEST_SECONDS = 0.5


class Ingester:
    """Follows the journals of the jobs that it is told to watch."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.watched: frozenset[str] = frozenset()
        self.sizes: dict[str, int] = {}
        self.stopping = threading.Event()
        self.changed = threading.Event()
        self.thread = threading.Thread(target=self.follow, name="ingest", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self.thread.start()

    def watch(self, jobs: set[str]) -> None:
        """These jobs are running now."""
        self.watched = frozenset(jobs)
        self.sizes = {name: size for name, size in self.sizes.items() if name in self.watched}
        if jobs:
            self.changed.set()

    def stop(self) -> None:
        """End the thread after the chunk in hand."""
        self.stopping.set()
        self.changed.set()
        if self.thread.is_alive():
            self.thread.join()

    def follow(self) -> None:
        """Look at the journals twice a second while jobs run; sleep while none does."""
        connection = runs.connect(self.layout)
        try:
            while not self.stopping.is_set():
                self.changed.wait()
                for job in self.watched:
                    try:
                        self.bring_in(connection, job)
                    except WorkbenchError as error:
                        log.error("metrics of job %s: %s", job, error)
                if not self.watched:
                    self.changed.clear()
                self.stopping.wait(INGEST_SECONDS)
        finally:
            connection.close()

    def bring_in(self, connection: sqlite3.Connection, job: str) -> None:
        """Ingest a journal that has grown, a chunk at a time."""
        journal = self.layout.job(job).journal
        size = size_of(journal)
        if size == self.sizes.get(job, 0):
            return
        while not self.stopping.is_set() and not ingest.ingest(connection, job, journal).done:
            pass
        self.sizes[job] = size


def size_of(path: Path) -> int:
    """A file's size, 0 when it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
