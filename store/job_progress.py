"""How far a running job is: by its steps where it says how many there will be, else estimated from earlier runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.forecast import expected, remaining

STEPS = (
    *("epochs", "num_epochs", "n_epochs", "max_epochs", "num_train_epochs", "nb_epochs", "epoch_count", "total_epochs"),
    *("max_steps", "num_steps", "total_steps", "n_steps", "steps", "training_steps", "max_iter", "n_iter", "num_iter"),
    *("iterations", "num_iterations", "max_iterations", "n_iterations", "num_boost_round", "n_rounds", "rounds"),
)
"""Names of inputs and arguments that say how many steps there will be; those of epochs first."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A share from 0 to 1, None where nothing tells it.

    ``done`` of ``total`` where the job counts, else it is an estimate. ``remaining`` seconds are always one.
    """

    share: float | None = None
    done: int | None = None
    total: int | None = None
    remaining: float | None = None
    overdue: bool = False
    """Whether it takes longer than any of the earlier runs took."""

    @property
    def estimated(self) -> bool:
        """Whether the share comes from the durations of earlier runs."""
        return self.done is None


def planned_steps(document: Mapping[str, Any]) -> int | None:
    """How many epochs or steps a job's document says that there will be; None where it does not."""
    given = {name.casefold().replace("-", "_"): value for name, value in (document.get("inputs") or {}).items()}
    for name in STEPS:
        if (count := _count(given.get(name))) is not None:
            return count
    command = document.get("command")
    if not isinstance(command, str):
        return None
    arguments = {
        name.replace("-", "_").casefold(): value
        for name, value in re.findall(r"(?<!\S)-{0,2}([A-Za-z][\w.-]*?)(?:=|\s+)[\"']?(\d+)(?![\w.])", command)
    }
    return next((count for name in STEPS if (count := _count(arguments.get(name))) is not None), None)


def progress(
    document: Mapping[str, Any],
    elapsed: float | None,
    durations: Sequence[float],
    *,
    first_step: float | None = None,
    last_step: float | None = None,
) -> Progress:
    """How far a job is that has run for ``elapsed`` seconds.

    ``durations`` are those of earlier runs; the steps are those of its main metric, which count from 0 or from 1. Steps
    beyond what was planned count something else (batches where epochs were planned), and tell nothing.
    """
    total = planned_steps(document)
    if total and last_step is not None and elapsed is not None:
        done = int(last_step) + (1 if not first_step else 0)
        if 0 <= done <= total:
            left = elapsed / done * (total - done) if done else None
            return Progress(done / total, done, total, left)
    usual = expected(durations)
    if elapsed is None or usual is None:
        return Progress()
    left = remaining(elapsed, durations)
    if left is None:
        return Progress(overdue=True)
    return Progress(elapsed / (elapsed + left), remaining=left) if elapsed + left > 0 else Progress(remaining=left)


def _count(value: Any) -> int | None:
    """A positive whole number, also as text or as the default of an input."""
    if isinstance(value, Mapping):
        value = value.get("value", value.get("default"))
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value) if value.isdigit() else None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if isinstance(value, int) and value > 0 else None
