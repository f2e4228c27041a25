"""When cycles of objects are searched for."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.tui.conftest import Drive
from workbench.tui.app import WorkbenchApp
from workbench.tui.calm import CALM_SECONDS, DUE, PAUSE_SECONDS, Calm


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.enable()


def test_what_stays_is_put_aside_when_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.disable()
    calm = Calm()
    assert not calm.use(0.1)
    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000
    assert calm.use(CALM_SECONDS), "what was put aside unsearched is searched later"
    assert gc.get_freeze_count() > 10_000
    assert not calm.use(CALM_SECONDS), "nothing is new"
    monkeypatch.setitem(sys.modules, "a_module_that_a_view_imported", ModuleType("late"))
    assert calm.use(CALM_SECONDS)


def test_what_came_since_is_searched_between_keys() -> None:
    calm = Calm()
    calm.use(CALM_SECONDS)
    for _ in range(DUE):
        gc.collect(1)
    assert not calm.use(0.0)
    assert gc.get_count()[2] >= DUE, "somebody waits for a key's picture"
    assert not calm.use(PAUSE_SECONDS)
    assert gc.get_count()[2] == 0


def test_a_key_puts_it_off(drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: object) -> tuple[float, float]:
        before = app.seconds_since_key()
        await pilot.press("2")  # type: ignore[attr-defined]
        return before, app.seconds_since_key()

    before, after = drive(script)
    assert before == float("inf")
    assert after < 60
