"""Downloads that break off, are cancelled or killed, and go on where they were."""

from __future__ import annotations

import hashlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from store import cache
from store.errors import MachineError, NotFoundError
from store.transfer.incoming import AbandonedError
from tests.cache.contents import CONTENT, leftovers
from tests.data_server import Resource, Server

ROOT = Path(__file__).parents[2]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, break_after=[1000, 0, 0, 500_000])
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert [request.get("range") for request in file.requests] == [
        None, "bytes=1000-", "bytes=1000-", "bytes=1000-", "bytes=501000-",
    ]  # fmt: skip
    assert file.requests[1]["if-range"] == '"1"'


def test_without_a_length_a_connection_that_ends_is_the_end(server: Server) -> None:
    server.resources["/f"] = Resource(CONTENT, length=False)
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT


def test_one_that_never_gets_on_is_given_up_and_goes_on_later(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, break_after=[300_000, 0, 0, 0, 0, 0])
    with pytest.raises(MachineError, match=r"stopped at 300000 of 1048576 bytes.*\n.*goes on from there") as caught:
        cache.fetch(server.url("/f"))
    assert f"workbench cache add {server.url('/f')} PATH" in str(caught.value)
    part = cache.show(server.url("/f"))
    assert (part.complete, part.bytes) == (False, 300_000)
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert file.requests[-1]["range"] == "bytes=300000-"
    assert cache.show(server.url("/f")).sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("honest", [True, False], ids=["If-Range kept", "If-Range ignored"])
def test_what_changed_meanwhile_starts_anew(server: Server, honest: bool) -> None:
    file = server.resources["/f"] = Resource(CONTENT, break_after=[300_000, 0, 0, 0, 0, 0])
    with pytest.raises(MachineError):
        cache.fetch(server.url("/f"))
    file.content = other = bytes(reversed(CONTENT))
    file.etag = '"2"'
    file.conditions = honest
    assert cache.fetch(server.url("/f")).read_bytes() == other


@pytest.mark.parametrize(
    ("etag", "modified", "ranges", "resumes"),
    [
        (None, "Tue, 01 Jul 2025 00:00:00 GMT", True, True),
        ('W/"1"', "Tue, 01 Jul 2025 00:00:00 GMT", True, True),
        ('W/"1"', None, True, False),
        (None, None, True, False),
        ('"1"', None, False, False),
    ],
)
def test_a_rest_is_asked_for_only_where_it_can_be_told_to_be_the_same(
    server: Server, etag: str | None, modified: str | None, ranges: bool, resumes: bool
) -> None:
    file = server.resources["/f"] = Resource(CONTENT, etag, modified, ranges, break_after=[300_000, 0, 0, 0, 0, 0, 0])
    with pytest.raises(MachineError):
        cache.fetch(server.url("/f"))
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert ("range" in file.requests[-1]) is resumes


def test_busy_servers_are_asked_again(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, status=503)

    def asked() -> bool:
        if len(file.requests) == 2:
            file.status = 200
        return False

    assert cache.fetch(server.url("/f"), cancelled=asked).read_bytes() == CONTENT
    assert len(file.requests) == 3


def test_cancelled_in_the_middle_then_gone_on_with(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, hold_after=400_000)
    seen: list[int] = []
    with pytest.raises(AbandonedError):
        cache.fetch(
            server.url("/f"), progress=lambda done, _: seen.append(done), cancelled=lambda: bool(seen and seen[-1] > 0)
        )
    file.hold_after = None
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert int(file.requests[-1]["range"].removeprefix("bytes=").rstrip("-")) > 0


HANGING_SECONDS = 15
"""Less than a server is waited for (``web.TIMEOUT_SECONDS``), and longer than it takes to give up."""


def cancel_while_hanging(url: str, hangs: Callable[[], object]) -> None:
    cancelled, raised = threading.Event(), list[Exception]()

    def fetch() -> None:
        try:
            cache.fetch(url, cancelled=cancelled.is_set)
        except AbandonedError as error:
            raised.append(error)

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    hangs()
    cancelled.set()
    thread.join(HANGING_SECONDS)
    assert raised


def test_cancelled_while_the_server_hangs(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, hold_after=400_000)
    cancel_while_hanging(server.url("/f"), file.holding.wait)
    file.hold_after = None
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT


def test_cancelled_while_the_server_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connected = list[object]()
        cancel_while_hanging(
            f"http://127.0.0.1:{listener.getsockname()[1]}/f", lambda: connected.append(listener.accept())
        )


FETCH = """
import sys
from store import cache
path = cache.fetch(sys.argv[1])
print(path, flush=True)
"""


def fetch_elsewhere(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", FETCH, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def wait_for_bytes(url: str, count: int, process: subprocess.Popen[str]) -> None:
    while True:
        assert process.poll() is None
        try:
            if cache.show(url).bytes >= count:
                return
        except NotFoundError:
            pass


def test_kill_in_the_middle_then_gone_on_with(server: Server, folder: Path) -> None:
    file = server.resources["/f"] = Resource(CONTENT, hold_after=400_000)
    process = fetch_elsewhere(server.url("/f"))
    wait_for_bytes(server.url("/f"), 400_000, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not cache.show(server.url("/f")).complete
    file.hold_after = None
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert file.requests[-1]["range"] == "bytes=400000-"
    assert leftovers(folder) == []


def test_many_that_want_the_same_wait_for_one_download(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, hold_after=100_000)
    first = fetch_elsewhere(server.url("/f"))
    wait_for_bytes(server.url("/f"), 100_000, first)
    waiting = threading.Event()
    found: list[Path] = []
    thread = threading.Thread(
        target=lambda: found.append(cache.fetch(server.url("/f"), progress=lambda done, total: waiting.set()))
    )
    thread.start()
    others = [fetch_elsewhere(server.url("/f")) for _ in range(3)]
    assert waiting.wait(30)
    file.go_on.set()
    paths = {process.communicate()[0].strip() for process in (first, *others)}
    thread.join()
    assert paths == {str(found[0])}
    assert found[0].read_bytes() == CONTENT
    assert len(file.requests) == 1
