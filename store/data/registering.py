"""From a data document to a version: its path held against its type, its bytes known, and copied where that was asked.

Local data is read once for its fingerprint. What lies elsewhere is registered as it is: its bytes are known when a job
first uses them.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store import trees
from store.addresses import split_secrets
from store.data import assets
from store.data.assets import DataVersion
from store.data.fingerprint import Fingerprint, take
from store.datastores import registry
from store.disk import explain, publish, staging
from store.errors import NotFoundError, UsageError
from store.layout import Layout
from store.specs.references import DatastorePath
from store.telling import Progress
from store.uris import Place, Resolver, inside, take_apart

UPLOADS = "LocalUpload"
"""The folder of a datastore for what is uploaded, as on Azure; below it everything lies under its fingerprint."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A version as it is kept now, and what the user should hear of it."""

    version: DataVersion
    notes: tuple[str, ...] = ()


def register(
    connection: sqlite3.Connection,
    layout: Layout,
    document: Mapping[str, Any],
    *,
    upload: bool = False,
    progress: Progress | None = None,
) -> Registered:
    """Register a version by its document; ``upload`` copies local data into ``document["datastore"]`` first.

    Raises UsageError or NotFoundError for a path that is not what the type says, ConflictError for a version that is
    there with another path; nothing is left behind then.
    """
    path, kind = str(document["path"]), str(document.get("type") or "uri_folder")
    refuse_secrets(path)
    place = Resolver(layout, connection).find(path)
    check_database(connection, layout, path, kind)
    if place.path is None and upload:
        raise UsageError(f"{place} is not on this machine: there is nothing to upload", hint="Leave --upload away.")
    found = None
    if place.path is not None:
        check_type(place.path, kind)
        found = take(place.path, layout.manifests, progress=progress)
    stored = upload and place.path is not None and found is not None
    if stored:
        path = copy_in(connection, layout, str(document.get("datastore") or registry.DEFAULT), place, found, progress)
    version = version_of(document, path, kind, found, stored=stored)
    kept = assets.create(connection, version)
    twins = [str(twin).removeprefix("azureml:") for twin in assets.twins(connection, kept)]
    notes = [f"same bytes as {', '.join(twins)}"] if twins else []
    return Registered(kept, (*(found.notes if found else ()), *notes))


def refuse_secrets(path: str) -> None:
    """Raises UsageError for an address with a password or a signature in it: it would be kept in clear."""
    shown, secrets = split_secrets(path)
    if secrets:
        raise UsageError(
            f"{shown} came with a secret in it, which a data asset would keep for everyone to read",
            hint="Make a datastore, which keeps it in the vault, and give azureml://datastores/NAME/paths/PATH.",
        )


def check_database(connection: sqlite3.Connection, layout: Layout, path: str, kind: str) -> None:
    """Hold a path in a SQL database against what is there; any other is let be. A query is not run for it.

    Raises UsageError for what can be no table, NotFoundError for a table that there is not.
    """
    reference = take_apart(path)
    if not isinstance(reference, DatastorePath):
        return
    if registry.get(connection, layout, reference.datastore).type != "sql":
        return
    from store.data.opening import Opening
    from store.datastores.sql import QUERY

    if kind != "mltable":
        raise UsageError(f"{path} is a table, and the type says {kind}", hint="Say `type: mltable`.")
    if not reference.path.strip("/ "):
        hint = f"Write {reference}TABLE, or a query in place of TABLE."
        raise UsageError(f"{path} names no table of the database", hint=hint)
    if not QUERY.match(reference.path):
        opening = Opening(layout, connection)
        opening.table(opening.find(path))


def version_of(
    document: Mapping[str, Any], path: str, kind: str, found: Fingerprint | None, *, stored: bool
) -> DataVersion:
    """The version that a document describes, before it is kept."""
    changeable = {key: document[key] for key in assets.CHANGEABLE if document.get(key)}
    version = DataVersion(str(document["name"]), str(document.get("version") or ""), kind, path, changeable)
    if found is not None:
        version = replace(version, fingerprint=found.hash, files=found.files, bytes=found.bytes)
    return replace(version, stored=stored)


