"""The agent's ear: a datagram socket that is poked when there is something to look at.

A poke carries no data that matters; everything is in the store. So a lost one costs a moment and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
from pathlib import Path

from store.errors import MachineError
from store.layout import Layout, is_own


class Channel:
    """The receiving end, owned by the agent."""

    def __init__(self, layout: Layout) -> None:
        self.path = layout.agent_socket
        make_own(self.path.parent)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.socket, selectors.EVENT_READ)
        self.socket.setblocking(False)

    def open(self) -> None:
        """Bind, in place of what a dead agent left; only the holder of the lock does so."""
        self.path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            self.socket.bind(str(self.path))
        finally:
            os.umask(mask)

    def close(self) -> None:
        """Stop listening: from now on a poke fails, which makes the client start another agent."""
        self.path.unlink(missing_ok=True)
        self.selector.close()
        self.socket.close()

    def wait(self, seconds: float) -> bool:
        """Sleep until poked, at most ``seconds``; whether there was a poke. Many pokes count as one."""
        if not self.selector.select(seconds):
            return False
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(256)
        return True


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
