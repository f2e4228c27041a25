"""Jobs with another MLflow: MLflow's server on the workspace's database stands in, and ends with the job."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engines.jobs import runtime
from engines.jobs.tracking import past_proxies
from store.layout import Layout
from store.tracking import runs
from store.tracking.schema import installed_version
from tests.conftest import Cli
from tests.environments.tiny_packages import write_wheel
from tests.test_imports import HEAVY, imported
from tests.tracking.tracked_jobs import MakeRun
from workbench.agent import start

KEY = "a-key"
SCRIPT = """
import hashlib, mlflow, os, sys, urllib.error, urllib.request
from mlflow import MlflowClient

job = os.environ["AZUREML_RUN_ID"]
assert mlflow.__version__ == "2.17.2"
assert not {"MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_TOKEN"} & set(os.environ)
assert MlflowClient().tracking_uri.startswith("http://127.0.0.1:")
mlflow.log_param("lr", 0.1)
for step in range(3):
    mlflow.log_metric("loss", 3.0 - step, step=step)
mlflow.log_metrics({"nan": float("nan"), "inf": float("inf")})
open("note.txt", "w").write("hello")
mlflow.log_artifact("note.txt", "notes")
mlflow.set_tag("colour", "blue")
with mlflow.start_run(run_name="child", nested=True):
    mlflow.log_metric("inner", 2.5)
