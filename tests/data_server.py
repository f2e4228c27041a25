"""A file server on loopback that behaves as badly as it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Resource:
    """What lies under a path, and how it is served."""

    content: bytes = b""
    etag: str | None = '"1"'
    last_modified: str | None = None
    ranges: bool = True
    conditions: bool = True
    """Whether If-Range is kept to."""
    status: int = 200
    break_after: list[int] = field(default_factory=list)
    """For each coming request: after how many bytes the connection breaks; afterwards it holds."""
    hold_after: int | None = None
    """After how many bytes to wait until ``go_on`` is set."""
    holding: threading.Event = field(default_factory=threading.Event)
    """Set once it waits."""
    go_on: threading.Event = field(default_factory=threading.Event)
    length: bool = True
    redirect: str | None = None
    requests: list[dict[str, str]] = field(default_factory=list)


class Server(ThreadingHTTPServer):
    """Serves ``resources`` by path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.resources: dict[str, Resource] = {}

    def url(self, path: str, user: str = "") -> str:
        """The address of a path; ``user`` is what stands in front of the host."""
        return f"http://{user and user + '@'}127.0.0.1:{self.server_address[1]}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no error here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        resource = self.server.resources.get(self.path)
        if resource is None:
            self.send_error(404)
            return
        resource.requests.append({name.lower(): value for name, value in self.headers.items()})
        if resource.status != 200:
            self.send_error(resource.status)
            return
        if resource.redirect:
            self.send_response(302)
            self.send_header("Location", resource.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send(resource, self.start(resource))

    def start(self, resource: Resource) -> int:
        wanted = self.headers.get("Range")
        condition = self.headers.get("If-Range") if resource.conditions else None
        if (
            not wanted
            or not resource.ranges
            or (condition and condition not in (resource.etag, resource.last_modified))
        ):
            return 0
        return int(wanted.removeprefix("bytes=").rstrip("-"))

    def send(self, resource: Resource, start: int) -> None:
        body, size = resource.content[start:], len(resource.content)
        if start and start >= size:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if resource.length:
            self.send_header("Content-Length", str(len(body)))
        for name, value in (("ETag", resource.etag), ("Last-Modified", resource.last_modified)):
            if value:
                self.send_header(name, value)
        self.end_headers()
        if resource.break_after:
            self.wfile.write(body[: resource.break_after.pop(0)])
            return
        if resource.hold_after is not None:
            self.wfile.write(body[: resource.hold_after])
            self.wfile.flush()
            resource.holding.set()
            resource.go_on.wait()
            body = body[resource.hold_after :]
        self.wfile.write(body)


@contextmanager
def serving() -> Iterator[Server]:
    """A server for as long as the context lasts."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        for resource in server.resources.values():
            resource.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
