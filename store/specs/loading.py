"""Load documents: read the file, apply overrides and flags, check everything, and say all that is wrong at once."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from store import plugins
from store.errors import DocumentError, Fault, MachineError, NotFoundError, UsageError
from store.specs.document import Document
from store.specs.reading import load_document
from store.specs.secrets import secret_faults

if TYPE_CHECKING:
    from store.specs.command_job import CommandJob
    from store.specs.spec import Spec

KINDS: dict[str, tuple[str, str]] = {
    "job.command": ("store.specs.command_job", "CommandJob"),
    "workspace": ("store.specs.workspace", "Workspace"),
    "environment": ("store.specs.environment", "Environment"),
    "compute.amlcompute": ("store.specs.compute", "AmlCompute"),
    "compute.local": ("store.specs.compute", "LocalCompute"),
    "data": ("store.specs.data", "Data"),
    "mltable": ("store.specs.mltable", "MLTable"),
    "datastore.azure_blob": ("store.specs.datastores", "AzureBlob"),
    "datastore.azure_file": ("store.specs.datastores", "AzureFile"),
    "datastore.azure_data_lake_gen1": ("store.specs.datastores", "AzureDataLakeGen1"),
    "datastore.azure_data_lake_gen2": ("store.specs.datastores", "AzureDataLakeGen2"),
    "datastore.one_lake": ("store.specs.datastores", "OneLake"),
    "datastore.local": ("store.specs.datastores", "Local"),
    "datastore.sftp": ("store.specs.datastores", "Sftp"),
    "datastore.s3": ("store.specs.datastores", "S3"),
    "datastore.smb": ("store.specs.datastores", "Smb"),
    "datastore.webdav": ("store.specs.datastores", "WebDav"),
    "datastore.dbfs": ("store.specs.datastores", "Dbfs"),
    "datastore.sql": ("store.specs.datastores", "Sql"),
}
"""The kinds of documents of the dialect, and where the model of each is."""

GROUP = "workbench.documents"
"""Packages bring further kinds, such as ``compute.slurm``, as entry points of this group: subclasses of ``Spec``."""

FAMILIES = {"job": "command", "compute": None, "datastore": None}
"""Kinds that a document's ``type`` tells apart, and the type of a document that has none."""

_LATER = {
    "job": ("sweep", "pipeline", "spark", "automl", "import", "data_transfer"),
    "compute": ("computeinstance", "virtualmachine", "kubernetes", "synapsespark"),
    "datastore": (),
}
_SPELLINGS = {"onelake": "one_lake"}


def kinds() -> list[str]:
    """The kinds of documents that there are models of."""
    return [*KINDS, *(kind for kind in plugins.find(GROUP) if kind not in KINDS)]


def model_of(kind: str) -> type[Spec]:
    """The model of a kind; it is imported only now. Looking for what packages bring is spared where it can be."""
    if kind in KINDS:
        module, name = KINDS[kind]
        model: type[Spec] = getattr(import_module(module), name)
        return model
    if kind in plugins.find(GROUP):
        return _brought(plugins.find(GROUP)[kind])
    from store.specs.nearest import suggestion

    raise UsageError(f"there is no kind of document {kind!r}", hint=suggestion(kind, kinds(), introduction="There are"))


def _brought(plugin: plugins.Plugin) -> type[Spec]:
    from store.specs.spec import Spec

    model = plugin.load()
    if not (isinstance(model, type) and issubclass(model, Spec)):
        raise MachineError(f"{plugin} is no model of a document: it is not derived from store.specs.spec.Spec")
    return model


def load_job(file: Path | str, overrides: Iterable[str] = (), **flags: object) -> CommandJob:
    """Load a job document of any kind that can be run; a flag such as ``name="x"`` overrides the file."""
    return cast("CommandJob", load("job", file, overrides, **flags))  # the only kind of job so far


