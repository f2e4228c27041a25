"""Tells that something changed in a folder of this machine, through watchdog (inotify, FSEvents)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent


class FolderEvents:
    """Calls ``changed``, from another thread, whenever a file or a folder appears, or a file is closed."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.changed = changed
        self.observer: Any = None
        self.folder: Path | None = None
        self.identity: tuple[int, int] | None = None

    @property
    def listening(self) -> bool:
        """Whether changes are told."""
        return self.observer is not None

    def listen(self, folder: Path, *, deep: bool) -> None:
        """Tell of this folder, and with ``deep`` of those below it. Raises OSError where it cannot be."""
        if self.listening and self.folder == folder and self.are_of_the_same_folder():
            return
        self.close()
        identity = _identity(folder)
        if identity is None:
            return
        from watchdog.observers import Observer

        observer = Observer()
        try:
            observer.schedule(_handler(self.changed), str(folder), recursive=deep, event_filter=_kinds())
            observer.start()
        except BaseException:
            with contextlib.suppress(RuntimeError):  # it had not begun
                observer.stop()
            raise
        self.observer, self.folder, self.identity = observer, folder, identity

    def are_of_the_same_folder(self) -> bool:
        """False once the folder that is listened to is gone, or another has its name."""
        return not self.listening or (self.folder is not None and _identity(self.folder) == self.identity)

    def close(self) -> None:
        """Tell no more."""
        if self.observer is not None:
            self.observer.stop()
            self.observer.join(1.0)
            self.observer = None


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _kinds() -> list[type[FileSystemEvent]]:
    """What is told. Not each write: a file that is written to is looked at until it rests, and told of when closed."""
    from watchdog import events

    return [
        events.FileCreatedEvent,
        events.FileClosedEvent,
        events.FileMovedEvent,
        events.FileDeletedEvent,
        events.DirCreatedEvent,
        events.DirMovedEvent,
        events.DirDeletedEvent,
    ]


def _handler(changed: Callable[[], None]) -> Any:
    from watchdog.events import FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        """Passes on that there was an event."""

        def on_any_event(self, event: FileSystemEvent) -> None:
            changed()

    return Handler()
