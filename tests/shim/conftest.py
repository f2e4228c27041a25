"""Attempts whose shims are gone after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shim.attempts import Attempt


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[Attempt]:
    """An attempt whose shims are gone after the test."""
    made = Attempt(tmp_path)
    yield made
    for shim in made.shims:
        if shim.poll() is None:
            (made.attempt / "kill").touch()
            shim.wait(30)
