"""A terminal driver that writes only the cells that changed: what an SSH line carries is what a person sees change."""

from __future__ import annotations

import os
import re
import select
import threading
from codecs import getincrementaldecoder
from typing import Any

from textual.app import App, ScreenStackError
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.message import Message

from workbench.tui.driver.canvas import Canvas
from workbench.tui.driver.keys import KeyParser
from workbench.tui.driver.output import Erasing
from workbench.tui.view import is_typing

FRAME = re.compile(r"\x1b\[\d+;\d+H")
SYNC_BEGIN, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
PAINT = "\0paint"
"""Stands in the writer's queue for whatever the screen shall show when its turn comes."""
READ_BYTES, POLL_MILLISECONDS = 4096, 100
ALTERNATE_SCREEN = "\x1b[?1049"
EXPOSED_SECONDS = 0.1
"""So long after the terminal was disturbed it is painted anew, unless Textual does so by itself."""


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
        self._told_size = self._get_terminal_size()
        self._canvas = Canvas(*self._told_size, erasing=erasing())
        self._paint_is_due = False
        self._is_lost = False
        self._hangup_thread = threading.Thread(target=self._wait_for_hangup, name="hangup", daemon=True)
        terminal: Any = _CellFile(self, self._file)
        self._file = terminal

    # -- what Textual writes --------------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Take a frame into the grid, and pass on everything else."""
        if FRAME.match(data):
            size = self._app.size
            with self._lock:
                if (size.width, size.height) != (self._canvas.width, self._canvas.height):
                    self._canvas.resize(size.width, size.height)
                self._canvas.apply(data)
            self._request_paint()
        elif data not in (SYNC_BEGIN, SYNC_END):
            super().write(data)

    def repaint(self) -> None:
        """Paint all that shall be seen: another program may have written on the terminal. From the event loop."""
        with self._lock:
            self._canvas.forget()
        self._request_paint()

    def _request_paint(self) -> None:
        with self._lock:
            due, self._paint_is_due = self._paint_is_due, True
        if not due:
            super().write(PAINT)

    # -- what the writer thread asks ------------------------------------------------------------------------------

    def painting(self) -> str:
        """What to write now so that the terminal shows the newest frame."""
        with self._lock:
            self._paint_is_due = False
            try:
                text = self._canvas.difference()
            except Exception as error:  # noqa: BLE001  (it reaches the application)
                # The writer has to live, or leaving would wait for it: the application is told instead.
                self._canvas.forget()
                self._app.call_later(_fail, error)
                return ""
        if text and self._app._sync_available:
            return f"{SYNC_BEGIN}{text}{SYNC_END}"
        return text

    def disturbed(self) -> None:
        """The terminal shows another screen from here on, or another program has written on it."""
        with self._lock:
            self._canvas.forget()

    def lost(self) -> None:
        """The terminal is gone, and with it the one who could be told: leave."""
        if not self._is_lost:
            self._is_lost = True
            self._app.call_later(self._app.exit)

    # -- the terminal's life --------------------------------------------------------------------------------------

    def start_application_mode(self) -> None:
        """As in Textual; nothing is known of a terminal that another program had meanwhile."""
        self._paint_is_due = False
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if not self._hangup_thread.ident:
            self._hangup_thread.start()

    def process_message(self, message: Message) -> None:
        """As in Textual; a terminal of another size may show anything."""
        super().process_message(message)
        if isinstance(message, Resize) and message.size != self._told_size:
            self._told_size = message.size
            self._expect_disturbance()

    def _get_terminal_size(self) -> tuple[int, int]:
        """What the terminal says, at the start and when the size changes.

        Textual believes ``COLUMNS`` and ``LINES`` first: where a shell has exported them, no change is ever seen.
        """
        if hasattr(self, "_canvas"):
            self._expect_disturbance()
        try:
            width, height = os.get_terminal_size(self.fileno)
        except OSError:  # no terminal, or one that is gone
            width = height = 0
        return (width, height) if width and height else super()._get_terminal_size()

    def _expect_disturbance(self) -> None:
        """Textual does not paint again when a size changes and changes back, though the terminal lost cells by it.

        Called in a signal's handler and in the thread of input: the lock is not for them.
        """
        self._loop.call_soon_threadsafe(self._after_disturbance)

    def _after_disturbance(self) -> None:
        self.disturbed()
        self._loop.call_later(EXPOSED_SECONDS, self._paint_what_is_unpainted)

    def _paint_what_is_unpainted(self) -> None:
        if self._canvas.shown is None and self._app._running and self._writer_thread is not None:
            self._request_paint()

    def run_input_thread(self) -> None:
        """As in Textual, but with a parser of our own, and without a traceback when the terminal goes away."""
        parser = KeyParser(self._debug, is_typing=self._is_typing, taken=self._taken_keys)
        decoder = getincrementaldecoder("utf-8")("replace")
        waiting = select.poll()
        waiting.register(self.fileno, select.POLLIN)
        try:
            while not self.exit_event.is_set():
                typed = os.read(self.fileno, READ_BYTES) if waiting.poll(POLL_MILLISECONDS) else b""
                if text := decoder.decode(typed):
                    for message in parser.feed(text):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        except OSError:
            self.lost()

    def _is_typing(self) -> bool:
        try:
            return is_typing(self._app.focused)
        except ScreenStackError:  # a key before the first screen
            return False

    def _taken_keys(self) -> set[str]:
        return {key for keys in self._app._keymap.values() for key in keys.split(",")}

    def _wait_for_hangup(self) -> None:
        """End when the terminal does: reading from one that is gone fails, or answers with nothing for ever."""
        hangup = select.poll()
        hangup.register(self.fileno, 0)
        if any(happened & select.POLLHUP for _, happened in hangup.poll()):
            self.exit_event.set()
            self.lost()


def _fail(error: Exception) -> None:
    raise error


class _CellFile:
    """What the writer thread writes to: the terminal, with a stand-in replaced by the cells that changed."""

    def __init__(self, driver: CellDriver, terminal: Any) -> None:
        self._driver, self._terminal = driver, terminal
        self._is_lost = False

    def write(self, text: str) -> int:
        """Write, and bear that nobody is there any more."""
        if text == PAINT:
            text = self._driver.painting()
        elif ALTERNATE_SCREEN in text or not text.startswith(("\x1b", "\a")):
            self._driver.disturbed()
        if text and not self._is_lost:
            try:
                self._terminal.write(text)
            except OSError:
                self._lose()
        return len(text)

    def flush(self) -> None:
        """As of a file."""
        if not self._is_lost:
            try:
                self._terminal.flush()
            except OSError:
                self._lose()

    def fileno(self) -> int:
        """As of a file."""
        return int(self._terminal.fileno())

    def isatty(self) -> bool:
        """As of a file."""
        return bool(self._terminal.isatty())

    def _lose(self) -> None:
        self._is_lost = True
        self._driver.lost()


def erasing() -> Erasing:
    """How this terminal erases (terminfo's ``bce`` and ``ech``).

    In a multiplexer TERM may be that of the terminal around it, and then says nothing of the one inside; what is
    written to it goes over no line anyway.
    """
    if os.environ.get("TMUX") or os.environ.get("STY"):
        return Erasing()
    try:
        import curses

        curses.setupterm()
        return Erasing(coloured=curses.tigetflag("bce") > 0, inside=curses.tigetstr("ech") == b"\x1b[%p1%dX")
    except (ImportError, OSError, ValueError):
        return Erasing()
    except curses.error:
        return Erasing()
