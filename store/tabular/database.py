"""Tables and queries of SQL databases, where the readers of tables have file systems for files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from store.tabular.relation import Relation, Request, answered

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, slots=True)
class Database:
    """A datastore of a SQL database; ``rows`` reads a table by its name, or what a query finds."""

    name: str
    rows: Callable[[str], Iterator[pyarrow.RecordBatch]]

    def document(self, wanted: str) -> dict[str, Any]:
        """The MLTable document of a table or a query."""
        arguments = {"datastore_name": self.name}
        return {"query_source": {"handler": "sql", "handler_arguments": arguments, "query": wanted}}

    def relation(self, wanted: str) -> Relation:
        """Its rows. The first are asked for at once, since they tell the columns; the first reading goes on there."""
        begun = self.rows(wanted)
        first = next(begun)
        waiting = [chain([first], begun)]

        def read(request: Request) -> Iterator[pyarrow.Table]:
            import pyarrow

            batches = waiting.pop() if waiting else self.rows(wanted)
            return answered((pyarrow.Table.from_batches([batch]) for batch in batches), request)

        return Relation(first.schema, read)
