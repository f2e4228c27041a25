"""What the shim says of a task's time and memory, and of the machine meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.compute.contract import wait_until
from tests.shim.attempts import Attempt, needs_linux, needs_root

# What it used


@needs_linux
def test_time_of_the_whole_tree(attempt: Attempt) -> None:
    burn = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.2: pass'"
    record = attempt.run(
        f'{burn}; {burn} & wait; (setsid bash -c "{burn}; echo > done" &); while [ ! -s done ]; do :; done'
    )
    assert 0.6 <= record["cpu_seconds"] < 10
    assert record["cpu_seconds"] / os.cpu_count() <= record["wall_seconds"] < 10


@needs_linux
def test_memory_of_one_process(attempt: Attempt) -> None:
    record = attempt.run(f"{sys.executable} -c 'held = bytearray(64 << 20)'")
    assert 64 << 20 < record["peak_memory_bytes"] < 100 << 20


@needs_linux
@pytest.mark.slow
def test_memory_of_the_whole_tree(attempt: Attempt) -> None:
    """Looked at every second where that costs nothing."""
    hold = "held = bytearray(64 << 20); import time; time.sleep(6)"
    record = attempt.run(f"for i in 1 2 3; do {sys.executable} -c '{hold}' & done; wait")
    assert 3 * 64 << 20 < record["peak_memory_bytes"] < 300 << 20


@needs_linux
@pytest.mark.slow
def test_memory_that_processes_share_counts_once(attempt: Attempt) -> None:
    fork = "import os, time; held = bytearray(64 << 20); [os.fork() for _ in '12']; time.sleep(3)"
    record = attempt.run(f'{sys.executable} -c "{fork}"')
    assert 64 << 20 < record["peak_memory_bytes"] < 2 * 64 << 20


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group with 60 MB of memory, in either version of them."""
    old = Path("/sys/fs/cgroup/memory")
    parent, limit = (old, "memory.limit_in_bytes") if old.exists() else (Path("/sys/fs/cgroup"), "memory.max")
    group = parent / f"workbench-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(60 << 20))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no control group with a memory limit can be made here: {error}")
    yield group
    wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group to be empty")
    group.rmdir()


@needs_root
@pytest.mark.parametrize("command", ["exec {}", "{}; exit $?"])
def test_death_for_lack_of_memory(attempt: Attempt, small_group: Path, command: str) -> None:
    eat = f"{sys.executable} -c 'b = bytearray(400 << 20)'"
    record = attempt.run(
        command.format(eat), preexec_fn=lambda: (small_group / "cgroup.procs").write_text(str(os.getpid())) and None
    )
    assert record["outcome"] == "out_of_memory"
    assert (record["exit_code"], record["signal"]) in ((137, None), (None, 9))


@needs_root
def test_a_death_for_lack_of_memory_that_the_command_hides_is_counted(attempt: Attempt, small_group: Path) -> None:
    record = attempt.run(
        f"{sys.executable} -c 'b = bytearray(400 << 20)' || exit 3",
        preexec_fn=lambda: (small_group / "cgroup.procs").write_text(str(os.getpid())) and None,
    )
    assert (record["outcome"], record["exit_code"]) == ("exited", 3)
    assert record["memory_kills"] > 0


@pytest.mark.parametrize("command", ["kill -KILL $$", "bash -c 'kill -KILL $$'; exit $?"])
def test_not_every_sigkill_is_for_lack_of_memory(attempt: Attempt, command: str) -> None:
    record = attempt.run(command)
    assert (record["outcome"], record["exit_code"], record["signal"]) in (("signaled", None, 9), ("exited", 137, None))


def samples(attempt: Attempt) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (attempt.folder / "metrics.jsonl").read_text().splitlines()]


def sampled(attempt: Attempt, script: str, **fields: Any) -> list[dict[str, Any]]:
    """Run with system metrics, to ``metrics.jsonl``."""
    attempt.run(script, journal=str(attempt.folder / "metrics.jsonl"), **fields)
    return samples(attempt)


