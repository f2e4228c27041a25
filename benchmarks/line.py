"""What a Textual program writes to the terminal, with the cells driver and with Textual's own.

    .venv/bin/python benchmarks/line.py [--size 140x40]

``hello`` is a 30-line program (header, footer, two tabs, a table of 200 rows, a log); ``workbench`` is the terminal UI
with an empty workspace. Prints one line of JSON: bytes for the start and for each change of screen, by driver.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from terminal import Terminal
from tui import HELLO, private, workbench

DRIVERS = ("cells", "textual")
HELLO_STEPS = {"tab": "t", "tab_back": "t", "palette": "\x10", "palette_closed": "\x1b"}
WORKBENCH_STEPS = {"jobs": "2", "home": "1", "help": "?", "help_closed": "\x1b", "palette": "\x10"}
RUN_WITH_DRIVER = """\
import os
from workbench.tui.driver import driver_class
Hello(driver_class=driver_class(enabled=os.environ["WORKBENCH_DRIVER"] == "cells")).run()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="140x40")
    given = parser.parse_args()
    width, _, height = given.size.partition("x")
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        outside = {name: value for name, value in os.environ.items() if name not in ("TMUX", "STY", "COLUMNS", "LINES")}
        environment = {**outside, **private(here), "WORKBENCH_WORKSPACE": str(here / "ws")}
        create = [workbench(), "workspace", "create", "--name", "empty"]
        subprocess.run(create, env=environment, check=True, capture_output=True)
        (here / "hello.py").write_text(HELLO.replace("Hello().run()\n", RUN_WITH_DRIVER))
        programs = {
            "hello": ([sys.executable, str(here / "hello.py")], HELLO_STEPS),
            "workbench": ([workbench()], WORKBENCH_STEPS),
        }
        found: dict[str, object] = {"size": given.size}
        for name, (command, steps) in programs.items():
            found[name] = {
                driver: bytes_of(command, (int(width), int(height)), {**environment, "WORKBENCH_DRIVER": driver}, steps)
                for driver in DRIVERS
            }
    print(json.dumps(found))


def bytes_of(
    command: list[str], size: tuple[int, int], environment: dict[str, str], steps: dict[str, str]
) -> dict[str, int]:
    """Bytes of the start and of each step."""
    terminal = Terminal(command, size, environment)
    terminal.first_paint()
    terminal.settle()
    told = {"start": terminal.bytes} | {name: terminal.press(keys)[1] for name, keys in steps.items()}
    terminal.close()
    return told


if __name__ == "__main__":
    main()
