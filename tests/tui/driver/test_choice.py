"""When the driver is used, and that asking costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from workbench.tui.driver import driver_class


def test_it_is_used_unless_turned_off_or_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    chosen = driver_class(enabled=True)
    assert chosen is not None
    assert chosen.__name__ == "CellDriver"
    assert driver_class(enabled=False) is None
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.web_driver:WebDriver")
    assert driver_class(enabled=True) is None


def test_asking_imports_no_textual() -> None:
    heavy = "('textual', 'rich', 'curses')"
    code = f"import sys, workbench.tui.driver; print([each for each in {heavy} if each in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
