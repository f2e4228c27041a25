"""The agent's ear: a datagram socket that is poked when there is something to look at.

A poke carries no data that matters; everything is in the store. So a lost one costs a moment and nothing else.
What happens within the agent's own process, a signal or the end of a thread's work, comes through a pair of sockets
that no other process can take away.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
from pathlib import Path

from store.errors import MachineError
from store.layout import Layout, is_own


class Channel:
    """The receiving end, owned by the agent."""

    def __init__(self, layout: Layout) -> None:
        self.path = layout.agent_socket
        make_own(self.path.parent)
        self.selector = selectors.DefaultSelector()
        self.ear: socket.socket | None = None
        self.woken, self.waker = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.waker.setblocking(False)
        self.hear(self.woken)
        self.heeds_signals = False

    def hear(self, listener: socket.socket) -> None:
        """Have what comes to a socket end the wait."""
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ)

    def hear_signals(self) -> None:
        """Have signals end the wait: one that comes just before it, or reaches another thread, would not."""
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        self.heeds_signals = True

    def open(self) -> None:
        """Listen to pokes, in place of what a dead agent left; only the holder of the lock does so."""
        self.path.unlink(missing_ok=True)
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.hear(self.ear)
        mask = os.umask(0o177)
        try:
            self.ear.bind(str(self.path))
        finally:
            os.umask(mask)

    def deafen(self) -> None:
        """Stop listening: from now on a poke fails, which makes the client start another agent."""
        if self.ear is not None:
            self.path.unlink(missing_ok=True)
            self.selector.unregister(self.ear)
            self.ear.close()
            self.ear = None

    def close(self) -> None:
        """Stop listening for good, to signals too."""
        self.deafen()
        if self.heeds_signals:
            signal.set_wakeup_fd(-1)
        self.selector.close()
        self.woken.close()
        self.waker.close()

    def wake(self) -> None:
        """End the wait, from any thread of this process."""
        with contextlib.suppress(BlockingIOError):  # it is full of wakings
            self.waker.send(b"look")

    def wait(self, seconds: float) -> None:
        """Sleep until poked, woken or signalled, at most ``seconds``. Many pokes count as one."""
        for key, _ in self.selector.select(seconds):
            assert isinstance(key.fileobj, socket.socket)  # noqa: S101  (nothing else is heard)
            with contextlib.suppress(BlockingIOError):
                while True:
                    key.fileobj.recv(256)


def make_own(folder: Path) -> None:
    """Make the folder of the socket. Raises MachineError where another user was there first: /tmp is everybody's."""
    try:
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise MachineError(f"the agent cannot listen in {folder}: {error.strerror}", hint=OWN_HINT) from error
    if not is_own(folder):
        raise MachineError(f"the agent does not listen in {folder}: others may write there", hint=OWN_HINT)


OWN_HINT = "Set XDG_RUNTIME_DIR to a folder of your own, mode 0700, and start the agent again."


def poke(layout: Layout) -> bool:
    """Wake the agent; False when there is none to hear it, or when it may be somebody else who does."""
    if not is_own(layout.agent_socket.parent):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        try:
            sender.sendto(b"look", str(layout.agent_socket))
        except BlockingIOError:
            return True  # its queue is full of pokes: it will look
        except OSError:
            return False
    return True
