"""The terminal UI as its user feels it: first picture, keys, bytes on the line, memory; beside other Textual programs.

    python benchmarks/tui.py [--full FOLDER] [--peers FOLDER] [--runs 10]

``--full`` is a workspace made by ``full_workspace.py``; without it the empty one alone is measured. ``hello``
is a Textual program of thirty lines, started in turn with ours. Everything runs in a pseudo-terminal of 140x40. Prints
one line of JSON: seconds, bytes, megabytes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from terminal import Terminal

SIZE = (140, 40)
REST_SECONDS = 60.0
LOADED_SECONDS = 0.5
"""So long nothing comes when a screen has all that it reads."""
EMPTY_SCREENS = {
    "jobs": ("2", "No jobs yet"),
    "compute": ("5", "0 of"),
    "home": ("1", "Welcome"),
    "help": ("?", "Here"),
    "help_closed": ("\x1b", ""),
    "jobs_again": ("2", "No jobs yet"),
}
"""Keys, and what stands on the screen when it shows what they ask for."""
FULL_SCREENS = EMPTY_SCREENS | {
    "jobs": ("2", "100,000 jobs"),
    "home": ("1", "Failed 50+"),
    "jobs_again": ("2", "100,000 jobs"),
    "end_of_list": ("G", ""),
    "begin_of_list": ("g", ""),
    "open_job": ("\r", "submitted"),
    "job_metrics": ("]", "x: step"),
    "job_log": ("]", "epoch"),
    "job_outputs": ("]", "user_logs"),
    "job_system": ("]", "wall time"),
    "job_yaml": ("]", "type: command"),
    "job_overview": ("]", "submitted"),
    "back": ("\x1b", "100,000 jobs"),
}
PEERS = {
    "posting": (["posting", "tree-sitter<0.26"], []),  # with 0.26 Posting 2.11 ends in a segmentation fault
    "harlequin": (["harlequin"], ["--locale", "C"]),  # says nothing beforehand of a locale that is not set
}
"""Packages to install, and what the program is given."""
HELLO = """\
from textual.app import App, ComposeResult
from textual.widgets import DataTable, Footer, Header, Log, TabbedContent, TabPane


class Hello(App):
    BINDINGS = [("q", "quit", "Quit"), ("t", "switch", "Tab")]

    def compose(self) -> ComposeResult:
        yield Header()
        with TabbedContent():
            with TabPane("Table", id="table"):
                yield DataTable()
            with TabPane("Log", id="log"):
                yield Log()
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("one", "two", "three", "four")
        for number in range(200):
            table.add_row(number, number * 2, number * 3, number * 4)
        self.query_one(Log).write_lines([f"line {number}" for number in range(100)])

    def action_switch(self) -> None:
        tabs = self.query_one(TabbedContent)
        tabs.active = "log" if tabs.active == "table" else "table"


Hello().run()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rest", type=float, default=REST_SECONDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        empty = {**os.environ, **private(here), "WORKBENCH_WORKSPACE": str(here / "ws")}
        create = [workbench(), "workspace", "create", "--name", "empty"]
        subprocess.run(create, env=empty, check=True, capture_output=True)
        (here / "hello.py").write_text(HELLO)
        contenders = {
            "hello": ([sys.executable, str(here / "hello.py")], empty),
            "empty": ([workbench()], empty),
        }
        if given.full:
            full = {**empty, "WORKBENCH_WORKSPACE": str(given.full.absolute())}
            contenders["full"] = ([workbench()], full)
        if given.peers:
            contenders |= {name: (command, empty) for name, command in installed(given.peers)}
        found = {"size": "x".join(map(str, SIZE)), "first_paint_seconds": first_paints(contenders, given.runs)}
        hello = found["first_paint_seconds"]["hello"]
        found["times_hello"] = {name: round(each / hello, 2) for name, each in found["first_paint_seconds"].items()}
        for name in ("empty", "full"):
            if name in contenders:
                found[name] = session(*contenders[name], full=name == "full", rest=given.rest)
    print(json.dumps(found))


def private(here: Path) -> dict[str, str]:
    """Folders of this run's own."""
    return {
        "HOME": str(here),
        "XDG_DATA_HOME": str(here / "data"),
        "XDG_CONFIG_HOME": str(here / "config"),
        "XDG_STATE_HOME": str(here / "state"),
        "XDG_CACHE_HOME": str(here / "cache"),
    }


def workbench() -> str:
    """The program beside this Python."""
    return str(Path(sys.executable).parent / "workbench")


def installed(folder: Path) -> list[tuple[str, list[str]]]:
    """The peers, each in a virtual environment of its own, made on first use."""
    programs = []
    for name, (packages, arguments) in PEERS.items():
        program = folder / name / "bin" / name
        if not program.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder / name)], check=True)
            pip = str(folder / name / "bin" / "pip")
            subprocess.run([pip, "install", "-q", *packages], check=True, stdout=sys.stderr)
        programs.append((name, [str(program), *arguments]))
    return programs


def first_paints(contenders: dict, runs: int) -> dict[str, float]:
    """Medians, everybody in turn; one start each beforehand compiles and warms the disk."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(runs + 1):
        for name, (command, environment) in contenders.items():
            terminal = Terminal(command, SIZE, environment)
            painted = terminal.first_paint()
            terminal.close()
            if number:
                seconds[name].append(painted)
    return {name: round(statistics.median(each), 3) for name, each in seconds.items()}


def session(command: list[str], environment: dict[str, str], *, full: bool, rest: float) -> dict[str, object]:
    """One session: start, screens, moving, a job's tabs, rest."""
    terminal = Terminal(command, SIZE, environment)
    terminal.first_paint()
    terminal.wait_for(FULL_SCREENS["home"][1] if full else EMPTY_SCREENS["home"][1])
    terminal.settle(LOADED_SECONDS)
    found: dict[str, object] = {"start_bytes": terminal.bytes}
    steps = FULL_SCREENS if full else EMPTY_SCREENS
    screens = {name: terminal.press(keys, text, LOADED_SECONDS) for name, (keys, text) in steps.items()}
    moves = [terminal.press(key) for key in ("jjjjjkkkkk" * 10 if full else "12345" * 10)]
    times = sorted(seconds for seconds, count in moves if count)
    found["key_to_paint_p50"] = round(times[len(times) // 2], 4)
    found["key_to_paint_p95"] = round(times[int(len(times) * 0.95)], 4)
    found["screen_seconds"] = {name: round(seconds, 3) for name, (seconds, _) in screens.items()}
    found["screen_bytes"] = {name: count for name, (_, count) in screens.items()}
    found["key_bytes"] = round(statistics.median(count for _, count in moves))
    terminal.rest(12)  # until the load bars have their level
    before = terminal.cpu_seconds()
    found["rest_seconds"], found["rest_bytes"] = rest, terminal.rest(rest)
    found["rest_cpu_share"] = round((terminal.cpu_seconds() - before) / rest, 4)
    found["resident_mb"] = round(terminal.resident_mb())
    terminal.close()
    return found


if __name__ == "__main__":
    main()
