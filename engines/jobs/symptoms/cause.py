"""Why a job ended as it did, and what is known of the job when that is asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from store.jobs import Job
from store.layout import Layout


@dataclass(frozen=True, slots=True)
class UserException:
    """A Python exception and the user's own place in it; ``file`` is relative to the job's code where it lies there."""

    type: str
    message: str
    file: str | None = None
    line: int | None = None
    function: str | None = None
    code: str | None = None
    caused_by: str | None = None

    @property
    def title(self) -> str:
        """The exception in one line, as Python ends its traceback."""
        first = self.message.partition("\n")[0].strip()
        return f"{self.type}: {first}" if first else self.type


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a job ended: a stable ``code``, words for it, what to do, and the last lines of the log."""

    code: str
    message: str
    hint: str | None = None
    exception: UserException | None = None
    log_tail: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The cause as the ``cause`` column of a job keeps it."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Cause:
        """A cause from what ``document`` gave; keys of another version of this program are passed over."""
        known = {key: value for key, value in document.items() if key in cls.__dataclass_fields__}
        raised = known.get("exception")
        if raised is not None:
            fields = UserException.__dataclass_fields__
            known["exception"] = UserException(**{key: value for key, value in raised.items() if key in fields})
        return cls(**{"code": "unknown", "message": "The job failed.", **known})


@dataclass(frozen=True, slots=True)
class Symptom:
    """What one sign in the log means."""

    code: str
    message: str
    hint: str | None = None
    killed: bool = False
    """Whether a process was ended by force, which the system does when memory runs out."""


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What is known of a failed job beside its log; the last two come from its exit record.

    ``environment`` is what the document names, None for the Python that runs Workbench; ``conda_file`` is the file
    that lists its packages where there is one.
    """

    working_copy: Path
    code: Path | None = None
    environment: str | None = None
    conda_file: str | None = None
    requirements: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    time_limit: float | None = None
    processes: int = 1
    """Those that run the command."""
    tracking_server: int | None = None
    """Which process is MLflow's server, where the job needs one."""
    job: str = ""
    memory_kills: int = 0
    """How often the system ended a process for lack of memory while it ran."""
    peak_memory: int = 0
    """The most bytes of memory that it had, 0 where that is not known."""

    @classmethod
    def of(cls, job: Job, layout: Layout, processes: int = 1, tracking_server: int | None = None) -> JobFacts:
        """The facts of a stored job."""
        document = job.document
        code, environment = document.get("code"), document.get("environment")
        conda_file = environment.get("conda_file") if isinstance(environment, Mapping) else None
        return cls(
            working_copy=layout.job(job.name).working_copy,
            code=Path(code) if code and "://" not in code else None,
            environment=environment_words(environment),
            conda_file=conda_file if isinstance(conda_file, str) else None,
            requirements=tuple(str(each) for each in (job.environment or {}).get("requirements") or ()),
            inputs={name: str(value) for name, value in (job.inputs or {}).items()},
            time_limit=(document.get("limits") or {}).get("timeout"),
            processes=processes,
            tracking_server=tracking_server,
            job=job.name,
        )

    def inside(self, path: str) -> Path | None:
        """Where a path lies in the working copy, relative to it; None when it lies elsewhere."""
        if not path or path.startswith("<") or "\0" in path:
            return None
        absolute = os.path.normpath(os.path.join(self.working_copy, path))
        for root in {str(self.working_copy), os.path.realpath(self.working_copy)}:
            if absolute == root or absolute.startswith(f"{root}/"):
                return Path(os.path.relpath(absolute, root))
        return None

    def shown(self, path: str) -> str:
        """A path as the user knows it: relative to the code, or as it is."""
        relative = self.inside(path)
        return path if relative is None else str(relative)

    def input_of(self, path: str) -> str | None:
        """The name of the input that a path belongs to."""
        for name, place in self.inputs.items():
            if place.startswith("/") and (path == place or path.startswith(place.rstrip("/") + "/")):
                return name
        return None


def environment_words(environment: object) -> str | None:
    """An environment as a sentence can name it."""
    if isinstance(environment, str):
        return environment
    if isinstance(environment, Mapping):
        return str(environment.get("name") or "the job's own environment")
    return None
