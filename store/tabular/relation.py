"""What every step on the way to a table is: a schema, and rows on demand; asked for no more than is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from store.tabular.conditions import Condition

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True)
class Request:
    """Which columns, which rows, and how many; it travels from the reader of a table down to its files."""

    columns: tuple[str, ...]
    condition: Condition | None = None
    limit: int | None = None

    def needed(self) -> tuple[str, ...]:
        """The columns that the answer takes, those of the condition included."""
        also = self.condition.columns - set(self.columns) if self.condition else ()
        return (*self.columns, *sorted(also))

    def bare(self) -> Request:
        """The same columns without a condition and a limit, for a step that has to see every row."""
        return Request(self.needed())


@dataclass(frozen=True)
class Relation:
    """A schema, and the rows for a request, as a stream of small Arrow tables."""

    schema: pyarrow.Schema
    read: Callable[[Request], Iterator[pyarrow.Table]]

    def rows(self) -> pyarrow.Table:
        """All of it at once."""
        import pyarrow

        return pyarrow.concat_tables([self.schema.empty_table(), *self.read(Request(tuple(self.schema.names)))])


def answered(tables: Iterator[pyarrow.Table], request: Request) -> Iterator[pyarrow.Table]:
    """What of these tables a request asks for: rows, columns, and then no more than the limit."""
    left = request.limit
    if left == 0:
        return
    for table in tables:
        found = table.filter(request.condition.expression) if request.condition else table
        found = found.select(list(request.columns))
        if left is not None:
            found = found.slice(0, left)
            left -= found.num_rows
        yield found
        if left == 0:
            return


def filtered(inner: Relation, condition: Condition) -> Relation:
    """The rows that fulfil a condition; it is asked of whoever is below."""
    return Relation(
        inner.schema, lambda request: inner.read(replace(request, condition=condition.also(request.condition)))
    )


def narrowed(inner: Relation, names: list[str]) -> Relation:
    """Some of the columns."""
    import pyarrow

    return Relation(pyarrow.schema([inner.schema.field(name) for name in names]), inner.read)


def first(inner: Relation, count: int) -> Relation:
    """The first rows; nothing is read after them."""

    def read(request: Request) -> Iterator[pyarrow.Table]:
        return answered(inner.read(replace(request.bare(), limit=count)), request)

    return Relation(inner.schema, read)


def without_first(inner: Relation, count: int) -> Relation:
    """All but the first rows."""

    def rest(tables: Iterator[pyarrow.Table]) -> Iterator[pyarrow.Table]:
        left = count
        for table in tables:
            yield table.slice(min(left, table.num_rows))
            left -= min(left, table.num_rows)

    return Relation(inner.schema, lambda request: answered(rest(inner.read(request.bare())), request))


def drawn(inner: Relation, low: float, high: float, seed: int | None) -> Relation:
    """Rows whose random number lies from ``low`` up to ``high``; the same rows for the same seed."""

    def draw(tables: Iterator[pyarrow.Table]) -> Iterator[pyarrow.Table]:
        import numpy
        import pyarrow

        generator = numpy.random.default_rng(seed)
        for table in tables:
            numbers = generator.random(table.num_rows)
            yield table.filter(pyarrow.array((numbers >= low) & (numbers < high)))

    return Relation(inner.schema, lambda request: answered(draw(inner.read(request.bare())), request))


def mapped(
    inner: Relation,
    schema: pyarrow.Schema,
    change: Callable[[pyarrow.Table], pyarrow.Table],
    needs: tuple[str, ...] = (),
) -> Relation:
    """Each table changed by itself into one of another schema; ``needs`` are columns that the change reads."""

    def read(request: Request) -> Iterator[pyarrow.Table]:
        wanted = [name for name in (*request.needed(), *needs) if name in inner.schema.names]
        below = Request(tuple(dict.fromkeys(wanted)))
        return answered((change(table) for table in inner.read(below)), request)

    return Relation(schema, read)
