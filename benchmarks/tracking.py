"""Logging and reading metrics: through Workbench, MLflow's SQLite store and MLflow's server; prints one line of JSON.

    python benchmarks/tracking.py                                                                  some minutes
    python benchmarks/tracking.py --seconds 0.2 --processes 2 --points 5000 --peer-points 500      a smoke test

Calls are those of a user: ``mlflow.log_metric`` and ``MlflowClient.log_batch`` with ``--batch`` metrics. Each process
is a job with a run of its own; all log at once, for ``--seconds``. Every way of logging has a database of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from store.layout import Layout
from store.tracking import runs
from store.tracking.ingest import ingest
from store.tracking.metrics import metric_history
from store.tracking.plugin import write_plugin
from store.tracking.template import ensure_mlflow_database

WORKER = """
import json, sys, time
import mlflow
from mlflow.entities import Metric
seconds, size = float(sys.argv[1]), int(sys.argv[2])
run = mlflow.start_run()
client = mlflow.MlflowClient()

def log_metric(step):
    mlflow.log_metric("loss", 1 / (step + 1), step=step)

def log_batch(step):
    now = time.time_ns() // 1_000_000
    client.log_batch(run.info.run_id, metrics=[Metric(f"m{i}", step / 7, now, step) for i in range(size)])

for call in (log_metric, log_batch):
    call(0)
    print("ready", flush=True)
    sys.stdin.readline()
    times, step, begun = [], 0, time.perf_counter()
    while step < 5 or time.perf_counter() < begun + seconds:
        step += 1
        before = time.perf_counter()
        call(step)
        times.append(time.perf_counter() - before)
    print(json.dumps({"times": times, "seconds": time.perf_counter() - begun}), flush=True)
