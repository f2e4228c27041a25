"""What the tracking tests share: runs made as the agent makes them, and a job's variables."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from store.layout import Layout
from store.tracking import runs
from store.tracking.plugin import write_plugin

MakeRun = Callable[..., Path]
"""``new_run("name")`` makes a job's run and returns its journal's path."""

StartJob = Callable[..., "subprocess.Popen[str]"]
"""``start_job("name", "import mlflow ...", "argument")`` starts a script as a job's process."""

RunJob = Callable[..., str]
"""The same to its end; returns what it printed."""


def make_run(layout: Layout, job: str, experiment: str = "exp") -> Path:
    """Make a job's run as the agent does; returns its journal's path."""
    layout.job(job).root.mkdir(parents=True, exist_ok=True)
    with closing(runs.connect(layout)) as connection:
        runs.create_run(
            connection,
            layout,
            job=job,
            experiment=experiment,
            display_name=job,
            user="ann",
            start_ms=time.time_ns() // 1_000_000,
        )
    return layout.job(job).journal


def job_environment(layout: Layout, job: str) -> dict[str, str]:
    """The variables by which MLflow finds a job's run."""
    return {
        **os.environ,
        "PYTHONPATH": str(write_plugin(layout.root / "plugin")),
        "MLFLOW_TRACKING_URI": f"workbench://{quote(str(layout.root))}?job={job}",
        "MLFLOW_REGISTRY_URI": f"sqlite:///{layout.mlflow_database}",
        "MLFLOW_RUN_ID": job,
        "MLFLOW_EXPERIMENT_NAME": "exp",
    }
