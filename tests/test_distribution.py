"""From ``distribution`` to processes: what scripts of each kind read, and processes that really find each other."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from engines.compute import distribution
from engines.compute.base import Process, Task
from engines.compute.contract import Place
from engines.compute.local import LocalEngine
from store.errors import UsageError

LOGS = Path("/job/user_logs")


def made(nodes: int | None = None, **distribution_fields: Any) -> tuple[Process, ...]:
    document: dict[str, Any] = {"command": "true"}
    if nodes is not None:
        document["resources"] = {"instance_count": nodes}
    if distribution_fields:
        document["distribution"] = distribution_fields
    return distribution.processes(document, LOGS, ["bash", "-c", "true"])


def column(processes: tuple[Process, ...], name: str) -> list[str]:
    return [process.environment[name] for process in processes]


@pytest.mark.parametrize("nodes", [None, 1])
def test_one_process(nodes: int | None) -> None:
    node = {"NODE_RANK": "0", "AZUREML_CR_NODE_RANK": "0", "AZUREML_NODE_COUNT": "1"}
    assert made(nodes) == (Process(["bash", "-c", "true"], node, "/job/user_logs/std_log.txt"),)


def test_fields_may_be_null() -> None:
    document = {"resources": {"instance_count": None}, "distribution": None}
    assert len(distribution.processes(document, LOGS)) == 1
    assert len(distribution.processes({"resources": None}, LOGS)) == 1


def test_several_nodes_without_a_distribution() -> None:
    found = made(3)
    assert column(found, "NODE_RANK") == column(found, "AZUREML_CR_NODE_RANK") == ["0", "1", "2"]
    assert column(found, "AZUREML_NODE_COUNT") == ["3"] * 3
    assert [process.log for process in found] == [f"/job/user_logs/std_log_process_{rank}.txt" for rank in range(3)]


@pytest.mark.parametrize("kind", ["pytorch", "PyTorch", "mpi"])
def test_ranks(kind: str) -> None:
    found = made(2, type=kind, process_count_per_instance=3)
    assert column(found, "RANK") == list("012345")
    assert column(found, "LOCAL_RANK") == list("012012")
    assert column(found, "NODE_RANK") == column(found, "AZUREML_CR_NODE_RANK") == list("000111")
    assert column(found, "AZUREML_PROCESS_NAME") == [f"rank_{rank}" for rank in range(6)]
    for name, value in {"WORLD_SIZE": "6", "LOCAL_WORLD_SIZE": "3", "MASTER_ADDR": "127.0.0.1"}.items():
        assert column(found, name) == [value] * 6
    assert len(set(column(found, "MASTER_PORT"))) == 1
    assert not any(process.service for process in found)


def test_what_mpi_adds() -> None:
    found = made(2, type="mpi", process_count_per_instance=2)
    assert column(found, "OMPI_COMM_WORLD_RANK") == list("0123")
    assert column(found, "OMPI_COMM_WORLD_LOCAL_RANK") == list("0101")
    assert column(found, "OMPI_COMM_WORLD_SIZE") == ["4"] * 4
    assert column(found, "OMPI_COMM_WORLD_LOCAL_SIZE") == ["2"] * 4


@pytest.mark.parametrize("kind", ["pytorch", "mpi"])
def test_one_process_a_node_is_the_default(kind: str) -> None:
    found = made(2, type=kind, process_count_per_instance=None)
    assert column(found, "LOCAL_RANK") == ["0", "0"]
    assert column(found, "WORLD_SIZE") == ["2", "2"]


def test_tensorflow() -> None:
    found = made(2, type="tensorflow", parameter_server_count=1, worker_count=3)
    configs = [json.loads(text) for text in column(found, "TF_CONFIG")]
    assert [config["task"] for config in configs] == [
        *({"type": "worker", "index": index} for index in range(3)),
        {"type": "ps", "index": 0},
    ]
    clusters = [config["cluster"] for config in configs]
    assert clusters == [clusters[0]] * 4
    addresses = [address for group in clusters[0].values() for address in group]
    assert (len(set(addresses)), {address.split(":")[0] for address in addresses}) == (4, {"127.0.0.1"})
    assert column(found, "AZUREML_PROCESS_NAME") == ["worker_0", "worker_1", "worker_2", "ps_0"]
    assert [process.service for process in found] == [False, False, False, True]


def test_tensorflow_has_a_worker_for_each_node_by_default() -> None:
    found = made(2, type="tensorflow", parameter_server_count=0, worker_count=None)
    assert [set(json.loads(text)["cluster"]) for text in column(found, "TF_CONFIG")] == [{"worker"}, {"worker"}]


def test_ray_is_refused() -> None:
    document = {"distribution": {"type": "ray", "port": 1}}
    with pytest.raises(UsageError, match=r"ray(.|\n)*pytorch, mpi and tensorflow(.|\n)*ray.init\(\)"):
        distribution.check(document)
    with pytest.raises(UsageError):
        distribution.processes(document, LOGS)
    distribution.check({"distribution": None})
    distribution.check({"distribution": {"type": "mpi"}})


def test_ports_are_free_and_not_the_same() -> None:
    ports = distribution.free_ports(50)
    assert len(set(ports)) == 50
    with socket.socket() as probe:
        probe.bind((distribution.HOST, ports[0]))


def test_ports_that_are_taken_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind((distribution.HOST, 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(distribution, "PORTS", range(port, port + 1))
        assert distribution.free_ports(1) != [port]


RENDEZVOUS = """
import os, socket, time
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
address = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if rank == 0:
    server = socket.create_server(address)
    ranks = sorted(int(server.accept()[0].recv(100)) for _ in range(size - 1))
    print("met", ranks)
else:
    deadline = time.monotonic() + 20
    while True:
        try:
            connection = socket.create_connection(address)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    connection.sendall(b"%d" % rank)
    connection.recv(1)
"""


def test_processes_that_meet(tmp_path: Path) -> None:
    place = Place(LocalEngine(), tmp_path)
    document = {
        "resources": {"instance_count": 2},
        "distribution": {"type": "pytorch", "process_count_per_instance": 2},
    }
    found = distribution.processes(document, place.log.parent, [sys.executable, "-c", RENDEZVOUS])
    place.engine.start(place.attempt, Task(secrets.token_hex(16), "job", str(tmp_path), found), {"PATH": os.defpath})
    assert place.wait()["exit_code"] == 0, place.log.read_text()
    assert place.log.read_text() == "met [1, 2, 3]\n"


def test_parameter_servers_end_with_the_workers(tmp_path: Path) -> None:
    place = Place(LocalEngine(), tmp_path)
    document = {"distribution": {"type": "tensorflow", "worker_count": 2, "parameter_server_count": 1}}
    script = 'case $AZUREML_PROCESS_NAME in ps_*) exec sleep 1000;; esac; echo "$AZUREML_PROCESS_NAME done"'
    found = distribution.processes(document, place.log.parent, ["/bin/sh", "-c", script])
    place.engine.start(place.attempt, Task(secrets.token_hex(16), "job", str(tmp_path), found), {"PATH": os.defpath})
    record = place.wait()
    assert (record["outcome"], record["exit_code"]) == ("exited", 0)
    assert place.log.read_text() == "worker_0 done\n"
