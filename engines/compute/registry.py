"""The engines that are installed, by the type of compute that each serves: the name of its entry point.

A package that serves several types declares its engine under each of their names. Where a type is no part of the
dialect, the package also brings the model of its document, under the group ``workbench.documents``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from store import plugins

if TYPE_CHECKING:
    from engines.compute.base import Engine

GROUP = "workbench.compute"
METHODS = ("start", "poll", "cancel", "kill", "revoke", "kill_leftovers", "capacity")


def engine(kind: str) -> Engine:
    """The engine that runs tasks on computes of a type, one for the whole process.

    Raises MissingPackageError if no package brings it, BrokenPackageError if the package that does is broken.
    """
    wanted, found = plugins.lookup(GROUP, kind), plugins.find(GROUP)
    if wanted is None:
        raise plugins.MissingPackageError(
            f"no installed package runs jobs on computes of type {kind!r}; there are {', '.join(found) or 'none'}",
            hint="Install the package that brings it. A changed checkout of Workbench wants `pip install -e .` again.",
        )
    return make(next(each for each in found.values() if (each.package, each.value) == (wanted.package, wanted.value)))


@cache
def make(plugin: plugins.Plugin) -> Engine:
    """The engine that an entry point stands for."""
    made: Engine = plugin.make()
    if missing := [method for method in METHODS if not callable(getattr(made, method, None))]:
        raise plugins.BrokenPackageError(f"{plugin} is no compute engine: it lacks {', '.join(missing)}")
    return made


def types() -> list[str]:
    """Types of compute that an installed engine serves, whether it works or not."""
    return sorted(plugins.find(GROUP))
