"""The variables that a submitter lends its job: beside the store, for secrets may be among them.

They are written within the transaction that accepts the job. So while one holds the store for writing, a folder with
variables and without a row is what a killed submitter left.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping

from store import jobs
from store.database import write
from store.disk import flush
from store.layout import Layout


def keep(layout: Layout, name: str, variables: Mapping[str, str]) -> None:
    """Write them, readable by the user alone; they survive a power cut. Within the transaction of the job's row."""
    folder = layout.job(name)
    folder.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder.submitted_environment, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(dict(variables), file)
    flush(folder.submitted_environment, folder.root, layout.jobs)


def clear(connection: sqlite3.Connection, layout: Layout, names: Iterable[str]) -> list[str]:
    """Remove the variables of those that are no jobs; returns their names."""
    with write(connection):
        orphans = [name for name in names if not jobs.exists(connection, name)]
        for folder in map(layout.job, orphans):
            with contextlib.suppress(OSError):
                folder.submitted_environment.unlink(missing_ok=True)
                folder.root.rmdir()
    return orphans


def orphans(connection: sqlite3.Connection, layout: Layout) -> list[str]:
    """Names of folders that have variables and, so far, no job."""
    try:
        there = os.listdir(layout.jobs)
    except FileNotFoundError:
        return []
    known = {row[0] for row in connection.execute("SELECT name FROM job")}
    return [name for name in there if name not in known and layout.job(name).submitted_environment.exists()]
