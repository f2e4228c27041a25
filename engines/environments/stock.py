"""Environments that were built in a workspace: what they hold, who used them last, and giving their room back."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.environments.built import READY
from engines.environments.definition import Definition
from store import environments
from store.database import write
from store.disk import explain, locked
from store.errors import ConflictError, NotFoundError
from store.layout import Layout


@dataclass(frozen=True, slots=True)
class Built:
    """One built environment; ``last_used`` is when a job that ran in it was submitted, None where none is known."""

    definition: Definition
    place: Path
    built_at: float
    seconds: float
    last_used: float | None = None
    last_job: str | None = None


class _BusyError(ConflictError):
    """Somebody builds it."""


def built_environments(layout: Layout, connection: sqlite3.Connection) -> list[Built]:
    """All that are ready, the last one built first. Those that are being built are not there yet."""
    used = environments.last_uses(connection)
    found: list[Built] = []
    for marker in layout.environments.glob(f"*/{READY}"):
        data = _marker(marker)
        if data is None:
            continue
        job, at = used.get(marker.parent.name, (None, None))
        definition = Definition.from_dict(data["definition"])
        found.append(Built(definition, marker.parent, data["built_at"], data["seconds"], at, job))
    return sorted(found, key=lambda each: -each.built_at)


def packages(place: Path) -> list[str]:
    """What is installed in a built environment, as ``name==version``."""
    found: dict[str, str] = {}
    for info in place.glob("lib/python3.*/site-packages/*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        found[name.replace("_", "-").casefold()] = version
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def packages_here() -> list[str]:
    """What is installed in the Python that runs Workbench, as ``name==version``."""
    from importlib.metadata import distributions

    found: dict[str, str] = {}
    for each in distributions():
        if each.name:  # a package that was removed by half has none
            found.setdefault(each.name.replace("_", "-").casefold(), each.version)  # the first is the one imported
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def remove(layout: Layout, connection: sqlite3.Connection, digest: str) -> None:
    """Give back the room of a built environment; the next job that needs it builds it anew.

    Raises NotFoundError, and ConflictError while a job that has not ended runs or will run in it, or while it is built.
    """
    place = layout.environments / digest
    if not (place / READY).exists():
        raise NotFoundError(f"there is no built environment {digest}")

    def busy() -> None:
        raise _BusyError(f"the environment {digest} is being built", hint="Try again when that has ended.")

    try:
        with locked(place.with_name(f"{place.name}.lock"), busy):
            with write(connection):  # no job is submitted meanwhile
                job = environments.unfinished_user(connection, digest)
                if job is not None:
                    raise ConflictError(
                        f"job {job} needs this environment and has not ended", hint="Wait for it, or cancel it first."
                    )
                (place / READY).unlink()
            shutil.rmtree(place)
    except OSError as error:
        raise explain(error, f"removing the environment {digest}") from error


def _marker(file: Path) -> Mapping[str, Any] | None:
    try:
        data: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
        return data if {"built_at", "seconds", "definition"} <= data.keys() else None
    except (OSError, ValueError):
        return None  # removed at this moment, or not ours
