"""How long an empty script takes: bare, with Workbench, and with its peers, in one run on one machine.

Prints one line of JSON: seconds, the median of ``--runs``, and ratios to the best peer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PEERS = {
    "metaflow": ["metaflow"],
    "dvc": ["dvc"],
    "guildai": ["guildai", "setuptools<81"],
    "mlflow": ["mlflow"],
}

FLOW = """\
from metaflow import FlowSpec, step

class Empty(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Empty()
"""

MLPROJECT = """\
name: empty
entry_points:
  main:
    command: "python empty.py"
"""


@dataclass(frozen=True)
class Contender:
    """One way of running the empty script; ``before`` is not timed."""

    name: str
    command: list[str]
    folder: Path
    environment: dict[str, str]
    before: Callable[[], object] = lambda: None


def sh(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a command that has to succeed."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def peer_environment(peers: Path, name: str) -> Path:
    """The folder with a peer's programs; its virtual environment is made when it is not there."""
    folder = peers / name
    if not (folder / "bin" / "python").exists():
        print(f"installing {name}", file=sys.stderr)
        sh(sys.executable, "-m", "venv", str(folder))
        uv = str(Path(sys.executable).parent / "uv")
        sh(uv, "pip", "install", "--python", str(folder / "bin/python"), "--compile-bytecode", *PEERS[name])
    return folder / "bin"


def environment(home: Path, programs: Path) -> dict[str, str]:
    """A clean environment with a home of its own and a program's folder first in PATH."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "WORKBENCH", "MLFLOW"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    home.mkdir(parents=True, exist_ok=True)
    return kept | {
        "HOME": str(home),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "USER": "bench",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DVC_NO_ANALYTICS": "true",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }


def repository(folder: Path, files: dict[str, str]) -> Path:
    """A git repository with the empty script and a contender's own files, committed."""
    folder.mkdir(parents=True)
    for name, text in {"empty.py": "", **files}.items():
        (folder / name).write_text(text)
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    sh("git", "init", "-q", str(folder))
    sh(*git, "-C", str(folder), "add", ".")
    sh(*git, "-C", str(folder), "commit", "-qm", "empty")
    return folder


def workbench(base: Path) -> list[Contender]:
    """Workbench with its agent at work, and with its agent off."""
    programs = Path(sys.executable).parent
    folder = repository(base / "workbench", {"job.yml": "command: python empty.py\ncode: .\n"})
    env = environment(base / "home-workbench", programs) | {"WORKBENCH_AGENT_IDLE_SECONDS": "600"}
    run = [str(programs / "workbench"), "run", "job.yml"]
    stop = [str(programs / "workbench"), "agent", "stop"]
    sh(*run, cwd=folder, env=env)
    return [
        Contender("workbench_warm", run, folder, env, lambda: sh(stop[0], "agent", "start", cwd=folder, env=env)),
        Contender("workbench_cold", run, folder, env, lambda: sh(*stop, cwd=folder, env=env)),
    ]


def metaflow(base: Path, peers: Path) -> Contender:
    programs = peer_environment(peers, "metaflow")
    folder = repository(base / "metaflow", {"flow.py": FLOW})
    env = environment(base / "home-metaflow", programs)
    return Contender("metaflow", [str(programs / "python"), "flow.py", "run"], folder, env)


def dvc(base: Path, peers: Path) -> Contender:
    programs = peer_environment(peers, "dvc")
    folder = repository(
        base / "dvc", {"dvc.yaml": "stages:\n  empty:\n    cmd: python empty.py\n    deps: [empty.py]\n"}
    )
    env = environment(base / "home-dvc", programs)
    sh(str(programs / "dvc"), "init", "-q", cwd=folder, env=env)
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    sh("git", *identity, "commit", "-qam", "dvc", cwd=folder)
    return Contender("dvc", [str(programs / "dvc"), "exp", "run", "--force"], folder, env)


def guildai(base: Path, peers: Path) -> Contender:
    programs = peer_environment(peers, "guildai")
    folder = repository(base / "guildai", {})
    env = environment(base / "home-guildai", programs)
    return Contender("guildai", [str(programs / "guild"), "run", "-y", "empty.py"], folder, env)


def mlflow_projects(base: Path, peers: Path) -> Contender:
    programs = peer_environment(peers, "mlflow")
    folder = repository(base / "mlflow", {"MLproject": MLPROJECT})
    env = environment(base / "home-mlflow", programs)
    return Contender("mlflow_projects", [str(programs / "mlflow"), "run", "--env-manager", "local", "."], folder, env)


def timed(contender: Contender) -> float:
    """Seconds of one run, from start to end of the process."""
    contender.before()
    began = time.perf_counter()
    done = subprocess.run(
        contender.command,
        cwd=contender.folder,
        env=contender.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{contender.name} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--peers", type=Path, help="Where the peers' environments lie; without it, no peers.")
    parser.add_argument("--work", type=Path, default=None)
    arguments = parser.parse_args()
    import tempfile

    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        base = Path(folder)
        bare = Path(sys.executable).parent
        contenders = [
            Contender(
                "bare", [sys.executable, "empty.py"], repository(base / "bare", {}), environment(base / "h", bare)
            ),
            *workbench(base),
        ]
        if arguments.peers:
            peers = arguments.peers.absolute()
            contenders += [make(base, peers) for make in (metaflow, dvc, guildai, mlflow_projects)]
        seconds: dict[str, list[float]] = {each.name: [] for each in contenders}
        for each in contenders:
            timed(each)
        for number in range(arguments.runs):
            for each in contenders:
                seconds[each.name].append(timed(each))
            print(f"run {number + 1} of {arguments.runs}", file=sys.stderr)
        subprocess.run(
            [str(bare / "workbench"), "agent", "stop"],
            cwd=base / "workbench",
            env=environment(base / "home-workbench", bare),
            capture_output=True,
        )
    medians = {name: round(statistics.median(times), 3) for name, times in seconds.items()}
    result: dict[str, object] = {"runs": arguments.runs, "seconds_median": medians}
    if others := {name: value for name, value in medians.items() if name in {"metaflow", "dvc", "guildai"}}:
        best = min(others.values())
        result["ratio_to_best_peer"] = {
            name: round(medians[name] / best, 3) for name in ("workbench_warm", "workbench_cold")
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
