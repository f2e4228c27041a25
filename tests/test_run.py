"""``workbench run`` and what can be done with a job, as a user would: processes, files, exit codes."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from store import database, jobs
from store.layout import Layout
from tests.conftest import Cli
from workbench.agent import lock, start


def write(folder: Path, text: str, name: str = "job.yml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def status(layout: Layout, name: str) -> str:
    return jobs.get(database.connect(layout.database), name).status


def heed_signals() -> None:
    """A process inherits what is ignored, and tests that run in the background, or under nohup, ignore these."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def started(layout: Layout, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start ``workbench ...`` and do not wait for it."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str | Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench.cli.main", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)},
            preexec_fn=heed_signals,
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def test_the_jobs_own_lines_alone_go_to_stdout(cli: Cli, tmp_path: Path) -> None:
    file = write(tmp_path, "command: |\n  echo one\n  echo two >&2\n  printf three\n")
    done = cli("run", file)
    assert (done.returncode, done.stdout) == (0, "one\ntwo\nthree")
    assert done.stderr.startswith("job ")
    assert "Completed" in done.stderr


def test_a_failed_job_leaves_with_1_and_says_why(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("def train():\n    return {}['missing']\n\ntrain()\n")
    done = cli("run", write(tmp_path, "code: code\ncommand: python train.py\n"))
    assert done.returncode == 1
    assert "KeyError: 'missing'" in done.stderr
    assert "train.py:2" in done.stderr
    assert "workbench job show" in done.stderr


def test_a_document_with_faults_leaves_no_trace(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    file = write(tmp_path, "comand: echo\ninputs:\n  a: 1\n")
    done = cli("run", file)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{file}:1:1: ")
    assert "'command'" in done.stderr
    assert jobs.count_by_status(database.connect(layout.database)) == {}
    assert list(layout.jobs.iterdir()) == []


def test_faults_of_the_workspace_come_together_with_their_places(cli: Cli, tmp_path: Path) -> None:
    file = write(
        tmp_path, "command: echo\ncompute: cpu-cluster\ninputs:\n  data:\n    type: uri_file\n    path: nowhere.csv\n"
    )
    done = cli("run", file)
    assert done.returncode == 2
    assert f"{file}:2:10: compute: this workspace has no compute named 'cpu-cluster'" in done.stderr
    assert f"{file}:" in done.stderr and "nowhere.csv" in done.stderr


def test_inputs_outputs_and_set(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("the data")
    file = write(
        tmp_path,
        "command: cat ${{inputs.data}} > ${{outputs.copy}}/copy.txt; echo ${{inputs.n}}\n"
        "inputs:\n  n: 1\n  data:\n    type: uri_file\n    path: data.txt\noutputs:\n  copy: {type: uri_folder}\n",
    )
    done = cli("run", file, "--set", "inputs.n=20", "--name", "named")
    assert (done.returncode, done.stdout) == (0, "20\n"), done.stderr
    assert (layout.output("named", "copy") / "copy.txt").read_text() == "the data"
    shown = json.loads(cli("job", "show", "named", "-o", "json").stdout)
    assert shown["status"] == "Completed"
    assert shown["parameters"]["n"] == "20"


def test_what_is_written_to_outputs_is_kept_and_downloaded(cli: Cli, tmp_path: Path) -> None:
    file = write(tmp_path, "command: mkdir -p outputs/m logs; echo w > outputs/m/w.txt; echo l > logs/l.txt\n")
    assert cli("run", file, "--name", "kept").returncode == 0
    done = cli("job", "download", "kept", "--download-path", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert (folder / "artifacts/outputs/m/w.txt").read_text() == "w\n"
    assert (folder / "artifacts/logs/l.txt").read_text() == "l\n"


def test_a_taken_name_is_a_conflict(cli: Cli, tmp_path: Path) -> None:
    file = write(tmp_path, "command: 'true'\n")
    assert cli("run", file, "--name", "once").returncode == 0
    again = cli("run", file, "--name", "once")
    assert again.returncode == 4
    assert "a job named 'once' already" in again.stderr


def test_names_that_do_not_exist(cli: Cli) -> None:
    assert cli("job", "show", "nobody").returncode == 3
    assert cli("job", "stream", "nobody").returncode == 3
    assert cli("job", "cancel", "nobody").returncode == 3
    assert cli("run", "nowhere.yml").returncode == 3


def test_listing_filters_and_prints_stable_json(cli: Cli, tmp_path: Path) -> None:
    good = write(tmp_path, "command: 'true'\ntags: {team: a}\nexperiment_name: e1\n", "good.yml")
    bad = write(tmp_path, "command: exit 3\nexperiment_name: e2\n", "bad.yml")
    cli("run", good, "--name", "good")
    cli("run", bad, "--name", "bad")
    listed = json.loads(cli("job", "list").stdout)
    assert [job["name"] for job in listed] == ["bad", "good"]
    assert [job["name"] for job in json.loads(cli("job", "list", "--status", "Failed").stdout)] == ["bad"]
    assert [job["name"] for job in json.loads(cli("job", "list", "--tag", "team=a").stdout)] == ["good"]
    assert cli("job", "list", "--experiment-name", "e2", "--query", "[].name", "-o", "tsv").stdout == "bad\n"
    assert cli("job", "archive", "bad").returncode == 0
    assert [job["name"] for job in json.loads(cli("job", "list").stdout)] == ["good"]
    assert cli("job", "restore", "bad").returncode == 0


def test_ctrl_c_cancels(started: Callable[..., subprocess.Popen[bytes]], layout: Layout, tmp_path: Path) -> None:
    file = write(tmp_path, "command: echo ready; sleep 60\n")
    process = started("run", file, "--name", "long")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Canceled" in errors
    assert errors.count(b"cancelling") == 1
    assert status(layout, "long") == "Canceled"


def test_a_second_ctrl_c_ends_what_does_not_heed_the_first(
    started: Callable[..., subprocess.Popen[bytes]], layout: Layout, tmp_path: Path
) -> None:
    file = write(tmp_path, "command: |\n  trap '' TERM\n  echo ready\n  while :; do sleep 0.05; done\n")
    process = started("run", file, "--name", "deaf")
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    wait_for(lambda: status(layout, "deaf") == "CancelRequested")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=8)
    assert process.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_a_job_outlives_its_watcher(
    started: Callable[..., subprocess.Popen[bytes]], layout: Layout, cli: Cli, tmp_path: Path, number: int
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    file = write(tmp_path, f"command: echo ready; cat {gate}\n")
    process = started("run", file, "--name", "alone")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    process.wait(10)
    wait_for(lambda: status(layout, "alone") == "Running")
    gate.write_text("opened\n")
    assert cli("job", "stream", "alone").stdout == "ready\nopened\n"
    assert status(layout, "alone") == "Completed"


def test_a_closed_pipe_does_not_cancel(layout: Layout, cli: Cli, tmp_path: Path) -> None:
    file = write(tmp_path, "command: for i in $(seq 1 2000); do echo line $i; done; echo last > outputs/done\n")
    command = f"{sys.executable} -m workbench.cli.main run {file} --name piped 2>/dev/null | head -n 1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, timeout=30,
        env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)},
    )  # fmt: skip
    assert done.stdout == "line 1\n"
    assert cli("job", "stream", "piped").returncode == 0


def test_detach_returns_at_once_and_stream_attaches(cli: Cli, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    done = cli("run", write(tmp_path, f"command: cat {gate}\n"), "--detach")
    assert done.returncode == 0
    name = done.stdout.strip()
    gate.write_text("through\n")
    assert cli("job", "stream", name).stdout == "through\n"


def test_the_agent_is_killed_and_its_job_is_adopted(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    name = cli("run", write(tmp_path, f"command: cat {gate}\n"), "--detach").stdout.strip()
    wait_for(lambda: status(layout, name) == "Running")
    holder = lock.holder(layout)
    assert holder is not None
    os.kill(holder.pid, signal.SIGKILL)
    wait_for(lambda: not lock.held(layout.agent_lock))
    gate.write_text("after the agent\n")
    done = cli("job", "stream", name)
    assert (done.returncode, done.stdout) == (0, "after the agent\n")
    assert (
        len([event for event in jobs.events(database.connect(layout.database), name) if event["status"] == "Running"])
        == 1
    )


def test_a_killed_shim_fails_the_job_and_leaves_no_process(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    name = cli("run", write(tmp_path, "command: sleep 60 & sleep 61\n"), "--detach").stdout.strip()
    wait_for(lambda: status(layout, name) == "Running")
    claim = layout.job(name).attempt(1) / "started"
    wait_for(lambda: claim.exists() and claim.stat().st_size > 0)
    os.kill(json.loads(claim.read_text())["pid"], signal.SIGKILL)
    wait_for(lambda: status(layout, name) == "Failed")
    job = jobs.get(database.connect(layout.database), name)
    assert job.cause is not None and job.cause["code"] == "supervisor_lost"
    token = f"WORKBENCH_TOKEN={job.token}".encode()
    wait_for(lambda: not [entry for entry in Path("/proc").glob("[0-9]*/environ") if contains(entry, token)])


def contains(file: Path, text: bytes) -> bool:
    try:
        return text in file.read_bytes()
    except OSError:
        return False


def test_a_time_limit_is_told_apart(cli: Cli, tmp_path: Path) -> None:
    done = cli("run", write(tmp_path, "command: sleep 60\nlimits: {timeout: 1}\n"), "--name", "slow")
    assert done.returncode == 1
    assert json.loads(cli("job", "show", "slow").stdout)["cause"]["code"] == "time_limit"


def test_jobs_wait_for_slots_in_order(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    cli("compute", "create", "--name", "one", "--type", "amlcompute", "--max-instances", "1")
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    file = write(tmp_path, f"command: cat {gate}\ncompute: one\n")
    cli("run", file, "--detach", "--name", "first")
    cli("run", file, "--detach", "--name", "second", "--set", "command='true'")
    wait_for(lambda: status(layout, "first") == "Running")
    assert status(layout, "second") in ("NotStarted", "Queued")
    gate.write_text("")
    assert cli("job", "stream", "second").returncode == 0
    assert cli("compute", "delete", "one", "--yes").returncode == 0


def test_a_job_that_never_began_shows_no_outputs(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    cli("compute", "create", "--name", "one", "--type", "amlcompute", "--max-instances", "1")
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    file = write(tmp_path, f"command: cat {gate}\ncompute: one\noutputs: {{model: {{type: uri_folder}}}}\n")
    for name in ("first", "second"):
        cli("run", file, "--detach", "--name", name)
    wait_for(lambda: status(layout, "first") == "Running")
    cli("job", "cancel", "second")
    told = cli("job", "stream", "second").stderr
    assert "second Canceled" in told and "outputs" not in told
    assert str(layout.root) not in cli("job", "show", "second", "-o", "table").stdout
    gate.write_text("")
    told = cli("job", "stream", "first").stderr
    assert f"outputs   {layout.artifacts('first')}" in told and "\n  model  " in told


def test_an_edit_after_submission_never_reaches_a_queued_job(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    cli("compute", "create", "--name", "one", "--type", "amlcompute", "--max-instances", "1")
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    code = tmp_path / "code"
    code.mkdir()
    (code / "say.sh").write_text("echo old\n")
    file = write(tmp_path, f"command: cat {gate}; sh say.sh\ncode: code\ncompute: one\n")
    cli("run", file, "--detach", "--name", "first")
    cli("run", file, "--detach", "--name", "second", "--set", "command=sh say.sh")
    (code / "say.sh").write_text("echo new\n")
    gate.write_text("")
    assert cli("job", "stream", "second").stdout == "old\n"
    assert cli("job", "rerun", "second", "--stream").stdout == "old\n"


def test_agent_status_start_stop(cli: Cli, layout: Layout) -> None:
    assert json.loads(cli("agent", "status").stdout)["state"] == "Stopped"
    begun = json.loads(cli("agent", "start").stdout)
    assert begun["state"] == "Running"
    assert json.loads(cli("agent", "status").stdout)["pid"] == begun["pid"]
    assert cli("agent", "stop").returncode == 0
    assert json.loads(cli("agent", "status").stdout)["state"] == "Stopped"
    assert lock.holder(layout) is None


def test_an_idle_agent_leaves(layout: Layout, cli: Cli) -> None:
    assert cli("agent", "start", env={"WORKBENCH_AGENT_IDLE_SECONDS": "0.2"}).returncode == 0
    wait_for(lambda: lock.holder(layout) is None)


def test_two_agents_are_one(layout: Layout) -> None:
    first = start.ensure(layout)
    start.start(layout)
    assert start.ensure(layout).pid == first.pid


def test_validate_writes_nothing_and_tells_the_differences(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    done = cli("job", "validate", write(tmp_path, "command: 'true'\n"))
    assert done.returncode == 0
    assert "environment" in done.stderr
    assert jobs.count_by_status(database.connect(layout.database)) == {}


def test_everything_is_private(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    cli("run", write(tmp_path, "command: echo hi > outputs/x\n"))
    modes = {path: path.stat().st_mode & 0o077 for path in layout.root.rglob("*") if not path.is_symlink()}
    assert [str(path) for path, mode in modes.items() if mode] == []


def test_the_database_holds_no_proxy_password(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    secret = "hunter2hunter2"
    file = write(tmp_path, "command: echo $http_proxy\n")
    done = cli("run", file, env={"http_proxy": f"http://me:{secret}@proxy.invalid:3128"})
    assert secret in done.stdout
    dump = "\n".join(sqlite3.connect(layout.database).iterdump())
    assert secret not in dump
    assert secret not in (layout.agent_log.read_text())
    assert not list(layout.jobs.glob("*/environment.json"))


def test_a_download_that_fails_ends_the_job_and_offers_the_way_round(cli: Cli, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/data.csv"
        file = write(tmp_path, f"command: 'true'\ninputs:\n  d: {{type: uri_file, path: '{url}'}}\n")
        done = cli("run", file, "--name", "far")
    assert done.returncode == 1
    assert url in done.stderr and "workbench cache add" in done.stderr
    assert json.loads(cli("job", "show", "far").stdout)["status"] == "Failed"


def test_a_job_runs_again_in_the_environment_that_it_had(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    conda = tmp_path / "conda.yml"
    conda.write_text("dependencies:\n  - pip\n  - pip: [six]\n")
    file = write(tmp_path, "command: 'true'\nenvironment: {image: ubuntu, conda_file: conda.yml}\n")
    name = json.loads(cli("job", "create", "-f", file).stdout)["name"]
    cli("job", "cancel", name)
    conda.unlink()
    again = cli("job", "rerun", name)
    assert again.returncode == 0, again.stderr
    connection = database.connect(layout.database)
    first, second = jobs.get(connection, name), jobs.get(connection, json.loads(again.stdout)["name"])
    assert second.environment == first.environment
    assert second.document["environment"] == first.document["environment"]
    cli("job", "cancel", second.name)
    changed = cli("job", "rerun", name, "--set", "environment=azureml:current@latest", "--stream")
    assert changed.returncode == 0, changed.stderr


def test_an_emptied_database_is_told_and_left_alone(cli: Cli, layout: Layout) -> None:
    for file in layout.root.glob("workbench.db*"):
        file.write_bytes(b"")
    done = cli("job", "list")
    assert done.returncode == 1
    assert "is empty" in done.stderr
    assert layout.database.read_bytes() == b""
