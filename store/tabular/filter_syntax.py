"""The language of ``filter``: ``col('a') > 1 and not b == 'x'`` taken apart, in the signs and rules of MLTable.

It looks like Python and is a small part of it. What Azure ML's own reader accepts and then answers wrongly, such as
``1 < a < 3``, is refused here, with the column of the fault and the way to write it.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from store.errors import UsageError

MAX_DEPTH = 40
MAX_CHAIN = 100

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>0[xX][0-9a-fA-F]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<text>[rR]?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))
  | (?P<name>[^\W\d]\w*)
  | (?P<sign>\*\*|//|==|!=|<=|>=|<>|&&|\|\||[-+*/%()<>,.=&|~!^\[\];:\#])
    """,
    re.VERBOSE,
)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_CONSTANTS = {"True": True, "False": False}
_INSTEAD = {
    "&": "Write `and`.",
    "&&": "Write `and`.",
    "|": "Write `or`.",
    "||": "Write `or`.",
    "~": "Write `not`.",
    "!": "Write `not`.",
    "=": "Two values are compared by `==`.",
    "<>": "Write `!=`.",
    "in": "Write one comparison for each value: `a == 1 or a == 2`.",
    "is": "Missing values cannot be asked for: every comparison with one is unknown, and drops the row.",
    "if": "Write it with `and` and `or`.",
}
SUPPORTED = "Supported: comparisons, `and`, `or`, `not`, + - * / // % **, parentheses, col('name'), datetime(...), "
SUPPORTED += "name.startswith('text')."


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, a truth value or a moment."""

    value: bool | int | float | str | datetime
    at: int


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a column."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Unary:
    """``not``, or a sign before a number."""

    sign: str
    operand: Node
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Two values and what is between them."""

    sign: str
    left: Node
    right: Node
    at: int


@dataclass(frozen=True, slots=True)
class StartsWith:
    """Whether a text begins with another."""

    operand: Node
    prefix: str
    at: int


Node = Literal | Column | Unary | Binary | StartsWith


class FilterError(UsageError):
    """A condition that cannot be used; ``column`` counts from 1."""

    def __init__(self, text: str, at: int, message: str, hint: str | None = None) -> None:
        super().__init__(f"filter, column {at + 1}: {message}: {text!r}", hint=hint or SUPPORTED)
        self.column, self.why = at + 1, message


def parse(text: str) -> Node:
    """Take a condition apart. Raises FilterError."""
    return _Parser(text).whole()


def columns_of(node: Node) -> frozenset[str]:
    """The columns that a condition reads."""
    match node:
        case Column(name):
            return frozenset({name})
        case Binary(_, left, right):
            return columns_of(left) | columns_of(right)
        case Unary(_, operand) | StartsWith(operand):
            return columns_of(operand)
    return frozenset()