run = mlflow.get_run(job)
assert (run.data.params["lr"], run.data.tags["colour"], run.data.metrics["loss"]) == ("0.1", "blue", 1.0), run
history = MlflowClient().get_metric_history(job, "loss")
assert [(point.step, point.value) for point in history] == [(0, 3.0), (1, 2.0), (2, 1.0)], history
assert [file.path for file in MlflowClient().list_artifacts(job, "notes")] == ["notes/note.txt"]
try:
    urllib.request.urlopen(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/get?run_id=" + job)
except urllib.error.HTTPError as error:
    print("without the key:", error.code)
print("served at", os.environ["MLFLOW_TRACKING_URI"])
mlflow.end_run()
mlflow.log_metric("after the end", 4)
mlflow.end_run()
with mlflow.start_run():
    mlflow.log_metric("asked for", 5)
open(sys.argv[1], "w").write(os.environ["MLFLOW_TRACKING_PASSWORD"])
"""
JOB = """
name: other
command: python script.py {key}
code: src
environment_variables: {{HTTP_PROXY: "http://127.0.0.1:9", HOME: {home}}}
environment: {{conda_file: {{dependencies: [pip, {{pip: [mlflow-skinny==2.17.2]}}]}}}}
"""


@pytest.mark.slow
def test_all_that_another_mlflow_logs_is_in_the_workspace(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    key = tmp_path / "key"
    (tmp_path / "home" / ".mlflow").mkdir(parents=True)  # of another server; MLflow sends them with whatever it asks
    credentials = "[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = secret\n"
    (tmp_path / "home" / ".mlflow" / "credentials").write_text(credentials)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "script.py").write_text(SCRIPT)
    (tmp_path / "job.yml").write_text(JOB.format(key=key, home=tmp_path / "home"))
    done = cli("run", tmp_path / "job.yml")
    assert done.returncode == 0, done.stderr
    assert "without the key: 401\n" in done.stdout
    told = " ".join(done.stderr.split())
    assert f"mlflow-skinny 2.17.2, the workspace mlflow {installed_version()}" in told
    assert "processes; shown is" not in told

    shown = json.loads(cli("job", "show", "other").stdout)
    assert {name: shown["metrics"][name] for name in ("loss", "nan", "inf")} == {
        "loss": 1.0,
        "nan": "NaN",
        "inf": "Infinity",
    }
    assert (layout.artifacts("other") / "notes" / "note.txt").read_text() == "hello"
    with closing(runs.connect(layout)) as database:
        found = database.execute("SELECT name, status FROM runs ORDER BY start_time").fetchall()
        params = database.execute("SELECT key, value FROM params WHERE run_uuid = 'other'").fetchall()
        tag = database.execute("SELECT value FROM tags WHERE run_uuid = 'other' AND key = 'colour'").fetchone()
        points = database.execute("SELECT step, value FROM metrics WHERE key = 'loss' ORDER BY step").fetchall()
        inner = database.execute("SELECT value FROM metrics WHERE key = 'inner'").fetchone()
        later = dict(database.execute("SELECT key, run_uuid = 'other' FROM metrics WHERE key LIKE 'a%'").fetchall())
        told = database.execute("SELECT count(*) FROM tags WHERE key = 'workbench.started_by_itself'").fetchone()[0]
    assert [row[1] for row in found] == ["FINISHED"] * 3
    assert [row[0] for row in found][:2] == ["other", "child"]
    assert (later, told) == ({"after the end": 1, "asked for": 0}, 0)
    assert [tuple(row) for row in params] == [("lr", "0.1")]
    assert [tuple(row) for row in points] == [(0, 3.0), (1, 2.0), (2, 1.0)]
    assert (tag[0], inner[0]) == ("blue", 2.5)
    port = int(re.findall(r"served at http://127\.0\.0\.1:(\d+)\n", done.stdout)[0])
    assert_nothing_is_left(layout, key.read_text(), port)


def assert_nothing_is_left(layout: Layout, key: str, port: int) -> None:
    """No process of the job, and its key in no file."""
    task = json.loads((layout.job("other").attempt(1) / "task.json").read_text())
    assert [process["service"] for process in task["processes"]] == [False, True]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert len(key) > 40
    start.stop(layout)  # whose databases' side files come and go
    files = [path for path in layout.root.rglob("*") if path.is_file() and layout.environments not in path.parents]
    assert layout.database in files and layout.job("other").tracking_log in files
    assert [path for path in files if key.encode() in path.read_bytes()] == []


SHOWS = 'import os\nprint({name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")})\n'


@pytest.mark.slow
def test_a_server_that_the_document_names_is_left_alone(
    cli: Cli, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel = write_wheel(tmp_path, "mlflow", "2.9.2", source=SHOWS)
    (tmp_path / "job.yml").write_text(
        "name: theirs\n"
        'command: python -c "import mlflow"\n'
        "environment_variables: {MLFLOW_TRACKING_URI: 'http://tracking.example'}\n"
        f"environment: {{conda_file: {{dependencies: [pip, {{pip: [./{wheel.name}]}}]}}}}\n"
    )
    done = cli("run", tmp_path / "job.yml")
    assert done.returncode == 0, done.stderr
    seen = eval(done.stdout)  # printed by the module above
    assert seen["MLFLOW_TRACKING_URI"] == "http://tracking.example"
    assert "MLFLOW_TRACKING_PASSWORD" not in seen
    assert not layout.job("theirs").tracking_log.exists()


def command(layout: Layout) -> list[str]:
    addresses = [runtime.tracking_uri(layout, "job"), runtime.registry_uri(layout)]
    return [sys.executable, "-P", "-X", "importtime", "-m", "workbench.tracking_server", *addresses]


@pytest.fixture
def server(tracked: Layout, new_run: MakeRun) -> Iterator[str]:
    """The address of a server for the job ``job``, whose MLflow is set up for something else."""
    new_run("job")
    environment = {**os.environ, "MLFLOW_TRACKING_PASSWORD": KEY, "MLFLOW_TRACKING_URI": "http://tracking.example"}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(command(tracked), env=environment, stdin=listener, stderr=subprocess.DEVNULL)
        port = listener.getsockname()[1]
    with process:
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        assert "MLFLOW_TRACKING_PASSWORD" in error.read().decode() or error.code != 401
        return error.code


@pytest.mark.slow
def test_only_those_with_the_key_are_answered(server: str) -> None:
    url = server + "/api/2.0/mlflow/runs/get?run_id=job"
    assert status(url) == 401
    assert status(server + "/health") == 401
    assert status(url, Authorization=f"Bearer {KEY}") == 401
    assert status(url, Authorization="Basic " + KEY) == 401
    assert status(url, Authorization=basic("another")) == 401
    assert status(url, Authorization=basic(KEY)) == 200
    assert status(url, Authorization=basic(KEY), Host="rebound.example") == 403


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"user:{password}".encode()).decode()


def test_before_a_client_comes_nothing_heavy_is_imported(layout: Layout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            command(layout),
            env={**os.environ, "MLFLOW_TRACKING_PASSWORD": KEY},
            stdin=listener,
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        assert process.stderr is not None
        lines = [process.stderr.readline()]
        while "select" not in lines[-1].split():  # which it waits with
            lines.append(process.stderr.readline())
        process.terminate()
    assert not imported("".join(lines)) & (HEAVY | {"uvicorn"})


def test_the_server_is_reached_past_a_proxy() -> None:
    assert past_proxies({"A": "b"}) == {"A": "b"}
    assert past_proxies({"https_proxy": "p"})["no_proxy"] == "127.0.0.1"
    found = past_proxies({"HTTP_PROXY": "p", "NO_PROXY": "x,y"})
    assert found["no_proxy"] == found["NO_PROXY"] == "x,y,127.0.0.1"
