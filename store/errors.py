"""Every error that Workbench raises on purpose.

    WorkbenchError          exit code 1
    ├── UsageError          2   the request itself is wrong
    │   └── DocumentError   2   a document is wrong; carries every fault at once
    ├── NotFoundError       3
    ├── ConflictError       4
    └── MachineError        1   the machine cannot do it: no room, no rights, a missing program
        └── NoRoomError     1   the disk is full: it can be done once there is room

Each says what happened, what was expected, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class WorkbenchError(Exception):
    """Base of all errors; ``exit_code`` is what the command line leaves with."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(WorkbenchError):
    """The request cannot be understood or is not allowed."""

    exit_code = 2


class NotFoundError(WorkbenchError):
    """What was named does not exist."""

    exit_code = 3


class ConflictError(WorkbenchError):
    """What was asked for clashes with what is there: a name taken, a state that does not allow it."""

    exit_code = 4


class MachineError(WorkbenchError):
    """The machine cannot do it: no room, no rights, a program that is missing."""


class NoRoomError(MachineError):
    """The disk is full; nothing was lost, and the same can be done once there is room."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a document.

    ``line`` and ``column`` count from 1; ``path`` is the place inside the document, such as ``inputs.epochs.type``.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        if self.file.startswith("--") and self.file != "--set":  # a flag has a value and no place in it
            place, where = f"{self.file}: ", ""
            if self.path != self.file[2:].replace("-", "_"):
                where = f"{self.path}: " if self.path else ""
        else:
            place, where = f"{self.file}:{self.line}:{self.column}: ", f"{self.path}: " if self.path else ""
        return f"{place}{where}{self.message}" + (f"\n  {self.hint}" if self.hint else "")


class DocumentError(UsageError):
    """A document is wrong; ``faults`` holds everything wrong with it, in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: (fault.file, fault.line, fault.column))
        super().__init__("\n".join(str(fault) for fault in self.faults))
