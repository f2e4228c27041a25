"""Reads text with a JSON object in each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from store.errors import UsageError
from store.specs.mltable import ReadJsonLines
from store.tabular.blocks import blocks
from store.tabular.files import SourceFile

if TYPE_CHECKING:
    import pyarrow

SAMPLE_BLOCK = 1 << 20
SAMPLE_FILES = 100


@dataclass
class JsonLines:
    """The reader of some files; their columns are found in the first part of each."""

    files: list[SourceFile]
    settings: ReadJsonLines
    warn: Any

    @cached_property
    def _schema(self) -> pyarrow.Schema:
        import pyarrow

        found = [
            self._inferred(block, file)
            for file in self.files[:SAMPLE_FILES]
            if (block := next(blocks(file, self.settings.encoding, size=SAMPLE_BLOCK), b""))
        ]
        try:
            return pyarrow.unify_schemas([_as_written(schema) for schema in found], promote_options="permissive")
        except pyarrow.ArrowException as error:
            raise UsageError(f"{self.files[0].name} and others: a column has types that do not fit: {error}") from error

    def schema(self) -> pyarrow.Schema:
        """Columns and types."""
        return self._schema

    def _inferred(self, block: bytes, file: SourceFile) -> pyarrow.Schema:
        import pyarrow
        from pyarrow import json as arrow_json

        try:
            return arrow_json.read_json(pyarrow.BufferReader(block), _whole(block)).schema
        except pyarrow.ArrowInvalid:
            rows = list(self._objects(block, file))
        names = dict.fromkeys(name for row in rows for name in row)
        return pyarrow.schema([(name, _type([row.get(name) for row in rows])) for name in names])

    def tables(self, file: SourceFile, wanted: tuple[str, ...], size: int) -> Iterator[pyarrow.Table]:
        """A file as a stream of tables with the wanted columns."""
        import pyarrow
        from pyarrow import json as arrow_json

        schema = self._schema
        for block in blocks(file, self.settings.encoding, size=size):
            if not block.strip():
                continue
            options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer")
            try:
                table = arrow_json.read_json(pyarrow.BufferReader(block), _whole(block), options)
            except pyarrow.ArrowInvalid:
                table = self._line_by_line(block, file)
            if more := [name for name in table.column_names if name not in schema.names]:
                self.warn(
                    f"{file.name}: {', '.join(more)} came after the part that the columns were found in; left away"
                )
            yield table.select(list(wanted))

    def _line_by_line(self, block: bytes, file: SourceFile) -> pyarrow.Table:
        import pyarrow

        rows = list(self._objects(block, file))
        return pyarrow.table(
            [_column([row.get(each.name) for row in rows], each) for each in self._schema], self._schema
        )

    def _objects(self, block: bytes, file: SourceFile) -> Iterator[dict[str, Any]]:
        for line in block.split(b"\n"):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError:
                value = None
            if isinstance(value, dict):
                yield value
            elif self.settings.invalid_lines == "error":
                shown = line[:60].decode(errors="replace")
                hint = "`invalid_lines: drop` leaves such lines away."
                raise UsageError(f"{file.name}: a line is no JSON object: {shown}", hint=hint)


def _whole(block: bytes) -> Any:
    """Arrow's reader takes the types of its first block for those of all: let there be one."""
    from pyarrow import json as arrow_json

    return arrow_json.ReadOptions(block_size=len(block) + 1)


def _as_written(schema: pyarrow.Schema) -> pyarrow.Schema:
    """Texts that look like moments stay texts."""
    import pyarrow

    return pyarrow.schema(
        [(each.name, pyarrow.string() if pyarrow.types.is_timestamp(each.type) else each.type) for each in schema]
    )


def _type(values: list[Any]) -> pyarrow.DataType:
    import pyarrow

    try:
        return pyarrow.array(values).type
    except (pyarrow.ArrowException, OverflowError):
        kinds = {type(value) for value in values if value is not None}
        return pyarrow.float64() if kinds <= {int, float} else pyarrow.string()


def _column(values: list[Any], field: pyarrow.Field) -> pyarrow.Array:
    """What is not of the column's type is missing, except that a column of texts shows anything as one."""
    import pyarrow

    def one(value: Any) -> Any:
        if pyarrow.types.is_string(field.type) and value is not None and not isinstance(value, str):
            return json.dumps(value)
        try:
            return pyarrow.scalar(value, field.type).as_py()
        except (pyarrow.ArrowException, OverflowError, TypeError, ValueError):
            return None

    try:
        return pyarrow.array(values, field.type)
    except (pyarrow.ArrowException, OverflowError, TypeError, ValueError):
        return pyarrow.array([one(value) for value in values], field.type)
