"""The agent's background work for single jobs: preparation and collection, in threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from engines.jobs.control import Work
from store.jobs import Job
from store.layout import Layout
from workbench.agent.trouble import Laments, may_pass

WORKERS = 8
"""Threads mostly wait: for uv, for a download, for the disk."""
RETRY_SECONDS = 2.0
"""Work that found no room on the disk begins again after this long."""


@dataclass(slots=True)
class Item:
    """One piece of work: its result in time, and the way to call it off."""

    future: Future[Any]
    cancel: threading.Event = field(default_factory=threading.Event)

    @property
    def state(self) -> Work:
        if not self.future.done():
            return Work.CALLED_OFF if self.cancel.is_set() else Work.BUSY
        return Work.FAILED if self.future.exception() else Work.DONE


class Desk:
    """Work under way by job name; ``done`` is called, from a thread, whenever a piece is finished."""

    def __init__(self, name: str, done: Callable[[], Any], laments: Laments) -> None:
        self.laments = laments
        self.pool = ThreadPoolExecutor(WORKERS, thread_name_prefix=name)
        self.items: dict[str, Item] = {}
        self.done = done

    def state(self, job: str) -> Work:
        """How far the work for a job is."""
        item = self.items.get(job)
        return item.state if item else Work.NONE

    def begin(self, job: str, work: Callable[[threading.Event], Any]) -> None:
        """Start work for a job; it is given the event that calls it off."""
        event = threading.Event()
        item = Item(self.pool.submit(self.persist, job, work, event), event)
        self.items[job] = item
        item.future.add_done_callback(lambda _: self.done())

    def persist(self, job: str, work: Callable[[threading.Event], Any], cancel: threading.Event) -> Any:
        """Do a piece of work; what the disk has no room for is done again until it has, or until it is called off."""
        while True:
            try:
                result = work(cancel)
            except Exception as error:
                if not may_pass(error) or cancel.is_set():
                    raise
                self.laments.say(f"job {job} waits", error)
                if cancel.wait(RETRY_SECONDS):
                    raise
            else:
                self.laments.over(f"job {job} waits")
                return result

    def call_off(self, job: str) -> None:
        """Ask the work for a job to stop; it stays busy until it has."""
        if item := self.items.get(job):
            item.cancel.set()

    def take(self, job: str) -> Future[Any] | None:
        """Remove a job's work and return it."""
        item = self.items.pop(job, None)
        return item.future if item else None

    def busy(self) -> bool:
        """Whether anything is under way."""
        return any(not item.future.done() for item in self.items.values())

    def close(self) -> None:
        """Call everything off and wait for the threads."""
        for item in self.items.values():
            item.cancel.set()
        self.pool.shutdown(wait=True, cancel_futures=True)


def sayer(layout: Layout, job: Job) -> Callable[[str], None]:
    """Write lines on what is done for a job where those who watch it look."""
    path = layout.job(job.name).system_logs / "preparation.log"

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # a full disk is no reason to stop
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    return say
