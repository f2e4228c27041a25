"""Hashes of files that were read before, by path, size and times: what has not changed is not read again.

One small SQLite database in the user's cache folder, which may be removed at any time. What is read is kept in batches,
so that work that was broken off goes on where it stopped.
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
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS file (folder BLOB, name BLOB, size INTEGER, mtime_ns INTEGER,"
                " ctime_ns INTEGER, hash BLOB, PRIMARY KEY (folder, name)) WITHOUT ROWID"
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
            except sqlite3.Error as error:
                self._give_up(f"hashes of files are not kept: {error}")

    def close(self) -> None:
        """Give the database back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _give_up(self, why: str) -> None:
        self.trouble = why
        self.close()
