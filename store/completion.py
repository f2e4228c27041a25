"""Names of what a workspace has, for completing what somebody types: small queries, the newest first."""

from __future__ import annotations

import json
import sqlite3

LIMIT = 200
NEWEST = 50
"""Of jobs only the newest so many: older ones are found in the list of jobs."""


def computes(connection: sqlite3.Connection) -> list[str]:
    """Compute targets."""
    return [row[0] for row in connection.execute("SELECT name FROM compute ORDER BY name LIMIT ?", (LIMIT,))]


def environments(connection: sqlite3.Connection) -> list[str]:
    """References of registered environments, each by its newest version."""
    rows = connection.execute(
        "SELECT DISTINCT name FROM environment WHERE NOT archived ORDER BY name LIMIT ?", (LIMIT,)
    )
    return [f"azureml:{row[0]}@latest" for row in rows]


def outputs(connection: sqlite3.Connection) -> list[str]:
    """Addresses of what the newest jobs wrote."""
    rows = connection.execute(
        "SELECT name, outputs FROM job WHERE status = 'Completed' AND outputs IS NOT NULL AND outputs != '{}'"
        " AND id > (SELECT coalesce(max(id), 0) FROM job) - ? ORDER BY id DESC LIMIT ?",
        (LIMIT * NEWEST, NEWEST),
    )
    return [f"azureml://jobs/{name}/outputs/{output}" for name, written in rows for output in json.loads(written)]


def newest_jobs(connection: sqlite3.Connection) -> list[str]:
    """Names of jobs."""
    return [row[0] for row in connection.execute("SELECT name FROM job ORDER BY id DESC LIMIT ?", (NEWEST,))]
