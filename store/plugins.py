"""What installed packages declare under an entry-point group.

``importlib.metadata`` takes 27 ms for it, most of them to import itself, and every ``workbench run`` would wait; to
look into the same files takes two. It remains for groups that no package in a plain folder knows.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, reduce
from pathlib import Path
from typing import Any

from store.errors import MachineError, NotFoundError


class MissingPackageError(NotFoundError):
    """No installed package brings what was asked for."""


class BrokenPackageError(MachineError):
    """A package declares what it cannot give."""


UNUSABLE = (MissingPackageError, BrokenPackageError)
"""What a package may be that was installed when a job was submitted: the job waits for it."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One line of a package's entry points."""

    group: str
    name: str
    value: str
    package: str

    def __str__(self) -> str:
        return f"{self.name!r} of the package {self.package} ({self.value}, declared under {self.group})"

    def load(self) -> Any:
        """Import what it stands for. Raises BrokenPackageError, with the package's name, whatever goes wrong there."""
        module, _, attributes = self.value.partition(":")
        try:
            return reduce(getattr, attributes.strip().split("."), importlib.import_module(module.strip()))
        except Exception as error:  # somebody else's code
            raise self.broken(error) from error

    def make(self) -> Any:
        """Load it and call it without arguments."""
        factory = self.load()
        try:
            return factory()
        except Exception as error:  # somebody else's code
            raise self.broken(error) from error

    def broken(self, error: Exception) -> BrokenPackageError:
        """The error that names the package."""
        return BrokenPackageError(
            f"{self} cannot be loaded: {type(error).__name__}: {error}",
            hint=f"Update or remove it: pip install -U {self.package}, pip uninstall {self.package}",
        )


@cache
def find(group: str) -> dict[str, Plugin]:
    """All that is declared under a group, by name. Raises BrokenPackageError where two packages declare one name."""
    found: dict[str, Plugin] = {}
    for plugin in list(in_folders(group)) or list(elsewhere(group)):
        other = found.setdefault(plugin.name, plugin)
        if other != plugin:
            raise BrokenPackageError(f"two packages clash: {other}, {plugin}", hint="Uninstall one of them.")
    return found


def lookup(group: str, name: str) -> Plugin | None:
    """What is declared under a name, looked for again where it was missing: this process may be older than it."""
    if name not in find(group) and time.monotonic() - _missed.get((group, name), 0.0) > AGAIN_SECONDS:
        look_again()
        if name not in find(group):
            _missed[group, name] = time.monotonic()
    return find(group).get(name)


_missed: dict[tuple[str, str], float] = {}
AGAIN_SECONDS = 0.9
"""Many jobs may wait for one package, and each is looked at again and again."""


def look_again() -> None:
    """Forget what was found: a package may have been installed since."""
    find.cache_clear()
    importlib.invalidate_caches()


def in_folders(group: str) -> Iterator[Plugin]:
    """From the metadata folders on ``sys.path``; of a package that is there twice the first counts, as for imports."""
    seen: set[str] = set()
    for folder in dict.fromkeys(sys.path):
        try:
            names = sorted(name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info")))
        except OSError:
            continue
        for name in names:
            package = re.sub(r"[-_.]+", "-", name.rpartition(".")[0].partition("-")[0]).lower()
            if package not in seen:
                seen.add(package)
                yield from declared(Path(folder, name, "entry_points.txt"), group, package)


def declared(file: Path, group: str, package: str) -> Iterator[Plugin]:
    """The lines of one package's file that belong to the group."""
    try:
        text = file.read_text("utf-8")
    except OSError:  # it declares nothing, or is an old kind of package that is a file
        return
    here = False
    for line in text.splitlines() if f"[{group}]" in text else []:
        line = line.strip()
        if line.startswith("["):
            here = line == f"[{group}]"
        elif here and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield Plugin(group, name.strip(), without_extras(value), package)


def elsewhere(group: str) -> Iterator[Plugin]:
    """From whatever else ``importlib.metadata`` can see: archives, importers of one's own."""
    from importlib.metadata import entry_points

    for entry in entry_points(group=group):
        yield Plugin(group, entry.name, without_extras(entry.value), entry.dist.name if entry.dist else "?")


def without_extras(value: str) -> str:
    """``module:name [extra, ...]`` without the last part, which nobody heeds any more."""
    return value.partition("[")[0].strip()