def load(kind: str, file: Path | str | None, overrides: Iterable[str] = (), **flags: object) -> Spec:
    """Load a document of a kind, or of a family such as ``job``; without a file it is made of the flags alone.

    Raises DocumentError with every fault of the document, its overrides and its flags.
    """
    document = load_document(file, overrides, kind) if file is not None else Document.of({})
    for key, value in flags.items():
        if value is not None:
            document.set_flag(key, value)
    return parse(document, kind)


def parse(document: Document, kind: str) -> Spec:
    """Check a document and return its spec; raises DocumentError with every fault in it."""
    return _check(document, model_of(kind_of(document, kind)))


def _check(document: Document, model: type[Spec]) -> Spec:
    faults = [*document.faults, *_environment_in_file(document, model)]
    spec: Spec | None = None
    try:
        spec = model.model_validate(document.data, context={"folder": document.folder})
    except ValidationError as error:
        from store.specs.faults import faults_of

        faults += faults_of(error, document, model)
    faults += model.inspect(document)
    faults += secret_faults(document, model.secret_places)
    if faults or spec is None:
        raise DocumentError([*faults, *_other_schema(document, model)])
    return spec


def kind_of(document: Document, kind: str) -> str:
    """The exact kind of a document of a family; raises DocumentError if its ``type`` is none that can be used."""
    if kind not in FAMILIES:
        return kind
    stated = document.data.get("type", FAMILIES[kind])
    spelling = _type(stated, kind) if isinstance(stated, str) else ""
    if f"{kind}.{spelling}" in KINDS:
        return f"{kind}.{spelling}"
    types = [name.partition(".")[2] for name in kinds() if name.startswith(kind + ".")]
    if spelling in types:
        return f"{kind}.{spelling}"
    if "type" not in document.data:
        fault = document.fault(("type",), "the key 'type' is missing", f"Allowed: {', '.join(types)}")
    elif spelling in _LATER[kind]:
        message = f"this version of Workbench knows no {spelling} {kind} yet"
        fault = document.fault(("type",), message, f"It knows: {', '.join(types)}")
    else:
        from store.specs.document import describe
        from store.specs.nearest import suggestion

        hint = suggestion(str(stated), [*types, *_LATER[kind]], introduction="Allowed")
        fault = document.fault(("type",), f"{describe(stated)} is no type of {kind}", hint)
    raise DocumentError([*document.faults, fault])


def _type(stated: str, kind: str) -> str:
    """A document's ``type`` as kinds are named: the dialect reads those of datastores in CamelCase too."""
    lower = _SPELLINGS.get(stated.lower(), stated.lower())
    if kind != "datastore" or f"{kind}.{lower}" in KINDS:
        return lower
    from store.specs.spec import snake_case

    return snake_case(stated)


def _environment_in_file(document: Document, model: type[Spec]) -> list[Fault]:
    """Read ``environment: file:env.yml`` in place; its faults carry the name of that file."""
    stated = document.data.get("environment")
    if "environment" not in model.model_fields or not isinstance(stated, str) or not stated.startswith("file:"):
        return []
    from store.specs.environment import AnonymousEnvironment

    file = document.folder / stated.removeprefix("file:")
    try:
        document.data["environment"] = _check(load_document(file), AnonymousEnvironment)
    except DocumentError as error:
        del document.data["environment"]
        return error.faults
    except NotFoundError as error:
        del document.data["environment"]
        return [document.fault(("environment",), error.message, error.hint)]
    return []


def _other_schema(document: Document, model: type[Spec]) -> list[Fault]:
    """A faulty document whose ``$schema`` is that of another kind is most likely just that."""
    address = document.data.get("$schema")
    if not isinstance(address, str) or model.url is None:
        return []
    name = address.rsplit("/", 1)[-1].partition(".")[0]
    if not name or name.lower() == model.url.lower():
        return []
    message = f"the document says that it is of the kind {name!r}, and is read as {model.url!r}"
    return [document.fault(("$schema",), message, "Is it the right file?")]
