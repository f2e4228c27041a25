"""From an MLTable document to rows: files first, then a reader, then every transformation in its order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from store.errors import UsageError
from store.specs.mltable import READERS, ColumnPattern, MLTable, QuerySource, Sample, Transformation
from store.specs.references import DatastorePath, Workspace
from store.tabular import hive, readers, relation
from store.tabular.conditions import condition
from store.tabular.conversion import arrow_type, converted
from store.tabular.database import Database
from store.tabular.delimited import Delimited
from store.tabular.files import Resolve, SourceFile, find_files, locate
from store.tabular.json_lines import JsonLines
from store.tabular.partition_format import PathColumns
from store.tabular.relation import Relation, Request

if TYPE_CHECKING:
    import pyarrow

BY_ROW = ("filter", "keep_columns", "drop_columns", "convert_column_types", "extract_columns_from_partition_format")
"""Transformations that look at one row at a time, so that files may be chosen after them as well as before."""


@dataclass
class Plan:
    """What is read, and what is done with it; ``warnings`` tells what may surprise.

    ``folder_columns`` says whether folders named ``store=a`` make columns of Parquet files: not by an MLTable file, as
    on Azure ML.
    """

    document: MLTable
    folder: tuple[Any, str]
    resolve: Resolve
    warnings: list[str] = field(default_factory=list)
    folder_columns: bool = False
    below: dict[str, str] = field(default_factory=dict)
    """By the name of a file its path below the folder that was given."""

    def warn(self, text: str) -> None:
        """Keep a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def relation(self) -> Relation:
        """The rows of the table, lazily."""
        if self.document.query_source is not None:
            return self._all_after(self._query(self.document.query_source), self.document.transformations or [])
        steps = list(self.document.transformations or [])
        at = next((number for number, step in enumerate(steps) if step.name in READERS), None)
        before, rest = (steps, []) if at is None else (steps[:at], steps[at:])
        if rest and rest[0].name == "read_delta_lake":
            return self._all_after(self._delta(before, rest[0]), rest[1:])
        files = [file for entry in self.document.paths or [] for file in self._files(entry)]
        by_name = {file.name: file for file in files}
        paths = self._all_after(_paths(list(by_name)), before)
        if not rest:
            return paths
        chosen = paths.rows()
        return self._all_after(
            self._reader(
                rest[0], [by_name[name] for name in chosen["Path"].to_pylist()], chosen.drop_columns("Path"), rest
            ),
            [step for step in rest[1:] if step.name != "select_partitions"],
        )

    def files(self) -> list[SourceFile]:
        """The files that it resolves to: those of its paths, after what chooses among them. Raises UsageError."""
        steps = list(self.document.transformations or [])
        at = next((number for number, step in enumerate(steps) if step.name in READERS), len(steps))
        before, rest = steps[:at], steps[at:]
        if rest and rest[0].name == "read_delta_lake":
            hint = "With `mode: ro_mount` the job gets its folder, which deltalake and mltable read."
            raise UsageError("the files of a Delta table are no table without its log", hint=hint)
        by_name = {file.name: file for entry in self.document.paths or [] for file in self._files(entry)}
        chosen = self._all_after(_paths(list(by_name)), before).rows()
        files = [by_name[name] for name in chosen["Path"].to_pylist()]
        return self._chosen(files, chosen.drop_columns("Path"), rest)[0]

    def _query(self, source: QuerySource) -> Relation:
        given = source.handler_arguments
        long = (given.subscription, given.resource_group, given.workspace_name)
        workspace = Workspace(*map(str, long)) if all(long) else None
        system, _ = self.resolve(str(DatastorePath(given.datastore_name, "", workspace)))
        if not isinstance(system, Database):
            hint = "`datastore_name` names one of type sql; files are named in `paths`."
            raise UsageError(f"the datastore {given.datastore_name!r} is no database: it takes no query", hint=hint)
        return system.relation(source.query)

    def _files(self, entry: Any) -> list[SourceFile]:
        kind = next(iter(entry.model_fields_set))
        place = getattr(entry, kind)
        files = find_files(kind, place, self.folder, self.resolve)
        if kind != "file":
            path = locate(place, self.folder, self.resolve)[1]
            fixed = path.strip("/") if kind == "folder" else _fixed(path)
            self.below |= {file.name: file.path.strip("/").removeprefix(fixed).lstrip("/") for file in files}
        return files

    def _delta(self, before: list[Transformation], step: Transformation) -> Relation:
        if before:
            hint = "Transformations come after read_delta_lake."
            raise UsageError(f"{before[0].name} cannot come before read_delta_lake", hint=hint)
        settings = step.read_delta_lake
        assert settings is not None  # noqa: S101 - its name says so
        found = [
            locate(str(entry.folder or entry.file or entry.pattern), self.folder, self.resolve)
            for entry in self.document.paths or []
        ]
        return readers.delta([(system, path) for system, path, _ in found], settings, settings.include_path_column)

    def _reader(
        self, step: Transformation, files: list[SourceFile], constants: pyarrow.Table, rest: list[Transformation]
    ) -> Relation:
        files, constants = self._chosen(files, constants, rest)
        settings: Any = getattr(step, step.name)
        if settings.path_column not in (None, readers.PATH):
            raise UsageError(f"there is no column {settings.path_column!r} of files", hint="It is called 'Path'.")
        if not files:
            import pyarrow

            return Relation(pyarrow.schema([]), lambda request: iter(()))
        if step.name == "read_parquet":
            constants = self._with_folder_columns(files, constants)
            return readers.parquet(files, constants, settings.include_path_column)
        kind: Callable[..., Any] = Delimited if step.name == "read_delimited" else JsonLines
        return readers.by_file(kind(files, settings, self.warn), files, constants, settings.include_path_column)

    def _with_folder_columns(self, files: list[SourceFile], constants: pyarrow.Table) -> pyarrow.Table:
        import pyarrow

        below = [self.below.get(file.name, "") for file in files]
        found = [name for name in hive.names(below) if name not in constants.column_names]
        if found and not self.folder_columns:
            self.warn(
                f"the folders name columns ({', '.join(found)}) that are not read, as on Azure ML: "
                "extract_columns_from_partition_format before read_parquet makes them of the paths"
            )
        if not found or not self.folder_columns:
            return constants
        made = hive.columns(below)
        given = {name: constants[name] for name in constants.column_names}
        return pyarrow.table({**given, **{name: made[name] for name in found}})

    def _chosen(
        self, files: list[SourceFile], constants: pyarrow.Table, rest: list[Transformation]
    ) -> tuple[list[SourceFile], pyarrow.Table]:
        """The files that ``select_partitions`` leaves: a partition is a file."""
        for number, step in enumerate(rest):
            if step.select_partitions is None:
                continue
            if other := next(
                (each.name for each in rest[1:number] if each.name not in (*BY_ROW, "select_partitions")), None
            ):
                raise UsageError(f"select_partitions cannot come after {other}", hint="Move it before.")
            if beyond := [each for each in step.select_partitions if each >= len(files)]:
                raise UsageError(f"there is no partition {beyond[0]}: there are {len(files)}, counted from 0")
            files = [files[each] for each in step.select_partitions]
            constants = constants.take(step.select_partitions) if constants.num_columns else constants
        return files, constants

    def _all_after(self, rows: Relation, steps: list[Transformation]) -> Relation:
        for step in steps:
            rows = self._after(rows, step)
        return rows

    def _after(self, rows: Relation, step: Transformation) -> Relation:
        value = getattr(step, step.name)
        match step.name:
            case "filter":
                return relation.filtered(rows, condition(value, rows.schema))
            case "take":
                return relation.first(rows, value)
            case "skip":
                return relation.without_first(rows, value)
            case "take_random_sample":
                return relation.drawn(rows, 0.0, value.probability, value.seed)
            case "sample":
                return _sampled(rows, value)
            case "keep_columns" | "drop_columns":
                return _narrowed(rows, value, keep=step.name == "keep_columns")
            case "convert_column_types":
                return _converted(rows, value)
            case "extract_columns_from_partition_format":
                return self._path_columns(rows, value.partition_format)
        raise UsageError(f"{step.name} cannot come before a reader", hint="Move it after the reader.")

    def _path_columns(self, rows: Relation, text: str | None) -> Relation:
        if not text:
            raise UsageError("extract_columns_from_partition_format has no partition_format")
        import pyarrow

        columns = PathColumns(text)
        known = "Path" in rows.schema.names
        if not known:
            self.warn(
                f"the columns of the partition format {text!r} are missing in every row: it comes after the reader; "
                "move it before, or set include_path_column of the reader"
            )
        schema = rows.schema
        for name, moment in columns.fields():
            made = pyarrow.field(name, pyarrow.timestamp("ns") if moment else pyarrow.string())
            at = schema.get_field_index(name)
            schema = schema.append(made) if at < 0 else schema.set(at, made)

        def change(table: pyarrow.Table) -> pyarrow.Table:
            paths = table["Path"].to_pylist() if known else [None] * table.num_rows
            return columns.add_to(table, paths)

        needs = ("Path",) if known else tuple(rows.schema.names[:1])
        return relation.mapped(rows, schema, change, needs)


