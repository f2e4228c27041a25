"""Work that may take without end, ended after a moment: Python's regular expressions look for signals as they go."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class TooSlowError(Exception):
    """It took longer than it may."""


def limited(seconds: float, work: Callable[[], T]) -> T:
    """What ``work()`` answers. Raises TooSlowError after so long; only the main thread can be interrupted."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    armed = True

    def ring(_signal: int, _frame: FrameType | None) -> None:
        if armed:
            raise TooSlowError

    before = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return work()
    finally:
        armed = False  # one that rings just now is too late
        signal.setitimer(signal.ITIMER_REAL, left, interval)
        signal.signal(signal.SIGALRM, before)
