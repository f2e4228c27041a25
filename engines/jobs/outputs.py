"""A job's outputs: where it writes them, and how they come to where they are kept."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.jobs.inputs import Reporter
from engines.jobs.keeping import Keeper
from engines.jobs.script import Value
from engines.jobs.working_copy import CAPTURED
from store import database
from store.datastores import filesystems, registry
from store.datastores.registry import Datastore
from store.disk import explain
from store.errors import UsageError, WorkbenchError
from store.jobs import Job
from store.layout import JobFolder, Layout
from store.telling import Cancelled, Say
from store.transfer.incoming import AbandonedError, Watch
from store.uris import Place, Resolver


@dataclass(frozen=True, slots=True)
class Output:
    """A named output of a job: where it lies in the end, and where the job writes it."""

    name: str
    type: str
    mode: str
    place: Place
    written: Path | None
    """None where the job writes to another machine by itself."""

    @classmethod
    def read(cls, document: Mapping[str, Any], name: str, job: str, layout: Layout) -> Output:
        """Raises UsageError for one that cannot be written as its mode says."""
        settings = document["outputs"].get(name) or {}
        kind, mode = settings.get("type") or "uri_folder", settings.get("mode") or "rw_mount"
        place = Resolver(layout).output(job, name, document)
        if place.path is None and place.datastore is None and mode != "direct":
            raise UsageError(
                f"the output cannot be written to {place}: only the job itself can write to another machine",
                hint="Say `mode: direct`, or make a datastore: path: azureml://datastores/NAME/paths/PATH.",
            )
        written = place.path
        if mode == "upload" or (place.path is None and mode != "direct"):
            written = upload_folder(layout.job(job), name)
            own = place.path.name if place.path is not None else place.within.rpartition("/")[2]
            written = written / (own or name) if kind == "uri_file" else written
        return cls(name, kind, mode, place, written)

    @property
    def is_file(self) -> bool:
        return self.type == "uri_file"

    @property
    def is_uploaded(self) -> bool:
        """Whether it is brought to another machine when the job has ended."""
        return self.place.datastore is not None and self.written is not None

    @property
    def value(self) -> Value:
        """What the job gets for it."""
        return Value(str(self.written or self.place.url), is_path=True)


def upload_output(job: Job, output: Output, layout: Layout, say: Say, cancelled: Cancelled) -> None:
    """Bring an output to its datastore, and then remove what is here. Raises WorkbenchError where it stays here."""
    from store.datastores.transfers import opened
    from store.datastores.uploading import Upload
    from store.vault import open_vault

    folder = upload_folder(layout.job(job.name), output.name)
    if output.written is None or not output.written.exists():  # it was brought there before, or never written
        return
    datastore, telling = (
        datastore_of(output, layout),
        Reporter(f"output {output.name}: uploading to {output.place}", say),
    )
    try:
        watch = Watch(telling, cancelled)
        there = watch.wait_for(lambda: opened(datastore, open_vault(layout)))
        path = output.place.within
        if output.is_file and (not path or path.endswith("/")):
            path = f"{path}{output.written.name}"
        upload = Upload(there, output.written, path, job.name, watch)
        upload.file() if output.is_file else upload.folder()
    except AbandonedError:
        raise
    except WorkbenchError as error:
        error.message = f"output {output.name!r}: {error.message}"
        kept = f"What the job wrote is kept here: {output.written}"
        error.hint = f"{error.hint}\n{kept}" if error.hint else kept
        raise
    shutil.rmtree(folder)


def fetch_output(output: Output, layout: Layout, say: Say = lambda _: None) -> Path:
    """An output that was uploaded, on this machine. Raises WorkbenchError."""
    from store.datastores.cached import Wanted, copy_of
    from store.vault import open_vault

    wanted = Wanted(datastore_of(output, layout), output.place.within, open_vault(layout), say=say)
    with copy_of(wanted) as path:
        return path


def upload_folder(folder: JobFolder, name: str) -> Path:
    """Where an output that is copied after the run is written first."""
    return folder.root / "upload" / name


def check_output(layout: Layout, document: Mapping[str, Any], name: str) -> None:
    """Hold an output against what there is. Raises UsageError or NotFoundError."""
    output = Output.read(document, name, str(document.get("name") or "JOB"), layout)
    check_kind(output, output.place.path)
    if output.is_uploaded:
        filesystems.check(datastore_of(output, layout))


def datastore_of(output: Output, layout: Layout) -> Datastore:
    """Where it is uploaded to."""
    with closing(database.connect(layout.database)) as connection:
        return registry.get(connection, layout, str(output.place.datastore))


def check_kind(output: Output, path: Path | None) -> None:
    """Raises UsageError where a file lies in the way of a folder, or the other way round."""
    if path is None or not path.exists() or path.is_dir() != output.is_file:
        return
    there, wanted = ("folder", "file") if path.is_dir() else ("file", "folder")
    raise UsageError(f"{path} is a {there}, and the output of type {output.type} is a {wanted}")


def prepare_outputs(job: Job, layout: Layout) -> dict[str, Value]:
    """Make the place of every named output; keys are ``outputs.NAME``. Raises WorkbenchError, naming the output."""
    values: dict[str, Value] = {}
    for name in job.document.get("outputs") or {}:
        try:
            output = Output.read(job.document, name, job.name, layout)
            check_kind(output, output.place.path)
            if output.written is not None:
                folder = output.written.parent if output.is_file else output.written
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except WorkbenchError as error:
            error.message = f"output {name!r}: {error.message}"
            raise
        except OSError as error:
            raise explain(error, f"making a place for the output {name!r}") from error
        values[f"outputs.{name}"] = output.value
    return values


def output_places(job: Job, layout: Layout) -> dict[str, str]:
    """Where every named output lies once the job has ended, by name."""
    document = job.document
    return {name: str(Output.read(document, name, job.name, layout).place) for name in document.get("outputs") or {}}


def collect_outputs(job: Job, layout: Layout, say: Say = lambda _: None, cancelled: Cancelled = lambda: False) -> None:
    """Bring all that a job wrote to where it is kept. Can be repeated, also after it was killed in the middle.

    Raises MachineError when the disk is full, or when what is to be uploaded cannot be; nothing is lost then. Raises
    AbandonedError when ``cancelled`` became true meanwhile.
    """
    keeper = Keeper(layout.job(job.name), layout.snapshots / job.snapshot if job.snapshot else None)
    artifacts = layout.artifacts(job.name)
    try:
        for name in CAPTURED:
            keeper.keep(keeper.folder.working_copy / name, artifacts / name)
        keeper.share(keeper.folder.user_logs, artifacts / "user_logs")
        for name in job.document.get("outputs") or {}:
            output = Output.read(job.document, name, job.name, layout)
            if output.mode == "upload" and output.place.path is not None:
                target = output.place.path.parent if output.is_file else output.place.path
                keeper.keep(upload_folder(keeper.folder, name), target)
        keeper.link(keeper.folder.root / "outputs", artifacts)
    except OSError as error:
        raise explain(error, f"keeping the outputs of the job {job.name!r}") from error
    upload_outputs(job, layout, say, cancelled)


def upload_outputs(job: Job, layout: Layout, say: Say, cancelled: Cancelled) -> None:
    """Bring outputs to datastores of other machines. Raises WorkbenchError for the first that cannot be brought."""
    refused: WorkbenchError | None = None
    for name in job.document.get("outputs") or {}:
        output = Output.read(job.document, name, job.name, layout)
        if output.is_uploaded:
            try:
                upload_output(job, output, layout, say, cancelled)
            except AbandonedError:
                raise
            except WorkbenchError as error:
                refused = refused or error
    if refused is not None:
        raise refused
