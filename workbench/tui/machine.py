"""How busy the machine is, in eight levels that do not flicker."""

from __future__ import annotations

import os

LEVELS = 8
HYSTERESIS = 0.75
"""A level is left only when the value is this far (in levels) from its middle; half a level would flicker."""


LOOKS = 3
"""The middle one of so many looks counts: a burst of a few seconds, as machines have all the time, moves nothing."""


class LoadLevels:
    """Levels of CPU and memory from 0 to 7."""

    def __init__(self) -> None:
        self.cpu = 0
        self.memory = 0
        self._shares: list[float] = []

    def read(self) -> tuple[int, int]:
        """The levels now; CPU is that between the last calls."""
        import psutil

        share = psutil.cpu_percent() / 100
        if not self._shares:  # there is no call before to count from
            share = min(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        return self.take(share, psutil.virtual_memory().percent / 100)

    def take(self, cpu: float, memory: float) -> tuple[int, int]:
        """The levels with one look more: shares between 0 and 1."""
        self._shares = [*self._shares, cpu][-LOOKS:]
        self.cpu = level(sorted(self._shares)[(len(self._shares) - 1) // 2], self.cpu)
        self.memory = level(memory, self.memory)
        return self.cpu, self.memory


def level(share: float, before: int) -> int:
    """The level of a share between 0 and 1; that of before unless it moved far enough away."""
    exact = share * LEVELS - 0.5
    if abs(exact - before) <= HYSTERESIS:
        return before
    return max(0, min(LEVELS - 1, round(exact)))
