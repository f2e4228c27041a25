"""The controllers that are installed, by the type of job that each serves: the name of its entry point."""

from __future__ import annotations

import sqlite3
from functools import cache

from engines.compute.registry import engine
from engines.jobs.control import Controller
from store import computes, plugins
from store.errors import WorkbenchError
from store.jobs import Job

GROUP = "workbench.jobs"


def controller(kind: str) -> Controller:
    """What decides on jobs of a type.

    Raises MissingPackageError if no package brings it, BrokenPackageError if the package that does is broken.
    """
    wanted = plugins.lookup(GROUP, kind)
    if wanted is None:
        raise plugins.MissingPackageError(
            f"no installed package runs jobs of type {kind!r}; there are {', '.join(plugins.find(GROUP)) or 'none'}",
            hint="Install the package that brings it. A changed checkout of Workbench wants `pip install -e .` again.",
        )
    return load(wanted)


@cache
def load(plugin: plugins.Plugin) -> Controller:
    """The controller that an entry point stands for."""
    loaded: Controller = plugin.load()
    return loaded


def obstacle(connection: sqlite3.Connection, job: Job) -> WorkbenchError | None:
    """What an unfinished job waits for that does not come by itself: a package that is missing or broken."""
    if job.finished:
        return None
    try:
        controller(job.type)
        engine(computes.get(connection, job.compute)["type"])
    except plugins.UNUSABLE as error:
        hint = f"{error.hint or ''} Or end the job: workbench job cancel {job.name}".lstrip()
        return type(error)(error.message, hint=hint)
    return None
