"""Types of SQL as types of Arrow, and rows as record batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from store.errors import WorkbenchError

if TYPE_CHECKING:
    import pyarrow
    from sqlalchemy import Dialect

WIDEST = 38
"""Digits of a decimal in 128 bits."""
TIMES_ARE_SPANS = ("mysql", "mariadb")
"""Where TIME is no time of day: it runs from -838 hours to 838."""
FRACTION = 18
"""Digits after the point where the database sets no bound: NUMERIC without a scale."""


class UnfitError(WorkbenchError):
    """A value that its column's type has no room for."""


class Conversion:
    """Rows of one result as record batches of one schema.

    The types are those of the table's columns, or what the driver tells of a query's; a column of which nobody tells is
    of the type that its first rows have.
    """

    def __init__(self, result: Any, columns: Sequence[Any] | None, dialect: Dialect) -> None:
        self._names = [str(each) for each in result.keys()]  # noqa: SIM118 — no mapping
        types = columns if columns is not None else _told(result, dialect, len(self._names))
        self._types = [_arrow(each, dialect) if each is not None else None for each in types]
        self._schema: pyarrow.Schema | None = None

    def batch(self, rows: Sequence[Any]) -> pyarrow.RecordBatch:
        """Raises UnfitError for a value that does not fit, naming its column."""
        import pyarrow

        columns = list(zip(*rows, strict=True)) if rows else [()] * len(self._names)
        arrays = [self._array(index, list(values)) for index, values in enumerate(columns)]
        if self._schema is None:
            self._schema = pyarrow.schema(
                [pyarrow.field(name, array.type) for name, array in zip(self._names, arrays, strict=True)]
            )
        return pyarrow.record_batch(arrays, schema=self._schema)

    def _array(self, index: int, values: list[Any]) -> pyarrow.Array:
        import pyarrow

        known = self._types[index] if self._schema is None else self._schema.types[index]
        try:
            if known is None:
                return pyarrow.array([_plain(each) for each in values])
            return pyarrow.array(list(map(_into(known), values)), type=known)
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OverflowError, ValueError, TypeError) as error:
            what = f"of type {known}" if known is not None else "of one type"
            raise UnfitError(
                f"the column {self._names[index]!r} holds a value that is not {what}: {error}",
                hint=f"Read it by a query with CAST({self._names[index]} AS ...).",
            ) from error


def _told(result: Any, dialect: Dialect, count: int) -> list[Any]:
    """What the driver tells of a query's columns: psycopg gives the type of each; the others tell too little."""
    if dialect.driver != "psycopg" or result.cursor is None:
        return [None] * count
    from sqlalchemy import types

    adapters, known = result.cursor.connection.adapters.types, getattr(dialect, "ischema_names", {})
    found = list[Any]()
    for column in result.cursor.description:
        info = adapters.get(column.type_code)
        is_array = info is not None and column.type_code == info.array_oid
        kind = None if info is None or is_array else known.get(info.regtype)
        if kind is None:
            found.append(None if is_array else types.String())
        elif issubclass(kind, types.Numeric) and not issubclass(kind, types.Float):
            found.append(types.Numeric(column.precision, column.scale))
        elif issubclass(kind, types.DateTime):
            found.append(types.DateTime(timezone="with time zone" in info.regtype))
        elif issubclass(kind, types.Float):
            found.append(types.REAL() if info.name == "float4" else types.Double())
        else:
            found.append(kind())
    return found


def _arrow(kind: Any, dialect: Dialect) -> Any:
    """The type of Arrow for one of SQLAlchemy; None for those that only the values tell, such as arrays."""
    import pyarrow
    from sqlalchemy import types

    integers = {types.SmallInteger: pyarrow.int16(), types.BigInteger: pyarrow.int64()}
    match kind:
        case types.Boolean():
            return pyarrow.bool_()
        case types.Integer():
            plain = pyarrow.int64() if dialect.name == "sqlite" or _is_unsigned(kind) else pyarrow.int32()
            return next((arrow for sql, arrow in integers.items() if isinstance(kind, sql)), plain)
        case types.REAL():
            return pyarrow.float64() if dialect.name == "sqlite" else pyarrow.float32()
        case types.Float():
            return pyarrow.float32() if kind.precision and kind.precision <= 24 else pyarrow.float64()
        case types.Numeric():
            return _decimal(kind)
        case types.DateTime():
            return pyarrow.timestamp("us", "UTC" if kind.timezone else None)
        case types.Date():
            return pyarrow.date32()
        case types.Time() if dialect.name in TIMES_ARE_SPANS:
            return pyarrow.duration("us")
        case types.Time():
            return pyarrow.time64("us")
        case types.TypeEngine() if kind._type_affinity is types.Interval:
            return pyarrow.duration("us")
        case types.LargeBinary() | types._Binary():
            return pyarrow.binary()
        case types.ARRAY() | types.NullType():
            return None
    return pyarrow.string()


def _is_unsigned(kind: Any) -> bool:
    return bool(getattr(kind, "unsigned", False))


def _decimal(kind: Any) -> Any:
    import pyarrow

    if not kind.asdecimal:
        return pyarrow.float64()
    if kind.precision is None:
        return pyarrow.decimal128(WIDEST, FRACTION)
    make = pyarrow.decimal128 if kind.precision <= WIDEST else pyarrow.decimal256
    return make(min(kind.precision, 76), kind.scale or 0)


def _into(kind: Any) -> Callable[[Any], Any]:
    """What makes a driver's value one that Arrow takes for a type."""
    import pyarrow

    if pyarrow.types.is_string(kind):
        return _text
    if pyarrow.types.is_binary(kind):
        return lambda value: None if value is None else bytes(value)
    if pyarrow.types.is_nested(kind):
        return _plain
    return lambda value: value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (dict, list, bool)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _plain(value: Any) -> Any:
    """A value of a type that nobody told: what Arrow has no type for becomes text."""
    import datetime
    import decimal

    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, memoryview):
        return bytes(value)
    simple = (str, bytes, bool, int, float, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta)
    return value if value is None or isinstance(value, simple) else _text(value)
