"""How many empty jobs a second: 500 jobs of ``true`` through 2 slots, and 50 submitters at once.

Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from store import database, jobs
from store.jobs import Filter
from store.layout import Layout


def workbench(*arguments: str, env: dict[str, str]) -> float:
    """Seconds of one command, which has to succeed."""
    began = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).parent / "workbench"), *arguments], env=env, check=True, capture_output=True
    )
    return time.perf_counter() - began


def wait_for_all(layout: Layout, count: int) -> None:
    """Until so many jobs are at their end; no command is run, so that the agent has the machine."""
    connection = database.connect(layout.database)
    while jobs.count_unfinished(connection) or sum(jobs.count_by_status(connection).values()) < count:
        time.sleep(0.02)
    found = jobs.count_by_status(connection)
    if found != {"Completed": count}:
        sys.exit(f"not all completed: {found}")


def through_two_slots(root: Path, count: int, env: dict[str, str]) -> dict[str, float]:
    """Queue the jobs with no agent, then time the agent alone."""
    from engines.jobs.submission import Submission, submit

    layout = Layout(root)
    connection = database.connect(layout.database)
    began = time.perf_counter()
    for _ in range(count):
        submit(connection, layout, Submission({"type": "command", "command": "true", "compute": "two"}, "bench"))
    submitted = time.perf_counter() - began
    began = time.perf_counter()
    workbench("agent", "start", env=env)
    wait_for_all(layout, count)
    seconds = time.perf_counter() - began
    return {
        "jobs": count,
        "submissions_a_second_in_process": round(count / submitted, 1),
        "seconds": round(seconds, 2),
        "jobs_a_second": round(count / seconds, 1),
    }


def submitters(root: Path, count: int, env: dict[str, str], document: Path) -> dict[str, float]:
    """So many ``job create`` at once, each a process of its own."""
    layout = Layout(root)
    before = len(jobs.find(database.connect(layout.database), Filter(), 1_000_000))
    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        times = list(pool.map(lambda _: workbench("job", "create", "-f", str(document), env=env), range(count)))
    accepted = time.perf_counter() - began
    wait_for_all(layout, before + count)
    return {
        "submitters": count,
        "seconds_until_all_accepted": round(accepted, 2),
        "median_seconds_of_one": round(statistics.median(times), 2),
        "seconds_until_all_completed": round(time.perf_counter() - began, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--submitters", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ws"
        env = {**os.environ, "WORKBENCH_WORKSPACE": str(root)}
        document = Path(folder) / "job.yml"
        document.write_text("command: 'true'\ncompute: two\n")
        workbench("compute", "create", "--name", "two", "--type", "amlcompute", "--max-instances", "2", env=env)
        result = {
            "two_slots": through_two_slots(root, arguments.jobs, env),
            "concurrent": submitters(root, arguments.submitters, env, document),
        }
        workbench("agent", "stop", env=env)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
