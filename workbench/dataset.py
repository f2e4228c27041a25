"""``workbench.Dataset``: tables and files in Python, by the names of version 1 of Azure ML's SDK.

from workbench import Dataset

sales = Dataset.Tabular.from_delimited_files("data/*.csv").filter("amount > 10")
frame = sales.take(1000).to_pandas_dataframe()

A path may be of this machine, a URL, or an ``azureml:`` address of the workspace at hand, which is found as the command
line finds it: by $WORKBENCH_WORKSPACE, a folder ``.workbench`` up the tree from here, or the user's default.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from store.errors import ConflictError, DocumentError, UsageError
from workbench.dataset_types import DataType, PromoteHeadersBehavior, conversions_of, header_of

if TYPE_CHECKING:
    import pandas

    from store.tabular.files import SourceFile
    from store.tabular.table import Table

__all__ = ["DataType", "Dataset", "FileDataset", "PromoteHeadersBehavior", "TabularDataset"]

PREFIX = "azureml:"
InDatastore = tuple[Any, str | list[str]]
"""A datastore, or its name, and a path or some paths of it."""
Paths = str | os.PathLike[str] | InDatastore | Iterable[str | os.PathLike[str] | InDatastore]
Types = dict[str, Any] | None
"""Types by column: ``DataType.to_...()``, or what an MLTable file has for it."""


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

        return TabularDataset(self.table.changed(first, _count(count)))

    def skip(self, count: int) -> TabularDataset:
        """All but the first rows."""
        from store.tabular.relation import without_first

        return TabularDataset(self.table.changed(without_first, _count(count)))

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

    def __init__(self, files: dict[str, SourceFile]) -> None:
        self._files = files

    def to_path(self) -> list[str]:
        """The files' paths relative to their folder, each after a ``/``."""
        return ["/" + name for name in self._files]

    def download(self, target_path: str | os.PathLike[str], overwrite: bool = False) -> list[str]:
        """Bring the files into a folder, from wherever they lie; each is whole or not there."""
        made = {os.path.join(target_path, name): source for name, source in self._files.items()}
        if not overwrite and (there := [path for path in made if os.path.exists(path)]):
            raise ConflictError(f"{there[0]} exists already", hint="overwrite=True replaces it.")
        for path, source in made.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            part = f"{path}.{os.getpid()}.part"
            try:
                with _in_words(source.name), source.open() as stream, open(part, "wb") as file:
                    shutil.copyfileobj(stream, file, 1 << 20)
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
        validate: bool = True,
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: Types = None,
        separator: str = ",",
        header: bool | str | PromoteHeadersBehavior = True,
        partition_format: str | None = None,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: str = "utf8",
    ) -> TabularDataset:
        """A table of CSV files and the like; ``validate`` reads a row of it at once."""
        reader: dict[str, Any] = {"delimiter": separator, "header": header_of(header), "encoding": encoding}
        reader |= {"include_path_column": include_path, "support_multi_line": support_multi_line}
        reader |= {"infer_column_types": infer_column_types, "empty_as_string": empty_as_string}
        if infer_column_types and set_column_types:  # what has a type is not guessed first: 007 stays 007
            reader["infer_column_types"] = {
                "sample_size": 200,
                "column_type_overrides": conversions_of(set_column_types),
            }
        return _table(path, {"read_delimited": reader}, validate, set_column_types, partition_format)

    def from_parquet_files(
        self,
        path: Paths,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: Types = None,
        partition_format: str | None = None,
    ) -> TabularDataset:
        """A table of Parquet files."""
        reader = {"read_parquet": {"include_path_column": include_path}}
        return _table(path, reader, validate, set_column_types, partition_format)

    def from_json_lines_files(
        self,
        path: Paths,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: Types = None,
        partition_format: str | None = None,
        invalid_lines: str = "error",
        encoding: str = "utf8",
    ) -> TabularDataset:
        """A table of files with a JSON object in each line."""
        reader = {"include_path_column": include_path, "invalid_lines": invalid_lines, "encoding": encoding}
        return _table(path, {"read_json_lines": reader}, validate, set_column_types, partition_format)

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
        from store.tabular.files import find_files, local_system, locate

        found: dict[str, SourceFile] = {}
        here = (local_system(), os.getcwd())
        for each in _listed(path):
            with _in_words(each):
                kind, full = _kind(each)
                files = find_files(kind, full, here, _resolve)
                root = locate(full, here, _resolve)[1].rstrip("/")
            if kind != "folder":
                root = posixpath.dirname(root.partition("*")[0].partition("?")[0])
            found |= {posixpath.relpath("/" + file.path.lstrip("/"), "/" + root.lstrip("/")): file for file in files}
        return FileDataset(found)


