"""The bars of the machine's load: what moves them, and what does not."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.tui.machine import HYSTERESIS, LEVELS, LoadLevels, level


def test_a_burst_moves_nothing_and_a_load_that_stays_does() -> None:
    levels = LoadLevels()
    assert [levels.take(share, 0.0)[0] for share in (0.05, 1.0, 0.05, 0.05, 1.0, 0.05, 0.05)] == [0] * 7
    assert [levels.take(1.0, 0.0)[0] for _ in range(2)] == [0, LEVELS - 1]
    assert [levels.take(share, 0.0)[0] for share in (0.05, 1.0, 1.0)] == [LEVELS - 1] * 3


def test_the_first_look_tells_of_the_last_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (10.0 * (os.cpu_count() or 1), 0.0, 0.0))
    assert LoadLevels().read()[0] == LEVELS - 1
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    assert LoadLevels().read()[0] == 0


@given(st.floats(0, 1), st.integers(0, LEVELS - 1))
def test_a_level_is_near_its_share_and_stays_for_small_changes(share: float, before: int) -> None:
    now = level(share, before)
    assert 0 <= now < LEVELS
    assert abs(share * LEVELS - 0.5 - now) <= HYSTERESIS
    assert level(share, now) == now
