"""Where a version of data came from and where it led, both ways by one job: for a person who looks at it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from store.data.assets import DataVersion
from store.data.uses import SELECT, Use
from store.lineage import Relative

NEWEST = 100
"""So many users are told one by one."""


@dataclass(frozen=True, slots=True)
class User:
    """Something that used a version; ``job`` where it is one that is still there, ``made`` the versions it made."""

    use: Use
    job: Relative | None = None
    made: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lineage:
    """``made_from`` are the versions that went into the job that made this one; ``watch`` is the watch that did."""

    made_by: Relative | None = None
    made_from: tuple[str, ...] = ()
    watch: str | None = None
    users: tuple[User, ...] = ()
    """The newest ones."""
    total: int = 0


def lineage(connection: sqlite3.Connection, data: DataVersion, limit: int = NEWEST) -> Lineage:
    """What is known of a version's ancestors and descendants."""
    key = (data.name, data.version)
    rows = connection.execute(f"{SELECT} WHERE name = ? AND version = ? ORDER BY id DESC LIMIT ?", (*key, limit))
    uses = [Use(*row) for row in rows]
    counted = connection.execute("SELECT count(*) FROM data_use WHERE name = ? AND version = ?", key).fetchone()
    users = tuple(_user(connection, use) for use in uses)
    if data.job_name is None:
        return Lineage(watch=_watch(connection, data), users=users, total=counted[0])
    came = connection.execute(
        "SELECT DISTINCT name, version FROM data_use WHERE user_kind = 'job' AND user_name = ? ORDER BY id LIMIT ?",
        (data.job_name, limit),
    )
    made_from = tuple(f"azureml:{name}:{version}" for name, version in came)
    return Lineage(_job(connection, data.job_name), made_from, None, users, counted[0])


def _user(connection: sqlite3.Connection, use: Use) -> User:
    if use.user_kind != "job":
        return User(use)
    rows = connection.execute("SELECT name, version FROM data WHERE job_name = ? ORDER BY id", (use.user_name,))
    return User(use, _job(connection, use.user_name), tuple(f"azureml:{name}:{version}" for name, version in rows))


def _job(connection: sqlite3.Connection, name: str) -> Relative | None:
    row = connection.execute("SELECT name, display_name, status FROM job WHERE name = ?", (name,)).fetchone()
    return Relative(*row) if row is not None else None


def _watch(connection: sqlite3.Connection, data: DataVersion) -> str | None:
    """The watch whose event made a version; its folder tells, which is a watch's own."""
    _, found, rest = data.path.partition("/watches/")
    return rest.partition("/")[0] if found and data.stored else None