def _fixed(pattern: str) -> str:
    """The folder that a pattern begins in."""
    return os.path.dirname(re.split(r"[*?\[]", pattern)[0]).strip("/")


def _paths(names: list[str]) -> Relation:
    """The files themselves as rows."""
    import pyarrow

    table = pyarrow.table({"Path": pyarrow.array(names, pyarrow.string())})

    def read(request: Request) -> Any:
        return relation.answered(iter([table]), request)

    return Relation(table.schema, read)


def _meant(columns: Any, names: list[str]) -> list[str]:
    """The columns that a list or a pattern means; unknown names are passed over."""
    if not isinstance(columns, ColumnPattern):
        return [name for name in names if name in columns]
    try:
        pattern = re.compile(columns.pattern)
    except re.error as error:
        raise UsageError(f"the pattern {columns.pattern!r} of columns is no regular expression: {error}") from error
    return [name for name in names if (pattern.search(name) is not None) != columns.invert]


def _narrowed(rows: Relation, columns: Any, *, keep: bool) -> Relation:
    named = _meant(columns, rows.schema.names)
    left = named if keep else [name for name in rows.schema.names if name not in named]
    if not left:
        verb = "keep_columns" if keep else "drop_columns"
        raise UsageError(f"{verb} leaves no column", hint=f"Columns: {', '.join(rows.schema.names)}")
    return relation.narrowed(rows, left)


def _converted(rows: Relation, conversions: list[Any]) -> Relation:
    import pyarrow

    types = {name: each.column_type for each in conversions for name in _meant(each.columns, rows.schema.names)}
    fields = [
        pyarrow.field(each.name, arrow_type(types[each.name])) if each.name in types else each for each in rows.schema
    ]

    def change(table: pyarrow.Table) -> pyarrow.Table:
        for at, name in enumerate(table.column_names):
            if name in types:
                table = table.set_column(at, name, converted(table[name], types[name]))
        return table

    return relation.mapped(rows, pyarrow.schema(fields), change)


def _sampled(rows: Relation, sample: Sample) -> Relation:
    given = sample.sampler_arguments
    if given is None or given.probability is None:
        raise UsageError("sample has no probability", hint="Give it in sampler_arguments.")
    return relation.drawn(rows, given.probability_lower_bound or 0.0, given.probability, given.seed)