def _joined(word: str, parts: list[Node], places: list[int]) -> Node:
    """A chain of ``and`` or ``or`` as a tree that is flat, however long the chain; ``places[i]`` is before part i."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    left, right = _joined(word, parts[:half], places[:half]), _joined(word, parts[half:], places[half:])
    return Binary(word, left, right, places[half])


class _Parser:
    """By descent, a method for each rank of operators, the loosest first."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
        self.next = 0
        self.depth = 0

    def _tokens(self) -> list[tuple[str, str, int]]:
        found, at = [], 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                hint = "The text is not closed." if self.text[at] in "'\"" else None
                self.refuse(at, f"{self.text[at]!r} cannot stand here", hint)
            if match.lastgroup != "space":
                found.append((str(match.lastgroup), match[0], at))
            at = match.end()
        return [*found, ("end", "", len(self.text))]

    def refuse(self, at: int, message: str, hint: str | None = None) -> NoReturn:
        raise FilterError(self.text, at, message, hint)

    @property
    def kind(self) -> str:
        return self.tokens[self.next][0]

    @property
    def word(self) -> str:
        return self.tokens[self.next][1] if self.kind in ("sign", "name") else ""

    @property
    def at(self) -> int:
        return self.tokens[self.next][2]

    def take(self) -> str:
        self.next += 1
        return self.tokens[self.next - 1][1]

    def expect(self, sign: str) -> None:
        if self.word != sign:
            self.unexpected(f"expected {sign!r}, found ")
        self.take()

    def unexpected(self, before: str = "cannot read ") -> NoReturn:
        if self.kind == "end":
            self.refuse(self.at, "the condition ends too early" if self.text.strip() else "the condition is empty")
        found = self.tokens[self.next][1]
        self.refuse(self.at, f"{before}{found!r}", _INSTEAD.get(found))

    def limit(self, chain: list[Any]) -> None:
        if len(chain) > MAX_CHAIN:
            self.refuse(self.at, f"more than {MAX_CHAIN} operators in a row", "Write it in fewer.")

    def whole(self) -> Node:
        node = self.either()
        if self.kind != "end":
            if self.word == "not" and self.tokens[self.next + 1][1] == "in":
                self.refuse(self.at, "cannot read 'not in'", _INSTEAD["in"])
            self.unexpected()
        return node

    def either(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse(self.at, "too many parentheses inside each other", "Write it in fewer.")
        parts, places = [self.both()], [self.at]
        while self.word == "or":
            places.append(self.at)
            self.take()
            parts.append(self.both())
        self.depth -= 1
        return _joined("or", parts, places)

    def both(self) -> Node:
        parts, places = [self.negation()], [self.at]
        while self.word == "and":
            places.append(self.at)
            self.take()
            parts.append(self.negation())
        return _joined("and", parts, places)

    def negation(self) -> Node:
        before: list[int] = []
        while self.word == "not":
            before.append(self.at)
            self.limit(before)
            self.take()
        node = self.comparison()
        for at in reversed(before):
            node = Unary("not", node, at)
        return node

    def comparison(self) -> Node:
        node = self.sum()
        if self.word in COMPARISONS:
            at = self.at
            node = Binary(self.take(), node, self.sum(), at)
            if self.word in COMPARISONS:
                hint = "Write two comparisons: `1 < a and a < 3`."
                self.refuse(self.at, "a comparison of a comparison", hint)
        return node

    def sum(self) -> Node:
        node, chain = self.product(), [0]
        while self.word in ("+", "-"):
            at = self.at
            chain.append(at)
            self.limit(chain)
            node = Binary(self.take(), node, self.product(), at)
        return node

    def product(self) -> Node:
        node, chain = self.signed(), [0]
        while self.word in ("*", "/", "//", "%"):
            at = self.at
            chain.append(at)
            self.limit(chain)
            node = Binary(self.take(), node, self.signed(), at)
        return node

    def signed(self) -> Node:
        before: list[tuple[str, int]] = []
        while self.word in ("+", "-"):
            at = self.at
            before.append((self.take(), at))
            self.limit(before)
        node = self.power()
        for sign, at in reversed(before):
            node = Unary(sign, node, at) if sign == "-" else node
        return node

    def power(self) -> Node:
        node = self.value()
        if self.word == "**":
            at = self.at
            self.take()
            node = Binary("**", node, self.signed_power(), at)
        return node

    def signed_power(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse(self.at, "too many powers of powers", "Write it in fewer.")
        node = self.signed()
        self.depth -= 1
        return node

    def value(self) -> Node:
        at = self.at
        if self.kind == "number":
            return self.method(Literal(self.number(), at))
        if self.kind == "text":
            return self.method(Literal(self.quoted(), at))
        if self.word == "(":
            self.take()
            node = self.either()
            self.expect(")")
            return self.method(node)
        if self.kind == "name" and self.word not in ("and", "or", "not", "in", "is", "if", "else", "lambda"):
            return self.method(self.named(at))
        return self.unexpected()

    def number(self) -> int | float:
        at, text = self.at, self.take()
        try:
            value = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            self.refuse(at, f"{text!r} is no number")
        if isinstance(value, int) and value >= 1 << 63:
            self.refuse(at, f"the number {text[:20]} is too large", "At most 64 bits.")
        return float(value) if isinstance(value, float) else int(value)

    def quoted(self) -> str:
        at, text = self.at, self.take()
        try:
            value = str(ast.literal_eval(text))
            value.encode()
        except (SyntaxError, ValueError) as error:
            self.refuse(at, f"{text!r} is no text: {error}")
        return value

    def named(self, at: int) -> Node:
        name = self.take()
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name], at)
        if name == "None":
            hint = "Missing values cannot be asked for: every comparison with one is unknown, and drops the row."
            self.refuse(at, "nothing compares with None", hint)
        if self.word != "(":
            return Column(name, at)
        if name not in ("col", "datetime"):
            self.refuse(at, f"there is no function {name!r}")
        self.take()
        if name == "col":
            if self.kind != "text":
                self.refuse(self.at, "col() takes the name of a column in quotes", "Write `col('name')`.")
            node: Node = Column(self.quoted(), at)
            self.expect(")")
            return node
        return Literal(self.moment(at), at)

    def moment(self, at: int) -> datetime:
        numbers: list[int] = []
        while self.word != ")":
            place = self.at
            if self.kind != "number" or not isinstance(number := self.number(), int):
                self.refuse(place, "datetime() takes whole numbers", "Write `datetime(2020, 1, 31)`.")
            numbers.append(number)
            if self.word != ")":
                self.expect(",")
        self.take()
        if not 3 <= len(numbers) <= 7:
            hint = "Write `datetime(2020, 1, 31)` or `datetime(2020, 1, 31, 23, 59, 59)`."
            self.refuse(at, "datetime() takes year, month and day at least", hint)
        try:
            return datetime(*numbers)  # type: ignore[arg-type]
        except (ValueError, OverflowError) as error:
            self.refuse(at, f"there is no such moment: {error}")

    def method(self, node: Node) -> Node:
        while self.word in (".", "["):
            at = self.at
            if self.take() == "[":
                self.refuse(at, "parts of a value cannot be asked for")
            name = self.take() if self.kind == "name" else self.unexpected()
            if name not in ("startswith", "starts_with"):
                self.refuse(at, f"there is no method {name!r}")
            self.expect("(")
            if self.kind != "text":
                self.refuse(self.at, "startswith() takes a text in quotes")
            node = StartsWith(node, self.quoted(), at)
            self.expect(")")
        return node