def check_type(path: Path, kind: str) -> None:
    """Raises NotFoundError or UsageError for a path that is not what the type of an asset says."""
    if not path.exists():
        raise NotFoundError(f"there is no {path}", hint="A relative path starts at the folder of the document.")
    if kind == "uri_file":
        if not path.is_file():
            raise UsageError(f"{path} is a folder, and the type says uri_file", hint="Say `type: uri_folder`.")
        return
    if not path.is_dir():
        raise UsageError(f"{path} is a file, and the type says {kind}", hint="Say `type: uri_file`.")
    if kind == "mltable":
        if not (path / "MLTable").is_file():
            raise UsageError(f"{path} has no file MLTable in it, and the type says mltable")
        from store.specs.loading import load

        load("mltable", path / "MLTable")


def copy_in(
    connection: sqlite3.Connection,
    layout: Layout,
    name: str,
    place: Place,
    found: Fingerprint | None,
    progress: Progress | None,
) -> str:
    """Copy local data into a datastore, whole or not at all; the address that it has there.

    It lies under its fingerprint: the same bytes are copied once.
    """
    assert place.path is not None and found is not None  # noqa: S101  (the caller has looked)
    datastore = registry.get(connection, layout, name)
    below = f"{UPLOADS}/{found.hash}"
    if datastore.type == "local":
        root = inside(Path(datastore.document["path"]), below)
        copy_to_folder(place.path, root)
    else:
        copy_away(layout, datastore, place.path, below, progress)
    return str(DatastorePath(name, f"{below}/{place.path.name}"))


def copy_to_folder(path: Path, root: Path) -> None:
    """Copy a file or a folder into a folder that appears whole; what lies there already is the same."""
    if (root / path.name).exists():
        return
    try:
        root.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with staging(root.parent) as made:
            survey = trees.survey(path) if path.is_dir() else trees.of_file(path)
            target = made / path.name if path.is_dir() else made
            target.mkdir(exist_ok=True)
            for _ in trees.copy_items(survey.items, target, writable=True):
                pass
            if not publish(made, root):  # the same bytes under another name
                (made / path.name).replace(root / path.name)
    except OSError as error:
        raise explain(error, f"copying {path} into the datastore") from error


def copy_away(layout: Layout, datastore: registry.Datastore, path: Path, below: str, progress: Progress | None) -> None:
    """Copy a file or a folder to another machine; each file appears whole, the version when all are there."""
    from store.datastores.transfers import opened, upload
    from store.vault import open_vault

    there = opened(datastore, open_vault(layout))
    survey = trees.survey(path) if path.is_dir() else trees.of_file(path)
    for item in survey.items:
        target = f"{below}/{path.name}/{item.path}" if path.is_dir() else f"{below}/{path.name}"
        upload(there, Path(item.source), target, overwrite=True, progress=progress or (lambda done, total: None))


def delete(connection: sqlite3.Connection, layout: Layout, name: str, version: str) -> tuple[DataVersion, bool]:
    """Forget a version; what Workbench stored for it alone is removed, and nothing else ever. Whether it was."""
    gone = assets.delete(connection, name, version)
    others = connection.execute("SELECT 1 FROM data WHERE path = ? LIMIT 1", (gone.path,)).fetchone()
    if not gone.stored or others is not None:
        return gone, False
    place = Resolver(layout, connection).find(gone.path)
    if place.path is None:
        return gone, remove_away(connection, layout, gone.path)
    if UPLOADS not in place.path.parts:
        return gone, False
    try:
        if place.path.is_dir():
            shutil.rmtree(place.path)
        else:
            place.path.unlink(missing_ok=True)
        if not any(place.path.parent.iterdir()):
            place.path.parent.rmdir()
    except OSError as error:
        raise explain(error, f"removing what {gone} was copied to") from error
    return gone, True


def remove_away(connection: sqlite3.Connection, layout: Layout, path: str) -> bool:
    """Remove an upload from another machine."""
    from store.datastores.transfers import opened
    from store.vault import open_vault

    reference = take_apart(path)
    if not isinstance(reference, DatastorePath) or not reference.path.startswith(f"{UPLOADS}/"):
        return False
    there = opened(registry.get(connection, layout, reference.datastore), open_vault(layout))
    there.system.rm(there.full(reference.path), recursive=True)
    return True
