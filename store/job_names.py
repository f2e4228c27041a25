"""Jobs as people call them: by the name, by the display name that lists show, or by how either begins."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

MOST = 20
"""More than that are no answer to what somebody meant."""


@dataclass(frozen=True, slots=True)
class Called:
    """A job's two names."""

    name: str
    display_name: str


def meant(connection: sqlite3.Connection, text: str) -> Sequence[Called]:
    """The jobs that a text means, the newest first: that of the name, else of the display name, else of a beginning."""
    for clause, value in (
        ("name = ?1", text),
        ("display_name = ?1 COLLATE NOCASE", text),
        (_BEGINS, _pattern(text)),
    ):
        if found := _found(connection, clause, value, MOST):
            return found
    return ()


def beginning(connection: sqlite3.Connection, text: str, limit: int = MOST) -> Sequence[Called]:
    """The newest jobs whose name or display name begins so."""
    return _found(connection, _BEGINS, _pattern(text), limit)


_BEGINS = r"(name LIKE ?1 ESCAPE '\' OR display_name LIKE ?1 ESCAPE '\')"


def _pattern(text: str) -> str:
    for sign in "\\%_":
        text = text.replace(sign, f"\\{sign}")
    return f"{text}%"


def _found(connection: sqlite3.Connection, clause: str, value: str, limit: int) -> list[Called]:
    rows = connection.execute(
        f"SELECT name, display_name FROM job WHERE {clause} ORDER BY id DESC LIMIT ?2",
        (value, limit),
    )
    return [Called(str(row[0]), str(row[1])) for row in rows]
