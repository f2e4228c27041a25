"""Python's search for cycles of objects, kept from the moments in which somebody waits.

A whole search takes 0.1 s with all that a terminal UI has in memory, nearly all of it modules, classes and stylesheets
that stay to the end. They are put aside while nobody does anything; what is left is searched in a few milliseconds.
"""

from __future__ import annotations

import gc
import sys

CALM_SECONDS = 2.0
"""So long without a key, and somebody reads or has gone."""


class Calm:
    """Puts aside what stays; to be asked now and then."""

    def __init__(self) -> None:
        self._modules = 0
        self._is_owed = False

    def use(self, seconds_since_key: float) -> bool:
        """Put aside what is new, at once; search it if nobody waits. Whether it was searched."""
        gc.enable()  # the start did without
        if len(sys.modules) != self._modules:
            self._modules, self._is_owed = len(sys.modules), True
            gc.freeze()
        if not self._is_owed or seconds_since_key < CALM_SECONDS:
            return False
        self._is_owed = False
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        return True
