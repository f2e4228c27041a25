"""Textual's driver for a browser, that leaves quietly when the page is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.drivers.web_driver import WebDriver


class PageDriver(WebDriver):
    """Writes into a pipe whose reader may be gone at any time: then nobody is left who could be told."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._to_page: Callable[[bytes], int] = self._write
        self._is_lost = False
        self._write: Any = self._write_while_there

    def _write_while_there(self, data: bytes) -> int:
        if not self._is_lost:
            try:
                return self._to_page(data)
            except BrokenPipeError:
                self._is_lost = True
                self._app.call_later(self._app.exit)
        return len(data)
