"""``workbench.Dataset``: tables and files in Python, by the names of version 1 of Azure ML's SDK.

from workbench import Dataset

sales = Dataset.Tabular.from_delimited_files("data/*.csv").filter("amount > 10")
frame = sales.take(1000).to_pandas_dataframe()

A path may be of this machine, a URL, or an ``azureml:`` address of the workspace at hand, which is found as the command
line finds it: by $WORKBENCH_WORKSPACE, a folder ``.workbench`` up the tree from here, or the user's default.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from store.errors import ConflictError, NotFoundError, UsageError

if TYPE_CHECKING:
    import pandas

    from store.tabular.table import Table

__all__ = ["Dataset", "FileDataset", "TabularDataset"]

PREFIX = "azureml:"
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


class TabularDataset:
    """A lazy table: nothing is read before rows are asked for; each step makes another one."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def to_pandas_dataframe(self) -> pandas.DataFrame:
        """All its rows."""
        return self.table.to_pandas()

    def take(self, count: int) -> TabularDataset:
        """The first rows."""
        from store.tabular.relation import first

        return TabularDataset(self.table.changed(first, count))

    def skip(self, count: int) -> TabularDataset:
        """All but the first rows."""
        from store.tabular.relation import without_first

        return TabularDataset(self.table.changed(without_first, count))

    def take_sample(self, probability: float, seed: int | None = None) -> TabularDataset:
        """Rows drawn at random."""
        from store.tabular.relation import drawn

        return TabularDataset(self.table.changed(drawn, 0.0, _share(probability), seed))

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[TabularDataset, TabularDataset]:
        """Two tables that share the rows at random, the first with about this part of them (from 0 to 1)."""
        from store.tabular.relation import drawn

        share = _share(percentage)
        seed = int.from_bytes(os.urandom(4)) if seed is None else seed  # both halves draw the same numbers
        one, other = (self.table.changed(drawn, low, high, seed) for low, high in ((0.0, share), (share, 1.0)))
        return TabularDataset(one), TabularDataset(other)

    def keep_columns(self, columns: str | list[str]) -> TabularDataset:
        """Some of the columns, in the order of the table."""
        wanted = [columns] if isinstance(columns, str) else columns
        return self._narrowed([name for name in self.table.schema.names if name in wanted], wanted)

    def drop_columns(self, columns: str | list[str]) -> TabularDataset:
        """All but some of the columns."""
        unwanted = [columns] if isinstance(columns, str) else columns
        return self._narrowed([name for name in self.table.schema.names if name not in unwanted], unwanted)

    def _narrowed(self, names: list[str], given: list[str]) -> TabularDataset:
        from store.tabular.relation import narrowed

        if unknown := [name for name in given if name not in self.table.schema.names]:
            hint = f"Columns: {', '.join(self.table.schema.names)}"
            raise UsageError(f"the table has no column {unknown[0]!r}", hint=hint)
        if not names:
            raise UsageError("no column is left")
        return TabularDataset(self.table.changed(narrowed, names))

    def filter(self, expression: str) -> TabularDataset:
        """The rows that fulfil a condition, such as ``"col('a') > 1 and b == 'x'"``."""
        return TabularDataset(self.table.filtered(expression))


class FileDataset:
    """Files as they are."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def to_path(self) -> list[str]:
        """The files' paths relative to their folder, each after a ``/``."""
        return ["/" + name for name in self._files]

    def download(self, target_path: str | os.PathLike[str], overwrite: bool = False) -> list[str]:
        """Copy the files into a folder; each is whole or not there."""
        made = {os.path.join(target_path, name): source for name, source in self._files.items()}
        if not overwrite and (there := [path for path in made if os.path.exists(path)]):
            raise ConflictError(f"{there[0]} exists already", hint="overwrite=True replaces it.")
        for path, source in made.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            part = f"{path}.{os.getpid()}.part"
            try:
                shutil.copyfile(source, part)
                os.replace(part, path)
            finally:
                if os.path.exists(part):
                    os.unlink(part)
        return list(made)


