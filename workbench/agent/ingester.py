"""Brings the metrics of running jobs into ``mlflow.db``, in one thread of the agent."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from store.layout import Layout
from store.tracking import ingest, runs
from workbench.agent.trouble import Laments

INGEST_SECONDS = 0.5


class Ingester:
    """Follows the journals of the jobs that it is told to watch."""

    def __init__(self, layout: Layout, laments: Laments) -> None:
        self.layout, self.laments = layout, laments
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
        """Look at the journals twice a second while jobs run; sleep while none does. Trouble is no reason to end."""
        while not self.stopping.is_set():
            self.changed.wait()
            try:
                with closing(runs.connect(self.layout)) as connection:
                    self.follow_with(connection)
            except Exception as error:  # noqa: BLE001  (a database that does not open: what is not in comes in later)
                self.laments.say("metrics", error)
                self.stopping.wait(INGEST_SECONDS)

    def follow_with(self, connection: sqlite3.Connection) -> None:
        """Follow until there is nothing to follow."""
        while self.watched and not self.stopping.is_set():
            for job in self.watched:
                try:
                    self.bring_in(connection, job)
                except Exception as error:  # noqa: BLE001  (one journal is no reason to leave the others)
                    self.laments.say(f"metrics of job {job}", error)
            self.stopping.wait(INGEST_SECONDS)
        self.changed.clear()

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
