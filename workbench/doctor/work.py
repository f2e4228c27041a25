"""The agent and the jobs: whether somebody watches over them, and what was left behind."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from engines.compute.leftovers import all_processes
from engines.compute.registry import engine
from store import database, jobs
from store.errors import WorkbenchError
from store.jobs import Job
from workbench.agent import channel, unit
from workbench.agent import lock as agent_lock
from workbench.agent.version import VERSION
from workbench.doctor.databases import open_to_read
from workbench.doctor.finding import Finding, Place, size
from workbench.doctor.machine import answer

LARGE_LOG = 100 << 20
SETTLED_SECONDS = 60
"""A folder younger than this may be a submission under way."""
NAMED = 5


def read_jobs(place: Place) -> sqlite3.Connection | None:
    """The workspace's database, None when there is none that can be read; another check tells that."""
    if not place.exists:
        return None
    try:
        connection = open_to_read(place.layout.database)
        if database.revision(connection) == database.REVISION:
            return connection
        connection.close()
    except sqlite3.DatabaseError:
        pass
    return None


def agent(place: Place) -> Iterator[Finding]:
    """Whether the agent is there when it is needed, and hears."""
    if not place.exists:
        return
    if not agent_lock.held(place.layout.agent_lock):
        yield from no_agent(place)
        return
    facts = agent_lock.holder(place.layout)
    if facts is None:
        yield Finding(
            "agent",
            "warning",
            "an agent holds the lock and does not say who it is",
            str(place.layout.agent_lock),
            f"`fuser {place.layout.agent_lock}` names its process; it may just be starting.",
        )
    elif not channel.poke(place.layout):
        yield Finding(
            "agent",
            "error",
            f"the agent (process {facts.pid}) does not hear",
            f"Nobody listens at {place.layout.agent_socket}; something may have cleaned the runtime folder.",
            "`workbench agent stop`; the next command starts another. Running jobs go on.",
        )
    elif facts.version != VERSION:
        yield Finding(
            "agent",
            "warning",
            f"the agent is version {facts.version}, this program is {VERSION}",
            mend="`workbench agent stop`; the next command starts the right one. Running jobs go on.",
        )
    else:
        yield Finding("agent", "ok", f"the agent runs, process {facts.pid}")
    log = place.layout.agent_log
    if log.exists() and log.stat().st_size > LARGE_LOG:
        mend = f"Look at its end (`tail {log}`), then `: > {log}`"
        yield Finding("agent", "warning", f"the agent's log has {size(log.stat().st_size)}", mend=mend)


def no_agent(place: Place) -> Iterator[Finding]:
    """No agent is fine as long as there is nothing to do."""
    connection = read_jobs(place)
    if connection is None:
        return
    with closing(connection):
        waiting = jobs.count_unfinished(connection)
    if waiting:
        yield Finding(
            "agent",
            "warning",
            f"{waiting} unfinished job(s) and no agent",
            "It was ended, perhaps by a logout. Running jobs go on; queued ones wait.",
            "`workbench agent start`",
        )
    else:
        yield Finding("agent", "ok", "no agent runs, and no job needs one")


def agent_unit(place: Place) -> Iterator[Finding]:
    """Whether the unit of an agent that was enabled is the right one, and known to systemd."""
    file = unit.path(place.layout)
    if not file.exists():
        return
    mend = "`workbench agent enable`"
    state = answer("systemctl", "--user", "is-enabled", file.name)
    if file.read_text("utf-8", "replace") != unit.text(place.layout):
        yield Finding("unit", "warning", "the agent's unit is of another installation", str(file), mend)
    elif state != "enabled":
        yield Finding("unit", "warning", "the agent's unit is there and not enabled", str(file), mend)
    else:
        yield Finding("unit", "ok", "systemd keeps the agent", str(file))


def processes(place: Place) -> Iterator[Finding]:
    """Jobs that count as running while their processes are gone, and processes of jobs that have ended."""
    connection = read_jobs(place)
    if connection is None:
        return
    with closing(connection):
        started = [job for job in jobs.unfinished(connection) if job.token and job.status in STARTED]
        lost = [job.name for job in started if is_lost(connection, place, job)]
        left = left_over(connection)
    if lost:
        yield Finding(
            "processes",
            "warning",
            f"{len(lost)} job(s) count as running, and their processes are gone",
            several(lost),
            "The agent ends them as failed: `workbench agent start`.",
        )
    if left:
        yield Finding(
            "processes",
            "warning",
            f"{len(left)} process(es) of jobs that have ended still run",
            several([f"{pid} of {name}" for pid, name in left.items()]),
            f"`kill {' '.join(map(str, left))}`",
        )
    if not lost and not left:
        yield Finding("processes", "ok", f"{len(started)} job(s) run, each with its process")


STARTED = ("Running", "CancelRequested")


def is_lost(connection: sqlite3.Connection, place: Place, job: Job) -> bool:
    """Whether an attempt was started and neither runs nor has left an exit record."""
    row = connection.execute("SELECT type FROM compute WHERE name = ?", (job.compute,)).fetchone()
    if row is None:
        return False
    try:
        return engine(row["type"]).poll(place.layout.job(job.name).attempt(job.attempt)).kind == "lost"
    except WorkbenchError:
        return False


def left_over(connection: sqlite3.Connection) -> dict[int, str]:
    """Processes that carry the token of a job that has ended, by number, with the job's name."""
    found: dict[int, str] = {}
    for pid, status in all_processes().items():
        token = None if status.zombie else token_of(pid)
        if token is None:
            continue
        row = connection.execute("SELECT name, status FROM job WHERE token = ?", (token,)).fetchone()
        if row is not None and row["status"] in jobs.TERMINAL:
            found[pid] = row["name"]
    return found


def token_of(pid: int) -> str | None:
    """The token of the attempt that a process belongs to."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    prefix = b"WORKBENCH_TOKEN="
    return next((each[len(prefix) :].decode("ascii", "replace") for each in variables if each.startswith(prefix)), None)


def folders(place: Place) -> Iterator[Finding]:
    """Folders of jobs that are not in the database, and jobs whose folder is gone."""
    connection = read_jobs(place)
    if connection is None:
        return
    with closing(connection):
        rows = dict(connection.execute("SELECT name, status FROM job").fetchall())
    root = place.layout.jobs
    there = {entry.name for entry in root.iterdir() if entry.is_dir()} if root.is_dir() else set()
    now = time.time()
    unknown = sorted(name for name in there - rows.keys() if now - (root / name).stat().st_mtime > SETTLED_SECONDS)
    missing = sorted(name for name, status in rows.items() if name not in there and status != "NotStarted")
    if unknown:
        yield Finding(
            "folders",
            "warning",
            f"{len(unknown)} folder(s) in {root} belong to no job",
            several(unknown),
            f"Look into them and remove them: `rm -r {root / unknown[0]}`",
        )
    if missing:
        yield Finding(
            "folders",
            "warning",
            f"{len(missing)} job(s) have lost their folder",
            f"{several(missing)}. Logs and working copies are gone; metrics and artifacts lie elsewhere.",
            f"`workbench job archive {missing[0]}` takes it off the list.",
        )
    if not unknown and not missing:
        yield Finding("folders", "ok", f"{len(rows)} job(s), each with its folder")


def several(names: Sequence[str]) -> str:
    """The first few of many."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


CHECKS = (agent, agent_unit, processes, folders)
