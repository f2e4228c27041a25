"""Signals that end the terminal UI: it leaves as by its key, and the terminal is as it was before."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT)
SIGNALLED = 128
"""A shell tells an end by a signal as this plus its number."""


def leave_by_signals(leave: Callable[[int], object]) -> None:
    """Have signals call ``leave`` with an exit status; one that is ignored, as under ``nohup``, stays so.

    By default they would end the process at once: in a shell that goes on in raw mode, where the mouse types.
    """
    loop = asyncio.get_running_loop()
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, partial(_leave, leave, number))


def _leave(leave: Callable[[int], object], number: signal.Signals) -> None:
    for each in ENDING:  # the next one ends the process, should leaving wait for a terminal that takes nothing
        asyncio.get_running_loop().remove_signal_handler(each)
    leave(SIGNALLED + number)
