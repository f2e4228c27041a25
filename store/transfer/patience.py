"""Calls that may hang for as long as a server likes, made so that whoever waits can change their mind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")

POLL_SECONDS = 0.1


def patiently(call: Callable[[], Result], check: Callable[[], None]) -> Result:
    """What a call returns or raises. Meanwhile ``check`` is asked, which raises to give up.

    A call that is given up goes on in its thread until it ends by itself, and nobody hears of it. The thread is a
    daemon: no process stays for its sake.
    """
    ended: Future[Result] = Future()

    def work() -> None:
        try:
            ended.set_result(call())
        except BaseException as error:  # noqa: BLE001  (it is raised where it is waited for)
            ended.set_exception(error)

    threading.Thread(target=copy_context().run, args=(work,), name="transfer", daemon=True).start()
    while not wait([ended], POLL_SECONDS).done:
        check()
    return ended.result()
