"""All checks in order."""

from __future__ import annotations

import sqlite3

from store.cache import folder as cache_folder
from store.errors import WorkbenchError
from store.layout import Layout
from workbench.doctor import databases, folders, machine, secrets, work
from workbench.doctor.finding import Check, Finding, Place

CHECKS: tuple[Check, ...] = (*machine.CHECKS, *folders.CHECKS, *databases.CHECKS, *secrets.CHECKS, *work.CHECKS)


def examine(layout: Layout) -> list[Finding]:
    """Everything that the checks find. A check that the machine does not let finish is a finding itself."""
    place = Place(layout, cache_folder())
    findings: list[Finding] = []
    for check in CHECKS:
        try:
            findings.extend(check(place))
        except (OSError, sqlite3.Error, WorkbenchError, ValueError) as error:
            name = check.__name__
            findings.append(Finding(name, "error", f"the check {name!r} could not be made", str(error)))
    return findings
