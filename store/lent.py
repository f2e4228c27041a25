"""The variables of whoever something is done for: the process's own, or in the agent those of a job's submitter.

An agent may have been started long ago, from a shell without the proxy or the cache folder of the one who submits now.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_lent: ContextVar[Mapping[str, str] | None] = ContextVar("lent", default=None)


def variables() -> Mapping[str, str]:
    """The environment variables that count here."""
    lent = _lent.get()
    return os.environ if lent is None else lent


@contextmanager
def lent(environ: Mapping[str, str]) -> Iterator[None]:
    """Have these variables count, in this thread, for as long as the context lasts."""
    token = _lent.set(environ)
    try:
        yield
    finally:
        _lent.reset(token)
