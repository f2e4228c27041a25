"""Hashes of files that were read before, by path, size and times: what has not changed is not read again.

One small SQLite database in the user's cache folder, which may be removed at any time. What is read is kept in batches,
so that work that was broken off goes on where it stopped. What is known of files that are gone is removed: of a folder
that is read again by that reading, of others bit by bit, where each use goes on from where the last one stopped.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from store.lent import variables
from store.mounts import mounts

SETTLED_SECONDS = 2.0
"""A file written so lately could be written again without its time telling: some file systems count in seconds."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What of a file's status tells whether its content may have changed."""

    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """That of a file."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    @property
    def settled(self) -> bool:
        """Whether a later change would show."""
        return time.time() - max(self.mtime_ns, self.ctime_ns) / 1e9 > SETTLED_SECONDS


PRUNED = 1_000
"""Rows that are looked at in each use, and one more for ten that were added; a folder that is gone counts as one."""
ROWS = 10_000

Known = dict[bytes, tuple[Stamp, str]]
"""Files of a folder by name."""


def location() -> Path:
    """The database's path: in the user's cache folder (XDG base directory specification)."""
    base = variables().get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "workbench" / "hashes.db"


class SeenHashes:
    """The hashes that are kept; where the database cannot be used, none are, and ``trouble`` says why."""

    def __init__(self, path: Path | None = None) -> None:
        path, self.trouble = path or location(), ""
        self._connection: sqlite3.Connection | None = None
        self._lock, self._added = threading.Lock(), 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS file (folder BLOB, name BLOB, size INTEGER, mtime_ns INTEGER,"
                " ctime_ns INTEGER, hash BLOB, PRIMARY KEY (folder, name)) WITHOUT ROWID"
            )
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS pruned (id INTEGER PRIMARY KEY, folder BLOB, name BLOB)"
            )
        except (OSError, sqlite3.Error) as error:
            self._give_up(f"hashes of files are not kept: {path}: {error}")

    def between(self, folder: bytes, first: bytes, last: bytes) -> Known:
        """What is known of the files of a folder from one name to another."""
        with self._lock:
            if self._connection is None:
                return {}
            try:
                rows = self._connection.execute(
                    "SELECT name, size, mtime_ns, ctime_ns, hash FROM file WHERE folder = ? AND name BETWEEN ? AND ?",
                    (folder, first, last),
                ).fetchall()
            except sqlite3.Error as error:
                self._give_up(f"hashes of files are not kept: {error}")
                return {}
        return {row[0]: (Stamp(row[1], row[2], row[3]), row[4].hex()) for row in rows}

    def keep(self, found: Iterable[tuple[bytes, bytes, Stamp, str]]) -> None:
        """Keep the hashes of files that were read: folder, name, stamp and hash of each."""
        rows = [
            (folder, name, stamp.size, stamp.mtime_ns, stamp.ctime_ns, bytes.fromhex(digest))
            for folder, name, stamp, digest in found
            if stamp.settled
        ]
        with self._lock:
            if self._connection is None or not rows:
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)", rows)
                self._connection.execute("COMMIT")
                self._added += len(rows)
            except sqlite3.Error as error:
                self._give_up(f"hashes of files are not kept: {error}")

    def forget(self, folder: bytes, names: Iterable[bytes]) -> None:
        """Forget files of a folder that were looked for and are gone."""
        with self._lock:
            if self._connection is None:
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(
                    "DELETE FROM file WHERE folder = ? AND name = ?", [(folder, name) for name in names]
                )
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._give_up(f"hashes of files are not kept: {error}")

    def prune(self) -> None:
        """Forget some of the files that are gone. Those on the network are let be: to look there may take long."""
        with self._lock:
            if self._connection is None:
                return
            try:
                self._prune(self._connection, PRUNED + self._added // 10)
                self._added = 0
            except sqlite3.Error as error:
                self._give_up(f"hashes of files are not kept: {error}")

    @staticmethod
    def _prune(connection: sqlite3.Connection, left: int) -> None:
        elsewhere = tuple(os.fsencode(each.point) + b"/" for each in mounts() if each.is_network)
        last = connection.execute("SELECT folder, name FROM pruned").fetchone() or (b"", b"")
        while left > 0:
            asked = min(left, ROWS)
            rows = connection.execute(
                "SELECT folder, name FROM file WHERE (folder, name) > (?, ?) ORDER BY folder, name LIMIT ?",
                (*last, asked),
            ).fetchall()
            at_end = len(rows) < asked
            gone = [row for row in rows if not row[0].startswith(elsewhere) and not os.path.lexists(b"/".join(row))]
            left, last = left - asked, (b"", b"") if at_end else rows[-1]
            folders = {folder for folder, _ in gone if not os.path.lexists(folder)}
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM file WHERE folder = ?", [(folder,) for folder in folders])
            connection.executemany("DELETE FROM file WHERE folder = ? AND name = ?", gone)
            connection.execute("REPLACE INTO pruned VALUES (1, ?, ?)", last)
            connection.execute("COMMIT")
            if at_end:
                return

    def close(self) -> None:
        """Give the database back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _give_up(self, why: str) -> None:
        self.trouble = why
        self.close()
