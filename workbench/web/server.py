"""Serves the terminal UI over textual-serve: a process of it for each page that is open."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

from store.errors import MachineError
from workbench.web.guard import Guard

FILES = Path(__file__).parent
FAREWELL_SECONDS = 2.0
"""How long the programs behind open pages have for their own end."""


class WorkbenchServer(Server):
    """textual-serve with pages of our own, which load nothing from elsewhere, behind a guard."""

    def __init__(self, workspace: str, guard: Guard) -> None:
        program = [sys.executable, "-P", "-m", "workbench.tui", workspace]
        super().__init__(shlex.join(program), title="workbench")
        self.guard = guard
        self._pages: set[asyncio.Task[object]] = set()

    async def application(self) -> web.Application:
        """The application with all its routes, guarded."""
        application = await self._make_app()
        for name in ("page.css", "page.js"):
            application.router.add_get(f"/{name}", self._file(name))
        self.guard.install(application)
        return application

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, which has nothing to be filled in."""
        return web.FileResponse(FILES / "page.html")

    async def on_startup(self, app: web.Application) -> None:
        """Says nothing: the address is printed where it is known."""

    async def on_shutdown(self, app: web.Application) -> None:
        """End the programs behind the pages that are open."""
        for page in self._pages:
            page.cancel()
        if self._pages:
            await asyncio.wait(self._pages, timeout=FAREWELL_SECONDS)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run a program for a page, and remember it."""
        page = asyncio.current_task()
        if page is not None:
            self._pages.add(page)
            page.add_done_callback(self._pages.discard)
        return await super().handle_websocket(request)

    def _file(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(_request: web.Request) -> web.StreamResponse:
            return web.FileResponse(FILES / name)

        return handle


async def serve(workspace: str, host: str, port: int, *, remote: bool, tell: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. ``tell`` gets the address with its token once the server listens."""
    names = (host, socket.gethostname(), socket.getfqdn()) if remote else ()
    guard = Guard(names, remote=remote)
    runner = web.AppRunner(
        await WorkbenchServer(workspace, guard).application(), access_log=None, shutdown_timeout=FAREWELL_SECONDS
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise MachineError(
                f"port {port} of {host}: {os.strerror(error.errno or 0)}",
                hint="Choose another: --port 0 takes a free one.",
            ) from error
        found = runner.addresses[0]
        name = f"[{found[0]}]" if ":" in found[0] else found[0]
        tell(f"http://{name}:{found[1]}/?token={guard.token}")
        await ended()
    finally:
        await runner.cleanup()


async def ended() -> None:
    """Wait for the signal to end."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end.set)
    await end.wait()


def prepare_environment() -> None:
    """What the programs behind the pages have to know: they are in a browser, whatever terminal this is."""
    os.environ.update(WORKBENCH_WEB="1", TERM="xterm-256color", COLORTERM="truecolor", PYTHONUTF8="1")
    os.environ.setdefault("WORKBENCH_ASCII", "false")
    for name in ("TMUX", "NO_COLOR", "COLORFGBG"):
        os.environ.pop(name, None)
