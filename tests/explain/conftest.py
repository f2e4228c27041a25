"""A place for a job of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.explain.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty working copy and code folder."""
    (tmp_path / "work").mkdir()
    (tmp_path / "src").mkdir()
    return Place(tmp_path)
