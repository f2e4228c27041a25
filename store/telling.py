"""How work that takes a while tells of itself, and is told to stop: what callers pass down to it."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]
"""Takes a line for whoever waits."""

Progress = Callable[[int, int | None], None]
"""Takes the bytes that are done, and all that there are to do where that is known."""

Cancelled = Callable[[], bool]
"""Tells whether the work is no longer wanted."""
