"""Signals that end the terminal UI: it leaves as by its key, and the terminal is as it was before."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from typing import Any

from textual.app import App

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT)
SIGNALLED = 128
"""A shell tells an end by a signal as this plus its number."""


def leave_by_signals(app: App[Any]) -> None:
    """Have signals end an application, with the way back kept; one that is ignored, as under ``nohup``, stays so.

    By default they would end the process at once: in a shell that goes on in raw mode, where the mouse types.
    """
    loop = asyncio.get_running_loop()
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, partial(_leave, app, number))


def _leave(app: App[Any], number: signal.Signals) -> None:
    for each in ENDING:  # the next one ends the process, should leaving wait for a terminal that takes nothing
        asyncio.get_running_loop().remove_signal_handler(each)
    app.exit(return_code=SIGNALLED + number)
