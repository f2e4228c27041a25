"""The store, read and written in threads: a slow disk never holds up a key."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from store import database, workspace
from store.errors import MachineError, NotFoundError
from store.layout import Layout
from store.telling import Say
from store.tracking import runs
from store.workspace import Found

READERS = 3
"""So that a slow query does not hold up the rest of the screen."""

GLANCE_SECONDS = 0.2
"""A database that another program holds is tried again and again for so long: leaving waits no longer."""

HELD_SECONDS = 2.0
"""A wait that is longer is told."""


class NoWorkspaceError(NotFoundError):
    """There is no workspace yet: nothing is wrong, and the first job makes it."""


P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Stores:
    """The databases of one thread. ``mlflow`` is None where tracking has none yet, else ``workbench`` has it attached
    as ``tracking`` too, for lists that speak of metrics."""

    layout: Layout
    workbench: sqlite3.Connection
    mlflow: sqlite3.Connection | None
    identity: tuple[int, ...]
    """Which files these are; others in their place are opened anew."""

    def close(self) -> None:
        """Give the files back."""
        self.workbench.close()
        if self.mlflow is not None:
            self.mlflow.close()


class Access:
    """Runs functions of the store in threads, each with databases of its own.

    ``tell_held`` is called in a thread when another program holds the database for longer than a moment, with what
    comes of it.
    """

    def __init__(self, found: Found, tell_held: Callable[[str], object] = lambda _: None) -> None:
        self.found = found
        self.tell_held = tell_held
        self.tell_made: Say = lambda _: None
        """Called in a thread where a workspace is made, with where that is."""
        self._changes: set[asyncio.Future[Any]] = set()
        self._told_held: dict[str, float] = {}
        self._leaving = threading.Event()
        self.layout = found.layout
        self._readers = ThreadPoolExecutor(READERS, "store-read")
        self._writer = ThreadPoolExecutor(1, "store-write")
        self._watcher = ThreadPoolExecutor(1, "store-watch")
        self._own = threading.local()
        self._opened: list[Stores] = []
        self._seen: tuple[object, ...] = ()
        self._had_any = False

    async def read(self, function: Callable[Concatenate[Stores, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``function(stores, ...)`` answers; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, lambda: function(self._stores(), *args, **kwargs)
        )

    async def read_or_imagine(
        self, function: Callable[Concatenate[Stores, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As ``read``; where there is no workspace, what a new one would hold is read, and none is made."""
        try:
            return await self.read(function, *args, **kwargs)
        except NoWorkspaceError:

            def call() -> T:
                return function(self._imagined(), *args, **kwargs)

            return await asyncio.get_running_loop().run_in_executor(self._writer, call)

    async def write(self, function: Callable[Concatenate[Stores, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As ``read``, for what changes something: one after the other, in the order asked for.

        Makes the workspace where there is none, as the first command that writes does.
        """

        def call() -> T:
            if not self.found.exists:
                self._refuse_gone()
                workspace.open_or_create(self.found, self.tell_made).close()
            stores = self._stores()
            self._await(lambda: database.is_taken(stores.workbench, GLANCE_SECONDS), "what was asked for waits")
            return function(stores, *args, **kwargs)

        change = asyncio.get_running_loop().run_in_executor(self._writer, call)
        self._changes.add(change)
        change.add_done_callback(self._changes.discard)
        return await change

    async def unwritten(self, seconds: float) -> int:
        """How many changes that were asked for are not written yet, after waiting for so long at most."""
        return len((await asyncio.wait(self._changes, timeout=seconds))[1]) if self._changes else 0

    async def changed(self) -> bool:
        """Whether another connection has written to either database since the last call."""
        return await asyncio.get_running_loop().run_in_executor(self._watcher, self._changed)

    def close(self) -> None:
        """End the threads and close every database; what waits for another program is given up."""
        self._leaving.set()
        for pool in (self._readers, self._writer, self._watcher):
            pool.shutdown(wait=False, cancel_futures=True)
        for stores in self._opened:
            with suppress(sqlite3.Error):
                stores.workbench.interrupt()
        for pool in (self._readers, self._writer, self._watcher):
            pool.shutdown(wait=True)
        for stores in self._opened:
            stores.close()

    def _changed(self) -> bool:
        before, self._seen = self._seen, ()  # what cannot be read now is news when it can be read again
        stores = self._stores()
        tracked = database.data_version(stores.mlflow) if stores.mlflow is not None else None
        self._seen = seen = (stores.identity, database.data_version(stores.workbench), tracked)
        return seen != before

    def _stores(self) -> Stores:
        """This thread's databases, opened anew where other files lie in their place."""
        identity = _identity(self.layout)
        stores: Stores | None = getattr(self._own, "stores", None)
        if stores is not None and stores.identity == identity:
            return stores
        if not self.found.exists:
            self._refuse_gone()
        if stores is not None:
            self._opened.remove(stores)
            stores.close()
            del self._own.stores
        stores = self._open(identity)
        self._own.stores = stores
        self._opened.append(stores)
        return stores

    def _await(self, is_held: Callable[[], bool], what: str) -> None:
        """Wait until another program lets go of the database, as long as any writer waits."""
        began = time.monotonic()
        while is_held():
            waited = time.monotonic() - began
            if self._leaving.is_set() or waited > database.BUSY_SECONDS:
                raise MachineError(
                    f"{self.layout.database} stayed locked for {waited:.0f} s",
                    hint="`workbench doctor` shows by whom.",
                )
            if waited > HELD_SECONDS and self._told_held.get(what, 0.0) < began:  # readers wait side by side
                self._told_held[what] = time.monotonic()
                self.tell_held(what)

    def _refuse_gone(self) -> None:
        """A workspace that was there and is not, was moved or deleted: that is not one which is still to be made."""
        if not self._had_any:
            return
        if self.layout.root.is_dir():
            raise MachineError(
                f"the workspace's database {self.layout.database} is gone",
                hint="Put a copy back, if there is one (migrations leave *.backup beside it); jobs/ has the logs.",
            )
        raise MachineError(
            f"the workspace {self.layout.root} is gone",
            hint="Put the folder back, or leave with q: jobs that run are not touched.",
        )

    def _imagined(self) -> Stores:
        """What a new workspace would hold, in memory; made once, which takes as long as a workspace takes."""
        stores: Stores | None = getattr(self._own, "imagined", None)
        if stores is None:
            stores = self._own.imagined = Stores(self.layout, workspace.draft(self.found), None, ())
            self._opened.append(stores)
        return stores

    def _open(self, identity: tuple[int, ...]) -> Stores:
        if not self.found.exists:
            raise NoWorkspaceError(f"there is no workspace at {self.layout.root} yet", hint="The first job makes it.")
        self._await(lambda: database.is_closed(self.layout.database, GLANCE_SECONDS), "nothing can be read")
        connection = workspace.open_existing(self.found)
        try:
            tracking = runs.connect(self.layout) if self.layout.mlflow_database.exists() else None
            if tracking is not None:
                connection.execute("ATTACH DATABASE ? AS tracking", (str(self.layout.mlflow_database),))
        except BaseException:
            connection.close()
            raise
        self._had_any = True
        return Stores(self.layout, connection, tracking, identity)


def _identity(layout: Layout) -> tuple[int, ...]:
    """Device and inode of both files, 0 where there is none."""
    found: list[int] = []
    for file in (layout.database, layout.mlflow_database):
        try:
            status = file.stat()
        except OSError:
            found += [0, 0]
        else:
            found += [status.st_dev, status.st_ino]
    return tuple(found)
