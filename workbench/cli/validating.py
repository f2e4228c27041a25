"""``job validate``: every check that a submission makes, and nothing written."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from engines.environments.resolve import stands_in
from engines.jobs import submission
from store import environments
from store.specs.azure_differences import differences
from workbench.cli.options import Session
from workbench.cli.submitting import read
from workbench.cli.talk import say


def validate(session: Session, file: Path, overrides: Iterable[str]) -> list[dict[str, Any]]:
    """What Azure ML would treat differently. Raises DocumentError when the document is not valid here."""
    submitted = read(session, file, overrides)
    connection = session.connection_for_reading()
    checked = submission.check(connection, session.layout, submitted)
    for note in checked.environment.notes:
        say(f"environment {checked.environment}: {note}")
    curated = stands_in(submitted.document.get("environment"), partial(environments.lookup, connection))
    return [
        {
            "path": each.path,
            "line": each.line,
            "column": each.column,
            "message": each.message,
            "hint": each.hint,
            "text": str(each),
        }
        for each in differences(submitted.document, submitted.place, curated=curated)
    ]
