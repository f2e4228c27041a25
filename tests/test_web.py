"""``workbench web``: whoever has no cookie gets nothing, and whoever has it gets the program."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import psutil
import pytest
from aiohttp import ClientSession, CookieJar, WSMsgType, WSServerHandshakeError

from store.layout import Layout
from tests.conftest import ROOT, Cli
from workbench.web.guard import HEADERS

PATIENCE_SECONDS = 30.0

pytestmark = pytest.mark.slow

Visit = Callable[[ClientSession], Awaitable[Any]]


class Served(NamedTuple):
    """A server that listens."""

    process: subprocess.Popen[str]
    address: str
    token: str

    def visit(self, visit: Visit, **options: Any) -> Any:
        """Do something as a browser of its own."""

        async def scene() -> Any:
            async with ClientSession(self.address, cookie_jar=CookieJar(unsafe=True), **options) as browser:
                return await visit(browser)

        return asyncio.run(asyncio.wait_for(scene(), PATIENCE_SECONDS))

    async def enter(self, browser: ClientSession) -> None:
        """Take the token to the server."""
        async with browser.get("/", params={"token": self.token}) as answer:
            assert answer.status == 200, await answer.text()


@pytest.fixture
def served(layout: Layout) -> Iterator[Served]:
    """A server on a free port."""
    command = [sys.executable, "-m", "workbench.cli.main", "web", "--port", "0", "--workspace", str(layout.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.fullmatch(r"(http://127\.0\.0\.1:\d+)/\?token=([\w-]{43})\n", process.stdout.readline())
    try:
        assert found, process.communicate()
        yield Served(process, found[1], found[2])
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


async def until_shown(websocket: aiohttp.ClientWebSocketResponse, text: bytes) -> bytes:
    """What the program writes until a text is among it."""
    written = b""
    while text not in written:
        message = await websocket.receive()
        assert message.type in (WSMsgType.BINARY, WSMsgType.TEXT), f"{message}: {written!r}"
        if message.type is WSMsgType.BINARY:
            written += message.data
    return written


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=wrong", "/ws", "/page.js", "/static/js/textual.js", "/download/x", "/nothing"]
)
def test_nothing_is_answered_without_the_cookie(served: Served, path: str) -> None:
    async def visit(browser: ClientSession) -> None:
        async with browser.get(path) as answer:
            assert answer.status == 403
            assert "workbench web" in await answer.text()
            assert "Set-Cookie" not in answer.headers
        with pytest.raises(WSServerHandshakeError):
            await browser.ws_connect("/ws")

    served.visit(visit)


def test_the_token_lets_one_browser_in_once(served: Served) -> None:
    async def first(browser: ClientSession) -> None:
        async with browser.get("/", params={"token": served.token}) as answer:
            assert answer.status == 200
            assert 'content="0; url=/"' in await answer.text()
            assert re.fullmatch(
                r"workbench_\w+=[\w-]{43}; HttpOnly; Path=/; SameSite=Strict", answer.headers["Set-Cookie"]
            )
        async with browser.get("/") as answer:
            assert answer.status == 200
            assert "textual-terminal" in await answer.text()
            for name in HEADERS:
                assert name in answer.headers
        async with browser.get("/static/js/textual.js") as answer:
            assert answer.status == 200

    async def second(browser: ClientSession) -> None:
        async with browser.get("/", params={"token": served.token}) as answer:
            assert answer.status == 403

    served.visit(first)
    served.visit(second)


def test_a_head_request_does_not_use_up_the_token(served: Served) -> None:
    async def visit(browser: ClientSession) -> None:
        async with browser.head("/", params={"token": served.token}) as answer:
            assert answer.status == 403
        await served.enter(browser)

    served.visit(visit)


def test_the_page_shows_the_program_and_takes_keys(served: Served) -> None:
    async def visit(browser: ClientSession) -> None:
        await served.enter(browser)
        async with browser.ws_connect("/ws", params={"width": 100, "height": 30}) as websocket:
            written = await until_shown(websocket, b"Compute")
            assert b"workbench" in written
            await websocket.send_json(["stdin", "?"])
            await until_shown(websocket, b"quit")

    served.visit(visit)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8484", "192.0.2.1", "[", ""])
def test_a_name_of_somebody_else_is_refused(served: Served, host: str) -> None:
    async def visit(browser: ClientSession) -> None:
        await served.enter(browser)
        async with browser.get("/", headers={"Host": host}) as answer:
            assert answer.status in (400, 421)
        async with browser.get("/", headers={"Host": "localhost:9000"}) as answer:
            assert answer.status == 200

    served.visit(visit)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_somebody_else_is_refused(served: Served, origin: str) -> None:
    async def visit(browser: ClientSession) -> None:
        await served.enter(browser)
        async with browser.get("/", headers={"Origin": origin}) as answer:
            assert answer.status == 403
        with pytest.raises(WSServerHandshakeError):
            await browser.ws_connect("/ws", headers={"Origin": origin})
        async with browser.get("/", headers={"Origin": served.address}) as answer:
            assert answer.status == 200

    served.visit(visit)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_programs_behind_open_pages_end_with_the_server(served: Served, number: signal.Signals) -> None:
    async def visit(browser: ClientSession) -> list[psutil.Process]:
        await served.enter(browser)
        async with browser.ws_connect("/ws") as websocket:
            await until_shown(websocket, b"workbench")
            programs = psutil.Process(served.process.pid).children(recursive=True)
            assert any("workbench.tui" in program.cmdline() for program in programs)
            served.process.send_signal(number)
            while (await websocket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
                pass
            return programs

    programs = served.visit(visit)
    assert served.process.wait(PATIENCE_SECONDS) == 0
    assert psutil.wait_procs(programs, PATIENCE_SECONDS)[1] == []


def test_a_page_that_is_closed_is_no_error(layout: Layout, tmp_path: Path) -> None:
    environment = {**os.environ, "WORKBENCH_WEB": "1", "XDG_STATE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "workbench.tui", str(layout.root)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **pipes) as program:
        assert program.stdin and program.stdout and program.stderr
        while b"Jobs" not in os.read(program.stdout.fileno(), 65536):
            pass
        program.stdout.close()
        for _ in range(3):
            program.stdin.write(b"D\0\0\0\x012")  # a key: the answer has nowhere to go
            program.stdin.flush()
        assert program.stderr.read() == b""
        assert program.wait(PATIENCE_SECONDS) == 0
    assert not list(tmp_path.glob("**/crash-*"))


def test_the_page_names_no_other_place() -> None:
    for name in ("page.html", "page.css", "page.js"):
        text = (ROOT / "workbench" / "web" / name).read_text()
        assert re.findall(r"""(?:https?:)?//[\w.]+""", re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_other_machines_are_let_in_only_when_asked_for(cli: Cli, host: str) -> None:
    done = cli("web", "--host", host, "--port", "0")
    assert done.returncode == 2
    assert "--allow-remote" in done.stderr
    assert done.stdout == ""


def test_a_port_that_is_taken_is_said(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = cli("web", "--port", str(taken.getsockname()[1]), env={"LC_ALL": os.environ.get("LC_ALL", "C")})
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert "--port 0" in done.stderr
