"""Watched paths, each in a thread of the agent: look, decide, and make an event of what is new and settled.

The kernel's events only say that it is time to look; what is new is told by the listing and the ledger. So an event
that got lost, with the kernel's queue or with an agent, costs nothing: the next look finds the file.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing

from engines.jobs import watched
from store import database
from store.data import watches
from store.data.refusals import Refusals
from store.data.sightings import Pending, decide, observe
from store.data.watched_source import LocalSource, Source, open_source
from store.data.watches import Watch
from store.errors import WorkbenchError
from store.layout import Layout
from workbench.agent.folder_events import FolderEvents
from workbench.agent.trouble import Laments

log = logging.getLogger("workbench.agent")

FOLDER_SECONDS = 2.0
"""How often a local folder is looked at for being the one that it was: the kernel tells nothing of a new one."""
LEAVING_SECONDS = 5.0
"""How long a thread that waits for a storage is waited for."""
RESTING = 4.0
"""The pause after a look is so many times as long as it took: a folder of a million files takes seconds."""

BURST = 1000
"""With so many files on their way, looks by the clock cost less than to hear of each of them."""


class Watching:
    """Follows the watches that it is told to; one thread each, so that a storage that hangs holds up no other."""

    def __init__(self, layout: Layout, laments: Laments, fired: Callable[[], object]) -> None:
        self.layout, self.laments, self.fired = layout, laments, fired
        self.followers: dict[str, Follower] = {}

    def heed(self, enabled: Iterable[Watch]) -> bool:
        """These are enabled now; whether there are any."""
        wanted = {each.name: each for each in enabled}
        for name, follower in list(self.followers.items()):
            if wanted.get(name) != follower.watch:
                follower.tell_to_stop()
                del self.followers[name]
        for name, watch in wanted.items():
            if name not in self.followers:
                self.followers[name] = Follower(self.layout, watch, self.laments, self.fired)
                self.followers[name].thread.start()
        return bool(wanted)

    def stop(self) -> None:
        """End all threads; what is in hand is finished, or was never begun."""
        for follower in self.followers.values():
            follower.tell_to_stop()
        until = time.monotonic() + LEAVING_SECONDS
        for follower in self.followers.values():
            follower.thread.join(max(0.0, until - time.monotonic()))


class Follower:
    """Watches over one path."""

    def __init__(self, layout: Layout, watch: Watch, laments: Laments, fired: Callable[[], object]) -> None:
        self.layout, self.watch, self.laments, self.fired = layout, watch, laments, fired
        self.pending: dict[str, Pending] = {}
        self.refusals = Refusals()
        self.in_burst = False
        self.changed = threading.Event()
        self.stopping = threading.Event()
        self.folder_events = FolderEvents(self.changed.set)
        self.thread = threading.Thread(target=self.follow, name=f"watch {watch.name}", daemon=True)
        self.subject = f"watch {watch.name}"

    def tell_to_stop(self) -> None:
        """Have the thread end after what it has in hand."""
        self.stopping.set()
        self.changed.set()

    def follow(self) -> None:
        """Look again and again until told to stop. Trouble is no reason to end."""
        while not self.stopping.is_set():
            try:
                with closing(database.connect(self.layout.database)) as connection:
                    watched.sweep(connection, self.layout, self.watch)
                    self.follow_with(connection)
            except Exception as error:  # noqa: BLE001  (a full disk, a database that is locked: it goes on by itself)
                self.laments.say(self.subject, error)
                self.changed.wait(FOLDER_SECONDS)
        self.folder_events.close()

    def follow_with(self, connection: sqlite3.Connection) -> None:
        """Look, and wait until there is a reason to look again."""
        while not self.stopping.is_set():
            self.changed.clear()
            began = time.monotonic()
            wait = self.look(connection)
            took = time.monotonic() - began
            pause = None if wait is None else max(wait - took, min(took, wait))
            rest = RESTING * took if pause is None else min(RESTING * took, pause)
            self.stopping.wait(rest)
            self.wait(None if pause is None else pause - rest)

    def wait(self, seconds: float | None) -> None:
        """Sleep until something changes, until ``seconds`` are over, or until the folder is another."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self.changed.is_set():
            left = FOLDER_SECONDS if until is None else until - time.monotonic()
            if left <= 0 or not self.folder_events.are_of_the_same_folder():
                return
            self.changed.wait(min(left, FOLDER_SECONDS))

    def look(self, connection: sqlite3.Connection) -> float | None:
        """One look, and what follows from it; after how many seconds to look again where nothing tells of changes."""
        with contextlib.ExitStack() as opened:
            return self._look(connection, opened)

    def _look(self, connection: sqlite3.Connection, opened: contextlib.ExitStack) -> float | None:
        watch = self.watch
        source: Source | None = None
        try:
            source = open_source(connection, self.layout, watch)
            opened.callback(source.close)
            if not self.in_burst:
                self.listen(source)
            now = time.monotonic()  # of before the look: what comes during it is not settled by how long it takes
            news = watches.unseen(connection, watch.name, source.list())
            self.pending = observe(self.pending, self.refusals.due(news, now), now)
        except database.StoreError:
            raise
        except WorkbenchError as error:
            self.pending, self.in_burst = {}, False
            if watches.lose(connection, watch.name, error.message):
                log.warning("%s: %s", self.subject, error)
            return FOLDER_SECONDS if isinstance(source, LocalSource) else watch.poll
        if watches.regain(connection, watch.name):
            log.info("%s: it is there again", self.subject)
        decision = decide(self.pending, now, watch.quiet)
        self.in_burst = decision.wait is not None and len(self.pending) >= BURST
        if self.in_burst:
            self.folder_events.close()
        if decision.take and not self.stopping.is_set():
            if count := watched.fire(connection, self.layout, watch, source, decision.take, self.refusals):
                log.info("%s: %d new files", self.subject, count)
                self.fired()  # there may be a job
            return 0.0  # there may be more
        self.laments.over(self.subject)
        poll = None if decision.wait is not None or self.folder_events.listening else watch.poll
        waits = [each for each in (decision.wait, self.refusals.wait(now), poll) if each is not None]
        return min(waits, default=None)

    def listen(self, source: Source) -> None:
        """Have the kernel tell of changes, where it does; before the look, so that nothing comes in between."""
        if not isinstance(source, LocalSource) or not source.tells:
            self.folder_events.close()
            return
        with contextlib.suppress(OSError):  # no more inotify watches: it is polled
            self.folder_events.listen(source.base, deep=source.watched.is_deep)
