"""A table: columns that are known, and rows that are read when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.errors import UsageError
from store.specs.mltable import MLTable
from store.tabular import relation
from store.tabular.conditions import Condition, condition
from store.tabular.relation import Relation, Request

if TYPE_CHECKING:
    import pandas
    import pyarrow


class Table:
    """A lazy table. Reading it twice reads its files twice; ``warnings`` grows while it is read."""

    def __init__(self, rows: Relation, warnings: list[str], document: MLTable) -> None:
        self.relation = rows
        self.warnings = warnings
        self.document = document

    @property
    def schema(self) -> pyarrow.Schema:
        """Its columns and their types."""
        return self.relation.schema

    def batches(
        self, columns: Iterable[str] | None = None, filter: Any = None, limit: int | None = None
    ) -> Iterator[pyarrow.RecordBatch]:
        """Its rows as a stream of record batches; ``filter`` is a text of the mini language or an Arrow expression."""
        return self._batches(self._request(columns, filter, limit))

    def _request(self, columns: Iterable[str] | None, filter: Any, limit: int | None) -> Request:
        names = tuple(self.schema.names if columns is None else dict.fromkeys(columns))
        if unknown := [name for name in names if name not in self.schema.names]:
            from store.specs.nearest import suggestion

            hint = suggestion(unknown[0], self.schema.names, introduction="Columns")
            raise UsageError(f"the table has no column {unknown[0]!r}", hint=hint)
        if isinstance(filter, str):
            filter = condition(filter, self.schema)
        elif filter is not None and not isinstance(filter, Condition):
            filter = Condition(filter, frozenset(self.schema.names))
        return Request(names, filter, limit)

    def _batches(self, request: Request) -> Iterator[pyarrow.RecordBatch]:
        for table in self.relation.read(request):
            for batch in table.to_batches():
                if batch.num_rows:
                    yield batch

    def to_arrow(
        self, columns: Iterable[str] | None = None, filter: Any = None, limit: int | None = None
    ) -> pyarrow.Table:
        """Its rows at once."""
        import pyarrow

        request = self._request(columns, filter, limit)
        schema = pyarrow.schema([self.schema.field(name) for name in request.columns])
        return pyarrow.Table.from_batches(self._batches(request), schema=schema)

    def to_pandas(
        self, columns: Iterable[str] | None = None, filter: Any = None, limit: int | None = None
    ) -> pandas.DataFrame:
        """Its rows as a data frame of pandas."""
        frame: pandas.DataFrame = self.to_arrow(columns, filter, limit).to_pandas()
        return frame

    def to_parquet(self, path: Path | str, told: Callable[[int], None] = lambda size: None) -> None:
        """Write its rows to a Parquet file, which is whole or not there; ``told`` hears how large it has become."""
        from pyarrow import parquet

        final = Path(path)
        part = final.with_name(f".{final.name}.{os.getpid()}.part")
        try:
            with parquet.ParquetWriter(part, self.schema) as writer:
                for batch in self.batches():
                    writer.write_batch(batch)
                    told(part.stat().st_size)
            os.replace(part, final)
        finally:
            part.unlink(missing_ok=True)

    def count(self) -> int:
        """How many rows it has; as few columns as can be are read for it."""
        names = self.schema.names[:1]
        return sum(batch.num_rows for batch in self.batches(names)) if names else 0

    def changed(self, change: Any, *arguments: Any) -> Table:
        """This table after a step of ``store.tabular.relation``, such as ``first``."""
        return Table(change(self.relation, *arguments), self.warnings, self.document)

    def filtered(self, text: str) -> Table:
        """The rows that fulfil a condition of the mini language."""
        return self.changed(relation.filtered, condition(text, self.schema))
