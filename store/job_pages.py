"""Lists of jobs a page at a time, by key: ten jobs and a hundred thousand open equally fast.

Where a filter or an order speaks of metrics or parameters, ``mlflow.db`` has to be attached as ``tracking``; where it
is, tags that a job was given while it ran are found too.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from store.job_filter import JobFilter, Sort, Term
from store.jobs import VALID_DOCUMENT
from store.main_metric import main_metric

Value = str | float | int | None
Key = tuple[Value, ...]
"""Where a row stands in an order: the sort's value, then what tells equal ones apart."""

LISTED = (
    "id",
    "name",
    "display_name",
    "experiment_name",
    "type",
    "status",
    "compute",
    "created_at",
    "started_at",
    "ended_at",
    "parent_job_name",
    "archived",
)
SORT_VALUES = {
    "created": "root.id",
    "name": "coalesce(nullif(root.display_name, ''), root.name)",  # as a list shows it
    "experiment": "root.experiment_name",
    "state": "root.status",
    "duration": "coalesce(coalesce(root.ended_at, :now) - root.started_at, -1)",
    "compute": "root.compute",
    "type": "root.type",
    "metric": (
        "coalesce((SELECT CASE WHEN is_nan THEN NULL ELSE value END FROM tracking.latest_metrics"
        " WHERE run_uuid = root.name AND key = :sort_metric), :no_metric)"
    ),
}
VALID_CAUSE = "CASE WHEN json_valid(job.cause) THEN job.cause END"
CAUSE = (f"json_extract({VALID_CAUSE}, '$.code')", f"json_extract({VALID_CAUSE}, '$.message')")
UNREADABLE = " || ".join(
    f"iif(json_type(iif(json_valid(job.{column}), job.{column}, 0)) = 'object', '', '{column} ')"
    for column in ("document", "source")
) + "".join(
    f" || iif(job.{column} IS NULL OR json_valid(job.{column}), '', '{column} ')"
    for column in ("environment", "inputs", "outputs", "cause")
)
"""The columns of a row that hold no JSON: for the few rows of a page."""
NUMERIC = "(value GLOB '[-+.0-9]*[0-9.]' AND value NOT GLOB '*[^-+.0-9eE]*' OR value GLOB '[0-9]')"
LARGEST = 1.7976931348623157e308


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as a list shows it. ``children`` counts them; ``key`` is its place in the order asked for.

    ``unreadable`` names the columns of its row that hold no JSON.
    """

    id: int
    name: str
    display_name: str
    experiment_name: str
    type: str
    status: str
    compute: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    parent_job_name: str | None
    archived: bool
    children: int
    key: Key
    unreadable: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it ran, or has run so far."""
        if self.started_at is None:
            return None
        return max(0.0, (self.ended_at or time.time()) - self.started_at)


@dataclass(frozen=True, slots=True)
class JobList:
    """Which jobs, in which order. Children show under the parents in ``unfolded``, and where the filter asks."""

    filter: JobFilter = field(default_factory=JobFilter)
    sort: Sort = field(default_factory=Sort)
    unfolded: frozenset[str] = frozenset()

    @property
    def folds(self) -> bool:
        """Whether children stand under their parents; a filter is held against every job alike."""
        return not any(term.key != "archived" for term in self.filter.terms)

    @property
    def order(self) -> Sort:
        """The order that holds: the filter's own goes first."""
        return self.filter.sort or self.sort


def page(
    connection: sqlite3.Connection, wanted: JobList, limit: int, after: Key | None = None, *, backwards: bool = False
) -> list[JobRow]:
    """The rows behind a place in the order; from the beginning where there is none.

    ``backwards`` gives those before it (the last ones where there is no place), still in the list's order.
    """
    source, where, values = _source(connection, wanted)
    order = _order(wanted)
    clauses = [where] if where else []
    if after is not None:
        clauses.append(_behind(order, after, values, backwards=backwards))
    columns = ", ".join(f"job.{column}" for column in LISTED)
    keys = ", ".join(expression for expression, _ in order)
    directions = ", ".join(f"{term} {'DESC' if down != backwards else 'ASC'}" for term, down in order)
    children = "(SELECT count(*) FROM job AS child WHERE child.parent_job_name = job.name)"
    rows = connection.execute(
        f"SELECT {columns}, {children}, {UNREADABLE}, {keys} FROM {source}"
        f"{' WHERE ' + ' AND '.join(clauses) if clauses else ''} ORDER BY {directions} LIMIT :limit",
        values | {"limit": limit},
    ).fetchall()
    if backwards:
        rows.reverse()
    return [_row(row) for row in rows]


