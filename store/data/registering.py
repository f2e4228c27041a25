"""From a data document to a version: its path held against its type, its bytes known, and copied where that was asked.

Local data is read once for its fingerprint. What lies elsewhere is looked at, and no byte of it is read: its bytes are
known when a job first uses them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store.addresses import split_secrets
from store.data import assets, looks, uploads
from store.data.assets import DataVersion
from store.data.fingerprint import Fingerprint, take
from store.datastores import registry
from store.errors import NotFoundError, UsageError, WorkbenchError
from store.layout import Layout
from store.specs.references import DatastorePath
from store.telling import Progress
from store.uris import Place, Resolver, take_apart


@dataclass(frozen=True, slots=True)
class Registered:
    """A version as it is kept now, and what the user should hear of it."""

    version: DataVersion
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """A version that is gone, and whether a copy that Workbench made went with it."""

    version: DataVersion
    copy_removed: bool = False
    notes: tuple[str, ...] = ()


def register(
    connection: sqlite3.Connection,
    layout: Layout,
    document: Mapping[str, Any],
    *,
    upload: bool = False,
    check: bool = True,
    progress: Progress | None = None,
) -> Registered:
    """Register a version by its document; ``upload`` copies local data into ``document["datastore"]`` first.

    Raises UsageError or NotFoundError for a path that is not what the type says, ConflictError for a version that is
    there with another path; nothing is left behind then. Without ``check`` what lies elsewhere is not looked at.
    """
    path, kind = str(document["path"]), str(document.get("type") or "uri_folder")
    refuse_secrets(path)
    place = Resolver(layout, connection).find(path)
    is_table = check_database(connection, layout, path, kind)
    if place.path is None and upload:
        raise UsageError(f"{place} is not on this machine: there is nothing to upload", hint="Leave --upload away.")
    found, seen = None, None
    if place.path is None and check and not is_table:
        seen = _looked(connection, layout, place, kind)
    if place.path is not None:
        check_type(place.path, kind)
        found = take(place.path, layout.manifests, progress=progress)
    if upload and found and place.path is not None:
        datastore = str(document.get("datastore") or registry.DEFAULT)
        with uploads.copied(connection, layout, datastore, place.path, found, progress) as address:
            kept = assets.create(connection, version_of(document, address, kind, found, stored=True))
    else:
        kept = assets.create(connection, version_of(document, path, kind, found, stored=False))
    if seen is not None:
        looks.keep(layout, kept, seen)
    twins = [str(twin).removeprefix("azureml:") for twin in assets.twins(connection, kept)]
    notes = [f"same bytes as {', '.join(twins)}"] if twins else []
    return Registered(kept, (*(found.notes if found else ()), *notes))


def _looked(connection: sqlite3.Connection, layout: Layout, place: Place, kind: str) -> looks.Look:
    """What lies elsewhere; an error tells how to do without looking."""
    try:
        return looks.look(connection, layout, place, kind)
    except WorkbenchError as error:
        way = "Nothing was kept; `workbench data create --no-check` keeps it without looking."
        error.hint = f"{error.hint}\n  {way}" if error.hint else way
        raise


def refuse_secrets(path: str) -> None:
    """Raises UsageError for an address with a password or a signature in it: it would be kept in clear."""
    shown, secrets = split_secrets(path)
    if secrets:
        raise UsageError(
            f"{shown} came with a secret in it, which a data asset would keep for everyone to read",
            hint="Make a datastore, which keeps it in the vault, and give azureml://datastores/NAME/paths/PATH.",
        )


def check_database(connection: sqlite3.Connection, layout: Layout, path: str, kind: str) -> bool:
    """Hold a path in a SQL database against what is there; False for any other. A query is not run for it.

    Raises UsageError for what can be no table, NotFoundError for a table that there is not.
    """
    reference = take_apart(path)
    if not isinstance(reference, DatastorePath):
        return False
    if registry.get(connection, layout, reference.datastore).type != "sql":
        return False
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
    return True


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


def delete(connection: sqlite3.Connection, layout: Layout, name: str, version: str) -> Deleted:
    """Forget a version; what Workbench stored for it alone is removed, and nothing else ever.

    A kill in between leaves either the whole version, or none whose copy the next deletion removes.
    """
    gone = assets.get(connection, name, version)
    looks.forget(layout, gone)
    if not gone.stored:
        return Deleted(assets.delete(connection, name, version))
    with uploads.held(layout, gone.path):
        note = uploads.removal(layout, gone.path)
        gone, notes = assets.delete(connection, name, version), list[str]()
        try:
            removed = uploads.finish(connection, layout, note)
        except WorkbenchError as error:
            removed = False
            notes.append(f"its copy could not be removed yet, and will be with the next deletion: {error.message}")
    if not notes:
        notes = uploads.finish_all(connection, layout)
    return Deleted(gone, removed, tuple(notes))
