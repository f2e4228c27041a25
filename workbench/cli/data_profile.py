"""``workbench data preview``, ``data diff``, and the profile of ``data show``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from store.errors import UsageError
from workbench.cli.options import Session, output_options, workspace_option
from workbench.cli.output import emit, form, narrowed
from workbench.cli.progress import SAY_SECONDS
from workbench.cli.talk import say

if TYPE_CHECKING:
    from store.data.opening import Opening, Source
    from store.tabular.table import Table


def opened(session: Session, text: str) -> tuple[Opening, Source, Table]:
    """The table that a text means, with what opened it."""
    from store.data.opening import Opening

    opening = Opening(session.layout, session.connection_for_reading())
    source = opening.find(text)
    return opening, source, opening.table(source)


@click.command()
@click.argument("place", metavar="REF|PATH|URL")
@click.option("--rows", "-r", type=click.IntRange(min=0), default=20, show_default=True, help="How many.")
@click.option("--columns", metavar="NAME,NAME", help="These columns only, in this order.")
@click.option("--filter", metavar="CONDITION", help='Rows that fulfil it, as in an MLTable: col("age") > 30')
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, with a heading.")
@output_options
@workspace_option
def preview(
    session: Session,
    place: str,
    rows: int,
    columns: str | None,
    filter: str | None,
    as_csv: bool,
    output: str | None,
    query: str | None,
) -> None:
    """Show the first rows of a table. A data asset, a path, or an address; no more is read than is shown.

    \b
    workbench data preview churn --rows 5
    workbench data preview azureml:churn:2 -o json
    workbench data preview 'data/*.parquet' --columns age,plan --filter 'col("age") > 30'
    workbench data preview azureml://datastores/inbox/paths/daily/monday.csv --csv
    """
    if as_csv and (output or query):
        raise UsageError("--csv is a form of its own", hint="Leave --output and --query away.")
    opening, _, table = opened(session, place)
    with opening.reading():
        found = table.to_arrow(columns.split(",") if columns else None, filter, rows)
    for warning in table.warnings:
        say(f"note: {warning}")
    if as_csv:
        from pyarrow import csv

        text = csv_bytes(found, csv)
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
        return
    if query or form(output) != "table":
        emit(json_rows(found), output, query)
        return
    from workbench.cli.data_drawing import fitted, width

    for line in fitted(found, width()):
        click.echo(line)


def csv_bytes(table: Any, csv: Any) -> bytes:
    """A table as CSV; what CSV has no cells for becomes JSON."""
    import io
    import json

    import pyarrow
    from pyarrow import types

    for at, each in enumerate(table.schema):
        if types.is_nested(each.type):
            texts = [None if cell is None else json.dumps(cell, default=str) for cell in table[at].to_pylist()]
            table = table.set_column(at, each.name, pyarrow.array(texts, pyarrow.string()))
    target = io.BytesIO()
    csv.write_csv(table, target)
    return target.getvalue()


def json_rows(table: Any) -> list[dict[str, Any]]:
    """The rows as JSON has them: times as ISO 8601, durations in seconds, decimals as texts, bytes as hexadecimal."""
    from datetime import timedelta
    from decimal import Decimal

    def plain(value: Any) -> Any:
        match value:
            case bytes():
                return value.hex()
            case Decimal():
                return str(value)
            case timedelta():
                return value.total_seconds()
            case list() | tuple():
                return [plain(each) for each in value]
            case dict():
                return {str(key): plain(each) for key, each in value.items()}
        return value.isoformat() if hasattr(value, "isoformat") else value

    return [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]


def rows_told() -> Callable[[int], None]:
    """Says how many rows are profiled, once a second; what is done within the first is not worth a word."""
    rows, due = 0, time.monotonic() + SAY_SECONDS

    def tell(more: int) -> None:
        nonlocal rows, due
        rows += more
        if time.monotonic() >= due:
            due = time.monotonic() + SAY_SECONDS
            say(f"profiling: {rows:,} rows")

    return tell


def show_profile(session: Session, place: str, target: str | None, output: str | None, query: str | None) -> None:
    """What ``data show NAME --profile`` does: draw the profile, or write it as a document."""
    from store.data.opening import Opening
    from store.data.profiles import profile_of

    opening = Opening(session.layout, session.connection_for_reading())
    source = opening.find(place)
    with opening.reading():
        found = profile_of(opening, source, target=target, told=rows_told())
    if found.changed:
        say(
            f"note: {source.name} has other bytes than when it was profiled last; this is the profile of what it is now"
        )
    asset = source.asset
    if asset is not None and asset.fingerprint and found.fingerprint and asset.fingerprint != found.fingerprint:
        say(f"note: the bytes behind {asset} changed since it was registered; this is the profile of what is there now")
    for note in found.profile.notes:
        say(f"note: {note}")
    document = {"name": source.name, "fingerprint": found.fingerprint, **found.profile.document()}
    if query:
        emit(narrowed(document, query), output)
    elif form(output) != "table":
        emit(document, output)
    else:
        from workbench.cli.data_drawing import drawn, width

        for line in drawn(found.profile, source.name, width()):
            click.echo(line)


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--fail-on-drift", is_flag=True, help="Leave with 1 for a large drift, or when columns changed.")
@output_options
@workspace_option
def diff(session: Session, before: str, after: str, fail_on_drift: bool, output: str | None, query: str | None) -> int:
    """Compare the columns and distributions of two tables.

    Columns that came or went first, then how far each distribution moved, the largest drift first. A is what B is
    measured against; each is a data asset, a path, or an address. A drift is large when the population stability index
    (PSI) is over 0.25, and some from 0.1 on.

    \b
    workbench data diff churn:1 churn:2
    workbench data diff churn@latest ./new.csv --fail-on-drift
    workbench data diff churn:1 churn:2 -o tsv --query "columns[?level=='large'].[name, psi]"
    """
    from store.tabular.drift import compare

    one, first, reference = opened(session, before)
    other, second, current = opened(session, after)
    with one.reading(), other.reading():
        found = compare(reference, current)
    for warning in dict.fromkeys([*reference.warnings, *current.warnings]):
        say(f"note: {warning}")
    if query or form(output) != "table":
        emit({"before": first.name, "after": second.name, **found.document()}, output, query)
    else:
        from workbench.cli.data_drawing import difference, width

        for line in difference(found, first.name, second.name, width()):
            click.echo(line)
    return int(fail_on_drift and (found.schema_changed or bool(found.drifted())))
