"""Columns of another type: what does not parse becomes missing, as MLTable has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from store.errors import UsageError

if TYPE_CHECKING:
    import pyarrow

TRUE = ("true", "True", "TRUE", "t", "T", "1")
FALSE = ("false", "False", "FALSE", "f", "F", "0")
INTEGER = r"^\s*[+-]?\d{1,18}\s*$"
NUMBER = r"^\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:nan|inf|infinity))\s*$"
MOMENT = r"^\d{4}-\d{1,2}-\d{1,2}([ T]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?)?$"
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M:%S %p")
MONTH_FIRST = tuple(f"%m{sign}%d{sign}%Y{clock}" for sign in "/-" for clock in _CLOCKS)
DAY_FIRST = tuple(f"%d{sign}%m{sign}%Y{clock}" for sign in "/-" for clock in _CLOCKS)


def arrow_type(column_type: Any) -> pyarrow.DataType:
    """The Arrow type of a ``column_type`` of the document."""
    import pyarrow

    plain = {"boolean": pyarrow.bool_(), "float": pyarrow.float64(), "int": pyarrow.int64()}
    if isinstance(column_type, str):
        return plain.get(column_type, pyarrow.string())
    if column_type.datetime is not None:
        return pyarrow.timestamp("ns")
    return pyarrow.bool_() if column_type.boolean is not None else pyarrow.string()


def converted(column: pyarrow.ChunkedArray, column_type: Any) -> pyarrow.ChunkedArray:
    """A column as a ``column_type`` of the document."""
    if isinstance(column_type, str):
        return {"boolean": to_boolean, "float": to_float, "int": to_int}.get(column_type, to_text)(column)
    if column_type.boolean is not None:
        return _own_boolean(column, column_type.boolean)
    if column_type.datetime is not None:
        return to_datetime(column, column_type.datetime.formats, column_type.datetime.date_constant)
    return to_text(column)


def _is_text(column: pyarrow.ChunkedArray) -> bool:
    import pyarrow.types as types

    return bool(types.is_string(column.type) or types.is_large_string(column.type))


def _is_number(column: pyarrow.ChunkedArray) -> bool:
    import pyarrow.types as types

    return bool(types.is_integer(column.type) or types.is_floating(column.type) or types.is_decimal(column.type))


def _missing(column: pyarrow.ChunkedArray, type_: pyarrow.DataType) -> pyarrow.ChunkedArray:
    import pyarrow

    return pyarrow.chunked_array([pyarrow.nulls(len(column), type_)])


def _matching(column: pyarrow.ChunkedArray, pattern: str) -> pyarrow.ChunkedArray:
    """The texts that match, without blanks around them; the others are missing."""
    import pyarrow
    from pyarrow import compute

    good = compute.match_substring_regex(column, pattern)
    kept = compute.if_else(good, column, pyarrow.scalar(None, column.type))
    return compute.replace_substring_regex(compute.utf8_trim_whitespace(kept), r"^\+", "")


def to_float(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Numbers with a fraction."""
    import pyarrow
    from pyarrow import compute

    if _is_text(column):
        return compute.cast(_matching(column, NUMBER), pyarrow.float64())
    if _is_number(column):
        return compute.cast(column, pyarrow.float64(), safe=False)
    return _missing(column, pyarrow.float64())


