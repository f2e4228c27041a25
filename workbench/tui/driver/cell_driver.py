"""A terminal driver that writes only the cells that changed: what an SSH line carries is what a person sees change."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import InBandWindowResize

from workbench.tui.driver.canvas import Canvas

FRAME = re.compile(r"\x1b\[\d+;\d+H")
SYNC_BEGIN, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
PAINT = "\0paint"
"""Stands in the writer's queue for whatever the screen shall show when its turn comes."""
ALTERNATE_SCREEN = "\x1b[?1049"


class CellDriver(LinuxDriver):
    """Textual's own driver, with a grid of cells between it and the terminal.

    Textual's frames go into the grid at once; the writer thread compares the grid with what the terminal shows when
    the line is free, so that a slow line gets fewer frames, not older ones. Everything that draws nothing goes through
    in its order.
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._lock = threading.Lock()
        self._canvas = Canvas(*self._get_terminal_size(), erases_coloured=erases_coloured())
        self._paint_is_due = False
        self._forgotten = False
        terminal: Any = _CellFile(self._file, self._paint, self._terminal_changes, self._lost)
        self._file = terminal

    def write(self, data: str) -> None:
        """Take a frame into the grid, and pass on everything else."""
        if FRAME.match(data):
            with self._lock:
                self._fit()
                self._canvas.apply(data)
                due, self._paint_is_due = self._paint_is_due, True
            if not due:
                super().write(PAINT)
        elif data not in (SYNC_BEGIN, SYNC_END):
            super().write(data)

    def process_message(self, message: Message) -> None:
        """As in Textual; a resize also means that the terminal may show anything."""
        if isinstance(message, InBandWindowResize) or type(message).__name__ == "Resize":
            self._forgotten = True
        super().process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Asked for at each SIGWINCH."""
        self._forgotten = True
        return super()._get_terminal_size()

    def _fit(self) -> None:
        """Give the grid the application's size."""
        size = self._app.size
        if (size.width, size.height) != (self._canvas.width, self._canvas.height):
            self._canvas.resize(size.width, size.height)
        if self._forgotten:
            self._forgotten = False
            self._canvas.forget()

    def _paint(self) -> str:
        """What to write now; called by the writer thread."""
        with self._lock:
            self._paint_is_due = False
            text = self._canvas.difference()
        if text and self._app._sync_available:
            return f"{SYNC_BEGIN}{text}{SYNC_END}"
        return text

    def _terminal_changes(self) -> None:
        with self._lock:
            self._canvas.forget()

    def _lost(self) -> None:
        """The terminal is gone, and with it the one who could be told: leave."""
        self._app.call_later(self._app.exit)


class _CellFile:
    """What the writer thread writes to: the terminal, with a stand-in replaced by the cells that changed."""

    def __init__(
        self, terminal: Any, paint: Callable[[], str], changes: Callable[[], None], lost: Callable[[], None]
    ) -> None:
        self._terminal, self._paint, self._changes, self._lost = terminal, paint, changes, lost
        self._is_lost = False

    def write(self, text: str) -> int:
        """Write, and bear that nobody is there any more."""
        if text == PAINT:
            text = self._paint()
        elif ALTERNATE_SCREEN in text or not text.startswith(("\x1b", "\a")):
            self._changes()
        self._try(lambda: self._terminal.write(text))
        return len(text)

    def flush(self) -> None:
        """As of a file."""
        self._try(self._terminal.flush)

    def fileno(self) -> int:
        """As of a file."""
        return int(self._terminal.fileno())

    def isatty(self) -> bool:
        """As of a file."""
        return bool(self._terminal.isatty())

    def _try(self, act: Callable[[], object]) -> None:
        if self._is_lost:
            return
        try:
            act()
        except OSError:
            self._is_lost = True
            self._lost()


def erases_coloured() -> bool:
    """Whether this terminal erases with the background colour (terminfo's ``bce``).

    In a multiplexer TERM may be that of the terminal around it, and then says nothing of the one inside.
    """
    import curses

    if os.environ.get("TMUX") or os.environ.get("STY"):
        return False
    try:
        curses.setupterm()
        return curses.tigetflag("bce") > 0
    except (curses.error, OSError):
        return False
