"""From an accepted job to a task that an engine can start.

Runs in a thread of the agent and touches only the job's own folder, caches and ``mlflow.db``. Every step may be
repeated: after a kill it begins again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.compute.base import Process, Task
from engines.compute.distribution import processes
from engines.environments import built
from engines.environments.definition import Definition
from engines.jobs import data_assets, job_secrets, protection, runtime, submitted, tracking
from engines.jobs.inputs import place_inputs
from engines.jobs.outputs import output_places, prepare_outputs
from engines.jobs.script import Script, Value, render
from engines.jobs.secret_addresses import put_back
from engines.jobs.working_copy import prepare_working_copy
from store.addresses import split_secrets
from store.errors import WorkbenchError
from store.jobs import Job
from store.layout import Layout
from store.lent import lent
from store.specs.expressions import EXPRESSION
from store.telling import Say
from store.tracking import runs

if TYPE_CHECKING:
    from store.data.uses import Seen

SAMPLE_SECONDS = 5.0
"""System metrics are sampled for jobs that run longer than this, and as often."""

LONG_VALUE = 4096
"""Characters of a literal input that is not given twice in the environment, whose size is limited."""


class Cancelled(WorkbenchError):
    """The job was cancelled while it was being prepared."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that can start: its task, the environment of its processes, its inputs and where its outputs will lie."""

    task: Task
    environment: dict[str, str]
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    seen: list[Seen]
    """Which bytes lie behind the data assets that it reads."""


def prepare(job: Job, layout: Layout, token: str, say: Say, cancelled: Callable[[], bool]) -> Prepared:
    """Make a job's environment, working copy, inputs and outputs ready.

    ``say`` takes lines on progress. Raises WorkbenchError with the cause when the job cannot start, Cancelled when
    ``cancelled`` became true.
    """
    folder = layout.job(job.name)
    folder.user_logs.mkdir(parents=True, exist_ok=True)
    folder.system_logs.mkdir(exist_ok=True)
    job = replace(job, document=put_back(job.document, submitted.read_addresses(folder)))
    environ = submitted.read_variables(folder)
    experiment_id = create_run(job, layout, time.time(), say)
    definition = Definition.from_dict(job.environment or {})
    python = environment_python(job, definition, layout, say, cancelled, environ)
    prepare_working_copy(job, layout)
    with lent(environ):
        secrets = job_secrets.values(layout, job.document)
        inputs = place_inputs(job, layout, say, cancelled)
        seen = data_assets.look(job, layout, inputs, say, cancelled)
        closed = protection.paths(job, layout, inputs)
    protection.note(job, layout, closed)
    outputs = prepare_outputs(job, layout)
    if cancelled():
        raise Cancelled(f"job {job.name!r} was cancelled while it was being prepared")
    values = {**inputs, **outputs, "name": Value(job.name, is_path=False)}
    script = render(job.document["command"], values)
    access = tracking.access(job, layout, python, say)
    environment = together(
        built.activation(python, environ),
        dict(definition.variables),
        runtime.variables(job, layout, experiment_id),
        access.variables,
        own_variables(job, values, secrets),
        script.variables,
        literals(inputs),
        {"WORKBENCH_TOKEN": token},
    )
    return Prepared(
        task=make_task(
            job, layout, token, script, access.services, say, [path for each in closed.values() for path in each]
        ),
        environment=tracking.past_proxies(environment) if access.services else environment,
        inputs={name.removeprefix("inputs."): split_secrets(value.text)[0] for name, value in inputs.items()},
        outputs=output_places(job, layout),
        seen=seen,
    )


def own_variables(job: Job, values: Mapping[str, Value], secrets: Mapping[str, str]) -> dict[str, str]:
    """The variables that the document sets, with the values that its expressions stand for: no shell reads them."""
    texts = {key: value.text for key, value in values.items()}
    texts |= {f"secrets.{name}": value for name, value in secrets.items()}
    given = job.document.get("environment_variables") or {}
    return {
        name: EXPRESSION.sub(lambda found: texts.get(found[1], found[0]), str(value)) for name, value in given.items()
    }


