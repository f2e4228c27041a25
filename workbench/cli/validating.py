"""``job validate``: every check that a submission makes, and nothing written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engines.jobs import submission
from store.specs.azure_differences import differences
from workbench.cli.options import Session
from workbench.cli.submitting import read


def validate(session: Session, file: Path, overrides: Iterable[str]) -> list[dict[str, Any]]:
    """What Azure ML would treat differently. Raises DocumentError when the document is not valid here."""
    submitted = read(session, file, overrides)
    submission.check(session.connection_for_reading(), session.layout, submitted)
    return [
        {
            "path": note.path,
            "line": note.line,
            "column": note.column,
            "message": note.message,
            "hint": note.hint,
            "text": str(note),
        }
        for note in differences(submitted.document, submitted.place)
    ]
