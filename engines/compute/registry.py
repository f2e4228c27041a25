"""The engines that are installed, by the names of their entry points."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from engines import plugins
from store.errors import MachineError, NotFoundError

if TYPE_CHECKING:
    from engines.compute.base import Engine

GROUP = "workbench.compute"
METHODS = ("start", "poll", "cancel", "kill", "revoke", "kill_leftovers", "capacity")


@cache
def engine(name: str) -> Engine:
    """The engine of that name, one for the whole process.

    Raises NotFoundError if no package brings it, MachineError if the package that does is broken.
    """
    found = plugins.find(GROUP)
    if name not in found:
        raise NotFoundError(
            f"there is no compute engine {name!r}; installed: {', '.join(sorted(found)) or 'none'}",
            hint="Install the package that brings it"
            + ("." if found else ", and Workbench itself: `pip install -e .` in a checkout."),
        )
    made: Engine = found[name].make()
    if missing := [method for method in METHODS if not callable(getattr(made, method, None))]:
        raise MachineError(f"{found[name]} is no compute engine: it lacks {', '.join(missing)}")
    return made


def names() -> list[str]:
    """Of all engines that are installed, whether they work or not."""
    return sorted(plugins.find(GROUP))
