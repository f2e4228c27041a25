"""Conditions on rows: a filter of the mini language against the columns that there are, as an Arrow expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from store.tabular.filter_syntax import (
    COMPARISONS,
    Binary,
    Column,
    FilterError,
    Literal,
    Node,
    StartsWith,
    Unary,
    columns_of,
    parse,
)

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.compute import Expression


@dataclass(frozen=True)
class Condition:
    """What a row has to fulfil, and the columns that it takes to know."""

    expression: Expression
    columns: frozenset[str]
    prunable: bool = True
    """Whether parts of a file may be passed over by their statistics, which leave NaN out."""

    def also(self, other: Condition | None) -> Condition:
        """Both of two conditions."""
        if other is None:
            return self
        return Condition(
            self.expression & other.expression, self.columns | other.columns, self.prunable and other.prunable
        )


def condition(text: str, schema: pyarrow.Schema) -> Condition:
    """A filter as a condition on a table of this schema. Raises FilterError for columns and types that do not fit."""
    node = parse(text)
    found = _Compiler(text, schema)
    value = found.value(node)
    found.require(value, "boolean", _place(node), "A condition is true or false: write a comparison.")
    return Condition(value.expression, columns_of(node), found.prunable)


@dataclass(frozen=True)
class _Value:
    expression: Expression
    kind: str
    type: Any


def _may_be_nan(value: _Value) -> bool:
    import pyarrow

    return value.type is not None and bool(pyarrow.types.is_floating(value.type))


def _place(node: Node) -> int:
    return node.at


def _kind(type_: pyarrow.DataType) -> str:
    import pyarrow.types as types

    if types.is_dictionary(type_):
        type_ = type_.value_type
    if types.is_boolean(type_):
        return "boolean"
    if types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_):
        return "number"
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "text"
    if types.is_timestamp(type_) or types.is_date(type_):
        return "datetime"
    return "unknown" if types.is_null(type_) else "other"


_WRITTEN = {"boolean": "true or false", "number": "a number", "text": "a text", "datetime": "a moment"}


class _Compiler:
    def __init__(self, text: str, schema: pyarrow.Schema) -> None:
        self.text, self.schema = text, schema
        self.negations = 0
        self.prunable = True

    def value(self, node: Node) -> _Value:
        match node:
            case Literal(value):
                return self._literal(value)
            case Column(name, at):
                return self._column(name, at)
            case Unary("not", operand, at):
                self.negations += 1
                inner = self.require(self.value(operand), "boolean", at, "`not` stands before a condition.")
                self.negations -= 1
                return _Value(~inner.expression, "boolean", None)
            case Unary(_, operand, at):
                return self._negative(operand, at)
            case StartsWith(operand, prefix, at):
                return self._starts_with(operand, prefix, at)
            case Binary(sign, left, right, at):
                return self._binary(sign, self.value(left), self.value(right), at)

    def require(self, value: _Value, kind: str, at: int, hint: str | None = None) -> _Value:
        import pyarrow
        from pyarrow import compute

        if value.kind == "unknown":
            types = {"boolean": pyarrow.bool_(), "number": pyarrow.int64(), "text": pyarrow.string()}
            return _Value(compute.cast(value.expression, types[kind]), kind, types[kind])
        if value.kind != kind:
            told = _WRITTEN.get(value.kind, f"of the type {value.type}")
            raise FilterError(self.text, at, f"expected {_WRITTEN[kind]}, and it is {told}", hint)
        return value

    def _literal(self, value: object) -> _Value:
        import pyarrow

        scalar = pyarrow.scalar(value)
        return _Value(pyarrow.compute.scalar(scalar), _kind(scalar.type), scalar.type)

    def _column(self, name: str, at: int) -> _Value:
        from pyarrow import compute

        if name not in self.schema.names:
            from store.specs.nearest import suggestion

            hint = suggestion(name, self.schema.names, introduction="Columns")
            raise FilterError(self.text, at, f"there is no column {name!r}", hint or "The table has no columns.")
        type_ = self.schema.field(name).type
        field = compute.field(name)
        if str(type_).startswith("dictionary"):
            type_ = type_.value_type
            field = field.cast(type_)
        return _Value(field, _kind(type_), type_)

    def _negative(self, operand: Node, at: int) -> _Value:
        from pyarrow import compute

        if isinstance(operand, Literal) and isinstance(operand.value, int | float):
            return self._literal(-operand.value)
        inner = self.require(self.value(operand), "number", at)
        return _Value(compute.negate(inner.expression), "number", inner.type)

    def _starts_with(self, operand: Node, prefix: str, at: int) -> _Value:
        from pyarrow import compute

        inner = self.require(self.value(operand), "text", at, "startswith() belongs to texts.")
        return _Value(compute.starts_with(inner.expression, pattern=prefix), "boolean", None)

    def _binary(self, sign: str, left: _Value, right: _Value, at: int) -> _Value:
        if sign in ("and", "or"):
            hint = f"`{sign}` stands between two conditions."
            one, other = (self.require(each, "boolean", at, hint).expression for each in (left, right))
            return _Value(one & other if sign == "and" else one | other, "boolean", None)
        if sign in COMPARISONS:
            return self._comparison(sign, left, right, at)
        if sign == "+" and left.kind == right.kind == "text":
            from pyarrow import compute

            joined = compute.binary_join_element_wise(left.expression, right.expression, "")
            return _Value(joined, "text", left.type)
        one, other = (self.require(each, "number", at, f"{sign!r} stands between numbers.") for each in (left, right))
        return _arithmetic(sign, one, other)

    def _comparison(self, sign: str, left: _Value, right: _Value, at: int) -> _Value:
        if left.kind == "unknown":
            left = self.require(left, right.kind if right.kind in _WRITTEN and right.kind != "datetime" else "text", at)
        if right.kind == "unknown":
            right = self.require(right, left.kind if left.kind != "datetime" else "text", at)
        kinds = {left.kind, right.kind}
        if len(kinds) > 1 or kinds == {"other"}:
            raise FilterError(self.text, at, self._apart(left, right), _meant(kinds))
        if self.negations or sign == "!=":
            self.prunable &= not (_may_be_nan(left) or _may_be_nan(right))
        one, other = _same_clock(left, right)
        return _Value(
            {
                "==": one == other,
                "!=": one != other,
                "<": one < other,
                "<=": one <= other,
                ">": one > other,
                ">=": one >= other,
            }[sign],
            "boolean",
            None,
        )

    def _apart(self, left: _Value, right: _Value) -> str:
        one, other = (_WRITTEN.get(each.kind, f"a value of the type {each.type}") for each in (left, right))
        return f"{one} is compared with {other}"


def _meant(kinds: set[str]) -> str | None:
    if kinds == {"text", "datetime"}:
        return "A moment is written datetime(2020, 1, 31)."
    if kinds == {"text", "number"}:
        return "Texts are in quotes and numbers are not; `convert_column_types` gives a column another type."
    return "`convert_column_types` gives a column another type."


def _same_clock(left: _Value, right: _Value) -> tuple[Expression, Expression]:
    """Moments with and without a time zone compare as UTC."""
    import pyarrow

    def naive(value: _Value) -> Expression:
        if value.kind == "datetime" and (getattr(value.type, "tz", None) or pyarrow.types.is_date(value.type)):
            return value.expression.cast(pyarrow.timestamp("us"))
        return value.expression

    return naive(left), naive(right)


def _arithmetic(sign: str, left: _Value, right: _Value) -> _Value:
    """As Python reckons; a division by nothing is unknown, as if the value were missing."""
    import pyarrow
    from pyarrow import compute

    one, other = left.expression, right.expression
    whole = pyarrow.types.is_integer(left.type) and pyarrow.types.is_integer(right.type)
    kept = pyarrow.int64() if whole else pyarrow.float64()
    one, other = one.cast(kept), other.cast(kept)
    if sign in "+-*":
        call = {"+": compute.add, "-": compute.subtract, "*": compute.multiply}[sign]
        return _Value(call(one, other), "number", kept)
    if sign == "**":
        result = compute.power(one.cast(pyarrow.float64()), other.cast(pyarrow.float64()))
        return _Value(result, "number", pyarrow.float64())
    divisor = compute.if_else(other == 0, pyarrow.scalar(None, kept), other)
    if sign == "/":
        quotient = compute.divide(one.cast(pyarrow.float64()), divisor.cast(pyarrow.float64()))
        return _Value(quotient, "number", pyarrow.float64())
    quotient = compute.divide(one, divisor)
    if whole:
        rest = compute.subtract(one, compute.multiply(quotient, divisor))
        down = (rest != 0) & ((rest < 0) != (divisor < 0))
        quotient = compute.if_else(down, compute.subtract(quotient, 1), quotient)
    else:
        quotient = compute.floor(quotient)
    if sign == "//":
        return _Value(quotient, "number", kept)
    return _Value(compute.subtract(one, compute.multiply(quotient, divisor)), "number", kept)
