"""The language that narrows a list of jobs: ``state:failed exp:iris metric.accuracy>0.9 since:2d tag:x=y text``.

Terms stand side by side and all have to hold; ``-`` before a term turns it round, commas give alternatives, quotes keep
blanks together. A word without a key is looked for in name, display name and experiment.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from store.errors import UsageError

KEYS = {
    "state": "a job state, or its beginning: state:failed, state:run,queue",
    "exp": "part of an experiment's name: exp:iris",
    "name": "part of a job's name or display name",
    "type": "a kind of job: type:command",
    "compute": "part of a compute's name",
    "tag": "tag:key, or tag:key=value",
    "since": "submitted within: since:2d, since:12h, since:2026-11-01",
    "before": "submitted before: before:2d, before:2026-11-01",
    "duration": "how long it ran: duration>10m, duration<1h30m",
    "metric": "the last value of a metric: metric.accuracy>0.9, metric.loss=nan",
    "param": "a parameter: param.lr=0.1, param.model=mlp,cnn",
    "cause": "why it failed: cause:memory",
    "parent": "the children of a job: parent:NAME",
    "archived": "archived:yes (both), archived:only",
    "sort": "sort:name, sort:-duration, sort:age, sort:-metric.accuracy",
}
ALIASES = {
    "status": "state",
    "is": "state",
    "experiment": "exp",
    "kind": "type",
    "dur": "duration",
    "tags": "tag",
    "metrics": "metric",
    "params": "param",
    "parameter": "param",
}
SORTS = ("created", "name", "experiment", "state", "duration", "compute", "type")
OPERATORS = (">=", "<=", "!=", ">", "<", "=", ":")
STATES = (
    *("Completed", "Failed", "Canceled", "Running", "Queued", "Preparing"),
    *("NotStarted", "Finalizing", "CancelRequested"),
)
"""In the order in which a beginning is completed."""
EQUALITY = (":", "=", "!=")
"""Operators that take alternatives."""
UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}

_TOKEN = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+|["']""")
_TERM = re.compile(r"(-?)([A-Za-z_]+)(?:\.((?:[^\s><=!:\"']|\"[^\"]*\"|'[^']*')+))?(>=|<=|!=|>|<|=|:)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. ``name`` is what follows the dot of ``metric.`` and ``param.``; an empty ``key`` is a bare word.

    ``values`` are alternatives; ``number`` is the first as a number, in seconds where it is a time or a duration.
    """

    key: str
    operator: str = ":"
    values: tuple[str, ...] = ()
    name: str = ""
    negated: bool = False
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a list; ``metric`` is a metric's name where ``key`` is ``metric``."""

    key: str = "created"
    descending: bool = True
    metric: str = ""

    def __str__(self) -> str:
        name = f"metric.{self.metric}" if self.key == "metric" else self.key
        return f"{'-' if self.descending else ''}{name}"


@dataclass(frozen=True, slots=True)
class JobFilter:
    """A filter that was understood."""

    terms: tuple[Term, ...] = ()
    sort: Sort | None = None


class FilterError(UsageError):
    """A filter that cannot be understood; ``column`` counts from 1."""

    def __init__(self, message: str, column: int, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.column = column


def parse(text: str, now: Callable[[], float] = time.time) -> JobFilter:
    """Understand a filter. Raises FilterError, which names the place and the nearest right word."""
    terms: list[Term] = []
    sort: Sort | None = None
    for token in _TOKEN.finditer(text):
        column, word = token.start() + 1, token.group()
        if word in ("'", '"'):
            raise FilterError(f"column {column}: a quote that is not closed", column, f"Close it with another {word}.")
        found = _TERM.fullmatch(word)
        if found is None:
            negated = word.startswith("-") and len(word) > 1
            terms.append(Term("", values=(_bare(word.removeprefix("-") if negated else word),), negated=negated))
            continue
        key = _key(found[2], column)
        if key == "sort":
            sort = parse_sort(_bare(found[5]), column)
        else:
            terms.append(_term(found, key, column, now))
    return JobFilter(tuple(terms), sort)


def parse_sort(text: str, column: int = 1) -> Sort:
    """An order such as ``-duration``. Raises FilterError."""
    descending, key = text.startswith("-"), text.removeprefix("-")
    if key.startswith("metric.") and len(key) > len("metric."):
        return Sort("metric", descending, key.removeprefix("metric."))
    key = {"exp": "experiment", "status": "state", "dur": "duration", "kind": "type"}.get(key, key)
    if key == "age":  # the youngest was submitted last
        return Sort("created", not descending)
    if key not in SORTS:
        raise FilterError(
            f"column {column}: no order {text!r}", column, _nearest(key, [*SORTS, "metric.NAME"], "Orders")
        )
    return Sort(key, descending)


def _term(found: re.Match[str], key: str, column: int, now: Callable[[], float]) -> Term:
    negated, name, operator, raw = found[1] == "-", _bare(found[3] or ""), found[4], found[5]
    values = tuple(_bare(value) for value in _alternatives(raw))
    if not any(values):
        raise FilterError(f"column {column}: {found[2]}{operator} needs a value", column, f"{key}: {KEYS[key]}")
    if key in ("metric", "param") and not name:
        raise FilterError(f"column {column}: which {key}?", column, f"{key}: {KEYS[key]}")
    if len(values) > 1 and (key in ("since", "before", "duration") or operator not in EQUALITY):
        raise FilterError(f"column {column}: {found[2]} takes one value here", column, f"{key}: {KEYS[key]}")
    if operator not in (":", "=") and key not in ("metric", "param", "duration"):
        if operator != "!=":
            raise FilterError(f"column {column}: {key} is not compared", column, f"{key}: {KEYS[key]}")
        operator, negated = ":", not negated
    number: float | None = None
    match key:
        case "state":
            values = tuple(_state(value, column) for value in values)
        case "since" | "before":
            number = _moment(values[0], now(), column, key)
        case "duration":
            number = _seconds(values[0], column)
        case "metric":
            number, *_ = (_number(value, column, operator) for value in values)
        case "param":
            number = _maybe_number(values[0])
        case "archived":
            if values[0] not in ("yes", "only", "no"):
                raise FilterError(f"column {column}: archived:{values[0]}", column, f"archived: {KEYS['archived']}")
    return Term(key, operator, values, name, negated, number)


def _key(word: str, column: int) -> str:
    key = ALIASES.get(word.casefold(), word.casefold())
    if key not in KEYS:
        raise FilterError(f"column {column}: no key {word!r}", column, _nearest(key, [*KEYS, *ALIASES], "Keys"))
    return key


def _nearest(word: str, known: list[str], title: str) -> str:
    close = get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"{title}: {', '.join(known)}."


def _alternatives(raw: str) -> list[str]:
    return re.findall(r"(?:[^,\"']|\"[^\"]*\"|'[^']*')+", raw) or [""]


def _bare(word: str) -> str:
    """A word without the quotes around its parts."""
    return re.sub(r"\"([^\"]*)\"|'([^']*)'", lambda found: found[1] if found[1] is not None else found[2], word)


def _state(word: str, column: int) -> str:
    given = word.casefold().replace("_", "").replace(" ", "").replace("cancelled", "canceled")
    for state in STATES:
        if given and state.casefold().startswith(given):
            return state
    raise FilterError(f"column {column}: no state {word!r}", column, _nearest(word, list(STATES), "States"))


def _moment(word: str, now: float, column: int, key: str) -> float:
    try:
        return datetime.fromisoformat(word).timestamp()
    except ValueError:
        pass
    try:
        return now - _seconds(word, column)
    except FilterError as error:
        raise FilterError(f"column {column}: {key}:{word} is no time", column, f"{key}: {KEYS[key]}") from error


def _seconds(word: str, column: int) -> float:
    parts = re.findall(r"(\d+(?:\.\d+)?) *([a-z]*)", word.casefold())
    given = "".join(f"{number}{unit}" for number, unit in parts)
    units = [UNITS.get(unit or "s") for _, unit in parts]
    if not parts or given != word.casefold().replace(" ", "") or None in units:
        raise FilterError(
            f"column {column}: {word!r} is no length of time", column, "Expected such as 90s, 10m, 1h30m, 3d, 1w."
        )
    return sum(float(number) * (unit or 0.0) for (number, _), unit in zip(parts, units, strict=True))


def _number(word: str, column: int, operator: str) -> float:
    number = _maybe_number(word)
    if number is None:
        raise FilterError(f"column {column}: {word!r} is no number", column, KEYS["metric"])
    if math.isnan(number) and operator not in EQUALITY:
        raise FilterError(f"column {column}: NaN is neither more nor less", column, KEYS["metric"])
    return number


def _maybe_number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
