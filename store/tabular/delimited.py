"""Reads text with a column after each delimiter: fast by Arrow, and line by line where Arrow and MLTable differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from store.errors import UsageError
from store.specs.mltable import ColumnPattern, ReadDelimited
from store.tabular import conversion
from store.tabular.blocks import blocks, not_in_encoding
from store.tabular.files import SourceFile
from store.tabular.inference import column_names, kind_of

if TYPE_CHECKING:
    import pyarrow

DEFAULT_SAMPLE = 200
SAMPLE_BLOCK = 1 << 16
_TO_KIND: dict[str, Callable[[Any], Any]] = {
    "boolean": conversion.to_boolean,
    "int": conversion.to_int,
    "float": conversion.to_float,
    "moment": conversion.to_moment,
    "month_first": lambda column: conversion.to_datetime(column, list(conversion.MONTH_FIRST)),
    "day_first": lambda column: conversion.to_datetime(column, list(conversion.DAY_FIRST)),
    "string": lambda column: column,
}


@dataclass
class Delimited:
    """The reader of some files; their columns and types are found at first use."""

    files: list[SourceFile]
    settings: ReadDelimited
    warn: Any
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        delimiter = self.settings.delimiter
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
            raise UsageError(f"the delimiter {delimiter!r} is not one ASCII sign", hint='A tab is written "\\t".')
        sign = re.escape(delimiter)
        self._field = re.compile(rf'"((?:[^"]|"")*)"(?={sign}|$)|([^{sign}]*)', re.DOTALL)
        infer = self.settings.infer_column_types
        if not isinstance(infer, bool):
            for each in infer.column_type_overrides or ():
                self.overrides |= dict.fromkeys(_named(each.columns), each.column_type)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The columns and what kind each is."""
        different = self.settings.header == "all_files_different_headers"
        samples: dict[str, list[str | None]] = {}
        for file in self.files:
            if samples and not different:
                break  # the first file that is not empty has the names
            names, rows = self._sample(file)
            for name in names:
                if name not in samples:
                    at = names.index(name)
                    samples[name] = [row[at] if at < len(row) else None for row in rows]
        if not different and self.settings.header != "no_header":
            self._sample_more(samples)
        if self.settings.infer_column_types is False:
            return dict.fromkeys(samples, "string")
        found = {}
        for name, values in samples.items():
            found[name], unclear = kind_of(values)
            if unclear and name not in self.overrides:
                self.warn(f"column {name!r}: day and month cannot be told apart; it stays text (give it a format)")
        return found

    def _sample_more(self, samples: dict[str, list[str | None]]) -> None:
        """Small files: the sample goes on in the files after the first."""
        first = next((at for at, file in enumerate(self.files) if self._sample(file)[0]), 0)
        for file in self.files[first + 1 :]:
            if max(map(len, samples.values()), default=0) >= self._sample_size:
                return
            _, rows = self._sample(file)
            for at, values in enumerate(samples.values()):
                values += [row[at] if at < len(row) else None for row in rows][: self._sample_size - len(values)]

    @property
    def _sample_size(self) -> int:
        infer = self.settings.infer_column_types
        return DEFAULT_SAMPLE if isinstance(infer, bool) else infer.sample_size

    def _sample(self, file: SourceFile) -> tuple[list[str], list[list[str | None]]]:
        found = self._blocks(file, SAMPLE_BLOCK)
        rows = chain.from_iterable(self._rows(block, file) for block in found)
        header = next(rows, []) if self._has_header(file) else None
        sample = list(islice(rows, self._sample_size))
        width = max(map(len, [header or [], *sample]), default=0)
        return column_names([*(header or []), *[None] * (width - len(header or []))]), sample

    def _blocks(self, file: SourceFile, size: int) -> Iterator[bytes]:
        for block in blocks(file, self.settings.encoding, quoted=self.settings.support_multi_line, size=size):
            if b"\0" in block:
                self.warn(f"{file.name} has NUL bytes: is it text, and `encoding` of the reader the right one?")
            yield block

    def _has_header(self, file: SourceFile) -> bool:
        header = self.settings.header
        return header.startswith("all_files") or (header == "from_first_file" and file is self.files[0])

    def schema(self) -> pyarrow.Schema:
        """Columns and types."""
        import pyarrow

        types = {"boolean": pyarrow.bool_(), "int": pyarrow.int64(), "float": pyarrow.float64()}
        moments = dict.fromkeys(("moment", "month_first", "day_first"), pyarrow.timestamp("ns"))
        types |= {"string": pyarrow.string(), **moments}
        return pyarrow.schema(
            [
                (name, conversion.arrow_type(self.overrides[name]) if name in self.overrides else types[kind])
                for name, kind in self.kinds.items()
            ]
        )

    def tables(self, file: SourceFile, wanted: tuple[str, ...], size: int) -> Iterator[pyarrow.Table]:
        """A file as a stream of tables with the wanted columns."""
        names = list(self.kinds)
        skip = self._has_header(file)
        for block in self._blocks(file, size):
            body = block
            if skip:
                header, body = self._split_header(block, file)
                if header is None:
                    continue
                names, skip = self._names_in(file, header), False
            if body.strip(b"\r\n"):
                yield self._table(body, file, names, wanted)

    def _split_header(self, block: bytes, file: SourceFile) -> tuple[list[str | None] | None, bytes]:
        at = 0
        while at < len(block):
            end = block.find(b"\n", at) + 1 or len(block)
            while self.settings.support_multi_line and block.count(b'"', at, end) % 2 and end < len(block):
                end = block.find(b"\n", end) + 1 or len(block)
            if block[at:end].strip(b"\r\n"):
                return next(self._rows(block[at:end], file)), block[end:]
            at = end
        return None, b""

    def _names_in(self, file: SourceFile, header: list[str | None]) -> list[str]:
        """The names of the columns of this file, one after the other."""
        known, own = list(self.kinds), column_names(header)
        if self.settings.header == "all_files_different_headers":
            return own
        if own != known[: len(own)]:
            self.warn(
                f"{file.name}: its header is {', '.join(own)}, and its columns are taken as {', '.join(known)} "
                "(all_files_same_headers); with `header: all_files_different_headers` they go by name"
            )
        return known

    def _table(self, body: bytes, file: SourceFile, names: list[str], wanted: tuple[str, ...]) -> pyarrow.Table:
        import pyarrow

        here = [name for name in wanted if name in names]
        try:
            table = self._by_arrow(body, names, here, typed=True) if here else None
        except pyarrow.ArrowInvalid:
            try:
                table = self._by_arrow(body, names, here, typed=False)
            except pyarrow.ArrowInvalid:
                table = None
        if table is not None and b'"' in body and not self.settings.support_multi_line and not _is_lined(body, table):
            self.warn(f"{file.name}: quotes are open at the end of a line, which ends the value (support_multi_line)")
            table = None
        if table is None:
            table = self._line_by_line(body, file, names, here)
        return self._typed(table, wanted)

    def _by_arrow(self, body: bytes, names: list[str], here: list[str], *, typed: bool) -> pyarrow.Table:
        import pyarrow
        from pyarrow import csv

        plain = {"int": pyarrow.int64(), "float": pyarrow.float64(), "boolean": pyarrow.bool_()}
        types = {
            name: plain.get(self.kinds.get(name, ""), pyarrow.string())
            if typed and name not in self.overrides
            else pyarrow.string()
            for name in here
        }
        return csv.read_csv(
            pyarrow.BufferReader(body),
            csv.ReadOptions(column_names=names, block_size=max(1 << 20, len(body) // 16)),
            csv.ParseOptions(delimiter=self.settings.delimiter, newlines_in_values=self.settings.support_multi_line),
            csv.ConvertOptions(
                column_types=types,
                include_columns=here,
                null_values=[""],
                strings_can_be_null=not self.settings.empty_as_string,
                quoted_strings_can_be_null=False,
                true_values=list(conversion.TRUE),
                false_values=list(conversion.FALSE),
            ),
        )

    def _line_by_line(self, body: bytes, file: SourceFile, names: list[str], here: list[str]) -> pyarrow.Table:
        """For lines that are longer or shorter than the header, or have quotes that are not closed."""
        import pyarrow

        rows = list(self._rows(body, file))
        if any(len(row) > len(names) for row in rows):
            self.warn(f"{file.name}: some lines have more than {len(names)} values; what is beyond them is left away")
        columns = {
            name: pyarrow.array([row[at] if at < len(row) else None for row in rows], pyarrow.string())
            for at, name in enumerate(names)
            if name in here
        }
        if not columns:
            return pyarrow.table({"": pyarrow.nulls(len(rows))}).select([])
        return pyarrow.table(columns)

    def _typed(self, table: pyarrow.Table, wanted: tuple[str, ...]) -> pyarrow.Table:
        import pyarrow

        schema, columns = self.schema(), []
        for name in wanted:
            type_ = schema.field(name).type
            if name not in table.column_names:
                columns.append(pyarrow.nulls(table.num_rows, type_))
            elif name in self.overrides:
                columns.append(conversion.converted(table[name], self.overrides[name]))
            elif table[name].type != type_:
                columns.append(_TO_KIND[self.kinds[name]](table[name]))
            else:
                columns.append(table[name])
        if not columns:
            return table
        return pyarrow.table(columns, schema=pyarrow.schema([schema.field(name) for name in wanted]))

    def _rows(self, body: bytes, file: SourceFile) -> Iterator[list[str | None]]:
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise not_in_encoding(file, self.settings.encoding, str(error)) from error
        line = ""
        for piece in text.split("\n"):
            line = f"{line}\n{piece}" if line else piece
            if self.settings.support_multi_line and line.count('"') % 2:
                continue
            if line.rstrip("\r"):
                yield self._values(line.rstrip("\r"))
            line = ""
        if line:
            yield self._values(line)

    def _values(self, line: str) -> list[str | None]:
        found: list[str | None] = []
        at = 0
        while True:
            match = self._field.match(line, at)
            if match is None:  # cannot be: the second form matches nothing too
                return found
            quoted, plain = match.groups()
            empty = "" if self.settings.empty_as_string else None
            found.append(quoted.replace('""', '"') if quoted is not None else plain or empty)
            if match.end() >= len(line):
                return found
            at = match.end() + 1


def _named(columns: Any) -> list[str]:
    if isinstance(columns, ColumnPattern):
        raise UsageError("column_type_overrides takes names of columns", hint="convert_column_types takes patterns.")
    return list(columns)


def _is_lined(body: bytes, table: pyarrow.Table) -> bool:
    """Whether each line that is not empty became one row."""
    lines = sum(1 for line in body.splitlines() if line) if b"\n\n" in body or b"\r" in body else body.count(b"\n")
    return bool(table.num_rows == lines + (0 if body.endswith(b"\n") or b"\n\n" in body or b"\r" in body else 1))
