"""How MLflow inside a job reaches the workspace, by what the job's environment holds."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engines.compute.base import Process
from engines.compute.distribution import HOST
from engines.environments import built
from engines.jobs import runtime
from store.jobs import Job
from store.layout import Layout
from store.tracking.schema import installed_version
from workbench.tracking_server import KEY, USER


@dataclass(frozen=True, slots=True)
class Access:
    """What a job needs beside the variables that every job has; a variable that is set to nothing is taken away."""

    variables: dict[str, str] = field(default_factory=dict)
    services: tuple[Process, ...] = ()


def access(job: Job, layout: Layout, python: Path, say: Callable[[str], None]) -> Access:
    """The way to the workspace for the MLflow of ``python``."""
    own = installed_version()
    match built.tracking(python, own):
        case built.Tracking.PLUGIN:
            from store.tracking.plugin import write_plugin

            return Access({"PYTHONPATH": str(write_plugin(layout.run / "plugin"))})
        case built.Tracking.SERVER if not tracks_elsewhere(job):
            there = " ".join(built.mlflow_package(python) or ())
            say(
                f"the environment has {there}, the workspace mlflow {own}: the job reaches it through MLflow's server "
                f"on {HOST}, where a metric takes as long as a request. Its log: {layout.job(job.name).tracking_log}"
            )
            return through_server(job, layout)
        case _:
            return Access()


def tracks_elsewhere(job: Job) -> bool:
    """Whether the document names a tracking server of its own, to which our key must not go."""
    return "MLFLOW_TRACKING_URI" in (job.document.get("environment_variables") or {})


def through_server(job: Job, layout: Layout) -> Access:
    """A server of the job's own (see ``workbench/tracking_server.py``), which ends with it.

    What MLflow starts by itself goes on in the job's run: that takes a word from MLflow's side (``run_context.py``).
    Both sides have the key from their environment alone: not from a file, an argument or the database.
    """
    from store.tracking.plugin import CONTEXT, write_plugin

    arguments = [runtime.tracking_uri(layout, job.name), runtime.registry_uri(layout)]
    server = Process(
        # -E -P: neither the job's variables nor its code change what this Python imports.
        [sys.executable, "-E", "-P", "-m", "workbench.tracking_server", *arguments],
        {},
        str(layout.job(job.name).tracking_log),
        service=True,
        address_variable="MLFLOW_TRACKING_URI",
    )
    variables = {
        "PYTHONPATH": str(write_plugin(layout.run / "plugin", CONTEXT)),
        "MLFLOW_TRACKING_URI": "",  # the server's address comes with it
        "MLFLOW_REGISTRY_URI": "",
        USER: "workbench",
        KEY: secrets.token_urlsafe(32),
        "MLFLOW_TRACKING_TOKEN": "",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # of pages that are gone when the job is
    }
    return Access(variables, (server,))


def past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the loopback address among those that are reached without a proxy, where there is one."""
    if not any(name.lower().endswith("_proxy") for name in environment):
        return dict(environment)
    spared = environment.get("no_proxy") or environment.get("NO_PROXY")
    both = f"{spared},{HOST}" if spared else HOST
    return {**environment, "no_proxy": both, "NO_PROXY": both}