def count(connection: sqlite3.Connection, wanted: JobList) -> int:
    """How many rows the list has."""
    source, where, values = _source(connection, wanted)
    found = connection.execute(f"SELECT count(*) FROM {source}{' WHERE ' + where if where else ''}", values)
    return int(found.fetchone()[0])


def listed(connection: sqlite3.Connection, wanted: JobList, names: Sequence[str]) -> frozenset[str]:
    """Which of some jobs are in the list."""
    source, where, values = _source(connection, wanted)
    clauses = [*([where] if where else []), f"job.name IN ({_named(values, 'listed', names)})"]
    rows = connection.execute(f"SELECT job.name FROM {source} WHERE {' AND '.join(clauses)}", values)
    return frozenset(str(row[0]) for row in rows)


def place(connection: sqlite3.Connection, wanted: JobList, key: Key) -> int:
    """How many rows stand before a place: the number of the row that is there."""
    source, where, values = _source(connection, wanted)
    before = _behind(_order(wanted), key, values, backwards=True)
    clauses = " AND ".join(filter(None, (where, before)))
    return int(connection.execute(f"SELECT count(*) FROM {source} WHERE {clauses}", values).fetchone()[0])


def key_of(connection: sqlite3.Connection, wanted: JobList, name: str) -> Key | None:
    """The place of a job, be it in the list or not; None where there is no such job."""
    source, _, values = _source(connection, wanted)
    keys = ", ".join(expression for expression, _ in _order(wanted))
    row = connection.execute(f"SELECT {keys} FROM {source} WHERE job.name = :name", values | {"name": name}).fetchone()
    return tuple(row) if row else None


def key_at(connection: sqlite3.Connection, wanted: JobList, number: int) -> Key | None:
    """The place of the row of a number, for a scroll bar that is dragged; None behind the end."""
    source, where, values = _source(connection, wanted)
    order = _order(wanted)
    keys = ", ".join(expression for expression, _ in order)
    directions = ", ".join(f"{term} {'DESC' if down else 'ASC'}" for term, down in order)
    row = connection.execute(
        f"SELECT {keys} FROM {source}{' WHERE ' + where if where else ''} ORDER BY {directions} LIMIT 1 OFFSET :number",
        values | {"number": number},
    ).fetchone()
    return tuple(row) if row else None


def main_metrics(
    tracking: sqlite3.Connection, names: Sequence[str], asked: str | None = None, patterns: Sequence[str] = ()
) -> dict[str, tuple[str, float]]:
    """The main metric of each of some jobs, its name and last value; ``asked`` goes before it."""
    if not names:
        return {}
    found: dict[str, dict[str, float]] = {}
    marks = ", ".join("?" * len(names))
    for run, key, value, is_nan in tracking.execute(
        f"SELECT run_uuid, key, value, is_nan FROM latest_metrics WHERE run_uuid IN ({marks})", tuple(names)
    ):
        found.setdefault(run, {})[key] = float("nan") if is_nan else value
    chosen: dict[str, tuple[str, float]] = {}
    for run, values in found.items():
        name = asked if asked in values else main_metric(values, {}, patterns)
        if name is not None:
            chosen[run] = (name, values[name])
    return chosen


def experiments(connection: sqlite3.Connection, limit: int = 200) -> list[str]:
    """Names of experiments, for completion; found by leaping from one to the next in their index."""
    names: list[str] = []
    name = ""
    while len(names) < limit:
        row = connection.execute("SELECT min(experiment_name) FROM job WHERE experiment_name > ?", (name,)).fetchone()
        if row[0] is None:
            break
        name = str(row[0])
        names.append(name)
    return names


