"""Open a table: CSV, Parquet, JSON lines, Delta or MLTable, on this machine or on any file system of fsspec."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from store.errors import NotFoundError, UsageError
from store.specs.document import Document
from store.specs.loading import load, parse
from store.specs.mltable import MLTable
from store.tabular.compression import plain_name
from store.tabular.database import Database
from store.tabular.files import Resolve, absolute, any_address, local_system
from store.tabular.plan import Plan
from store.tabular.table import Table

FORMATS = {
    ".csv": ("read_delimited", {}),
    ".tsv": ("read_delimited", {"delimiter": "\t"}),
    ".parquet": ("read_parquet", {}),
    ".pq": ("read_parquet", {}),
    ".jsonl": ("read_json_lines", {}),
    ".ndjson": ("read_json_lines", {}),
    ".json": ("read_json_lines", {}),
}
"""The readers by the ends of files' names, with what each is told."""
READERS_BY_NAME = {
    "csv": "read_delimited",
    "tsv": "read_delimited",
    "delimited": "read_delimited",
    "parquet": "read_parquet",
    "json_lines": "read_json_lines",
    "jsonl": "read_json_lines",
    "delta": "read_delta_lake",
}


def open_table(
    place: Path | str,
    *,
    filesystem: Any = None,
    format: str | None = None,
    options: Mapping[str, Any] | None = None,
    resolve: Resolve | None = None,
) -> Table:
    """Open a file, a folder (with an MLTable file, a Delta table, or files of one sort) or a pattern as a table.

    ``filesystem`` is an fsspec file system that ``place`` is a path of; ``resolve`` turns an address into one and a
    path; both may come to a ``Database`` and a table or a query of it. ``format`` and ``options`` are the reader and
    its settings, where the files' names do not tell. Nothing is read but what is needed to know the columns.
    """
    resolve = resolve or any_address
    path = str(place)
    if filesystem is not None:
        system = filesystem
    elif "://" in path and not path.startswith("file://"):
        system, path = resolve(path)
    else:
        system, path = local_system(), absolute(path.removeprefix("file://"))
    if isinstance(system, Database):
        return open_document(system.document(path), "/", resolve)
    if format is None and (inside := _mltable_in(system, path)):
        return _open_mltable(system, inside, resolve)
    kind = "folder" if system.isdir(path) else "file" if not any(sign in path for sign in "*?[") else "pattern"
    reader, settings = _reader(system, path, kind, format)
    document = {"paths": [{kind: path}], "transformations": [{reader: {**settings, **(options or {})}}]}
    # The path is whole: below a folder, one of a bucket, which has no slash before it, would begin there again.
    return open_document(document, (system, ""), resolve, folder_columns=True)


def open_document(
    document: MLTable | Mapping[str, Any],
    folder: tuple[Any, str] | Path | str,
    resolve: Resolve | None = None,
    *,
    folder_columns: bool = False,
) -> Table:
    """The table of a document whose relative paths begin at a folder (a path, or a file system and a path on it).

    ``folder_columns`` is for documents that stand for no MLTable file: see ``Plan``.
    """
    if not isinstance(document, MLTable):
        spec = parse(Document.of(document, file="MLTable"), "mltable")
        assert isinstance(spec, MLTable)  # noqa: S101 - the kind says so
        document = spec
    place = folder if isinstance(folder, tuple) else (local_system(), absolute(folder))
    plan = Plan(document, place, resolve or any_address, folder_columns=folder_columns)
    return Table(plan.relation(), plan.warnings, document)


def _mltable_in(system: Any, path: str) -> str | None:
    if os.path.basename(path) == "MLTable":
        return path
    inside = path.rstrip("/") + "/MLTable"
    return inside if system.isfile(inside) else None


def _open_mltable(system: Any, file: str, resolve: Resolve) -> Table:
    from fsspec.implementations.local import LocalFileSystem

    if isinstance(system, LocalFileSystem):
        spec = load("mltable", file)
    else:
        from store.specs.reading import document_of

        try:
            text = system.cat_file(file).decode("utf-8-sig")
        except FileNotFoundError as error:
            raise NotFoundError(f"there is no file {file}") from error
        spec = parse(document_of(text, file, Path(os.path.dirname(file)), kind="mltable"), "mltable")
    assert isinstance(spec, MLTable)  # noqa: S101 - the kind says so
    return open_document(spec, (system, os.path.dirname(file)), resolve)


def _reader(system: Any, path: str, kind: str, format: str | None) -> tuple[str, dict[str, Any]]:
    if format is not None:
        if format not in READERS_BY_NAME:
            raise UsageError(f"there is no format {format!r}", hint=f"There are {', '.join(READERS_BY_NAME)}.")
        return READERS_BY_NAME[format], {"delimiter": "\t"} if format == "tsv" else {}
    if kind == "folder" and system.isdir(path.rstrip("/") + "/_delta_log"):
        return "read_delta_lake", {}
    found = [path]
    if kind != "file":
        found = system.find(path) if kind == "folder" else system.glob(path)
    elif not system.exists(path):
        raise NotFoundError(f"there is no {path}")
    if not found:
        what = "there is no file in the folder" if kind == "folder" else "nothing matches"
        raise NotFoundError(f"{what} {path}")
    ends = {os.path.splitext(plain_name(each))[1].lower() for each in found}
    readers = {end: FORMATS[end] for end in ends if end in FORMATS}
    if len(readers) != 1:
        shown = f"{', '.join(list(FORMATS)[:-1])} or {list(FORMATS)[-1]}"
        hint = f"Names that tell end in {shown}, all alike; anything else is described in a file MLTable beside them."
        raise UsageError(f"{path}: the names of its files do not tell what is in them", hint=hint)
    name, settings = next(iter(readers.values()))
    return name, dict(settings)
