"""From the last close of a burst of files to its event: the section ``watch`` of ``data.py``.

Each round has a folder and a watch of its own, with the defaults, and an agent that runs. The files are written one
after the other; the clock starts when the last one is closed, and ends when the event can be read from the store: with
the version made, and all of its files in it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path


def watch(given: argparse.Namespace, here: Path) -> dict[str, object]:
    """Seconds from the last close to the event: median, 95th percentile, worst; and how many events a burst made."""
    own = {name: str(here / name.lower()) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    environment = {**os.environ, **own, "WORKBENCH_WORKSPACE": str(here / "ws")}

    def workbench(*arguments: str) -> None:
        command = [sys.executable, "-m", "workbench.cli.main", *arguments]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    (here / "inbox").mkdir()
    workbench("datastore", "create", "--type", "local", "--name", "inbox", "--path", str(here / "inbox"))
    seconds, events = list[float](), list[int]()
    try:
        for number in range(given.rounds + 1):
            name = f"round-{number}"
            folder = here / "inbox" / name
            folder.mkdir()
            workbench("data", "watch", "create", "-d", "inbox", "--path", f"{name}/*.csv", "--register", name)
            time.sleep(1)  # it has looked by then, and listens
            took, count = burst(here / "ws" / "workbench.db", folder, given.files)
            if number:  # the first one warms up
                seconds.append(took)
                events.append(count)
            workbench("data", "watch", "delete", name, "--yes")
            shutil.rmtree(folder)
    finally:
        workbench("agent", "stop")
    figures = {"median": statistics.median(seconds), "worst": max(seconds)}
    if len(seconds) > 1:
        figures["p95"] = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return {
        "files": given.files,
        "rounds": given.rounds,
        "events_a_burst": max(events),
        "seconds": {name: round(value, 3) for name, value in figures.items()},
    }


def burst(store: Path, folder: Path, files: int) -> tuple[float, int]:
    """Write a burst; seconds from its last close until all of it is in events, and how many these are."""
    for number in range(files):
        with (folder / f"{number:06}.csv").open("wb") as file:
            file.write(b"x\n1\n")
    closed = time.perf_counter()
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        while time.perf_counter() - closed < 60:
            query = "SELECT count(*), coalesce(sum(files), 0) FROM data_event WHERE watch = ?"
            count, seen = connection.execute(query, (folder.name,)).fetchone()
            if seen >= files:
                return time.perf_counter() - closed, count
            time.sleep(0.005)
    sys.exit(f"{files} files were written, and {seen} came")