def _row(row: sqlite3.Row) -> JobRow:
    listed = len(LISTED)
    values = dict(zip(LISTED, row[:listed], strict=True))
    return JobRow(
        **{**values, "archived": bool(values["archived"])},
        children=row[listed],
        unreadable=row[listed + 1].strip().replace(" ", ", "),
        key=tuple(row[listed + 2 :]),
    )


def _source(connection: sqlite3.Connection, wanted: JobList) -> tuple[str, str, dict[str, Value]]:
    """What to select from (``job``, and ``root``: the parent under which it stands, or itself), where, and values."""
    order = wanted.order
    values: dict[str, Value] = {"now": time.time()}
    if order.key == "metric":
        values |= {"sort_metric": order.metric, "no_metric": -LARGEST if order.descending else LARGEST}
    tracked = any(term.key == "tag" for term in wanted.filter.terms) and _is_tracked(connection)
    clauses = _where(wanted.filter, values, tracked=tracked)
    if not wanted.folds:
        return "job AS job", " AND ".join(clauses), values
    if not wanted.unfolded:
        return "job AS job", " AND ".join([*clauses, "job.parent_job_name IS NULL"]), values
    marks = _named(values, "unfolded", sorted(wanted.unfolded))
    clauses.append(f"(job.parent_job_name IS NULL OR job.parent_job_name IN ({marks}))")
    return (
        "job AS job JOIN job AS root ON root.name = coalesce(job.parent_job_name, job.name)",
        " AND ".join(clauses),
        values,
    )


def _order(wanted: JobList) -> list[tuple[str, bool]]:
    """Expressions and whether each goes down."""
    order = wanted.order
    terms = [(SORT_VALUES[order.key], order.descending)]
    if order.key != "created":
        terms.append(("root.id", True))
    if wanted.folds and wanted.unfolded:
        terms += [("(job.parent_job_name IS NOT NULL)", False), ("job.id", False)]
        return terms
    return [(expression.replace("root.", "job."), down) for expression, down in terms]


def _behind(order: Sequence[tuple[str, bool]], key: Key, values: dict[str, Value], *, backwards: bool) -> str:
    """The condition for rows behind a place, or before it."""
    alternatives: list[str] = []
    equal: list[str] = []
    for number, ((expression, down), value) in enumerate(zip(order, key, strict=True)):
        name = f"key_{number}"
        values[name] = value
        alternatives.append(" AND ".join([*equal, f"{expression} {'<' if down != backwards else '>'} :{name}"]))
        equal.append(f"{expression} = :{name}")
    if len(alternatives) == 1:
        return alternatives[0]
    return f"({' OR '.join(f'({each})' for each in alternatives)})"


def _is_tracked(connection: sqlite3.Connection) -> bool:
    """Whether ``mlflow.db`` is attached."""
    return any(row[1] == "tracking" for row in connection.execute("PRAGMA database_list"))


def _where(narrowed: JobFilter, values: dict[str, Value], *, tracked: bool) -> list[str]:
    clauses: list[str] = []
    archived = next((term.values[0] for term in narrowed.terms if term.key == "archived"), "no")
    if archived != "yes":
        clauses.append(f"job.archived = {int(archived == 'only')}")
    for number, term in enumerate(narrowed.terms):
        if term.key != "archived":
            clause = _clause(term, f"t{number}", values, tracked=tracked)
            clauses.append(f"NOT coalesce({clause}, 0)" if term.negated else clause)
    return clauses


