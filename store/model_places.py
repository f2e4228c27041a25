"""Where MLflow keeps what runs logged and what its registry knows, by its database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit

from store.errors import NotFoundError
from store.specs.references import ModelPath

LATEST = "latest"


def location(connection: sqlite3.Connection | None, wanted: ModelPath) -> Path | str:
    """The folder of a model, or the address that the registry has for it. Raises NotFoundError."""
    if connection is None:
        raise NotFoundError(f"there is no model {wanted.model!r}: no run has logged anything yet")
    if wanted.version is None and wanted.alias is None:
        row = connection.execute("SELECT artifact_location FROM logged_models WHERE model_id = ?", (wanted.model,))
        found = row.fetchone()
        if found is None:
            hint = f"A registered one has a version or an alias: {wanted}/VERSION, {wanted}@ALIAS."
            raise NotFoundError(f"no run has logged a model with the id {wanted.model!r}", hint=hint)
        return _place(found[0])
    rows = connection.execute(
        "SELECT version, coalesce(storage_location, source) FROM model_versions WHERE name = ? ORDER BY version DESC",
        (wanted.model,),
    )
    versions = {str(version): str(place) for version, place in rows}
    if not versions:
        names = [row[0] for row in connection.execute("SELECT name FROM registered_models ORDER BY name LIMIT 10")]
        hint = f"It has {', '.join(names)}." if names else "It is empty."
        raise NotFoundError(f"MLflow's registry has no model {wanted.model!r}", hint=hint)
    version = _version(connection, wanted, next(iter(versions)))
    if version not in versions:
        what = f"version {wanted.version!r}" if wanted.version is not None else f"alias {wanted.alias!r}"
        raise NotFoundError(f"the model {wanted.model!r} has no {what}", hint=f"It has {', '.join(versions)}, latest.")
    return _place(versions[version])


def _version(connection: sqlite3.Connection, wanted: ModelPath, newest: str) -> str | None:
    if wanted.alias is None:
        return newest if wanted.version == LATEST else wanted.version
    row = connection.execute(
        "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?", (wanted.model, wanted.alias)
    ).fetchone()
    return str(row[0]) if row is not None else None


def _place(uri: str) -> Path | str:
    return local_folder(uri) or uri


def artifact_root(connection: sqlite3.Connection | None, run: str) -> Path | None:
    """Where MLflow keeps a run's artifacts, for runs that are no jobs."""
    if connection is None:
        return None
    row = connection.execute("SELECT artifact_uri FROM runs WHERE run_uuid = ?", (run,)).fetchone()
    return local_folder(row[0]) if row else None


def logged_models(connection: sqlite3.Connection | None, run: str) -> dict[str, Path]:
    """The models that a run logged, by name; of several with one name, the last."""
    if connection is None:
        return {}
    rows = connection.execute(
        "SELECT name, artifact_location FROM logged_models WHERE source_run_id = ? ORDER BY creation_timestamp_ms",
        (run,),
    )
    return {name: folder for name, location in rows if (folder := local_folder(location)) is not None}


def local_folder(uri: str) -> Path | None:
    """The path of an artifact URI; None when it is on another machine."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(uri) if not parts.scheme else None
