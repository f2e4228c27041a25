"""The tables of ``workbench.db``: what is wanted, and what is so.

The commands that must be quick read and write these tables through ``sqlite3`` (see ``database.py``);
a test holds their SQL against this metadata. Times are seconds since 1970, in UTC.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel


class Workspace(SQLModel, table=True):
    """The one row that says which workspace this is."""

    __tablename__ = "workspace"

    id: str = Field(primary_key=True, description="Stays the same when the folder moves.")
    name: str
    document: str = Field(description="The workspace document, as JSON.")
    created_at: float


class Job(SQLModel, table=True):
    """A job: the submitted document, what is wanted of it, and what became of it."""

    __tablename__ = "job"
    __table_args__ = (
        Index("job_by_status", "status", "id"),
        Index("job_queue", "status", "compute", "rank", "id"),
        Index("job_by_experiment", "experiment_name", "id"),
        Index("job_by_parent", "parent_job_name", "id"),
        Index(
            "job_listing",
            *("archived", "id", "parent_job_name", "name", "display_name", "experiment_name", "type", "status"),
            *("compute", "created_at", "started_at", "ended_at"),
        ),
        CheckConstraint("wanted IN ('run', 'cancel', 'kill')", name="job_wanted"),
    )

    id: int | None = Field(default=None, primary_key=True, description="Counts up: the order of submission.")
    name: str = Field(unique=True)
    type: str
    display_name: str
    experiment_name: str
    document: str = Field(description="The resolved job document, as JSON.")
    source: str = Field(description="Where it came from: file, folder, user, host, git state, as JSON.")
    snapshot: str | None = Field(default=None, description="Content hash of the code.")
    compute: str
    slots: int = Field(description="How many of the compute's slots it takes.")
    rank: int = Field(description="Higher starts earlier: made from job_tier and priority.")
    parent_job_name: str | None = Field(default=None, foreign_key="job.name")
    archived: bool = False
    wanted: str = "run"

    status: str = "NotStarted"
    attempt: int = 0
    token: str | None = Field(default=None, description="Known to every process of the attempt.")
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    environment: str | None = Field(default=None, description="What the environment was resolved to, as JSON.")
    inputs: str | None = Field(default=None, description="What each input was resolved to, as JSON.")
    outputs: str | None = Field(default=None, description="Where each output lies, as JSON.")
    cause: str | None = Field(default=None, description="Why it ended as it did, as JSON.")
    exit_code: int | None = None
    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None


class JobEvent(SQLModel, table=True):
    """One step in the life of a job."""

    __tablename__ = "job_event"
    __table_args__ = (Index("job_event_by_job", "job_name", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    job_name: str = Field(foreign_key="job.name")
    at: float
    status: str
    message: str | None = None


class Compute(SQLModel, table=True):
    """A compute target of this workspace; ``local`` is always there."""

    __tablename__ = "compute"

    name: str = Field(primary_key=True)
    type: str = Field(description="Which entry point of ``workbench.compute`` runs its tasks.")
    document: str
    created_at: float


class Environment(SQLModel, table=True):
    """One version of a registered environment."""

    __tablename__ = "environment"

    name: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    document: str
    created_at: float
    archived: bool = False


class Datastore(SQLModel, table=True):
    """A connection to where data lies; those that every workspace has are no rows."""

    __tablename__ = "datastore"

    name: str = Field(primary_key=True)
    type: str
    document: str = Field(description="The datastore document without its secrets, as JSON.")
    created_at: float


class DataContainer(SQLModel, table=True):
    """What the versions of a data asset share."""

    __tablename__ = "data_container"

    name: str = Field(primary_key=True)
    archived: bool = False
    last_number: int = Field(default=0, description="The highest number given as a version: none is given twice.")


class Data(SQLModel, table=True):
    """One version of a data asset: a reference to data, and what was known of it."""

    __tablename__ = "data"
    __table_args__ = (
        UniqueConstraint("name", "version", name="data_version"),
        Index("data_by_fingerprint", "fingerprint"),
        Index("data_by_job", "job_name"),
    )

    id: int | None = Field(default=None, primary_key=True, description="Counts up: the latest is the last made.")
    name: str = Field(foreign_key="data_container.name")
    version: str
    type: str = Field(description="uri_file, uri_folder or mltable.")
    path: str = Field(description="Where the data is.")
    document: str = Field(description="Description, tags and properties, as JSON.")
    archived: bool = False
    stored: bool = Field(default=False, description="Whether Workbench made the copy that it points to.")
    fingerprint: str | None = Field(default=None, description="Hash of the manifest: the same for the same bytes.")
    files: int | None = None
    bytes: int | None = None
    job_name: str | None = Field(default=None, description="The job that made it.")
    job_output: str | None = None
    created_at: float


class DataLabel(SQLModel, table=True):
    """A label of one's own on a version; ``latest`` is none of them."""

    __tablename__ = "data_label"

    name: str = Field(primary_key=True, foreign_key="data_container.name")
    label: str = Field(primary_key=True)
    version: str


class DataUse(SQLModel, table=True):
    """That a job, or later a model or an endpoint, used a version of a data asset."""

    __tablename__ = "data_use"
    __table_args__ = (
        Index("data_use_by_version", "name", "version"),
        Index("data_use_by_user", "user_kind", "user_name"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str
    version: str
    user_kind: str = Field(description="job, model or endpoint.")
    user_name: str
    input: str | None = None
    fingerprint: str | None = Field(default=None, description="Which bytes were seen.")
    at: float


class DataWatch(SQLModel, table=True):
    """A path of a datastore that is watched for new files."""

    __tablename__ = "data_watch"

    name: str = Field(primary_key=True)
    datastore: str
    document: str = Field(description="Path, what to register and to run, quiet period, as JSON.")
    enabled: bool = True
    created_at: float


class WatchedFile(SQLModel, table=True):
    """A file that a watch has seen; those of its baseline have no event."""

    __tablename__ = "watched_file"
    __table_args__ = (Index("watched_file_by_event", "event_id"),)

    watch: str = Field(primary_key=True, foreign_key="data_watch.name")
    path: str = Field(primary_key=True)
    size: int
    modified: str = Field(description="Time or tag of its content, as the storage tells it.")
    event_id: int | None = Field(default=None, foreign_key="data_event.id")


class DataEvent(SQLModel, table=True):
    """That new files came to a watched path, and what it set off."""

    __tablename__ = "data_event"
    __table_args__ = (Index("data_event_by_watch", "watch", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    watch: str
    at: float
    files: int
    bytes: int
    document: str = Field(description="The first paths, the version, the job or what went wrong, as JSON.")