"""
"""Logs in both ways, each when it is told to go."""

PEER = """
import sys, time
from mlflow.entities import Metric
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
store, count, journal = SqlAlchemyStore(sys.argv[1], "file:///nowhere"), int(sys.argv[2]), sys.argv[3]
run = store.create_run("0", "user", 1, [], "peer").info.run_id
begun = time.perf_counter()
for start in range(0, count, 1000):
    store.log_batch(run, [Metric("loss", 1 / (i + 3), 1_795_505_003_696 + i // 7, i)
                          for i in range(start, min(start + 1000, count))], [], [])
print(count / (time.perf_counter() - begun))
begun = time.perf_counter()
store.get_metric_history_bulk_interval([journal], "loss", 400, None, None)
print((time.perf_counter() - begun) * 1000)
"""

Environment = Callable[[str], dict[str, str]]
"""Makes the variables of a job's process from the job's name."""


def main() -> None:
    options = arguments()
    result: dict[str, Any] = {
        "benchmark": "tracking",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "batch": options.batch,
        "processes": options.processes,
    }
    for open_way in (workbench, mlflow_sqlite, mlflow_server):
        with tempfile.TemporaryDirectory() as folder, open_way(Path(folder)) as environment:
            for count in sorted({1, options.processes}):
                found = measure(environment, count, options)
                result.setdefault(open_way.__name__, {}).update(
                    {f"{kind}_in_{count}": each for kind, each in found.items()}
                )
    result["ingest"] = measure_ingest(options)
    print(json.dumps(result))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each process logs")
    parser.add_argument("--processes", type=int, default=8, help="how many log at once")
    parser.add_argument("--batch", type=int, default=50, help="metrics of one log_batch")
    parser.add_argument("--points", type=int, default=1_000_000, help="points to ingest and to read back")
    parser.add_argument("--peer-points", type=int, default=50_000, help="points that MLflow's log_batch is given")
    return parser.parse_args()


# ------------------------------------------------------------------------------------------------------ ways of logging


@contextmanager
def workbench(folder: Path) -> Iterator[Environment]:
    """Workbench's store, as a job has it."""
    layout = new_workspace(folder)
    plugin = str(write_plugin(folder / "plugin"))

    def environment(job: str) -> dict[str, str]:
        make_run(layout, job)
        return {
            "PYTHONPATH": plugin,
            "MLFLOW_TRACKING_URI": f"workbench://{quote(str(layout.root))}?job={job}",
            "MLFLOW_REGISTRY_URI": f"sqlite:///{layout.mlflow_database}",
            "MLFLOW_RUN_ID": job,
        }

    yield environment


@contextmanager
def mlflow_sqlite(folder: Path) -> Iterator[Environment]:
    """MLflow's SQLite store."""
    address = mlflow_database(folder)
    yield lambda _: {"MLFLOW_TRACKING_URI": address, "MLFLOW_REGISTRY_URI": address}


@contextmanager
def mlflow_server(folder: Path) -> Iterator[Environment]:
    """MLflow's server over its SQLite store, on the loopback."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = ["server", "--backend-store-uri", mlflow_database(folder), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *command],
            env=clean_environment(),
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for_server(server, address, folder / "server.log")
        yield lambda _: {"MLFLOW_TRACKING_URI": address, "MLFLOW_REGISTRY_URI": address}
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def wait_for_server(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Return when the server answers."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise SystemExit(f"MLflow's server did not start:\n{log.read_text()}")


# ------------------------------------------------------------------------------------------------------------ measuring


def measure(environment: Environment, count: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Calls a second of ``count`` processes together, and how long a call takes, by kind of call."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(options.seconds), str(options.batch)],
            env=clean_environment() | environment(f"job_{count}_{number}"),
            cwd=tempfile.gettempdir(),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(count)
    ]
    found = {kind: figures(all_at_once(processes)) for kind in ("log_metric", "log_batch")}
    for process in processes:
        process.communicate()
    return found


def all_at_once(processes: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    """Wait until all are ready, let them go, and read what they measured."""
    for process in processes:
        assert process.stdout is not None
        while (line := process.stdout.readline()) != "ready\n":
            assert line, "a process ended before it logged"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [json.loads(process.stdout.readline()) for process in processes if process.stdout]


def figures(answers: list[dict[str, Any]]) -> dict[str, float]:
    """What the processes measured, in one."""
    times = sorted(seconds * 1000 for answer in answers for seconds in answer["times"])
    return {
        "calls_per_second": round(sum(len(answer["times"]) / answer["seconds"] for answer in answers), 1),
        "median_ms": round(times[len(times) // 2], 3),
        "p95_ms": round(times[int(len(times) * 0.95)], 3),
        "worst_ms": round(times[-1], 3),
    }


def measure_ingest(options: argparse.Namespace) -> dict[str, float]:
    """A journal taken in, and read back for a plot; the same by MLflow, with fewer points."""
    with tempfile.TemporaryDirectory() as folder:
        layout = new_workspace(Path(folder))
        make_run(layout, "job")
        journal = layout.job("job").journal
        with journal.open("w") as file:
            for i in range(options.points):
                file.write(f'{{"r":"job","k":"loss","v":{1 / (i + 3)!r},"t":{1795505003696 + i // 7},"s":{i}}}\n')
        with closing(runs.connect(layout)) as connection:
            begun = time.perf_counter()
            rows, done = 0, False
            while not done:
                step = ingest(connection, "job", journal)
                rows, done = rows + step.rows, step.done
            taken = time.perf_counter() - begun
            assert rows == options.points
            begun = time.perf_counter()
            points = metric_history(connection, "job", "loss", 400)
            read = time.perf_counter() - begun
        peer = subprocess.run(
            [sys.executable, "-c", PEER, f"sqlite:///{layout.mlflow_database}", str(options.peer_points), "job"],
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        peer_rows, peer_read = map(float, peer.stdout.split())
    return {
        "points": rows,
        "rows_per_second": round(rows / taken),
        "plot_points": len(points),
        "plot_ms": round(read * 1000, 1),
        "mlflow_log_batch_rows_per_second": round(peer_rows),
        "mlflow_plot_ms": round(peer_read, 1),
    }


def new_workspace(folder: Path) -> Layout:
    """A workspace of which only the tracking part is there."""
    layout = Layout(folder / "ws")
    layout.jobs.mkdir(parents=True)
    ensure_mlflow_database(layout, lambda text: print(text, file=sys.stderr))
    return layout


def mlflow_database(folder: Path) -> str:
    """The address of a database as MLflow itself makes it: with a rollback journal, where Workbench's has WAL."""
    database = new_workspace(folder).mlflow_database
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return f"sqlite:///{database}"


def make_run(layout: Layout, job: str) -> None:
    """A job's run, as the agent makes it."""
    layout.job(job).root.mkdir(parents=True)
    with closing(runs.connect(layout)) as connection:
        runs.create_run(connection, layout, job=job, experiment="benchmark", display_name=job, user="user", start_ms=1)


def clean_environment() -> dict[str, str]:
    """This process's variables without MLflow's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


if __name__ == "__main__":
    main()