def _clause(term: Term, name: str, values: dict[str, Value], *, tracked: bool) -> str:
    """One condition as SQL; what the user typed goes into ``values`` alone."""
    match term.key:
        case "state":
            return f"job.status IN ({_named(values, name, term.values)})"
        case "type":
            return f"job.type IN ({_named(values, name, term.values)})"
        case "parent":
            return f"job.parent_job_name IN ({_named(values, name, term.values)})"
        case "since" | "before":
            values[name] = term.number
            return f"job.created_at {'>=' if term.key == 'since' else '<'} :{name}"
        case "duration":
            values[name] = term.number
            return f"coalesce(job.ended_at, :now) - job.started_at {_compared(term)} :{name}"
        case "metric" | "param":
            return _tracked(term, name, values)
        case "tag":
            tags = enumerate(term.values)
            return _any(_tag(value, f"{name}_{number}", values, tracked=tracked) for number, value in tags)
        case "cause":
            return _contains(CAUSE, term, name, values)
        case "exp":
            return _contains(("job.experiment_name",), term, name, values)
        case "compute":
            return _contains(("job.compute",), term, name, values)
        case "name":
            return _contains(("job.name", "job.display_name"), term, name, values)
    return _contains(("job.name", "job.display_name", "job.experiment_name"), term, name, values)


def _compared(term: Term) -> str:
    return "=" if term.operator == ":" else term.operator


def _tracked(term: Term, name: str, values: dict[str, Value]) -> str:
    """A metric's last value, or a parameter, which is a number where it is compared with one."""
    values[f"{name}_key"] = term.name
    table, compared = ("latest_metrics", _metric) if term.key == "metric" else ("params", _parameter)
    clauses = [compared(term, text, f"{name}_{number}", values) for number, text in enumerate(term.values)]
    wanted = " AND ".join(clauses) if term.operator == "!=" else " OR ".join(clauses)
    return f"job.name IN (SELECT run_uuid FROM tracking.{table} WHERE key = :{name}_key AND ({wanted}))"


def _metric(term: Term, text: str, name: str, values: dict[str, Value]) -> str:
    number = float(text)
    if math.isnan(number):
        return f"is_nan = {int(term.operator != '!=')}"
    values[name] = max(-LARGEST, min(LARGEST, number))  # as MLflow writes infinities
    return f"(is_nan = 0 AND value {_compared(term)} :{name})"


def _parameter(term: Term, text: str, name: str, values: dict[str, Value]) -> str:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        values[name] = text
        return f"value {_compared(term)} :{name}"
    values[name] = number
    if term.operator == "!=":
        return f"NOT ({NUMERIC} AND CAST(value AS REAL) = :{name})"
    return f"({NUMERIC} AND CAST(value AS REAL) {_compared(term)} :{name})"


def _tag(value: str, name: str, values: dict[str, Value], *, tracked: bool) -> str:
    """A tag of the job's document; one that its run was given goes before it."""
    key, separator, wanted = value.partition("=")
    values[f"{name}_key"] = key
    same = is_same = ""
    if separator:
        values[name] = wanted
        same, is_same = f" AND CAST(value AS TEXT) = :{name}", f"value = :{name}"
    own = f"EXISTS (SELECT 1 FROM json_each({VALID_DOCUMENT}, '$.tags') WHERE key = :{name}_key{same})"
    if not tracked:
        return own
    given = f"FROM tracking.tags WHERE key = :{name}_key AND run_uuid = job.name"  # row by row: a page ends early
    return f"coalesce((SELECT {is_same or '1'} {given}), {own})"


def _contains(columns: Sequence[str], term: Term, name: str, values: dict[str, Value]) -> str:
    """Whether a column has a text in it, whatever its case; ``=`` wants the whole."""
    clauses: list[str] = []
    for number, value in enumerate(term.values):
        values[f"{name}_{number}"] = value
        for column in columns:
            if term.operator == "=":
                clauses.append(f"{column} = :{name}_{number}")
            else:
                clauses.append(f"instr(lower({column}), lower(:{name}_{number})) > 0")
    return _any(clauses)


def _any(clauses: Iterable[str]) -> str:
    return f"({' OR '.join(clauses)})"


def _named(values: dict[str, Value], name: str, given: Sequence[str]) -> str:
    """Placeholders for a list of values."""
    for number, value in enumerate(given):
        values[f"{name}_{number}"] = value
    return ", ".join(f":{name}_{number}" for number in range(len(given)))
