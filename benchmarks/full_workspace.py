"""Fill a workspace as one is after years: many finished jobs, many metric points, one long log.

    python benchmarks/full_workspace.py FOLDER [--jobs 100000] [--points 10000000] [--log-bytes 1000000000]

Rows are written as Workbench writes them, but without running anything. The newest job, ``long_run``, has the points of
its own (a tenth of all, at most a million) and the long log. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from contextlib import closing
from pathlib import Path

from store import database, workspace
from store.layout import Layout
from store.tracking import runs

STATES = ("Completed",) * 85 + ("Failed",) * 10 + ("Canceled",) * 5
EXPERIMENTS = tuple(f"{name}-{number}" for name in ("iris", "churn", "vision", "speech") for number in range(10))
BATCH = 20_000
KEYS = ("accuracy", "loss", "val_accuracy", "val_loss")
CAUSES = {
    "Failed": json.dumps({"code": "exception", "message": "ValueError: could not convert string to float: 'n/a'"}),
    "Canceled": json.dumps({"code": "canceled", "message": "cancelled by its user"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--log-bytes", type=int, default=1_000_000_000)
    given = parser.parse_args()
    began = time.monotonic()
    layout = Layout(given.folder.absolute())
    workspace.create(layout, {"name": "full"}, lambda _: None)
    chance = random.Random(1)
    names = [f"{chance.choice(('brave', 'calm', 'keen'))}_owl_{number:06d}" for number in range(given.jobs - 1)]
    names.append("long_run")
    with closing(database.connect(layout.database)) as connection:
        add_jobs(connection, names, chance)
    with closing(runs.connect(layout)) as tracking:
        add_runs(tracking, layout, names, chance)
        add_points(tracking, names, given.points)
    write_log(layout, given.log_bytes)
    print(json.dumps({"jobs": given.jobs, "points": given.points, "seconds": round(time.monotonic() - began, 1)}))


def add_jobs(connection, names, chance):
    """Finished jobs, the last one an hour ago."""
    now = time.time()
    columns = (
        "name, type, display_name, experiment_name, document, source, compute, slots, rank, archived, wanted, status,"
        " attempt, created_at, started_at, ended_at, inputs, outputs, cause, exit_code, wall_seconds, cpu_seconds,"
        " peak_memory_bytes"
    )
    sql = f"INSERT INTO job ({columns}) VALUES ({', '.join('?' * len(columns.split(',')))})"
    with database.write(connection):
        for number, name in enumerate(names):
            status = chance.choice(STATES) if name != "long_run" else "Completed"
            experiment = chance.choice(EXPERIMENTS)
            start = now - 3600 - 60.0 * (len(names) - number)
            seconds = chance.expovariate(1 / 300)
            document = {
                "type": "command",
                "command": "python train.py --lr ${{inputs.lr}}",
                "experiment_name": experiment,
                "inputs": {"lr": round(chance.random(), 4), "data": {"type": "uri_file", "path": "data/train.csv"}},
                "tags": {"team": chance.choice("abc")},
            }
            source = {"file": "/home/me/job.yml", "directory": "/home/me", "user": "me", "host": "here", "git": None}
            values = (
                *(name, "command", name, experiment, json.dumps(document), json.dumps(source), "local", 1, 0, 0, "run"),
                *(status, 1, start - 2, start, start + seconds, "{}", "{}", CAUSES.get(status)),
                *({"Completed": 0, "Failed": 1}.get(status), seconds, seconds * 0.9, 200_000_000),
            )
            connection.execute(sql, values)
    connection.execute("ANALYZE")


def add_runs(tracking, layout, names, chance):
    """A run for each job, with its last metrics."""
    add = runs.ADD_RUN
    with database.write(tracking):
        for name in names:
            place = layout.artifacts(name).as_uri()
            tracking.execute(add, (name, name, 0, "me", "FINISHED", 0, place))
            tracking.executemany(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)",
                [(key, chance.random(), 0, 99, name) for key in KEYS],
            )
            tracking.execute("INSERT INTO params (key, value, run_uuid) VALUES ('lr', ?, ?)", (chance.random(), name))


def add_points(tracking, names, points):
    """Histories: ``long_run`` has a tenth of them (a million at most), the newest jobs share the rest."""
    own = min(1_000_000, points // 10)
    others = names[-1001:-1] or names
    share = max(1, (points - own) // (len(others) * len(KEYS)))
    sql = "INSERT OR IGNORE INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"

    def rows():
        for step in range(own // len(KEYS)):
            for key in KEYS:
                yield key, (step * 7919 % 1000) / 1000 + 1000 / (step + 1000), step, "long_run", step
        for name in others:
            for key in KEYS:
                for step in range(share):
                    yield key, (step * 7919 % 1000) / 1000, step, name, step

    batch = []
    for row in rows():
        batch.append(row)
        if len(batch) == BATCH:
            with database.write(tracking):
                tracking.executemany(sql, batch)
            batch.clear()
    with database.write(tracking):
        tracking.executemany(sql, batch)


def write_log(layout, size):
    """A log of about ``size`` bytes with one traceback in the middle."""
    log = layout.job("long_run").log
    log.parent.mkdir(parents=True)
    block = b"".join(
        b"epoch %6d  loss 0.1234  accuracy 0.9876  lr 0.001000  elapsed 12.3 s\n" % n for n in range(10_000)
    )
    half = size // len(block) // 2
    error = b'Traceback (most recent call last):\n  File "train.py", line 12, in <module>\nValueError: not a number\n'
    with log.open("wb") as file:
        for number in range(2 * half):
            file.write(error if number == half else block)


if __name__ == "__main__":
    main()
