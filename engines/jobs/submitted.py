"""What a submitter lends its job and the store must not hold: variables, and addresses with a secret in them.

Both are written within the transaction that accepts the job. So while one holds the store for writing, a folder with
variables and without a row is what a killed submitter left.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engines.jobs import runtime
from engines.jobs.secret_addresses import SecretAddress
from store import jobs
from store.database import write
from store.disk import flush
from store.layout import JobFolder, Layout


def keep(layout: Layout, name: str, variables: Mapping[str, str], addresses: Sequence[SecretAddress] = ()) -> None:
    """Write them, readable by the user alone; they survive a power cut. Within the transaction of the job's row."""
    folder = layout.job(name)
    folder.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder.submitted_environment, dict(variables))
    if addresses:
        write_private(folder.secret_addresses, [asdict(each) for each in addresses])
    flush(folder.root, layout.jobs)


def write_private(file: Path, content: Any) -> None:
    """Put JSON on the disk that nobody else may read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(content, stream)
    flush(file)


def read_addresses(folder: JobFolder) -> list[SecretAddress]:
    """The addresses that are not whole in the stored document; none once the job has ended."""
    try:
        kept = json.loads(folder.secret_addresses.read_text())
    except FileNotFoundError:
        return []
    return [SecretAddress(tuple(each["path"]), each["address"]) for each in kept]


def read_variables(folder: JobFolder) -> dict[str, str]:
    """The variables that the submitter's environment lends the job."""
    try:
        found: dict[str, str] = json.loads(folder.submitted_environment.read_text())
    except FileNotFoundError:
        return runtime.carried(os.environ)
    return found


def discard(folder: JobFolder) -> None:
    """Remove what only an unfinished job needs; the variables last, by which a folder without a job is known."""
    folder.secret_addresses.unlink(missing_ok=True)
    folder.submitted_environment.unlink(missing_ok=True)


def clear(connection: sqlite3.Connection, layout: Layout, names: Iterable[str]) -> list[str]:
    """Remove what was lent to those that are no jobs; returns their names."""
    with write(connection):
        orphans = [name for name in names if not jobs.exists(connection, name)]
        for folder in map(layout.job, orphans):
            with contextlib.suppress(OSError):
                discard(folder)
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