class _Tabular:
    """Makes tables of files; a path may be a file, a folder or a pattern."""

    def from_delimited_files(
        self,
        path: Paths,
        separator: str = ",",
        header: str = "all_files_same_headers",
        infer_column_types: bool = True,
        include_path: bool = False,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: str = "utf8",
    ) -> TabularDataset:
        """A table of CSV files and the like."""
        reader: dict[str, Any] = {"delimiter": separator, "header": header, "encoding": encoding}
        reader |= {"include_path_column": include_path, "support_multi_line": support_multi_line}
        reader |= {"infer_column_types": infer_column_types, "empty_as_string": empty_as_string}
        return _table(path, {"read_delimited": reader})

    def from_parquet_files(self, path: Paths, include_path: bool = False) -> TabularDataset:
        """A table of Parquet files."""
        return _table(path, {"read_parquet": {"include_path_column": include_path}})

    def from_json_lines_files(
        self, path: Paths, include_path: bool = False, invalid_lines: str = "error", encoding: str = "utf8"
    ) -> TabularDataset:
        """A table of files with a JSON object in each line."""
        reader = {"include_path_column": include_path, "invalid_lines": invalid_lines, "encoding": encoding}
        return _table(path, {"read_json_lines": reader})

    def from_sql_query(self, query: str | tuple[str, str]) -> TabularDataset:
        """A table of a SQL database: a datastore and a query or a table of it, or the address that has both."""
        from store.specs.references import DatastorePath
        from store.tabular.source import open_table

        address = query if isinstance(query, str) else str(DatastorePath(*query))
        return TabularDataset(open_table(address, resolve=_resolve))


class _File:
    """Makes sets of files."""

    def from_files(self, path: Paths) -> FileDataset:
        """The files that are meant: files, folders with all in them, patterns."""
        found: dict[str, str] = {}
        for each in _listed(path):
            kind, full = _kind(_on_this_machine(each))
            names = [full] if kind == "file" else sorted(glob.glob(full, recursive=True))
            if kind == "folder":
                names = sorted(os.path.join(root, name) for root, _, inside in os.walk(full) for name in inside)
            root = full if kind == "folder" else os.path.dirname(full.partition("*")[0].partition("?")[0])
            files = [name for name in names if os.path.isfile(name)]
            if not files:
                raise NotFoundError(f"there is no file at {each}")
            found |= {os.path.relpath(name, root): name for name in files}
        return FileDataset(found)


class Dataset:
    """Where tables and files begin: ``Dataset.Tabular.from_...``, ``Dataset.File.from_files``."""

    Tabular = _Tabular()
    File = _File()


def _listed(path: Paths) -> list[str]:
    return [os.fspath(path)] if isinstance(path, str | os.PathLike) else [os.fspath(each) for each in path]


def _resolve(address: str) -> tuple[Any, str]:
    """File system and path of an address, and what stands for them with a database."""
    from store.tabular.files import any_address

    if not address.startswith(PREFIX):
        return any_address(address)
    from contextlib import closing

    from store import workspace
    from store.data.opening import Opening

    found = workspace.locate(None)
    with closing(workspace.open_existing(found)) as connection:
        return Opening(found.layout, connection).resolve(address)


def _on_this_machine(path: str) -> str:
    """Where the files of an address are. Raises UsageError for those of another machine."""
    if "://" not in path and not path.startswith(PREFIX):
        return path
    from fsspec.implementations.local import LocalFileSystem

    system, full = _resolve(path)
    if not isinstance(system, LocalFileSystem):
        hint = "`workbench datastore download` brings them; as the input of a job they come by themselves."
        raise UsageError(f"the files at {path} are on another machine", hint=hint)
    return full


def _kind(path: str) -> tuple[str, str]:
    is_address = path.startswith(PREFIX)
    full = path if "://" in path or is_address else os.path.abspath(os.path.expanduser(path))
    if any(sign in path for sign in "*?"):
        return "pattern", full
    if is_address and not path.endswith("/"):
        system, found = _resolve(path)
        return ("folder" if hasattr(system, "isdir") and system.isdir(found) else "file"), full
    return ("folder" if path.endswith("/") or os.path.isdir(full) else "file"), full


def _table(path: Paths, reader: dict[str, Any]) -> TabularDataset:
    from store.tabular.source import open_document

    entries = [dict([_kind(each)]) for each in _listed(path)]
    return TabularDataset(open_document({"paths": entries, "transformations": [reader]}, os.getcwd(), _resolve))


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise UsageError(f"{value} is no part of the rows", hint="Give a number from 0 to 1.")
    return value
