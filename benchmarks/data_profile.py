"""A profile of a table of 50 columns, through Workbench, pandas and DuckDB: the section ``profile`` of ``data.py``.

pandas does ``describe`` and ``value_counts`` of each column, DuckDB its SUMMARIZE, which has neither histograms nor the
most frequent values. Each is a process of its own: seconds from its first line after the imports, and the peak of its
memory in MB (from /proc: what getrusage tells of a child begins with the peak of its parent). ``--large`` profiles a
Parquet file of so many rows once, through Workbench alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

WORKBENCH = """
import json, sys, time
from store.tabular.profile import profile
from store.tabular.source import open_table
import numpy, pyarrow.csv, pyarrow.dataset
begun = time.perf_counter()
columns = len(profile(open_table(sys.argv[1])).columns)
"""
PANDAS = """
import json, sys, time
import pandas
begun = time.perf_counter()
frame = (pandas.read_csv if sys.argv[1].endswith(".csv") else pandas.read_parquet)(sys.argv[1])
described, counts = frame.describe(include="all"), [frame[name].value_counts() for name in frame]
columns = len(described.columns)
"""
DUCKDB = """
import json, sys, time
import duckdb
begun = time.perf_counter()
columns = len(duckdb.sql(f"SUMMARIZE SELECT * FROM '{sys.argv[1]}'").fetchall())
"""
REPORT = """
assert columns == 50, columns
seconds = round(time.perf_counter() - begun, 2)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"seconds": seconds, "peak_mb": peak >> 10}))
"""
STEP = 1 << 20


def make(folder: Path, rows: int, *, text: bool = True) -> list[Path]:
    """The same table as Parquet and, where it is asked for, as CSV."""
    from pyarrow import csv, parquet

    found = [folder / f"table{rows}.parquet", *([folder / f"table{rows}.csv"] if text else [])]
    writers: list[parquet.ParquetWriter | csv.CSVWriter] = []
    for start in range(0, rows, STEP):
        table = block(start, min(STEP, rows - start))
        if not writers:
            writers = [parquet.ParquetWriter(found[0], table.schema)]
            writers += [csv.CSVWriter(file, table.schema) for file in found[1:]]
        for writer in writers:
            writer.write_table(table)
    for writer in writers:
        writer.close()
    return found


def block(start: int, rows: int) -> object:
    """Some rows: 30 columns of measures, 10 of whole numbers, 7 of categories, an id, a name and a time."""
    import numpy
    import pyarrow

    random = numpy.random.default_rng(start)
    columns: dict[str, object] = {f"measure{at}": random.normal(at, 1 + at, rows) for at in range(30)}
    columns |= {f"whole{at}": random.integers(0, 10 ** (1 + at % 7), rows) for at in range(10)}
    for at in range(7):
        names = pyarrow.array([f"category {number}" for number in range(5 * 4**at)])
        columns[f"category{at}"] = names.take(pyarrow.array(random.integers(0, 5 * 4**at, rows)))
    columns["id"] = numpy.arange(start, start + rows)
    columns["name"] = pyarrow.array([f"user-{number:x}" for number in random.integers(0, 1 << 60, rows)])
    columns["time"] = pyarrow.array(random.integers(1_600_000_000, 1_700_000_000, rows), pyarrow.timestamp("s"))
    return pyarrow.table(columns)


def measure(program: str, file: Path, peers: Path) -> dict[str, float]:
    """One profile in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(peers)} if program is DUCKDB else None
    command = [sys.executable, "-c", program + REPORT, str(file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])  # DuckDB shows its progress before
    return found


def profile(given: argparse.Namespace, here: Path) -> dict[str, object]:
    """Measure turn and turn about; the best of each."""
    import uv

    peers = here / "peers"
    install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(peers)]
    subprocess.run([*install, "duckdb"], check=True)
    result: dict[str, object] = {"rows": given.rows}
    programs = {"workbench": WORKBENCH, "pandas": PANDAS, "duckdb": DUCKDB}
    for file in make(here, given.rows):
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in programs}
        for _ in range(given.runs):
            for name, program in programs.items():
                runs[name].append(measure(program, file, peers))
        best = {name: min(each, key=lambda run: run["seconds"]) for name, each in runs.items()}
        result[file.suffix[1:]] = {"file_mb": file.stat().st_size >> 20, **best}
        file.unlink()
    if given.large:
        (file,) = make(here, given.large, text=False)
        size = file.stat().st_size >> 20
        result["large"] = {"rows": given.large, "file_mb": size, "workbench": measure(WORKBENCH, file, peers)}
    return result
