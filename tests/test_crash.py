"""kill -9 at random moments: every job has one outcome that agrees with what its process did, and ran at most once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from store import database, jobs
from store.jobs import Filter, Job
from store.layout import Layout
from workbench.agent import lock, start

STORM = [pytest.mark.storm, pytest.mark.timeout(1800)]
COMMAND = """\
echo "begin $AZUREML_RUN_ID" >> "$TRACE"
sleep $(( RANDOM % 3 )).$(( RANDOM % 10 ))
echo "end $AZUREML_RUN_ID ${{inputs.code}}" >> "$TRACE"
exit ${{inputs.code}}
"""


def document(folder: Path) -> Path:
    file = folder / "job.yml"
    body = "".join(f"  {line}\n" for line in COMMAND.splitlines())
    file.write_text(
        f"command: |\n{body}compute: pool\ninputs:\n  code: 0\nenvironment_variables:\n  TRACE: {folder / 'trace'}\n"
    )
    return file


def processes_of(layout: Layout) -> list[tuple[int, str]]:
    """Every process of a job of this workspace: pid and command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
                arguments = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if b"WORKBENCH_TOKEN=" in environment and f"WORKBENCH_WORKSPACE={layout.root}".encode() in environment:
                found.append((int(entry.name), arguments))
    return found


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def storm(layout: Layout, folder: Path, count: int, seed: int) -> dict[str, int]:
    """Submit jobs through clients, and kill agents, clients and shims meanwhile; returns what was killed."""
    dice = random.Random(seed)
    file = document(folder)
    (folder / "trace").touch()
    env = {**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)}
    workbench = [sys.executable, "-m", "workbench.cli.main"]
    subprocess.run(
        [*workbench, "compute", "create", "--name", "pool", "--type", "amlcompute", "--max-instances", "8"],
        env=env, check=True, capture_output=True,
    )  # fmt: skip
    clients: list[subprocess.Popen[bytes]] = []
    killed: Counter[str] = Counter()
    while len(clients) < count or any(client.poll() is None for client in clients):
        if len(clients) < count:
            code = dice.choice([0, 0, 0, 3])
            clients.append(
                subprocess.Popen(
                    [*workbench, "run", str(file), "--set", f"inputs.code={code}"],
                    env=env,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        time.sleep(dice.uniform(0.05, 0.3))  # the moments of the kills are what the test is about
        match dice.choice(["agent", "client", "shim", "nothing", "nothing"]):
            case "agent":
                if (holder := lock.holder(layout)) is not None:
                    kill(holder.pid)
                    killed["agent"] += 1
            case "client":
                alive = [client for client in clients if client.poll() is None]
                if alive:
                    dice.choice(alive).kill()
                    killed["client"] += 1
            case "shim":
                shims = [pid for pid, arguments in processes_of(layout) if "shim." in arguments]
                if shims and killed["shim"] < count // 6:
                    kill(dice.choice(shims))
                    killed["shim"] += 1
    return dict(killed)


def wait_until_all_ended(layout: Layout, seconds: float) -> list[Job]:
    connection = database.connect(layout.database)
    deadline = time.monotonic() + seconds
    while jobs.count_unfinished(connection):
        assert time.monotonic() < deadline, jobs.count_by_status(connection)
        if not lock.held(layout.agent_lock):
            start.ensure(layout)
        time.sleep(0.1)
    return jobs.find(connection, Filter(), 10_000)


def check_outcomes(ended: list[Job], trace: str) -> None:
    lines = trace.split("\n")
    begun = Counter(line.split()[1] for line in lines if line.startswith("begin "))
    finished = {line.split()[1]: int(line.split()[2]) for line in lines if line.startswith("end ")}
    for job in ended:
        assert begun[job.name] <= 1, f"{job.name} ran {begun[job.name]} times"
        cause = (job.cause or {}).get("code")
        if job.status == "Completed":
            assert finished.get(job.name) == 0, job
        elif cause == "supervisor_lost":
            assert job.status == "Failed"
        elif cause == "not_started":  # the shim was killed before it claimed the attempt
            assert (job.status, begun[job.name]) == ("Failed", 0)
        else:
            assert (job.status, job.exit_code, finished.get(job.name)) == ("Failed", 3, 3), job


@pytest.mark.parametrize(
    ("count", "seed"),
    [pytest.param(12, 1, marks=pytest.mark.slow), *(pytest.param(60, seed, marks=STORM) for seed in range(2, 7))],
)
def test_a_storm_of_kills(layout: Layout, tmp_path: Path, count: int, seed: int) -> None:
    killed = storm(layout, tmp_path, count, seed)
    ended = wait_until_all_ended(layout, 120)
    check_outcomes(ended, (tmp_path / "trace").read_text())
    assert processes_of(layout) == []
    connection = database.connect(layout.database)
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert killed.get("agent", 0) > 0
