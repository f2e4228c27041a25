"""Profile a table: what is in each column, in one pass over a stream of record batches.

    from store.tabular.source import open_table
    from store.tabular.profile import profile

    found = profile(open_table("churn.csv"), target="churned")
    found.document()      # what `data show NAME --profile -o json` prints

Memory depends on the number of columns, not of rows. Up to ``frequencies.BOUND`` different values and ``sketches.KEPT``
rows everything is exact; what is not says so by a key ``..._exact`` that is false.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from store.errors import UsageError
from store.tabular.leaks import Leaks
from store.tabular.summaries import Numbers, Summary, Texts, summary_of
from store.tabular.table import Table

if TYPE_CHECKING:
    import pyarrow

CHUNK = 1 << 17
"""Rows that are looked at together."""
AT_ONCE = 8
"""Columns of a Parquet table that are read together: its row groups are decoded whole, and may be large."""
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS = 20
TOP = 10

MOSTLY = 0.5
"""From this share of missing values on, a column is mostly missing."""
ID_LIKE = 0.98
"""From this share of different values on (the estimate may be 2 % off), texts and whole numbers look like an id."""
HIGH = 1000
"""So many different texts are hard to encode one by one."""
LONGEST = 1000
"""Signs of a text that a profile shows."""
OFTEN = 0.001
"""Values that occur in a smaller share of the rows are not listed where counts are lower bounds."""
FEW = 20
"""Below so many rows nothing is said of ids."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between edges, the last bin with its right edge; one edge more than counts."""

    edges: tuple[Any, ...]
    counts: tuple[int, ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class TopValue:
    """A value that occurs often; past the bound of counting ``count`` is a lower bound."""

    value: Any
    count: int


@dataclass(frozen=True, slots=True)
class Warning:
    """Something about a column that training would trip over; ``kind`` is for scripts, ``text`` for people."""

    column: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column. Keys that mean nothing for its kind are None or empty; times are ISO 8601 texts."""

    name: str
    type: str
    kind: str
    rows: int
    missing: int
    distinct: int | None = None
    distinct_exact: bool = True
    min: Any = None
    max: Any = None
    mean: Any = None
    std: float | None = None
    infinite: int = 0
    quantiles: dict[str, Any] | None = None
    quantiles_exact: bool = True
    histogram: Histogram | None = None
    top: tuple[TopValue, ...] = ()
    top_exact: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """A table's profile; ``warnings`` are of its columns, ``notes`` of how it was read."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    warnings: tuple[Warning, ...]
    target: str | None = None
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Profile:
        """A profile from its document."""
        columns = []
        for each in document["columns"]:
            histogram = each["histogram"] and Histogram(
                tuple(each["histogram"]["edges"]), tuple(each["histogram"]["counts"]), each["histogram"]["exact"]
            )
            top = tuple(TopValue(**value) for value in each["top"])
            columns.append(ColumnProfile(**{**each, "histogram": histogram, "top": top}))
        warnings = tuple(Warning(**each) for each in document["warnings"])
        return cls(document["rows"], tuple(columns), warnings, document["target"], tuple(document["notes"]))


def profile(table: Table, *, target: str | None = None, told: Callable[[int], None] | None = None) -> Profile:
    """Profile a table. ``target`` names the column to be learned, for warnings; ``told`` hears of the rows read.

    A pass over some of the columns counts for that part of its rows. Raises UsageError for a target that is no column.
    """
    if target is not None and target not in table.schema.names:
        from store.specs.nearest import suggestion

        hint = suggestion(target, table.schema.names, introduction="Columns")
        raise UsageError(f"the table has no column {target!r}", hint=hint)
    leaks = Leaks(target, table.schema) if target is not None else None
    found = gather(table, leaks, told)
    rows = next(iter(found.values())).rows if found else 0
    columns = tuple(_column(name, summary) for name, summary in found.items())
    warnings = [warning for column in columns for warning in _warnings(column, found[column.name])]
    warnings += [Warning(name, "target_leak", text) for name, text in (leaks.found() if leaks else ())]
    return Profile(rows, columns, tuple(warnings), target, tuple(dict.fromkeys(table.warnings)))


def gather(
    table: Table, leaks: Leaks | None = None, told: Callable[[int], None] | None = None, names: list[str] | None = None
) -> dict[str, Summary]:
    """The summaries of a table's columns, in their order; columns are worked on side by side."""
    from concurrent.futures import ThreadPoolExecutor

    names = table.schema.names if names is None else names
    found = {name: summary_of(table.schema.field(name).type) for name in names}
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="profile") as pool:
        for some in _passes(table, names):
            wanted = some if leaks is None or leaks.target in some else [*some, leaks.target]
            busy: list[Any] = []
            for chunk in chunks(table, wanted):
                for each in busy:
                    each.result()
                busy = [pool.submit(found[name].add, chunk[name]) for name in some]
                if leaks is not None:
                    busy += [pool.submit(leaks.add, name, chunk) for name in some if name != leaks.target]
                if told is not None:
                    told(round(len(chunk[some[0]]) * len(some) / len(names)))
            for each in busy:
                each.result()
    return found


def _passes(table: Table, names: list[str]) -> list[list[str]]:
    """The columns in groups that are read one after the other.

    All together where a part costs as much as the whole, and where another reading may draw other rows.
    """
    steps = {step.name for step in table.document.transformations or []}
    by_column = steps & {"read_parquet", "read_delta_lake"} and not steps & {"take_random_sample", "sample"}
    size = AT_ONCE if by_column else max(1, len(names))
    return [names[at : at + size] for at in range(0, len(names), size)]


