"""Tells a run that MLflow starts by itself, because something is logged, from one that a script asks for.

In a job with another MLflow than the workspace's, the class is an entry point of the group
``mlflow.run_context_provider``: MLflow adds its tag to what it asks the job's tracking server for, and the server (see
``journal.py``) goes on in the job's run. Runs beside a user's code: standard library only, Python 3.8.
"""

from __future__ import annotations

import sys

TAG = "workbench.started_by_itself"
"""The tag of a request; no run keeps it."""


def starts_by_itself() -> bool:
    """Whether MLflow is about to start a run because something is logged, not because ``start_run`` was called."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "_get_or_start_run" and frame.f_globals.get("__name__") == "mlflow.tracking.fluent":
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


class RunContext:
    """A context of a new run, as MLflow asks for it."""

    def in_context(self) -> bool:
        """Whether the tags are to be added."""
        return starts_by_itself()

    def tags(self) -> dict[str, str]:
        """What tells the server."""
        return {TAG: "true"}
