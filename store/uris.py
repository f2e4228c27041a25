"""Where the paths of a document lead in this workspace.

    ./data, file:///data                          this machine
    https://, wasbs://, abfss://, s3:// ...       elsewhere (see ``cache.py``)
    azureml://datastores/D/paths/P                a file or a folder in a datastore
    azureml:N:V, azureml:N@L, azureml:N           where a version of a data asset points to
    azureml://jobs/J/outputs/O/paths/P            an output of a job; ``artifacts`` is all that its run keeps
    runs:/R/P                                     what an MLflow run keeps
    models:/M/V, models:/M@A, models:/m-ID        a model in MLflow's registry, or one that a run logged

MLflow 3 keeps the models that a run logs outside of its artifacts; both of the last look there too.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from store import database, jobs, model_places
from store.addresses import split_secrets
from store.data import assets
from store.data.assets import DataVersion
from store.datastores import registry
from store.errors import NotFoundError, UsageError
from store.layout import Layout
from store.specs.references import (
    AssetReference,
    DatastorePath,
    JobOutputPath,
    LocalPath,
    ModelPath,
    Reference,
    ReferenceFault,
    RegistryReference,
    ResourceId,
    RunPath,
    Url,
    Workspace,
    parse_reference,
)

DEFAULT_DATASTORE = registry.DEFAULT
ARTIFACTS = ("artifacts", "default")
"""What a job's own artifacts are called where an output's name is expected."""

EXPRESSION = re.compile(r"\$\{\{\s*(\S*?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Place:
    """What a path stands for: a path on this machine, or a URL elsewhere; exactly one of them.

    ``datastore`` names the one that a URL was reached by, whose login it needs, and ``within`` is the path in it.
    """

    path: Path | None = None
    url: str | None = None
    datastore: str | None = None
    within: str = ""

    def __str__(self) -> str:
        """How it is shown and noted: without secrets."""
        return str(self.path) if self.path is not None else split_secrets(str(self.url))[0]

    def below(self, path: str) -> Place:
        """The place of something in this folder. Raises UsageError for what would lie outside of it."""
        if self.path is not None:
            return Place(inside(self.path, path))
        if not path:
            return self
        within = f"{self.within.rstrip('/')}/{path.lstrip('/')}".lstrip("/")
        return replace(self, url=f"{str(self.url).rstrip('/')}/{path.lstrip('/')}", within=within)


def inside(root: Path, path: str) -> Path:
    """A path below a folder. Raises UsageError for one that climbs out of it."""
    if ".." in path.split("/"):
        raise UsageError(f"the path {path!r} leads out of {root}")
    return root / path.strip("/")


def take_apart(text: str) -> Reference:
    """A path of a document as the reference that it is. Raises UsageError."""
    try:
        return parse_reference(text)
    except ReferenceFault as fault:
        raise UsageError(fault.message, hint=fault.hint) from fault


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Fill in the expressions of a path, such as ``${{name}}``. Raises UsageError for any other."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            allowed = ", ".join(f"${{{{{name}}}}}" for name in values)
            raise UsageError(f"{match[0]} means nothing in a path", hint=f"There are {allowed}.")
        return values[match[1]]

    return EXPRESSION.sub(value, text)


class Resolver:
    """Finds places in one workspace; reads its databases where a path needs them, on a connection given or its own."""

    def __init__(self, layout: Layout, connection: sqlite3.Connection | None = None) -> None:
        self.layout = layout
        self._connection = connection

    def find(self, text: str, *, base: Path | None = None) -> Place:
        """The place that a path of a document stands for; a relative one starts at ``base``.

        A path on this machine need not exist, what lies in a job's artifacts has to. Raises UsageError for what cannot
        be a path, NotFoundError for what this workspace does not have.
        """
        match reference := take_apart(text):
            case LocalPath():
                return Place(((base or Path.cwd()) / Path(reference.path).expanduser()).absolute())
            case Url():
                return Place(url=reference.text)
            case DatastorePath():
                self.check_workspace(reference.workspace)
                return self.in_datastore(reference.datastore, reference.path)
            case JobOutputPath():
                self.check_workspace(reference.workspace)
                return self.job_output(reference.job, reference.output, reference.path or "")
            case RunPath():
                return Place(self.artifact(reference.run, reference.path))
            case ModelPath():
                with tracking(self.layout) as connection:
                    place = model_places.location(connection, reference)
                return (Place(place) if isinstance(place, Path) else self.find(place)).below(reference.path or "")
            case AssetReference():
                return self.find(self.asset(reference).path)
            case ResourceId(kind="data", name=name, version=version, label=label):
                return self.find(self.asset(AssetReference(name, version, label)).path)
            case RegistryReference() | ResourceId():
                raise NotFoundError(
                    f"{reference} is kept elsewhere, and only data assets of this workspace can be read",
                    hint="Give the file, the folder or the URL itself as `path`.",
                )

    def asset(self, reference: AssetReference) -> DataVersion:
        """The version of a data asset that a reference means now. Raises NotFoundError."""
        with self.connection() as connection:
            if connection is None:
                raise NotFoundError(f"there is no data asset named {reference.name!r}: there is no workspace yet")
            return assets.get(connection, reference.name, reference.version, reference.label)

    def in_datastore(self, name: str, path: str) -> Place:
        """A file or a folder in a datastore. Raises NotFoundError for a datastore that there is not."""
        with self.connection() as connection:
            found = registry.get(connection, self.layout, name)
        if found.type == "local":
            return Place(inside(Path(found.document["path"]), path))
        from store.datastores.filesystems import address

        if ".." in path.split("/"):
            raise UsageError(f"the path {path!r} leads out of the datastore {name!r}")
        return Place(url=address(found, path), datastore=name, within=path)

    def check_workspace(self, workspace: Workspace | None) -> None:
        """Raises UsageError when an address names another workspace than this."""
        if workspace is None:
            return
        with self.connection() as connection:
            row = connection.execute("SELECT name FROM workspace").fetchone() if connection else None
        if row is not None and row[0].lower() != workspace.name.lower():
            raise UsageError(
                f"the address names the workspace {workspace.name!r}, and this is {row[0]!r}",
                hint="Without its part from `subscriptions/` on, it means the workspace at hand.",
            )

    def job_output(self, job: str, output: str, path: str) -> Place:
        """Something in an output of a job. Raises NotFoundError."""
        with self.connection() as connection:
            document = jobs.get(connection, job).document if connection and jobs.exists(connection, job) else None
        if document is not None and output in (document.get("outputs") or {}):
            return self.output(job, output, document).below(path)
        if output in ARTIFACTS:
            return Place(self.artifact(job, path))
        if document is None:
            self.refuse_unknown(job)
        raise NotFoundError(
            f"the job {job!r} has no output {output!r}",
            hint=f"It has {', '.join([*((document or {}).get('outputs') or {}), 'artifacts'])}.",
        )

    def refuse_unknown(self, job: str) -> None:
        """Raises NotFoundError, with the nearest names, for a job that there is not."""
        with self.connection() as connection:
            if connection is None:
                raise NotFoundError(f"there is no job named {job!r}")
            jobs.get(connection, job)

    def output(self, job: str, name: str, document: Mapping[str, Any], *, base: Path | None = None) -> Place:
        """Where a named output of a job lies, by the job's document. Raises UsageError for a path that cannot be."""
        settings = (document.get("outputs") or {}).get(name) or {}
        if not settings.get("path"):
            return Place(self.layout.output(job, name))
        values = {"name": job, "output_name": name, "default_datastore": DEFAULT_DATASTORE}
        text = substitute(settings["path"], values)
        if not isinstance(take_apart(text), LocalPath | DatastorePath | Url):
            raise UsageError(
                f"an output cannot be written to {split_secrets(text)[0]}",
                hint="It wants a local path, or azureml://datastores/workspaceblobstore/paths/PATH.",
            )
        return self.find(text, base=base)

    def artifact(self, run: str, path: str) -> Path:
        """What a run keeps under a path: an artifact, or a model that it logged by that name. Raises NotFoundError."""
        root = self.layout.artifacts(run)
        with tracking(self.layout) as connection:
            if not root.exists():
                root = model_places.artifact_root(connection, run) or root
            place = inside(root, path)
            if place.exists():
                return place
            name, _, rest = path.strip("/").partition("/")
            models = model_places.logged_models(connection, run)
        if name in models:
            return inside(models[name], rest)
        if not root.exists() and not models:
            self.refuse_unknown(run)
        there = sorted({*models, *(entry.name for entry in root.iterdir())}) if root.exists() else sorted(models)
        raise NotFoundError(
            f"the job {run!r} keeps no {path!r}",
            hint=f"It keeps {', '.join(there)}." if there else "It keeps no artifacts at all.",
        )

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection | None]:
        """``workbench.db``; None where this is no workspace yet."""
        if self._connection is not None or not self.layout.database.exists():
            yield self._connection
            return
        connection = database.connect(self.layout.database)
        try:
            yield connection
        finally:
            connection.close()


@contextlib.contextmanager
def tracking(layout: Layout) -> Iterator[sqlite3.Connection | None]:
    """``mlflow.db``, to read; None where there is none."""
    if not layout.mlflow_database.exists():
        yield None
        return
    connection = sqlite3.connect(f"file:{quote(str(layout.mlflow_database))}?mode=ro", uri=True, timeout=60)
    try:
        yield connection
    finally:
        connection.close()
