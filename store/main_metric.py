"""Which of a job's metrics tells most, where the job does not say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

HELD_OUT = ("val", "valid", "validation", "eval", "test")
QUALITIES = ("accuracy", "acc", "auc", "roc_auc", "f1", "f1_score", "r2", "r2_score", "score", "precision", "recall")
ERRORS = ("loss", "rmse", "mse", "mae", "mape", "logloss", "log_loss", "error", "perplexity")
PREFERRED = (
    *(f"{part}_{name}" for name in (*QUALITIES, *ERRORS) for part in HELD_OUT),
    *QUALITIES,
    *ERRORS,
    *(f"*{name}" for name in (*QUALITIES, *ERRORS)),
)
SYSTEM = "system/"


def main_metric(names: Iterable[str], document: Mapping[str, Any], patterns: Sequence[str] = ()) -> str | None:
    """The metric to show beside a job's name: that of its objective, else the best match of a list of preferences.

    ``patterns`` are the user's own preferences, as in fnmatch, and go before ours. None where there are no metrics of
    its own.
    """
    own = sorted(name for name in names if not name.startswith(SYSTEM))
    objective = (document.get("objective") or {}).get("primary_metric")
    if objective in own:
        return str(objective)
    for pattern in (*patterns, *PREFERRED):
        for name in own:
            if fnmatchcase(name.casefold(), pattern.casefold()):
                return name
    return own[0] if own else None


def is_better_higher(name: str) -> bool | None:
    """Whether a higher value of a metric is the better one; None where its name does not tell."""
    parts = name.casefold().replace("-", "_").replace("/", "_").split("_")
    whole = name.casefold()
    if any(error in parts or whole.endswith(error) for error in ERRORS):
        return False
    if any(quality in parts or whole.endswith(quality) for quality in QUALITIES):
        return True
    return None
