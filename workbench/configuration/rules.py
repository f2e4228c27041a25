"""What a setting may be: each rule takes a value from the file or a text from the environment, or says why not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

Place = tuple[str | int, ...]
"""Where inside a value something is wrong: empty for the value itself."""

TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")


class RefusedError(Exception):
    """A value is not what it has to be; ``inside`` says which part of it."""

    def __init__(self, message: str, hint: str | None = None, inside: Place = ()) -> None:
        super().__init__(message)
        self.message, self.hint, self.inside = message, hint, inside


class Rule(Protocol):
    """What a value may be."""

    def take(self, value: Any) -> Any:
        """The value as the program uses it. Raises RefusedError."""

    def parse(self, text: str) -> Any:
        """The same for what an environment variable holds."""


class Text:
    """A text."""

    def __init__(self, what: str, *, empty: bool = False) -> None:
        self.what, self.empty = what, empty

    def take(self, value: Any) -> str:
        """The text, blanks around it left out."""
        if not isinstance(value, str):
            raise RefusedError(f"expected {self.what} in quotes, got {described(value)}")
        if not value.strip() and not self.empty:
            raise RefusedError(f"expected {self.what}, got an empty text", "Leave the key out for the default.")
        return value.strip()

    def parse(self, text: str) -> str:
        """As ``take``."""
        return self.take(text)


class OneOf:
    """One word of several."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def take(self, value: Any) -> str:
        """The word."""
        if value in self.words:
            return str(value)
        raise refusal_of_word(value, self.words)

    def parse(self, text: str) -> str:
        """As ``take``, in any case."""
        return self.take(text.strip().casefold())


class Boolean:
    """Yes or no."""

    def take(self, value: Any) -> bool:
        """The truth value."""
        if isinstance(value, bool):
            return value
        hint = f"Without quotes: {value.casefold()}" if isinstance(value, str) and value.casefold() in _WORDS else None
        raise RefusedError(f"expected true or false, got {described(value)}", hint)

    def parse(self, text: str) -> bool:
        """The words that programs take for it."""
        word = text.strip().casefold()
        if word in (*TRUE, *FALSE):
            return word in TRUE
        raise RefusedError(f"expected true or false, got {text!r}")


_WORDS = ("true", "false")


class AutoOrBoolean:
    """``"auto"``, true or false; auto is None."""

    def take(self, value: Any) -> bool | None:
        """The truth value, or None."""
        if value == "auto":
            return None
        if isinstance(value, bool):
            return value
        raise RefusedError(f'expected "auto", true or false, got {described(value)}')

    def parse(self, text: str) -> bool | None:
        """The same words as for a truth value, and auto."""
        return None if text.strip().casefold() == "auto" else Boolean().parse(text)


class Number:
    """A number between two others."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def take(self, value: Any) -> float:
        """The number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise RefusedError(f"expected a number from {self.low:g} to {self.high:g}, got {described(value)}")
        if not self.low <= value <= self.high:
            raise RefusedError(f"expected a number from {self.low:g} to {self.high:g}, got {value:g}")
        return float(value)

    def parse(self, text: str) -> float:
        """The number that a text spells."""
        try:
            number: float | str = float(text)
        except ValueError:
            number = text
        return self.take(number)


class Texts:
    """A list of texts, or one alone."""

    def __init__(self, what: str) -> None:
        self.what = what

    def take(self, value: Any) -> tuple[str, ...]:
        """All texts."""
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            raise RefusedError(f"expected {self.what}, got {described(value)}")
        for number, each in enumerate(value):
            if not isinstance(each, str) or not each.strip():
                raise RefusedError(f"expected a text, got {described(each)}", inside=(number,))
        return tuple(each.strip() for each in value)

    def parse(self, text: str) -> tuple[str, ...]:
        """The texts between commas."""
        return self.take([each for each in text.split(",") if each.strip()])


class TextTable:
    """Texts by name; ``joined`` makes one text of a list, and lets a name have dots without quotes."""

    def __init__(self, what: str, joined: str = "") -> None:
        self.what, self.joined = what, joined

    def take(self, value: Any) -> dict[str, str]:
        """The texts by their names. Raises RefusedError for the first that is none."""
        return {name: self.entry(each, inside) for name, each, inside in self.entries(value)}

    def entries(self, value: Any, inside: Place = ()) -> Iterator[tuple[str, Any, Place]]:
        """Name, value and place of each text."""
        if not isinstance(value, dict):
            raise RefusedError(f"expected a table of names, got {described(value)}")
        for name, each in value.items():
            place = (*inside, name)
            if self.joined and isinstance(each, dict):
                yield from self.entries(each, place)
            else:
                yield ".".join(map(str, place)), each, place

    def entry(self, value: Any, inside: Place) -> str:
        """One text of the table."""
        if self.joined and isinstance(value, list) and value and all(isinstance(each, str) for each in value):
            value = self.joined.join(value)
        if not isinstance(value, str) or not value.strip():
            raise RefusedError(f"expected {self.what}, got {described(value)}", inside=inside)
        return value.strip()

    def parse(self, text: str) -> dict[str, str]:
        """A table has no environment variable."""
        raise RefusedError(f"a table cannot be given as a text: {text!r}")


def described(value: Any) -> str:
    """What a value is, in words."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return repr(value) if value.strip() else "an empty text"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
    return f"{value}"


def refusal_of_word(value: Any, words: Iterable[str], what: str = "one of") -> RefusedError:
    """What to say of a word that is none of those that are known: the nearest first."""
    from store.specs.nearest import suggestion

    known = list(words)
    if not isinstance(value, str):
        return RefusedError(f"expected {what} {', '.join(known)}, got {described(value)}")
    return RefusedError(f"there is no {value!r} here", suggestion(value, known, introduction="Allowed"))
