"""The engines that are installed, by the type of compute that each serves: the name of its entry point.

A package that serves several types declares its engine under each of their names. Where a type is no part of the
dialect, the package also brings the model of its document, under the group ``workbench.documents``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from store import plugins
from store.errors import MachineError, NotFoundError

if TYPE_CHECKING:
    from engines.compute.base import Engine

GROUP = "workbench.compute"
METHODS = ("start", "poll", "cancel", "kill", "revoke", "kill_leftovers", "capacity")


def engine(kind: str) -> Engine:
    """The engine that runs tasks on computes of a type, one for the whole process.

    Raises NotFoundError if no package brings it, MachineError if the package that does is broken.
    """
    if kind not in plugins.find(GROUP):
        plugins.look_again()  # the agent may be older than the package
    found = plugins.find(GROUP)
    if kind not in found:
        raise NotFoundError(
            f"no installed package runs jobs on computes of type {kind!r}; there are {', '.join(found) or 'none'}",
            hint="Install the package that brings it. A changed checkout of Workbench wants `pip install -e .` again.",
        )
    wanted = found[kind]
    return make(next(each for each in found.values() if (each.package, each.value) == (wanted.package, wanted.value)))


@cache
def make(plugin: plugins.Plugin) -> Engine:
    """The engine that an entry point stands for."""
    made: Engine = plugin.make()
    if missing := [method for method in METHODS if not callable(getattr(made, method, None))]:
        raise MachineError(f"{plugin} is no compute engine: it lacks {', '.join(missing)}")
    return made


def types() -> list[str]:
    """Types of compute that an installed engine serves, whether it works or not."""
    return sorted(plugins.find(GROUP))
