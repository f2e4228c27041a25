"""The two databases of a workspace: whole, of the right revision, not held up by anybody."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from store import database
from store.errors import ConflictError
from workbench.doctor.finding import Finding, Place, size

CHECK_SECONDS = 20.0
"""A large database is looked through for so long; what was found until then counts."""
LOCK_SECONDS = 2.0
LARGE_LOG = 256 << 20
STEPS = 100_000


def open_to_read(file: Path) -> sqlite3.Connection:
    """Open a database without changing anything, not even beside it.

    Where SQLite cannot make its shared memory file (a full disk, a read-only one), the main file alone is read.
    """
    address = f"file:{quote(str(file))}?mode=ro"
    try:
        connection = sqlite3.connect(address, uri=True, timeout=LOCK_SECONDS, isolation_level=None)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if not any(words in str(error) for words in ("unable to open", "readonly", "is full", "disk I/O")):
            raise
        connection = sqlite3.connect(f"{address}&immutable=1", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def workbench(place: Place) -> Iterator[Finding]:
    """``workbench.db``."""
    if not place.exists:
        return
    file = place.layout.database
    try:
        with closing(open_to_read(file)) as connection:
            found = database.revision(connection)
            if found != database.REVISION:
                yield other_revision(file, found)
            yield from integrity("database", file, connection)
            yield from write_ahead("database", file, connection)
            yield from newest_time(connection, file)
    except sqlite3.DatabaseError as error:
        yield unreadable("database", file, error)
        return
    yield from lock(file)


def tracking(place: Place) -> Iterator[Finding]:
    """``mlflow.db``."""
    from store.tracking.schema import check_installed, check_revision, installed_version

    file = place.layout.mlflow_database
    if not place.exists:
        return
    if not file.exists():
        yield Finding(
            "tracking",
            "warning",
            f"{file.name} is missing",
            str(file),
            "Put it back if you moved it: the next `workbench run` makes an empty one.",
        )
        return
    try:
        with closing(open_to_read(file)) as connection:
            try:
                check_revision(connection)
                check_installed(connection)
            except ConflictError as error:
                yield Finding("tracking", "error", error.message, mend=error.hint or "")
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
                mend = "The next `workbench run` adds them."
                yield Finding("tracking", "warning", f"{file.name} has no tables of Workbench yet", str(file), mend)
            else:
                yield Finding("tracking", "ok", f"{file.name} fits MLflow {installed_version()}")
            yield from integrity("tracking", file, connection)
            yield from write_ahead("tracking", file, connection)
    except sqlite3.DatabaseError as error:
        yield unreadable("tracking", file, error)


def other_revision(file: Path, found: str | None) -> Finding:
    """A database that another version of this program wrote, or that is none of ours."""
    if found is None:
        return Finding(
            "database",
            "error",
            f"{file.name} has no tables of Workbench",
            str(file),
            "Restore it from a backup, or use another workspace; what lies beside it is untouched.",
        )
    return Finding(
        "database",
        "warning",
        f"{file.name} has revision {found}, this program works with {database.REVISION}",
        "An older one is brought up to date by the next command, after a copy; a newer one is refused.",
        "Use the newest version of Workbench that ever wrote it.",
    )


def integrity(check: str, file: Path, connection: sqlite3.Connection) -> Iterator[Finding]:
    """SQLite's own look through all pages, and references that lead nowhere."""
    deadline = time.monotonic() + CHECK_SECONDS
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), STEPS)
    try:
        faults = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
        lost = len(connection.execute("PRAGMA foreign_key_check").fetchmany(100)) if check == "database" else 0
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        yield Finding(
            check,
            "ok",
            f"{file.name} is large ({size(file.stat().st_size)}): looked through for {CHECK_SECONDS:.0f} s, no fault",
            mend=f"The whole of it: `sqlite3 {file} 'PRAGMA quick_check'`",
        )
        return
    finally:
        connection.set_progress_handler(None, STEPS)
    if faults != ["ok"]:
        yield damaged(check, file, "; ".join(faults))
    elif lost:
        yield Finding(check, "error", f"{file.name} has {lost} rows that refer to others that are gone", str(file))
    else:
        yield Finding(check, "ok", f"{file.name} is whole", size(file.stat().st_size))