def chunks(table: Table, names: list[str]) -> Iterator[dict[str, pyarrow.Array]]:
    """The rows in chunks of about ``CHUNK``, each column as one array."""
    import pyarrow

    def joined() -> dict[str, pyarrow.Array]:
        return {name: pyarrow.concat_arrays([batch.column(at) for batch in held]) for at, name in enumerate(names)}

    held: list[pyarrow.RecordBatch] = []
    rows = 0
    for batch in table.batches(names):
        held.append(batch)
        rows += batch.num_rows
        if rows >= CHUNK:
            yield joined()
            held, rows = [], 0
    if held:
        yield joined()


def _column(name: str, summary: Summary) -> ColumnProfile:
    facts: dict[str, Any] = {
        "name": name,
        "type": str(summary.type),
        "kind": summary.kind,
        "rows": summary.rows,
        "missing": summary.missing,
    }
    if isinstance(summary, Numbers):
        facts |= _of_numbers(summary)
    elif isinstance(summary, Texts):
        facts |= {"min": shown(summary, summary.low), "max": shown(summary, summary.high)}
    if isinstance(summary, Numbers | Texts):
        top = summary.counts.top(TOP)
        if not summary.counts.exact:
            top = [(value, count) for value, count in top if count >= OFTEN * summary.present]
        facts |= {
            "distinct": min(summary.distinct(), summary.present),
            "distinct_exact": summary.counts.exact,
            "top": tuple(TopValue(shown(summary, value), count) for value, count in top),
            "top_exact": summary.counts.exact,
        }
    return ColumnProfile(**facts)


def _of_numbers(summary: Numbers) -> dict[str, Any]:
    facts: dict[str, Any] = {"infinite": summary.infinite}
    if summary.low is None:
        return facts
    facts |= {
        "min": shown(summary, summary.low),
        "max": shown(summary, summary.high),
        "mean": shown(summary, summary.moments.mean),
        "quantiles": {
            f"{share:g}": shown(summary, value)
            for share, value in zip(SHARES, summary.digest.quantiles(list(SHARES)), strict=True)
        },
        "quantiles_exact": summary.digest.exact,
        "histogram": histogram(summary),
    }
    if summary.kind == "number":
        facts["std"] = summary.moments.deviation
    return facts


def histogram(summary: Numbers, bins: int = BINS) -> Histogram:
    """Bins of equal width; from exact counts where there are such, else from the digest."""
    import numpy

    low, high = float(summary.low), float(summary.high)
    if low == high:
        return Histogram((shown(summary, summary.low), shown(summary, summary.high)), (summary.moments.count,), True)
    with numpy.errstate(over="ignore", invalid="ignore"):
        edges = low + (high - low) * numpy.linspace(0, 1, bins + 1)
    if not numpy.isfinite(edges).all() or (numpy.diff(edges) <= 0).any():  # wider than floats reach, or too narrow
        edges = numpy.array([low, low / 2 + high / 2, high])
    edges[-1] = high
    exact = summary.counts.exact or summary.digest.exact
    if exact:
        values, weights = (
            (summary.counts.values.astype(float), summary.counts.counts)
            if summary.counts.exact
            else (summary.digest.means, None)
        )
        counts = numpy.histogram(values, edges, weights=weights)[0]
    else:
        below = summary.digest.below(edges)
        below[0] = 0.0
        counts = numpy.diff(numpy.round(below * summary.moments.count))
    shown_edges = tuple(shown(summary, each) for each in edges.tolist())
    return Histogram(shown_edges, tuple(int(count) for count in counts), bool(exact))


def shown(summary: Summary, value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601, durations in seconds, bytes as hexadecimal, long texts cut."""
    if value is None or summary.kind in ("number", "boolean"):
        return value
    if summary.kind in ("text", "bytes"):
        text = value if isinstance(value, str) else value[:LONGEST].hex()
        return text if len(text) <= LONGEST else text[:LONGEST] + "…"
    import pyarrow
    from pyarrow import types

    kind = summary.type
    width = pyarrow.int32() if types.is_date32(kind) or types.is_time32(kind) else pyarrow.int64()
    scalar = pyarrow.scalar(round(value), width).cast(kind)
    if types.is_duration(kind):
        return scalar.value / {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
    if types.is_timestamp(kind) and kind.unit == "ns":
        scalar = scalar.cast(pyarrow.timestamp("us", kind.tz), safe=False)
    return scalar.as_py().isoformat()


def _warnings(column: ColumnProfile, summary: Summary) -> Iterator[Warning]:
    def warning(kind: str, text: str) -> Warning:
        return Warning(column.name, kind, text)

    present = column.rows - column.missing
    if column.rows and column.missing / column.rows > MOSTLY:
        yield warning("mostly_missing", f"{column.missing / column.rows:.1%} of its values are missing")
    if column.distinct == 1:
        yield warning("constant", "every value that is there is the same")
    if column.distinct is None or present < FEW:
        return
    whole = column.kind in ("text", "bytes") or "int" in column.type
    if whole and column.distinct >= ID_LIKE * present:
        yield warning("id_like", "nearly every row has a value of its own, as an identifier has")
    elif column.kind == "text" and column.distinct > HIGH:
        about = "" if column.distinct_exact else "about "
        yield warning("high_cardinality", f"{about}{column.distinct:,} different texts")
    if isinstance(summary, Texts) and 0 < summary.numeric < summary.looked_at:
        share = summary.numeric / summary.looked_at
        yield warning("mixed_types", f"{share:.1%} of its texts are numbers, the others are not")
