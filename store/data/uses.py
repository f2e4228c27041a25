"""Lineage: which jobs used a version of data and which bytes they saw, and which job made it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from store.data.assets import DataVersion
from store.data.fingerprint import Fingerprint
from store.database import write
from store.times import timestamp


@dataclass(frozen=True, slots=True)
class Use:
    """That something used a version; ``fingerprint`` is what it saw, None where that is not known."""

    name: str
    version: str
    user_kind: str
    user_name: str
    input: str | None = None
    fingerprint: str | None = None
    at: float = 0.0

    def flat(self) -> dict[str, Any]:
        """As it is shown."""
        return {
            "data": f"azureml:{self.name}:{self.version}",
            "kind": self.user_kind,
            "user": self.user_name,
            "input": self.input,
            "fingerprint": self.fingerprint,
            "at": timestamp(self.at),
        }


SELECT = "SELECT name, version, user_kind, user_name, input, fingerprint, at FROM data_use"


@dataclass(frozen=True, slots=True)
class Seen:
    """The bytes that a job was given as an input."""

    input: str
    fingerprint: Fingerprint


def add(connection: sqlite3.Connection, use: Use) -> None:
    """Record a use."""
    with write(connection):
        connection.execute(
            "INSERT INTO data_use (name, version, user_kind, user_name, input, fingerprint, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (use.name, use.version, use.user_kind, use.user_name, use.input, use.fingerprint, use.at or time.time()),
        )


def saw(connection: sqlite3.Connection, job: str, seen: Iterable[Seen]) -> None:
    """Record which bytes a job was given; the first that are seen of a version are those that it has."""
    with write(connection):
        for each in seen:
            found = each.fingerprint
            connection.execute(
                "UPDATE data_use SET fingerprint = ? WHERE user_kind = 'job' AND user_name = ? AND input = ?",
                (found.hash, job, each.input),
            )
            connection.execute(
                "UPDATE data SET fingerprint = ?, files = ?, bytes = ? WHERE fingerprint IS NULL AND (name, version) IN"
                " (SELECT name, version FROM data_use WHERE user_kind = 'job' AND user_name = ? AND input = ?)",
                (found.hash, found.files, found.bytes, job, each.input),
            )


def of_version(connection: sqlite3.Connection, data: DataVersion) -> list[Use]:
    """Who used a version, newest first."""
    rows = connection.execute(f"{SELECT} WHERE name = ? AND version = ? ORDER BY id DESC", (data.name, data.version))
    return [Use(*row) for row in rows]


def of_job(connection: sqlite3.Connection, job: str) -> list[Use]:
    """What a job used."""
    rows = connection.execute(f"{SELECT} WHERE user_kind = 'job' AND user_name = ? ORDER BY id", (job,))
    return [Use(*row) for row in rows]


def made_by(connection: sqlite3.Connection, job: str) -> dict[str, str]:
    """The versions that a job made, by output."""
    rows = connection.execute("SELECT job_output, name, version FROM data WHERE job_name = ? ORDER BY id", (job,))
    return {row[0]: f"azureml:{row[1]}:{row[2]}" for row in rows}


def changed(connection: sqlite3.Connection, data: DataVersion) -> Use | None:
    """The last use that saw other bytes than the version had at first; None while all saw the same."""
    row = connection.execute(
        f"{SELECT} WHERE name = ? AND version = ? AND fingerprint IS NOT NULL AND fingerprint != ?"
        " ORDER BY id DESC LIMIT 1",
        (data.name, data.version, data.fingerprint),
    ).fetchone()
    return Use(*row) if row else None
