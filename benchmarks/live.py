"""A job that logs a thousand points a second for a minute, watched in the terminal UI.

    python benchmarks/live.py [--seconds 60] [--rate 1000] [--hz 4]

Measures the delay from each call of ``log_metric`` to its number on the screen, or to a later one in its place, how
long each key takes to what it changes (not to whatever is painted next), bytes a second on the
line, memory and processor time of the terminal UI. The job logs ``beat``, a counter whose times it keeps in a file, and
nine other metrics. Prints one line of JSON: seconds, bytes a second, megabytes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from terminal import Terminal
from tui import private, workbench

SIZE = (140, 40)
KEYS = ("j", "k", "s", "a")
"""Down and up, smoothing, x axis: each changes something every time."""
KEY_SECONDS = 0.537
"""From key to key: no multiple of the time between two pictures, to meet every moment between them."""
FACTS_LINE = 3
"""The line of the screen that tells how is drawn."""
SCRIPT = """\
import sys, time
import mlflow

seconds, rate = float(sys.argv[1]), int(sys.argv[2])
began = time.time()
count = 0
with open(sys.argv[3], "w", buffering=1) as times:
    while (passed := time.time() - began) < seconds:
        while count < passed * rate:
            if count % 10 == 0:
                times.write(f"{count // 10} {time.time()}\\n")
                mlflow.log_metric("beat", count // 10, step=count)
            else:
                mlflow.log_metric(f"loss_{count % 10}", (count * 7919 % 1000) / 1000, step=count)
            count += 1
        time.sleep(0.002)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--hz", type=float, default=4.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        environment = {**os.environ, **private(here), "WORKBENCH_WORKSPACE": str(here / "ws")}
        environment["WORKBENCH_REFRESH"] = str(given.hz)
        times = here / "times"
        (here / "code").mkdir()
        (here / "code" / "log.py").write_text(SCRIPT)
        command = f"python log.py {given.seconds} {given.rate} {times}"
        (here / "job.yml").write_text(json.dumps({"command": command, "code": "code", "name": "beating"}))
        run = [workbench(), "run", "--detach", str(here / "job.yml")]
        subprocess.run(run, env=environment, check=True, capture_output=True)
        while not times.exists():
            time.sleep(0.05)
        print(json.dumps(watch(environment, times, given.seconds)))
        subprocess.run([workbench(), "agent", "stop"], env=environment, check=True, capture_output=True)


def watch(environment: dict[str, str], times: Path, seconds: float) -> dict[str, object]:
    """Open the job's metrics, and look at the screen while the job logs."""
    terminal = Terminal([workbench()], SIZE, environment)
    terminal.first_paint()
    terminal.press(":job beating metrics\r")
    terminal.wait_for("beat")
    terminal.rest(2)  # until every history is there
    shows: list[tuple[int, float]] = []
    clock = time.time() - time.monotonic()
    keys: dict[str, list[float]] = {key: [] for key in KEYS}
    began, bytes_before, cpu_before = time.monotonic(), terminal.bytes, terminal.cpu_seconds()
    pressed = unseen = 0
    waiting: tuple[str, float, object] | None = None
    while time.monotonic() - began < seconds * 0.8:
        wrote = terminal.read(0.01)
        if wrote and waiting is not None and answer(terminal) != waiting[2]:
            keys[waiting[0]].append(terminal.arrived - waiting[1])
            waiting = None
        if wrote and (beat := shown(terminal)) is not None and (not shows or beat > shows[-1][0]):
            shows.append((beat, terminal.arrived + clock))
        if time.monotonic() - began > pressed * KEY_SECONDS:
            unseen += waiting is not None
            key = KEYS[pressed % len(KEYS)]
            before, pressed = answer(terminal), pressed + 1
            waiting = (key, time.monotonic(), before)
            os.write(terminal.master, key.encode())
    passed = time.monotonic() - began
    delays = delays_of(shows, times)
    all_keys = [each for found in keys.values() for each in found]
    found = {
        "delay_p50": share(delays, 0.5),
        "delay_p95": share(delays, 0.95),
        "key_to_paint_p50": share(all_keys, 0.5),
        "key_to_paint_p95": share(all_keys, 0.95),
        "each_key_p50_p95": {key: [share(each, 0.5), share(each, 0.95)] for key, each in keys.items()},
        "keys": len(all_keys),
        "keys_without_answer": unseen,
        "bytes_a_second": round((terminal.bytes - bytes_before) / passed),
        "cpu_share": round((terminal.cpu_seconds() - cpu_before) / passed, 3),
        "resident_mb": round(terminal.resident_mb()),
        "shown": len(shows),
    }
    terminal.close()
    return found


def answer(terminal: Terminal) -> object:
    """What a key changes and the passing of time does not: the line that tells how is drawn, and which chart has it."""
    buffer, columns = terminal.screen.buffer, range(SIZE[0])
    told = "".join(buffer[FACTS_LINE][x].data for x in columns)
    titles = [(y, x) for y, row in buffer.items() for x, cell in row.items() if cell.underscore]
    return told, min(titles, default=None)


def shown(terminal: Terminal) -> int | None:
    """The counter as its chart has it; the line of facts above has it as of the last time the agent took it in."""
    told = [re.search(r"\bbeat\s+([\d,]+)\b", line) for line in terminal.screen.display]
    return max((int(found[1].replace(",", "")) for found in told if found), default=None)


def delays_of(shows: list[tuple[int, float]], times: Path) -> list[float]:
    """Of each beat, from its call of ``log_metric`` until it, or a later one in its place, was on the screen."""
    logged: dict[int, float] = {}
    for line in times.read_text().splitlines():
        number, _, at = line.partition(" ")
        if at:
            logged[int(number)] = float(at)
    return [
        at - logged[beat]
        for (before, _), (newest, at) in pairwise(shows)
        for beat in range(before + 1, newest + 1)
        if beat in logged
    ]


def share(values: list[float], part: float) -> float | None:
    """A percentile."""
    return round(sorted(values)[int(len(values) * part)], 3) if values else None


if __name__ == "__main__":
    main()
