"""An attempt and the shims that are started for it: what the tests of the shim share."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engines.compute.contract import wait_until

SHIM = Path(__file__).parent.parent.parent / "workbench" / "shim.py"
LINUX = sys.platform == "linux"
FOREVER = "exec sleep 1000"
needs_linux = pytest.mark.skipif(not LINUX, reason="needs /proc")
needs_root = pytest.mark.skipif(os.getuid() != 0 or not LINUX, reason="needs root: mounts, control groups, other users")


def interpreters() -> dict[str, Path]:
    """One interpreter of each version from 3.8 on that PATH or pyenv has."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin"))
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": Path(sys.executable)}
    for folder in folders:
        for path in folder.glob("python3.*"):
            version = re.fullmatch(r"python(3\.(\d+))", path.name)
            if version and int(version[2]) >= 8 and version[1] not in found:
                works = subprocess.run([path, "-I", "-S", "-c", "pass"], capture_output=True).returncode == 0
                if works:
                    found[version[1]] = path
    return found


@dataclass
class Attempt:
    """One attempt, and the shims that were started for it."""

    folder: Path
    python: Path = Path(sys.executable)
    program: list[str] = field(default_factory=lambda: [str(SHIM)])
    shims: list[subprocess.Popen[bytes]] = field(default_factory=list)
    token: str = field(default_factory=lambda: secrets.token_hex(16))  # tests run side by side

    @property
    def attempt(self) -> Path:
        return self.folder / "attempt"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def write(self, *commands: str, **fields: Any) -> None:
        """Write ``task.json``; the logs of several commands are ``log``, ``log1``, ``log2``..."""
        self.attempt.mkdir(parents=True, exist_ok=True)
        task = {
            "token": self.token,
            "name": "job",
            "directory": str(self.folder),
            "time_limit": None,
            "grace": 1,
            "processes": [
                {"argv": ["/bin/bash", "-c", command], "environment": {}, "log": f"{self.log}{rank or ''}"}
                for rank, command in enumerate(commands)
            ],
            **fields,
        }
        (self.attempt / "task.json").write_text(json.dumps(task))

    def start(
        self, *commands: str, environment: dict[str, str] | None = None, **fields: Any
    ) -> subprocess.Popen[bytes]:
        """Write the task, if there is one, and start a shim."""
        options = {key: fields.pop(key) for key in ("preexec_fn", "user") if key in fields}
        if commands or fields:
            self.write(*commands, **fields)
        shim = subprocess.Popen(
            [self.python, "-I", "-S", *self.program, self.attempt],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(environment or {})},
            start_new_session=True,
            **options,
        )
        self.shims.append(shim)
        return shim

    def run(self, *commands: str, **fields: Any) -> dict[str, Any]:
        """Run the task to its end; returns the exit record."""
        assert self.start(*commands, **fields).wait(30) == 0
        return self.record()

    def wait(self) -> dict[str, Any]:
        """Wait for the shim to leave; returns the exit record."""
        assert self.shims[-1].wait(30) == 0, self.complaints()
        return self.record()

    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.attempt / "exit.json").read_text())
        return found

    def complaints(self) -> str:
        return (self.attempt / "shim.log").read_text()

    def wait_for(self, name: str) -> str:
        """What a file in the folder says, once it says something."""
        path = self.folder / name
        wait_until(lambda: path.exists() and path.stat().st_size, f"{path} to be written")
        return path.read_text()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not LINUX or b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()