def test_system_metrics(attempt: Attempt) -> None:
    before = time.time() * 1000
    lines = sampled(attempt, "while ! grep -q '\"s\": 2' metrics.jsonl; do sleep 0.01; done", sample_every=0.1)
    assert {line["r"] for line in lines} == {"job"}
    assert {line["s"] for line in lines} >= {0, 1, 2}
    stamps = [line["t"] for line in lines]
    assert stamps == sorted(stamps)
    assert before + 100 <= stamps[0] < before + 10_000
    assert all(isinstance(line["v"], float) and line["v"] >= 0 for line in lines)
    assert all(line["v"] <= 100 for line in lines if line["k"].endswith("percentage"))


def test_a_short_task_has_none(attempt: Attempt) -> None:
    attempt.run("exit 0", journal=str(attempt.folder / "metrics.jsonl"), sample_every=5)
    assert not (attempt.folder / "metrics.jsonl").exists()


@needs_linux
@pytest.mark.slow
def test_system_metrics_are_those_of_mlflow(attempt: Attempt) -> None:
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    expected: dict[str, float] = {}
    for monitor in (CPUMonitor(), DiskMonitor(), NetworkMonitor()):
        monitor.collect_metrics()
        expected |= {f"system/{key}": value for key, value in monitor.aggregate_metrics().items()}
    ours = {line["k"]: line["v"] for line in sampled(attempt, "sleep 0.3", sample_every=0.1)}
    assert set(ours) == set(expected)
    for key in expected:
        if "memory" in key or "disk" in key:  # others use the machine too
            assert ours[key] == pytest.approx(expected[key], rel=0.5), key


def graphics_card(attempt: Attempt, script: str) -> str:
    """A PATH on which nvidia-smi is this script: there is no card on the machines that run the tests."""
    folder = attempt.folder / "bin"
    folder.mkdir()
    (folder / "nvidia-smi").write_text(f"#!/bin/bash\necho asked >> {attempt.folder}/asked\n{script}\n")
    (folder / "nvidia-smi").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_gpu_metrics(attempt: Attempt) -> None:
    answer = "echo '0, 57, 1000, 4000, 75.5, 300.00'; echo '1, 3, 500, 2000, [N/A], [N/A]'; echo garbage"
    path = graphics_card(attempt, answer)
    wait = "while ! grep -q gpu_1_memory_usage_percentage metrics.jsonl; do sleep 0.01; done"
    lines = sampled(attempt, wait, sample_every=0.1, environment={"PATH": path})
    assert {line["k"]: line["v"] for line in lines if "gpu" in line["k"]} == {
        "system/gpu_0_utilization_percentage": 57.0,
        "system/gpu_0_memory_usage_megabytes": 1048.6,
        "system/gpu_0_memory_usage_percentage": 25.0,
        "system/gpu_0_power_usage_watts": 75.5,
        "system/gpu_0_power_usage_percentage": pytest.approx(25.2, abs=0.1),
        "system/gpu_1_utilization_percentage": 3.0,
        "system/gpu_1_memory_usage_megabytes": 524.3,
        "system/gpu_1_memory_usage_percentage": 25.0,
    }


def test_a_gpu_that_does_not_answer_holds_nothing_up(attempt: Attempt) -> None:
    path = graphics_card(attempt, "trap '' TERM; while :; do sleep 1000; done")
    script = "while ! grep -q '\"s\": 2' metrics.jsonl; do sleep 0.01; done"
    begin = time.monotonic()
    lines = sampled(attempt, script, sample_every=0.1, environment={"PATH": path}, grace=3600)
    assert time.monotonic() - begin < 20
    assert {line["s"] for line in lines} >= {0, 1, 2}
    assert (attempt.folder / "asked").read_text() == "asked\n", "it is not asked again before it has answered"
    assert attempt.record()["exit_code"] == 0