def literals(inputs: Mapping[str, Value]) -> dict[str, str]:
    """The variables of the inputs that are no data. Long ones are left to ``AZURE_ML_INPUT_*``: room is limited."""
    short = {name: value.text for name, value in inputs.items() if not value.is_path and len(value.text) < LONG_VALUE}
    return {f"AZUREML_PARAMETER_{name.removeprefix('inputs.')}": text for name, text in short.items()}


def together(*layers: Mapping[str, str]) -> dict[str, str]:
    """One environment of several; the last word counts, but folders of PYTHONPATH add up, the first layer's first.

    An MLflow variable that is set to nothing is left out: MLflow takes the empty text for a name.
    """
    folders = [layer["PYTHONPATH"] for layer in layers if layer.get("PYTHONPATH")]
    merged = {name: value for layer in layers for name, value in layer.items()}
    if folders:
        merged["PYTHONPATH"] = os.pathsep.join(folders)
    return {name: value for name, value in merged.items() if value or not name.startswith("MLFLOW_")}


def create_run(job: Job, layout: Layout, started_at: float, say: Say) -> str:
    """Make the job's MLflow run, once, and ``mlflow.db`` where it was moved away; returns its experiment's id."""
    if not layout.mlflow_database.exists():
        from store.tracking.template import ensure_mlflow_database

        if ensure_mlflow_database(layout, say):
            say(
                f"{layout.mlflow_database} was missing, and an empty one was made: what earlier jobs logged is not "
                "in it. If you moved it, run `workbench agent stop` and put it back."
            )
    connection = runs.connect(layout)
    try:
        runs.create_run(
            connection,
            layout,
            job=job.name,
            experiment=job.experiment_name,
            display_name=job.display_name,
            user=job.source.get("user", ""),
            start_ms=int(started_at * 1000),
            tags=run_tags(job),
        )
        return str(runs.ensure_experiment(connection, layout, job.experiment_name))
    finally:
        connection.close()


def run_tags(job: Job) -> dict[str, str]:
    """The tags of a job's run, by MLflow's names where it has one."""
    git: Mapping[str, Any] = job.source.get("git") or {}
    tags = {str(key): str(value) for key, value in (job.document.get("tags") or {}).items()}
    tags |= {
        "mlflow.source.type": "JOB",
        "mlflow.source.name": job.source.get("file") or "",
        "workbench.job": job.name,
        "workbench.user": job.source.get("user") or "",
        "workbench.host": job.source.get("host") or "",
        "workbench.compute": job.compute,
    }
    if git:
        tags |= {
            "mlflow.source.git.commit": git["commit"],
            "mlflow.source.git.branch": git.get("branch") or "",
            "mlflow.source.git.repoURL": git.get("remote") or "",
            "mlflow.source.git.dirty": str(bool(git.get("dirty"))).lower(),
        }
    if description := job.document.get("description"):
        tags["mlflow.note.content"] = description
    return {key: value for key, value in tags.items() if value}


def environment_python(
    job: Job,
    definition: Definition,
    layout: Layout,
    say: Callable[[str], None],
    cancelled: Callable[[], bool],
    environ: Mapping[str, str],
) -> Path:
    """The Python of the job's environment, built first when it is new."""
    python = built.interpreter(definition, layout)
    if python is None:
        from engines.environments.build import build

        log = layout.job(job.name).system_logs / "environment.log"
        python = build(definition, layout, log, cancelled, say, environ=environ)
    return python


def make_task(
    job: Job,
    layout: Layout,
    token: str,
    script: Script,
    services: Sequence[Process],
    say: Callable[[str], None],
    read_only: Sequence[Path],
) -> Task:
    """The task that the shim will read. The services come last: their place must change nobody's rank."""
    folder = layout.job(job.name)
    argv = protection.guarded([runtime.shell(), "-c", script.text], job, layout, read_only)
    limits = job.document.get("limits") or {}
    members = processes(job.document, folder.user_logs, argv)
    if len(members) > 1:
        say(f"{len(members)} processes; shown is what the first one prints, the logs of all are in {folder.user_logs}")
    return Task(
        token=token,
        name=job.name,
        directory=str(folder.working_copy),
        time_limit=limits.get("timeout"),
        processes=(*members, *services),
        journal=str(folder.journal),
        sample_every=SAMPLE_SECONDS,
        notify=str(layout.agent_socket),
    )
