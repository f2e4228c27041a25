"""A scan of a large table with a filter, through Workbench and through pandas: the section ``scan`` of ``data.py``.

Each scan is a process of its own: seconds from its first line after the imports, and the peak of its memory in MB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

WORKBENCH = """
import json, resource, sys, time
from store.tabular.source import open_document
import pyarrow.csv, pyarrow.dataset
begun = time.perf_counter()
steps = [sys.argv[2], {"filter": "amount > 990 and kind == 'k3'"}]
table = open_document({"paths": [{"file": sys.argv[1]}], "transformations": steps}, ".")
rows = sum(batch.num_rows for batch in table.batches())
"""
PANDAS = """
import json, resource, sys, time
import pandas
begun = time.perf_counter()
frame = (pandas.read_csv if sys.argv[2] == "read_delimited" else pandas.read_parquet)(sys.argv[1])
rows = len(frame[(frame["amount"] > 990) & (frame["kind"] == "k3")])
"""
REPORT = """
print(json.dumps({"rows": rows, "seconds": round(time.perf_counter() - begun, 2),
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""


def make(folder: Path, rows: int) -> dict[str, Path]:
    """The same table as CSV and as Parquet."""
    import numpy
    import pyarrow
    from pyarrow import csv, parquet

    generator = numpy.random.default_rng(1)
    found = {"read_delimited": folder / "table.csv", "read_parquet": folder / "table.parquet"}
    schema = None
    with found["read_delimited"].open("wb") as text:
        writer = None
        for start in range(0, rows, 1_000_000):
            count = min(1_000_000, rows - start)
            table = pyarrow.table(
                {
                    "id": numpy.arange(start, start + count),
                    "amount": generator.random(count) * 1000,
                    "price": numpy.round(generator.random(count) * 100, 2),
                    "kind": pyarrow.array([f"k{number}" for number in range(10)]).take(
                        pyarrow.array(generator.integers(0, 10, count))
                    ),
                    "count": generator.integers(0, 10**6, count),
                }
            )
            csv.write_csv(table, text, csv.WriteOptions(include_header=start == 0))
            schema = schema or table.schema
            writer = writer or parquet.ParquetWriter(found["read_parquet"], schema)
            writer.write_table(table)
        if writer:
            writer.close()
    return found


def measure(program: str, file: Path, reader: str) -> dict[str, float]:
    """One scan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program + REPORT, str(file), reader], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def scan(given: argparse.Namespace, here: Path) -> dict[str, object]:
    """Measure turn and turn about; the best of each."""
    result: dict[str, object] = {"rows": given.rows}
    for reader, file in make(here, given.rows).items():
        runs: dict[str, list[dict[str, float]]] = {"workbench": [], "pandas": []}
        for _ in range(given.runs):
            runs["workbench"].append(measure(WORKBENCH, file, reader))
            runs["pandas"].append(measure(PANDAS, file, reader))
        found = {peer: min(each, key=lambda run: run["seconds"]) for peer, each in runs.items()}
        if found["workbench"]["rows"] != found["pandas"]["rows"]:
            sys.exit(f"{reader}: the two found different rows: {found}")
        result[reader] = {"file_mb": file.stat().st_size >> 20, **found}
    return result