def to_int(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Whole numbers; a fraction is cut off."""
    import pyarrow
    from pyarrow import compute

    if pyarrow.types.is_integer(column.type):
        return compute.cast(column, pyarrow.int64(), safe=False)
    if _is_text(column):
        whole = compute.cast(_matching(column, INTEGER), pyarrow.int64())
        rest = column if whole.null_count > column.null_count else None
        return whole if rest is None else compute.coalesce(whole, _truncated(to_float(rest)))
    if _is_number(column):
        return _truncated(compute.cast(column, pyarrow.float64(), safe=False))
    return _missing(column, pyarrow.int64())


def _truncated(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    import pyarrow
    from pyarrow import compute

    within = compute.less(compute.abs(column), 2.0**63)  # also not for what is no number
    kept = compute.if_else(within, column, pyarrow.scalar(None, pyarrow.float64()))
    return compute.cast(compute.trunc(kept), pyarrow.int64())


def to_boolean(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """True and false; of numbers, all but 0 are true."""
    import pyarrow
    from pyarrow import compute

    if pyarrow.types.is_boolean(column.type):
        return column
    if _is_text(column):
        return _boolean_of(compute.utf8_trim_whitespace(column), TRUE, FALSE, None)
    if _is_number(column):
        return compute.not_equal(compute.cast(column, pyarrow.float64(), safe=False), 0.0)
    return _missing(column, pyarrow.bool_())


def _own_boolean(column: pyarrow.ChunkedArray, settings: Any) -> pyarrow.ChunkedArray:
    otherwise = {"true": True, "false": False}.get(settings.mismatch_as)
    true, false = settings.true_values or TRUE, settings.false_values or FALSE
    return _boolean_of(to_text(column), tuple(true), tuple(false), otherwise)


def _boolean_of(
    column: pyarrow.ChunkedArray, true: tuple[str, ...], false: tuple[str, ...], otherwise: bool | None
) -> pyarrow.ChunkedArray:
    import pyarrow
    from pyarrow import compute

    is_true = compute.is_in(column, pyarrow.array(true, column.type))
    is_false = compute.is_in(column, pyarrow.array(false, column.type))
    rest = compute.if_else(compute.is_null(column), None, pyarrow.scalar(otherwise, pyarrow.bool_()))
    return compute.if_else(is_true, True, compute.if_else(is_false, False, rest))


def to_text(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Texts, as Azure ML's reader writes numbers, truth values and moments."""
    import pyarrow
    from pyarrow import compute

    if _is_text(column):
        return column
    if pyarrow.types.is_boolean(column.type):
        return compute.if_else(column, "True", "False")
    if pyarrow.types.is_timestamp(column.type):
        written = compute.strftime(compute.cast(column, pyarrow.timestamp("s"), safe=False), "%Y-%m-%dT%H:%M:%S")
        return compute.binary_join_element_wise(written, "+00:00", "")
    if pyarrow.types.is_nested(column.type):
        return _missing(column, pyarrow.string())
    text = compute.cast(column, pyarrow.string())
    return compute.replace_substring_regex(text, r"\.0$", "") if pyarrow.types.is_floating(column.type) else text


def to_datetime(
    column: pyarrow.ChunkedArray, formats: list[str], date_constant: str | None = None
) -> pyarrow.ChunkedArray:
    """Moments by formats; the first that fits counts."""
    import pyarrow
    from pyarrow import compute

    type_ = pyarrow.timestamp("ns")
    if pyarrow.types.is_timestamp(column.type):
        return compute.cast(column, type_)
    if not _is_text(column):
        return _missing(column, type_)
    found = _missing(column, type_)
    for written in formats:
        texts, pattern = column, written
        if date_constant is not None and "%Y" not in written and "%y" not in written:
            texts, pattern = compute.binary_join_element_wise(date_constant, column, " "), f"%Y-%m-%d {written}"
        found = compute.coalesce(found, compute.cast(_parsed(texts, pattern), type_))
        if found.null_count == column.null_count:
            break
    return found


def _parsed(texts: pyarrow.ChunkedArray, written: str) -> pyarrow.ChunkedArray:
    import pyarrow
    from pyarrow import compute

    if "%f" in written or "%z" in written:
        return pyarrow.chunked_array([pyarrow.array(_slowly(texts, written), pyarrow.timestamp("us"))])
    try:
        return compute.strptime(texts, format=written, unit="us", error_is_null=True)
    except pyarrow.ArrowInvalid as error:
        raise UsageError(f"the format {written!r} of a datetime cannot be used: {error}") from error


def _slowly(texts: pyarrow.ChunkedArray, written: str) -> list[Any]:
    from datetime import UTC, datetime

    def one(text: str | None) -> datetime | None:
        try:
            moment = datetime.strptime(text, written) if text is not None else None
        except ValueError:
            return None
        return moment.astimezone(UTC).replace(tzinfo=None) if moment is not None and moment.tzinfo else moment

    return [one(text) for text in texts.to_pylist()]


def to_moment(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Moments in the form of ISO 8601, as UTC."""
    import pyarrow
    from pyarrow import compute

    type_ = pyarrow.timestamp("ns")
    texts = _matching(column, MOMENT)
    try:
        return compute.cast(texts, type_)
    except pyarrow.ArrowInvalid:
        pass  # a time zone, a month of one digit, or a day that there is not
    import pandas

    values = pandas.to_datetime(texts.to_pandas(), utc=True, errors="coerce", format="ISO8601")
    loose = texts.to_pandas().where(values.isna())
    values = values.fillna(pandas.to_datetime(loose, utc=True, errors="coerce", format="%Y-%m-%d"))
    return pyarrow.chunked_array([pyarrow.Array.from_pandas(values.dt.tz_localize(None)).cast(type_)])
