"""A job that logs a thousand points a second for a minute, watched in the terminal UI.

    python benchmarks/live.py [--seconds 60] [--rate 1000] [--hz 4]

Measures the delay from ``log_metric`` to the number on the screen, how long keys take meanwhile, bytes a second on the
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
from pathlib import Path

from terminal import Terminal
from tui import private, workbench

SIZE = (140, 40)
KEYS = ("j", "k", "s", "s", "a", "a")
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
    delays: list[float] = []
    keys: list[float] = []
    began, bytes_before, cpu_before = time.monotonic(), terminal.bytes, terminal.cpu_seconds()
    pressed = seen = 0
    waiting: float | None = None
    while time.monotonic() - began < seconds * 0.8:
        wrote = terminal.read(0.02)
        now = time.time()
        if wrote and waiting is not None:
            keys.append(time.monotonic() - waiting)
            waiting = None
        if wrote and (beat := shown(terminal)) is not None and beat != seen:
            seen = beat
            delays.append(now - logged(times, beat))
        if (time.monotonic() - began) * 2 > pressed:  # two keys a second
            os.write(terminal.master, KEYS[pressed % len(KEYS)].encode())
            waiting, pressed = time.monotonic(), pressed + 1
    passed = time.monotonic() - began
    found = {
        "delay_p50": share(delays, 0.5),
        "delay_p95": share(delays, 0.95),
        "key_to_paint_p50": share(keys, 0.5),
        "key_to_paint_p95": share(keys, 0.95),
        "bytes_a_second": round((terminal.bytes - bytes_before) / passed),
        "cpu_share": round((terminal.cpu_seconds() - cpu_before) / passed, 3),
        "resident_mb": round(terminal.resident_mb()),
        "shown": len(delays),
    }
    terminal.close()
    return found


def shown(terminal: Terminal) -> int | None:
    """The counter as the screen has it."""
    for line in terminal.screen.display:
        if found := re.search(r"\bbeat\s+([\d,]+)\b", line):
            return int(found[1].replace(",", ""))
    return None


def logged(times: Path, beat: int) -> float:
    """When a beat was logged."""
    with times.open() as file:
        for line in file:
            number, _, at = line.partition(" ")
            if int(number) == beat:
                return float(at)
    return float("nan")


def share(values: list[float], part: float) -> float | None:
    """A percentile."""
    return round(sorted(values)[int(len(values) * part)], 3) if values else None


if __name__ == "__main__":
    main()
