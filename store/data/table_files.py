"""The files that a table resolves to, in a folder of their own: the modes ``eval_mount`` and ``eval_download``.

Which files they are is for the table's own transformations to say (those before its reader, and ``select_partitions``),
whose libraries are heavy: a process that ends does it. A table that has no files, of a database, becomes Parquet.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from store.data.evaluated import apart, main_of
from store.errors import UsageError
from store.layout import Layout
from store.telling import Cancelled, Progress

if TYPE_CHECKING:
    from store.tabular.files import SourceFile

MODULE = "store.data.table_files"


def place_apart(
    layout: Layout, table: Path, folder: Path, *, copied: bool, progress: Progress, cancelled: Cancelled
) -> tuple[str, ...]:
    """Have the files of a table (a folder with an MLTable file) in a folder, by a process of its own; returns warnings.

    They are links to where the files lie, or copies. The folder appears whole; one that is there already stays. Raises
    WorkbenchError, and AbandonedError once ``cancelled`` is true.
    """
    return apart(MODULE, [str(layout.root), str(folder), "copy" if copied else "link"], str(table), progress, cancelled)


def place(
    layout: Layout, connection: sqlite3.Connection, table: str, folder: Path, progress: Progress, *, copied: bool
) -> tuple[str, ...]:
    """The same in this process."""
    from store.data.evaluated import evaluate
    from store.data.opening import Opening
    from store.disk import explain, publish, staging
    from store.specs.loading import load
    from store.specs.mltable import MLTable
    from store.tabular.plan import Plan

    if folder.exists():
        return ()
    document = load("mltable", Path(table) / "MLTable")
    assert isinstance(document, MLTable)  # noqa: S101 - the kind says so
    if document.query_source is not None:
        return evaluate(layout, connection, table, folder, progress)
    from store.tabular.files import local_system

    opening, done = Opening(layout, connection), 0
    try:
        with staging(folder.parent) as made, opening.reading():
            plan = Plan(document, (local_system(), table), opening.resolve)
            content = made / "content"
            content.mkdir(mode=0o700)
            for file, name in names(plan.files()):
                target = content / name
                target.parent.mkdir(parents=True, exist_ok=True)
                _have(file, target, copied=copied)
                done += target.stat().st_size
                progress(done, None)
            publish(content, folder)
    except OSError as error:
        raise explain(error, f"placing the files of the table {table}") from error
    return tuple(plan.warnings)


def names(files: Iterable[SourceFile]) -> list[tuple[SourceFile, str]]:
    """Each file once, with its path below the deepest folder that has all of them."""
    unique = {file.name.replace("://", "/").lstrip("/"): file for file in files}
    if not unique:
        raise UsageError("the table resolves to no file at all", hint="`workbench data preview` shows what it has.")
    above = os.path.commonpath([os.path.dirname(path) or "." for path in unique])
    return [(file, os.path.relpath(path, above)) for path, file in unique.items()]


def _have(file: SourceFile, target: Path, *, copied: bool) -> None:
    from fsspec.implementations.local import LocalFileSystem

    from store.disk import copy_file

    if not isinstance(file.system, LocalFileSystem):
        file.system.get_file(file.path, str(target))
    elif copied:
        copy_file(file.path, target)
    else:
        target.symlink_to(os.path.abspath(file.path))


def main(root: str, folder: str, way: str) -> None:
    """Place the files of the table whose folder stands on standard input, and tell of it in lines of JSON."""
    layout = Layout(Path(root))
    main_of(
        layout,
        lambda connection, text, progress: place(
            layout, connection, text, Path(folder), progress, copied=way == "copy"
        ),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
