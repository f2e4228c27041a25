"""What packages of conda's channels are called on Python's package index (see ``conda_packages.yml``)."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml


@dataclass(frozen=True, slots=True)
class PipName:
    """The package to install, such as ``ray[tune]``."""

    name: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Nothing to install, and nothing missing without it."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoCounterpart:
    """No Python package; ``advice`` may be empty."""

    advice: str


def counterpart(name: str) -> PipName | LeftOut | NoCounterpart:
    """What stands for a conda package where pip installs."""
    table = _table()
    if name in table["renamed"]:
        return PipName(table["renamed"][name])
    if name in table["left_out"]:
        return LeftOut(table["left_out"][name])
    if name in table["no_counterpart"]:
        return NoCounterpart(table["no_counterpart"][name])
    if any(fnmatchcase(name, pattern) for pattern in table["no_counterpart_patterns"]):
        return NoCounterpart("")
    return PipName(name)


@cache
def _table() -> dict[str, Any]:
    text = Path(__file__).with_name("conda_packages.yml").read_text(encoding="utf-8")
    return cast("dict[str, Any]", yaml.safe_load(text))
