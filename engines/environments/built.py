"""Environments that are there: their Python, its variables, and what they hold.

Nothing here runs the environment's Python: a job's start waits for it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path

from engines.environments.definition import Definition
from store.layout import Layout

READY = ".ready"
"""Written last, so a folder without it is an unfinished build."""

_FOLDERS = ("lib/python3.*", "lib64/python3.*", "local/lib/python3.*", "lib/python3")
_LEFT_BEHIND = ("PYTHONHOME", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "__PYVENV_LAUNCHER__", "CONDA_PREFIX")


class Tracking(Enum):
    """How a job in an environment reaches MLflow."""

    OWN = "own"
    """Workbench is installed there, with its tracking store."""
    PLUGIN = "plugin"
    """The same MLflow: the tracking store works from a folder on ``PYTHONPATH``."""
    SERVER = "server"
    """Another MLflow, which cannot open the database: a server of ours stands in."""
    NONE = "none"
    """No MLflow."""


def folder(definition: Definition, layout: Layout) -> Path:
    """Where the environment lies, or will."""
    return layout.environments / definition.hash


def interpreter(definition: Definition, layout: Layout) -> Path | None:
    """The Python of an environment; None where it is still to be built."""
    if definition.is_current:
        return Path(sys.executable)
    place = folder(definition, layout)
    python = place / "bin" / "python"
    # A link to a Python that was removed from the machine does not exist: the environment is then built again.
    return python if (place / READY).exists() and python.exists() else None


def activation(python: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole of ``environ`` for a process in the environment: its programs first, nothing of another Python."""
    variables = {
        name: value for name, value in (os.environ if environ is None else environ).items() if name not in _LEFT_BEHIND
    }
    programs = str(python.parent)
    others = [part for part in variables.get("PATH", os.defpath).split(os.pathsep) if part and part != programs]
    variables["PATH"] = os.pathsep.join([programs, *others])
    if (python.parent.parent / "pyvenv.cfg").exists():
        variables["VIRTUAL_ENV"] = str(python.parent.parent)
    return variables


def mlflow_package(python: Path) -> tuple[str, str] | None:
    """Name and version of the package that ``import mlflow`` finds there: the whole MLflow, or the skinny one."""
    found = ((name, _version(python, name.replace("-", "_"))) for name in ("mlflow", "mlflow-skinny"))
    return next(((name, version) for name, version in found if version is not None), None)


def has_workbench(python: Path) -> bool:
    """Whether MLflow finds the tracking store of an installed Workbench there."""
    for site in _site_folders(python):
        for entry_points in site.glob("*.dist-info/entry_points.txt"):
            try:
                text = entry_points.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            section = text.partition("[mlflow.tracking_store]")[2].partition("\n[")[0]
            if re.search(r"^workbench\s*=", section, re.MULTILINE):
                return True
    return False


def tracking(python: Path, own_version: str) -> Tracking:
    """How MLflow is reached from there; ``own_version`` is that of Workbench's MLflow."""
    there = mlflow_package(python)
    if there is None:
        return Tracking.NONE
    # The skinny MLflow lacks SQLAlchemy, on which the tracking store rests.
    if there != ("mlflow", own_version):
        return Tracking.SERVER
    return Tracking.OWN if has_workbench(python) else Tracking.PLUGIN


def _version(python: Path, name: str) -> str | None:
    for site in _site_folders(python):
        for info in site.glob(f"{name}-*.dist-info"):
            return info.name.removeprefix(f"{name}-").removesuffix(".dist-info")
    return None


def _site_folders(python: Path) -> Iterator[Path]:
    if os.path.realpath(python.parent) == os.path.realpath(Path(sys.executable).parent):
        yield from (Path(entry) for entry in sys.path if entry.endswith("-packages"))
        return
    for pattern in _FOLDERS:
        for found in sorted(python.parent.parent.glob(pattern)):
            yield from (found / name for name in ("site-packages", "dist-packages") if (found / name).is_dir())
