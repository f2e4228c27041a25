"""Runs rendered commands under real shells and tells which arguments a program was given.

``show`` is a program on PATH that reports its arguments, ``show-input`` one that reports its standard input. The folder
that scripts run in holds bait: files that a value's ``rm``, ``>`` or ``*`` would touch.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from engines.jobs.script import Script, Value, render

# More of them, for a change that deserves it: WORKBENCH_TEST_EXAMPLES=500 python -m pytest tests/test_script_*.py
EXAMPLES = int(os.environ.get("WORKBENCH_TEST_EXAMPLES", "12"))
real_processes = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

FRAGMENTS = [
    *"'\"\\$`;|&<>()[]{}*?~#!=%^,:@+-/ \t\n\r\x01\x7f",
    *("$(run-bait)", "`run-bait`", "; run-bait;", "\nrun-bait\n", "&& run-bait", "> bait", "a[$(run-bait)]", "*.txt"),
    *("$HOME", "${HOME}", "${{inputs.v0}}", "$[[x]]", "~/x", "{a,b}", "EOF", "\nEOF\n", "]]", "))", "\\\n", "\\'"),
    *("--option", "name=value", "  ", "#c", "é", "日本", "\u2028", "\U0001f600", "plain", "5", "\udc80\udcff"),
]
FRAGMENT = st.sampled_from(FRAGMENTS) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES = st.lists(FRAGMENT, max_size=6).map("".join)
FILE_NAMES = (
    st.one_of(
        st.binary(min_size=1, max_size=12).map(os.fsdecode), st.lists(FRAGMENT, min_size=1, max_size=4).map("".join)
    )
    .map(lambda name: re.sub("[/\0]", "-", name))
    .filter(lambda name: name not in ("", ".", "..") and len(os.fsencode(name)) < 200)
)

SHELLS = [name for name in ("bash", "dash") if shutil.which(name)]
BAIT = {"bait": "untouched", "a b": "blank", "x.txt": "1", "y.txt": "2", "-n": "option"}

_PROGRAMS = {
    "show": '#!/bin/sh\nprintf \'%s\\0\' "$#" "$@"\n',
    "show-input": "#!/bin/sh\nprintf '1\\0'\ncat\nprintf '\\0'\n",
    "show-raw": "#!/bin/sh\ncat\nprintf .\n",
    "run-bait": "#!/bin/sh\nprintf ran >> bait\n",
}


@dataclass(frozen=True)
class Outcome:
    calls: list[list[str]]
    errors: str
    code: int


class Judge:
    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self._programs = folder / "bin"
        self.work.mkdir()
        self._programs.mkdir()
        for name, text in _PROGRAMS.items():
            program = self._programs / name
            program.write_text(text)
            program.chmod(0o755)
        self.lay_bait()

    def lay_bait(self) -> None:
        for name, text in BAIT.items():
            (self.work / name).write_text(text)

    def bait_left(self) -> dict[str, str]:
        return {entry.name: entry.read_text() for entry in self.work.iterdir()}

    def run(self, shell: str, script: Script) -> Outcome:
        path = f"{self._programs}:{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": "/home/nobody", "SET": "set", **script.variables}
        done = subprocess.run(
            [shell, "-c", script.text], cwd=self.work, env=environment, capture_output=True, stdin=subprocess.DEVNULL
        )
        return Outcome(_calls(os.fsdecode(done.stdout)), os.fsdecode(done.stderr), done.returncode)

    def calls(self, shell: str, command: str, values: Mapping[str, Value | str]) -> list[list[str]]:
        """The calls that a command makes, which has to succeed and leave the bait alone."""
        script = script_of(command, values)
        outcome = self.run(shell, script)
        assert (outcome.code, outcome.errors) == (0, ""), f"{shell}: {outcome.errors}\n{script.text}"
        assert self.bait_left() == BAIT
        return outcome.calls


def script_of(command: str, values: Mapping[str, Value | str]) -> Script:
    """Render with names of inputs as keys; plain strings are literals."""
    typed = {name: Value(value) if isinstance(value, str) else value for name, value in values.items()}
    return render(command, {name if "." in name else f"inputs.{name}": value for name, value in typed.items()})


def words(text: str) -> list[str]:
    """What a literal is split into where it stands outside quotes."""
    return [word for word in re.split("[ \t\n]", text) if word]


def _calls(output: str) -> list[list[str]]:
    fields = output.split("\0")
    assert fields.pop() == "", output
    calls = []
    while fields:
        count = int(fields.pop(0))
        calls.append(fields[:count])
        del fields[:count]
    return calls
