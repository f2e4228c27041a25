"""The types of the columns of a text file, by a sample of its rows, as MLTable finds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime

from store.tabular.conversion import DAY_FIRST, FALSE, INTEGER, MOMENT, MONTH_FIRST, NUMBER, TRUE

KINDS = ("boolean", "int", "float", "moment", "month_first", "day_first", "string")


def _fits(value: str, formats: Iterable[str]) -> bool:
    for each in formats:
        try:
            datetime.strptime(value, each)
        except ValueError:
            continue
        return True
    return False


_TESTS: dict[str, Callable[[str], bool]] = {
    "boolean": lambda value: value.strip() in TRUE or value.strip() in FALSE,
    "int": lambda value: re.match(INTEGER, value) is not None,
    "float": lambda value: re.match(NUMBER, value) is not None,
    "moment": lambda value: re.match(MOMENT, value) is not None,
    "month_first": lambda value: _fits(value, MONTH_FIRST),
    "day_first": lambda value: _fits(value, DAY_FIRST),
}


def kind_of(values: Iterable[str | None]) -> tuple[str, bool]:
    """The kind of a column by some of its values, and whether day and month cannot be told apart (then it is text)."""
    known = [value for value in values if value is not None]
    if not known:
        return "string", False
    fitting = [kind for kind, test in _TESTS.items() if all(test(value) for value in known)]
    if "month_first" in fitting and "day_first" in fitting:
        return "string", True
    return (fitting or ["string"])[0], False


def column_names(header: list[str | None]) -> list[str]:
    """Names for columns: blanks around them go, an empty one is numbered, a second of the same gets a number too."""
    names: list[str] = []
    for number, given in enumerate(header, 1):
        name = (given or "").strip() or f"Column{number}"
        unique, count = name, 0
        while unique in names:
            count += 1
            unique = f"{name}_{count}"
        names.append(unique)
    return names