class Dataset:
    """Where tables and files begin: ``Dataset.Tabular.from_...``, ``Dataset.File.from_files``."""

    Tabular = _Tabular()
    File = _File()


def _listed(path: Paths) -> list[str]:
    """All paths as texts; those of a datastore as its addresses. Raises UsageError for none."""
    if isinstance(path, str | os.PathLike):
        return [os.fspath(path)]
    if isinstance(path, tuple) and len(path) == 2 and _is_datastore(path[0]):
        from store.specs.references import DatastorePath

        name, inside = str(getattr(path[0], "name", path[0])), path[1]
        several: Iterable[object] = inside if isinstance(inside, list) else [inside]
        return [str(DatastorePath(name, str(each))) for each in several]
    given = [text for each in path for text in _listed(each)]
    if not given:
        raise UsageError("no path is given", hint="Name a file, a folder or a pattern, or a list of them.")
    return given


def _is_datastore(given: object) -> bool:
    """Whether the first of two is a datastore, and no path: its name has neither a slash nor a dot."""
    return not isinstance(given, os.PathLike) and not set("/.*:") & set(str(getattr(given, "name", given)))


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


@contextmanager
def _in_words(place: str) -> Iterator[None]:
    """What file systems raise becomes an error that names the place."""
    if "://" not in place:
        yield
        return
    from store.addresses import Address
    from store.transfer.remote import translated

    with translated(Address.parse(place)):
        yield


def _kind(path: str) -> tuple[str, str]:
    is_address = "://" in path or path.startswith(PREFIX)
    full = path if is_address else os.path.abspath(os.path.expanduser(path))
    if any(sign in path for sign in ("*" if path.startswith("http") else "*?")):
        return "pattern", full
    if path.endswith("/"):
        return "folder", full
    if not is_address:
        return ("folder" if os.path.isdir(full) else "file"), full
    if path.startswith(("http:", "https:")):
        return "file", full
    system, found = _resolve(path)
    return ("folder" if hasattr(system, "isdir") and system.isdir(found) else "file"), full


def _table(
    path: Paths, reader: dict[str, Any], validate: bool, types: Types, partition_format: str | None
) -> TabularDataset:
    from store.tabular.source import open_document

    before = {"extract_columns_from_partition_format": {"partition_format": partition_format}}
    after = {"convert_column_types": conversions_of(types)}
    inferred = isinstance(next(iter(reader.values())).get("infer_column_types"), dict)
    steps = [*([before] if partition_format else []), reader, *([after] if types and not inferred else [])]
    entries = [dict([_kind(each)]) for each in _listed(path)]
    try:
        table = open_document({"paths": entries, "transformations": steps}, os.getcwd(), _resolve, folder_columns=True)
    except DocumentError as error:
        raise UsageError("\n".join(_plain(fault.path, fault.message, fault.hint) for fault in error.faults)) from error
    if unknown := [name for name in types or () if name not in table.schema.names]:
        raise UsageError(f"set_column_types: the table has no column {unknown[0]!r}")
    if validate:
        next(iter(table.batches(limit=1)), None)
    return TabularDataset(table)


def _plain(path: str, message: str, hint: str | None) -> str:
    """A fault of the document that stands behind a call, as one of the call."""
    name = path.rpartition(".")[2]
    return f"{NAMES.get(name, name)}: {message}" + (f"\n  {hint}" if hint else "")


NAMES = {"delimiter": "separator", "include_path_column": "include_path", "column_type_overrides": "set_column_types"}
"""What this module calls otherwise than an MLTable file."""


def _count(rows: int) -> int:
    if rows < 0:
        raise UsageError(f"{rows} is no number of rows", hint="Give a whole number from 0 on.")
    return rows


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise UsageError(f"{value} is no part of the rows", hint="Give a number from 0 to 1.")
    return value
