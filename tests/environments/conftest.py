from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tiny_packages import write_wheel

from engines.environments.definition import Definition
from engines.environments.resolve import resolve
from store.layout import Layout


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """This process's variables without anyone's settings of pip and uv; packages come from the folder ``wheels``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    return {
        **kept,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "TESTS_FOLDER": str(Path(__file__).parent),
    }


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    for version in ("1.0", "1.1", "2.0"):
        write_wheel(folder, "tiny", version)
    return folder


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "workspace")


@pytest.fixture
def define(environ: dict[str, str]) -> Callable[..., Definition]:
    """The definition of an environment given as a document or a name, in a workspace that has none registered."""

    def definition(environment: Mapping[str, Any] | str | None, **more: Any) -> Definition:
        return resolve(environment, **{"registered": lambda name, version: None, "environ": environ, **more})

    return definition


@pytest.fixture
def conda(define: Callable[..., Definition]) -> Callable[..., Definition]:
    """The definition of an inline conda file with these dependencies."""
    return lambda *dependencies, **more: define({"conda_file": {"dependencies": list(dependencies)}}, **more)
