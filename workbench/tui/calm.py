"""Python's search for cycles of objects, kept from the moments in which somebody waits.

A whole search takes 0.1 s with all that a terminal UI has in memory, nearly all of it modules, classes and stylesheets
that stay to the end. They are put aside while nobody does anything; what is left is searched in a few milliseconds,
between two keys rather than under one.
"""

from __future__ import annotations

import gc
import sys

CALM_SECONDS = 2.0
"""So long without a key, and somebody reads or has gone."""
PAUSE_SECONDS = 0.1
"""So long after a key its picture is there, and the next one seldom is."""
OFTEN, DUE, LATEST = 700, 10, 100
"""New objects until they are searched, such searches until all is, if nobody waits, and if somebody does."""


class Calm:
    """Puts aside what stays; to be asked now and then."""

    def __init__(self) -> None:
        self._modules = 0
        self._is_owed = False

    def use(self, seconds_since_key: float) -> bool:
        """Put aside what is new, at once; search it if nobody waits. Whether it was searched."""
        gc.enable()  # the start did without
        gc.set_threshold(OFTEN, DUE, LATEST)
        if len(sys.modules) != self._modules:
            self._modules, self._is_owed = len(sys.modules), True
            gc.freeze()
        if not self._is_owed or seconds_since_key < CALM_SECONDS:
            if gc.get_count()[2] >= DUE and seconds_since_key >= PAUSE_SECONDS:
                gc.collect()
            return False
        self._is_owed = False
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        return True