def unreadable(check: str, file: Path, error: sqlite3.DatabaseError) -> Finding:
    """A database that SQLite refuses to read: for what is in it, or for what the machine does not let it do."""
    if not isinstance(error, sqlite3.OperationalError):
        return damaged(check, file, str(error))
    users = ", ".join(holders(file)) or "no other program"
    return Finding(
        check,
        "error",
        f"{file.name} cannot be read now: {error}",
        f"{file} is open in {users}.",
        f"See who may read it and whether the disk is well: `ls -l {file}`, `dmesg | tail`",
    )


def damaged(check: str, file: Path, detail: str) -> Finding:
    """A database that cannot be trusted."""
    copies = sorted(file.parent.glob(f"{file.name}.*.backup"))
    restore = f" There is a backup: {copies[-1]}." if copies else ""
    return Finding(
        check,
        "error",
        f"{file.name} is damaged",
        f"{file}: {detail}",
        f"`workbench agent stop`, copy the whole folder, then `sqlite3 {file} .recover | sqlite3 recovered.db` and put"
        f" recovered.db in its place.{restore}",
    )


def write_ahead(check: str, file: Path, connection: sqlite3.Connection) -> Iterator[Finding]:
    """The journal mode, and a log that a reader who never ends keeps from being brought in."""
    mode = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
    if mode != "wal":
        yield Finding(
            check,
            "warning",
            f"{file.name} is in journal mode {mode}",
            "Readers and writers then wait for one another.",
            f"With no agent running: `sqlite3 {file} 'PRAGMA journal_mode = WAL'`",
        )
    log = file.with_name(f"{file.name}-wal")
    if log.exists() and log.stat().st_size > LARGE_LOG:
        yield Finding(
            check,
            "warning",
            f"{log.name} has grown to {size(log.stat().st_size)}",
            f"A program reads the database without ever finishing: {', '.join(holders(file)) or 'none found'}.",
            f"End that program, then `sqlite3 {file} 'PRAGMA wal_checkpoint(TRUNCATE)'`",
        )


def newest_time(connection: sqlite3.Connection, file: Path) -> Iterator[Finding]:
    """A history that lies in the future: the clock was set back."""
    if database.revision(connection) != database.REVISION:
        return
    row = connection.execute("SELECT max(at) FROM (SELECT at FROM job_event ORDER BY id DESC LIMIT 100)").fetchone()
    ahead = (row[0] or 0) - time.time()
    if ahead > 60:
        yield Finding(
            "clock",
            "warning",
            f"the newest job is {ahead / 3600:.1f} hours ahead of the clock",
            "The clock was set back; lengths of jobs and their order by time are wrong until it has caught up.",
            "`timedatectl` shows whether the clock is right.",
        )


def lock(file: Path) -> Iterator[Finding]:
    """Whether a write would get its turn; nothing is written."""
    if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        return
    with closing(sqlite3.connect(file, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                return  # a disk that is full or read-only: another check tells that
            yield Finding(
                "database",
                "error",
                f"{file.name} is locked by another program",
                f"It did not let go within {LOCK_SECONDS:.0f} s. Open in {', '.join(holders(file)) or 'none found'}.",
                "End the program that writes to it without finishing.",
            )


def holders(file: Path) -> list[str]:
    """The other processes that have a file open, as far as /proc tells this user."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name != str(os.getpid()) and has_open(folder, file):
            found.append(f"process {folder.name} ({command_of(folder)})")
    return sorted(found)


def has_open(process: Path, file: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(os.readlink(entry) == str(file) for entry in (process / "fd").iterdir())
    except OSError:
        return False


def command_of(process: Path) -> str:
    """The beginning of a process's command line."""
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()[:80]
    except OSError:
        return "ended"


CHECKS = (workbench, tracking)
