"""From files to rows: the readers of MLTable, each with the columns that the files' paths add."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from store.errors import MachineError, UsageError
from store.specs.mltable import ReadDeltaLake
from store.tabular.blocks import BLOCK
from store.tabular.files import SourceFile
from store.tabular.relation import Relation, Request, answered

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.dataset import Dataset

PATH = "Path"
SMALL = 1 << 18
"""Bytes of a block where only a few rows are wanted."""


def by_file(reader: Any, files: list[SourceFile], constants: pyarrow.Table, path_column: bool) -> Relation:
    """A reader of text files, one after the other."""

    def tables(request: Request) -> Iterator[pyarrow.Table]:
        own = set(own_schema.names)
        wanted = tuple(name for name in request.needed() if name in own)
        size = BLOCK if request.limit is None else SMALL
        for number, file in enumerate(files):
            for table in reader.tables(file, wanted, size):
                yield _with_constants(table, constants, number, file, path_column, schema)

    own_schema = reader.schema()
    schema = _whole_schema(own_schema, constants, path_column)
    return Relation(schema, lambda request: answered(tables(request), request))


def parquet(files: list[SourceFile], constants: pyarrow.Table, path_column: bool) -> Relation:
    """Parquet files; columns and filters go down to their row groups."""
    from pyarrow import parquet as files_of

    schemas = []
    for file in files:
        with _Readable(file), file.open() as stream:
            schemas.append(files_of.read_schema(stream))
    own = _unified(schemas, files)

    def dataset(some: list[SourceFile]) -> Dataset:
        from pyarrow import dataset as datasets
        from pyarrow import fs

        system = some[0].arrow_system()
        # Reading ahead keeps whole row groups until the file is through: with local files it only takes memory.
        ahead = not isinstance(system, fs.LocalFileSystem)
        settings = datasets.ParquetFragmentScanOptions(pre_buffer=ahead, use_buffered_stream=not ahead)
        format = datasets.ParquetFileFormat(default_fragment_scan_options=settings)
        return datasets.dataset([each.path for each in some], schema=own, format=format, filesystem=system)

    return _by_dataset(dataset, files, own, constants, path_column)


def _by_dataset(
    dataset: Callable[[list[SourceFile]], Dataset],
    files: list[SourceFile],
    own: pyarrow.Schema,
    constants: pyarrow.Table,
    path_column: bool,
) -> Relation:
    schema = _whole_schema(own, constants, path_column)
    added = set(schema.names) - set(own.names) | set(constants.column_names)

    def one_by_one(request: Request) -> Iterator[pyarrow.Table]:
        wanted = Request(tuple(name for name in request.needed() if name in own.names))
        for number, file in enumerate(files):
            for table in scanned(dataset([file]), wanted):
                yield _with_constants(table, constants, number, file, path_column, schema)

    def read(request: Request) -> Iterator[pyarrow.Table]:
        one_system = len({id(file.system) for file in files}) == 1
        if one_system and not added & set(request.needed()):
            return scanned(dataset(files), request)
        return answered(one_by_one(request), request)

    return Relation(schema, read)


def scanned(dataset: Dataset, request: Request) -> Iterator[pyarrow.Table]:
    """The rows of a dataset of Arrow, which projects and filters while it reads."""
    import pyarrow

    if request.condition and not request.condition.prunable:
        yield from answered(scanned(dataset, request.bare()), request)
        return
    condition = request.condition.expression if request.condition else None
    settings: dict[str, Any] = {"batch_readahead": 2, "fragment_readahead": 1} if request.limit is not None else {}
    scanner = dataset.scanner(
        columns=list(request.columns), filter=condition, batch_size=1 << 16, **{"batch_readahead": 4, **settings}
    )
    tables = (pyarrow.Table.from_batches([batch]) for batch in scanner.to_batches() if batch.num_rows)
    yield from answered(tables, Request(request.columns, None, request.limit))


def delta(folders: list[tuple[Any, str]], settings: ReadDeltaLake, path_column: bool) -> Relation:
    """A Delta table at a version or a moment."""
    from fsspec.implementations.local import LocalFileSystem

    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError
    except ImportError as error:
        hint = 'Install it: pip install "workbench-ml[delta]"'
        raise MachineError("the library for Delta tables is not installed", hint=hint) from error
    if len(folders) != 1:
        raise UsageError("read_delta_lake reads one folder", hint="Name the folder of the table alone in `paths`.")
    if path_column:
        raise UsageError("read_delta_lake cannot tell the files of rows", hint="Leave include_path_column away.")
    system, path = folders[0]
    if not isinstance(system, LocalFileSystem):
        hint = "Bring its folder here, with its _delta_log: `workbench datastore download`."
        raise UsageError(f"{path}: Delta tables are read from folders of this machine alone", hint=hint)
    try:
        table = DeltaTable(path, version=settings.version_as_of)
        if settings.timestamp_as_of is not None:
            table.load_as_version(settings.timestamp_as_of)
        dataset = table.to_pyarrow_dataset()
    except TableNotFoundError as error:
        raise UsageError(f"{path} is no Delta table: it has no _delta_log") from error
    except (DeltaError, ValueError) as error:
        raise UsageError(f"{path}: the Delta table cannot be read: {error}") from error
    return Relation(dataset.schema, lambda request: scanned(dataset, request))


class _Readable:
    """Turns Arrow's error of a file that is not what it should be into one that names the file."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        import pyarrow

        if isinstance(error, pyarrow.ArrowInvalid):
            raise UsageError(f"{self.file.name}: not a Parquet file: {error}") from error


def _unified(schemas: list[pyarrow.Schema], files: list[SourceFile]) -> pyarrow.Schema:
    import pyarrow

    try:
        return pyarrow.unify_schemas([each.remove_metadata() for each in schemas], promote_options="permissive")
    except pyarrow.ArrowException as error:
        raise UsageError(f"{files[0].name} and others: a column has types that do not fit: {error}") from error


def _whole_schema(own: pyarrow.Schema, constants: pyarrow.Table, path_column: bool) -> pyarrow.Schema:
    import pyarrow

    fields = [pyarrow.field(PATH, pyarrow.string())] if path_column else []
    fields += [each for each in constants.schema if each.name not in own.names]
    return pyarrow.schema([*fields, *(each for each in own if each.name != PATH or not path_column)])


def _with_constants(
    table: pyarrow.Table,
    constants: pyarrow.Table,
    number: int,
    file: SourceFile,
    path_column: bool,
    schema: pyarrow.Schema,
) -> pyarrow.Table:
    import pyarrow

    count = table.num_rows
    for name in constants.column_names:
        if name not in table.column_names:
            table = table.append_column(schema.field(name), pyarrow.repeat(constants[name][number], count))
    if path_column and PATH not in table.column_names:
        table = table.append_column(PATH, pyarrow.repeat(pyarrow.scalar(file.name), count))
    return table
