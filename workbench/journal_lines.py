"""The lines of a metrics journal: how they are read, and what MLflow's tables keep of them.

One JSON object a line:

    {"r": run id, "k": key, "v": number or "NaN", "Infinity", "-Infinity", "t": ms, "s": step, "m": model id,
     "d": dataset name, "g": dataset digest}                                        ("m", "d" and "g" only where given)

``journal.py`` writes them beside a user's code, the shim writes its system metrics in the same form, and the ingester
and the readers of ``store/tracking/`` read them. Like ``journal.py`` this file imports nothing else of ours and stays
on Python 3.10.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple, Union

LARGEST = 1.7976931348623157e308
"""What MLflow's SQL store keeps for an infinity."""

LONGEST_LINE = 65_536
"""Bytes; MLflow's limits on names keep every line far below."""

INTEGERS = range(-(2**63), 2**63)
"""What SQLite keeps as an integer."""

SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""Values that JSON has no number for, by the names they have in a journal."""

Row = tuple[str, float, int, str, int, int]
"""A row of MLflow's table ``metrics``: key, value, timestamp, run id, step, is_nan."""

ModelRow = tuple[str, str, int, int, float, str, Union[str, None], Union[str, None]]  # noqa: UP007 (Python 3.10)
"""Of ``logged_model_metrics``: model, key, timestamp, step, value, run id, dataset name, dataset digest."""

MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading a line that is none of ours may raise."""


class Chunk(NamedTuple):
    """Whole lines of a journal: their bytes, where they end in the file, and whether the file holds no more."""

    data: bytes
    end: int
    last: bool


class Lines(NamedTuple):
    """What some lines say, as MLflow's tables keep it; ``malformed`` counts the lines that say nothing."""

    rows: list[Row]
    models: list[ModelRow]
    malformed: int


def read_chunk(journal: Path, offset: int, limit: int = 4_000_000) -> Chunk:
    """Read whole lines from an offset on, about ``limit`` bytes.

    A last line without its newline is not read: its writer is still at it, or was killed. A journal that is shorter
    than the offset, or has no line's end there, is another one than was read before: it is read from its start, which
    does no harm, since the rows of MLflow's tables are known by their content.
    """
    try:
        file = journal.open("rb", buffering=0)
    except FileNotFoundError:
        return Chunk(b"", 0, True)
    with file:
        size = os.fstat(file.fileno()).st_size
        if offset and (offset > size or os.pread(file.fileno(), 1, offset - 1) != b"\n"):
            offset = 0
        start, data = offset, os.pread(file.fileno(), limit, offset)
        while b"\n" not in data:
            more = os.pread(file.fileno(), 1_000_000, start + len(data))
            if not more:
                return Chunk(b"", offset, True)
            # More than a line of ours can be: of a stretch of something else only its end is of interest.
            kept = data[-LONGEST_LINE:]
            start, data = start + len(data) - len(kept), kept + more
    end = data.rfind(b"\n") + 1
    return Chunk(data[:end], start + end, start + len(data) >= size)


def parse(data: bytes) -> Lines:
    """Read whole lines; a malformed one is counted and passed over."""
    lines = data.split(b"\n")[:-1]
    with suppress(*MALFORMED):
        objects = json.loads(b"[%s]" % b",".join(lines))
        if len(objects) == len(lines):
            return _parse_plain(objects)
    return _parse_one_by_one(lines)


def _parse_plain(objects: list[dict[str, Any]]) -> Lines:
    """Read column by column, three times as fast as one by one; raises where a line is out of the common."""
    keys = [line["k"] for line in objects]
    values = [line["v"] for line in objects]
    times = [line["t"] for line in objects]
    runs = [line["r"] for line in objects]
    steps = [line["s"] for line in objects]
    plain = (
        {*map(type, keys), *map(type, runs)} <= {str}
        and {*map(type, values)} <= {float, int}
        and {*map(type, times), *map(type, steps)} <= {int}
        and all(map(math.isfinite, values))
    )
    if not plain or any(edge not in INTEGERS for column in (times, steps) for edge in (min(column), max(column))):
        raise ValueError
    for text in {*keys, *runs}:
        text.encode()  # a lone surrogate passes for JSON, not for SQLite
    rows = list(zip(keys, map(float, values), times, runs, steps, repeat(0)))
    models = [_model_row(line, row) for line, row in zip(objects, rows, strict=True) if "m" in line]
    return Lines(rows, models, 0)


def _parse_one_by_one(lines: Iterable[bytes]) -> Lines:
    found = Lines([], [], 0)
    malformed = 0
    for line in lines:
        try:
            _parse_line(line, found)
        except MALFORMED:
            malformed += 1
            # A writer that was killed in mid-line left a torn piece, and another's line follows on it.
            start = line.rfind(b'{"r":')
            if start > 0:
                with suppress(*MALFORMED):
                    _parse_line(line[start:], found)
    return found._replace(malformed=malformed)


def _parse_line(line: bytes, into: Lines) -> None:
    if not line.strip():
        return
    fields = json.loads(line)
    key, run, value = fields["k"], fields["r"], fields["v"]
    if isinstance(value, str):
        value = SPECIAL[value]
    if type(value) not in (int, float):
        raise TypeError(value)
    key.encode() + run.encode()
    is_nan = int(math.isnan(value))
    kept = 0.0 if is_nan else max(-LARGEST, min(LARGEST, float(value)))
    row = (key, kept, stored_number(fields["t"]), run, stored_number(fields["s"]), is_nan)
    if "m" in fields:
        into.models.append(_model_row(fields, row))
    into.rows.append(row)


def stored_number(number: Any) -> Any:
    """A timestamp or step that SQLite can keep, else TypeError. MLflow lets fractions through, and so they stay."""
    if (type(number) is int and number in INTEGERS) or (type(number) is float and math.isfinite(number)):
        return number
    raise TypeError(number)


def _model_row(fields: dict[str, Any], row: Row) -> ModelRow:
    model, dataset, digest = fields["m"], fields.get("d"), fields.get("g")
    for text in (model, dataset or "", digest or ""):
        text.encode()
    return (model, row[0], row[2], row[4], row[1], row[3], dataset, digest)


def latest(rows: Iterable[Row]) -> list[Row]:
    """Of each run and key the last row as MLflow has it: by step, then timestamp, then value; the first of equals."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        name = (row[3], row[0])
        known = best.get(name)
        # Most rows have a higher step than those before: comparing it alone takes half the time of three values.
        if known is None or row[4] > known[4] or (row[4], row[2], row[1]) > (known[4], known[2], known[1]):
            best[name] = row
    return list(best.values())


KEEP_LATEST = """
    INSERT INTO {table} (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, run_uuid) DO UPDATE SET
        value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan
    WHERE (excluded.step, excluded.timestamp, excluded.value) > ({table}.step, {table}.timestamp, {table}.value)
"""
"""Takes rows of ``latest`` into a table of MLflow's ``latest_metrics`` shape."""
