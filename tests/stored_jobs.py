"""Jobs as the store would give them back, for tests that need no store."""

from __future__ import annotations

from typing import Any

from store.jobs import Job


def stored_job(name: str = "brave_owl_1", **changes: Any) -> Job:
    """A failed command job; any column can be given."""
    columns: dict[str, Any] = {
        "id": 2,
        "name": name,
        "type": "command",
        "display_name": name,
        "experiment_name": "iris",
        "document": {"command": "python train.py", "name": name},
        "source": {"file": None, "directory": "/", "user": "me", "host": "here", "git": None},
        "snapshot": None,
        "compute": "local",
        "slots": 1,
        "rank": 0,
        "parent_job_name": None,
        "archived": False,
        "wanted": "run",
        "status": "Failed",
        "attempt": 1,
        "token": "00",
        "created_at": 1.0,
        "started_at": 2.0,
        "ended_at": 3.0,
        "environment": None,
        "inputs": None,
        "outputs": None,
        "cause": None,
        "exit_code": 1,
        "wall_seconds": 1.0,
        "cpu_seconds": 1.0,
        "peak_memory_bytes": 1,
    }
    return Job(**{**columns, **changes})
