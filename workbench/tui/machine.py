"""How busy the machine is, in eight levels that do not flicker."""

from __future__ import annotations

LEVELS = 8
HYSTERESIS = 0.75
"""A level is left only when the value is this far (in levels) from its middle; half a level would flicker."""


class LoadLevels:
    """Levels of CPU and memory from 0 to 7."""

    def __init__(self) -> None:
        self.cpu = 0
        self.memory = 0
        self._begun = False

    def read(self) -> tuple[int, int]:
        """The levels now; CPU is that since the last call."""
        import psutil

        if not self._begun:
            psutil.cpu_percent()
            self._begun = True
        self.cpu = level(psutil.cpu_percent() / 100, self.cpu)
        self.memory = level(psutil.virtual_memory().percent / 100, self.memory)
        return self.cpu, self.memory


def level(share: float, before: int) -> int:
    """The level of a share between 0 and 1; that of before unless it moved far enough away."""
    exact = share * LEVELS - 0.5
    if abs(exact - before) <= HYSTERESIS:
        return before
    return max(0, min(LEVELS - 1, round(exact)))
