"""Who may talk to the server: whoever brought the one-time token, from a page of ours, by a name of ours."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self' {websocket}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

ENTERED = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/"><title>workbench</title></head>
<body></body>
</html>
"""
"""Not a redirect: that would count as coming from wherever the link was, and the strict cookie would stay behind."""


class Guard:
    """Lets a request through that has the cookie; the token in the address is exchanged for it, once."""

    def __init__(self, names: Iterable[str] = (), *, remote: bool = False) -> None:
        self.token: str | None = secrets.token_urlsafe(32)
        self.cookie = f"workbench_{secrets.token_hex(4)}"  # cookies know no ports: two servers have two names
        self._session = secrets.token_urlsafe(32)
        self._names = frozenset({"localhost", *(name.casefold() for name in names)})
        self._remote = remote

    def install(self, application: web.Application) -> None:
        """Stand before every handler of an application."""
        application.middlewares.append(self._middleware())
        application.on_response_prepare.append(self._add_headers)

    def _middleware(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._is_ours(request.host):
                return web.Response(status=421, text=f"no page is served by the name {request.host!r}\n")
            origin = request.headers.get("Origin")
            if origin is not None and urlsplit(origin).netloc.casefold() != request.host.casefold():
                return web.Response(status=403, text="the request comes from a page of somebody else\n")
            if self._has_cookie(request):
                return await handler(request)
            if request.method == "GET" and request.path == "/" and self._takes(request.query.get("token", "")):
                entered = web.Response(text=ENTERED, content_type="text/html")
                entered.set_cookie(self.cookie, self._session, path="/", httponly=True, samesite="Strict")
                return entered
            return web.Response(
                status=403,
                text="The address that `workbench web` printed opens one browser, once.\n"
                "For another one, end it with Ctrl-C and start it again: jobs go on.\n",
            )

        return guard

    def _takes(self, given: str) -> bool:
        """Whether this is the token, which is worth nothing from then on."""
        if self.token is None or not hmac.compare_digest(given.encode(), self.token.encode()):
            return False
        self.token = None
        return True

    def _has_cookie(self, request: web.Request) -> bool:
        return hmac.compare_digest(request.cookies.get(self.cookie, "").encode(), self._session.encode())

    def _is_ours(self, host: str) -> bool:
        """Whether a ``Host`` header names this machine: a stranger's name that leads here is DNS rebinding."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").casefold()
        except ValueError:
            return False
        try:
            return ip_address(name).is_loopback or self._remote  # nobody's name server answers for an address
        except ValueError:
            return name in self._names

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        scheme = "wss" if request.secure else "ws"
        for name, value in HEADERS.items():
            response.headers[name] = value.replace("{websocket}", f"{scheme}://{request.host}")
