"""A TCP proxy that breaks connections in mid-answer."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class DroppingProxy(socketserver.ThreadingTCPServer):
    """Passes on what both sides say; each of the next ``drops`` connections ends after ``allowed`` bytes of answer."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, at: int) -> None:
        super().__init__(("127.0.0.1", at), _Connection)
        self.target = ("127.0.0.1", port)
        self.allowed = 0
        self.drops = 0
        self.dropped = 0
        self.uploads = False
        self.lock = threading.Lock()
        self.stalls_after: int | None = None
        self.stalled = threading.Event()
        self.open = set[socket.socket]()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server_address[1]

    def drop_uploads(self, times: int, after: int) -> None:
        """Break connections that carry more than this to the server."""
        self.drop(times, after)
        self.uploads = True

    def stall_uploads(self, after: int) -> None:
        """Pass on no more of a connection that has carried this to the server; ``stalled`` tells when it is so."""
        self.stalls_after = after

    def drop(self, times: int, after: int) -> None:
        """Break connections that carry more than this."""
        self.drops, self.allowed, self.dropped, self.uploads = times, after, 0, False

    def due(self, carried: int) -> bool:
        """Whether a connection that carried so much breaks now."""
        with self.lock:
            if not self.drops or carried <= self.allowed:
                return False
            self.drops -= 1
            self.dropped += 1
            return True


class _Connection(socketserver.BaseRequestHandler):
    server: DroppingProxy

    def handle(self) -> None:
        self.server.open.add(self.request)
        with socket.create_connection(self.server.target) as other, suppress(OSError):
            threading.Thread(target=self._pass_on, args=(other,), daemon=True).start()
            carried = 0
            while data := other.recv(65536):
                carried += len(data)
                if not self.server.uploads and self.server.due(carried):
                    return
                self.request.sendall(data)

    def _pass_on(self, other: socket.socket) -> None:
        carried = 0
        with suppress(OSError):
            while data := self.request.recv(65536):
                carried += len(data)
                if self.server.stalls_after is not None and carried > self.server.stalls_after:
                    self.server.stalled.set()
                    self.request.recv(1, socket.MSG_PEEK)
                    continue
                if self.server.uploads and self.server.due(carried):
                    for each in (other, self.request):
                        each.shutdown(socket.SHUT_RDWR)
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@contextmanager
def dropping_proxy(port: int, at: int = 0) -> Iterator[DroppingProxy]:
    """A proxy before the service at a port; where it listens is told, or any free port."""
    with DroppingProxy(port, at) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
        for each in server.open:
            with suppress(OSError):  # it has ended
                each.shutdown(socket.SHUT_RDWR)
