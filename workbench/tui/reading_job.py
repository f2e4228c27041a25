"""What the overview of a job asks of the store; run in the threads of ``access``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from store import jobs, lineage
from store.errors import WorkbenchError
from store.jobs import Job
from store.lineage import Made, Read, Relative
from workbench.tui.access import Stores

LOG_LINES = 5
OWN_TAGS = ("mlflow.", "workbench.")


@dataclass(frozen=True, slots=True)
class Details:
    """What the overview tells of a job beside its row."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    """Those of its run, MLflow's and Workbench's own left out."""
    obstacle: WorkbenchError | None = None
    ahead: int | None = None
    children: Mapping[str, int] = field(default_factory=dict)
    """How many there are in each state."""
    first_children: tuple[Relative, ...] = ()
    parent: Relative | None = None
    rerun_of: Relative | None = None
    read: tuple[Read, ...] = ()
    """The versions of data that it read."""
    made: tuple[Made, ...] = ()
    """Those that it made."""
    last_completed: str | None = None
    """The last job of the experiment that completed before this one."""
    lost_metrics: str = ""
    artifacts: str | None = None
    """The folder of the artifacts, where there is one."""
    folder: str = ""
    log_end: tuple[str, ...] = ()
    """The last lines of the log of a job that failed."""


@dataclass(frozen=True, slots=True)
class Later:
    """The jobs that came of a job; looked for once, in a good many documents."""

    reruns: tuple[Relative, ...] = ()
    consumers: tuple[Relative, ...] = ()


def details(stores: Stores, job: Job) -> Details:
    """What is known of a job beside its row."""
    from engines.jobs.registry import obstacle
    from store.tracking import ingest, metrics, runs

    mlflow, layout = stores.mlflow, stores.layout
    last, parameters, tags, lost = dict[str, float](), dict[str, str](), dict[str, str](), ""
    if mlflow is not None:
        last = metrics.last_metrics(mlflow, job.name, journal=layout.job(job.name).journal)
        parameters, tags = runs.params(mlflow, job.name), runs.tags(mlflow, job.name)
        found = ingest.lost(mlflow, job.name)
        lost = str(found) if any(found) else ""
    counted = lineage.count_children(stores.workbench, job.name)
    before = str(job.source.get("rerun_of") or "")
    relatives = {
        each.name: each
        for each in lineage.relatives(stores.workbench, [name for name in (before, job.parent_job_name) if name])
    }
    previous = jobs.last_completed(stores.workbench, job.experiment_name, job.id)
    artifacts = layout.artifacts(job.name)
    return Details(
        metrics=last,
        parameters=parameters,
        tags={key: value for key, value in tags.items() if not key.startswith(OWN_TAGS)},
        obstacle=obstacle(stores.workbench, job),
        ahead=_ahead(stores, job),
        children=counted,
        first_children=tuple(lineage.children(stores.workbench, job.name)) if counted else (),
        parent=relatives.get(job.parent_job_name or ""),
        rerun_of=relatives.get(before),
        read=tuple(lineage.data_read(stores.workbench, job.name)),
        made=tuple(lineage.data_made(stores.workbench, job.name)),
        last_completed=previous.name if previous else None,
        lost_metrics=lost,
        artifacts=str(artifacts) if artifacts.exists() else None,
        folder=str(layout.job(job.name).root),
        log_end=_log_end(stores, job) if job.status == "Failed" else (),
    )


def later(stores: Stores, job: Job) -> Later:
    """The jobs that ran it again or took its outputs."""
    places = [place for place in (job.outputs or {}).values() if isinstance(place, str)]
    places.append(str(stores.layout.artifacts(job.name)))
    return Later(
        tuple(lineage.reruns(stores.workbench, job.name, job.id)),
        tuple(lineage.consumers(stores.workbench, job.name, job.id, places)),
    )


def _log_end(stores: Stores, job: Job) -> tuple[str, ...]:
    from engines.jobs.explain import telling_log
    from engines.jobs.symptoms.log_tail import read_tail

    return tuple(read_tail(telling_log(job, stores.layout)).shown()[-LOG_LINES:])


def _ahead(stores: Stores, job: Job) -> int | None:
    from store.queue import position

    return position(stores.workbench, job) if job.status == "Queued" else None
