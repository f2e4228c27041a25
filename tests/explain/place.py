"""Where a job ran, and a command in it: real scripts, run by a real shell."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.jobs.explain import Cause, JobFacts, explain_log

BASH = "/bin/bash"


@dataclass
class Place:
    """A working copy, the folder that its code came from, and the log."""

    root: Path

    @property
    def facts(self) -> JobFacts:
        return JobFacts(working_copy=self.root / "work", code=self.root / "src", time_limit=60)

    @property
    def log(self) -> Path:
        return self.root / "std_log.txt"

    def write(self, **files: str) -> None:
        """Put files into the working copy and the code; ``_py`` at the end of a name is a suffix, ``__`` a slash."""
        for name, text in files.items():
            relative = name.replace("__", "/")
            if "_" in relative.rpartition("/")[2]:
                relative = relative[::-1].replace("_", ".", 1)[::-1]
            for root in ("work", "src"):
                path = self.root / root / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(textwrap.dedent(text))

    def run(self, command: str, *, shell: str = BASH, **environment: str) -> dict[str, Any]:
        """Run a command as a job's, and return what the exit record would say."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        with self.log.open("wb") as log:
            done = subprocess.run(
                [shell, "-c", command],
                cwd=self.root / "work",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": path, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", **environment},
                check=False,
            )
        if done.returncode < 0:
            return {"outcome": "signaled", "exit_code": None, "signal": -done.returncode}
        return {"outcome": "exited", "exit_code": done.returncode, "signal": None}

    def cause(self, command: str, facts: JobFacts | None = None, **environment: str) -> Cause:
        """What is said of a command that failed."""
        record = self.run(command, **environment)
        assert record["exit_code"] != 0
        return explain_log(record, self.log, facts or self.facts)
