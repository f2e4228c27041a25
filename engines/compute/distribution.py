"""From ``resources.instance_count`` and ``distribution`` to the processes of a job, each with its rank variables.

All of a job's nodes are this machine, so every address is the loopback's.
"""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.compute.base import Process
from store.errors import UsageError

HOST = "127.0.0.1"
PORTS = range(20000, 30000)
"""Below the range that Linux and macOS take ports for outgoing connections from: those are gone in a moment."""


@dataclass(frozen=True, slots=True)
class Member:
    """A process's part in the whole."""

    environment: dict[str, str]
    service: bool = False


def check(document: Mapping[str, Any]) -> None:
    """Raise UsageError for a distribution that cannot run here."""
    kind = (document.get("distribution") or {}).get("type")
    if kind is not None and str(kind).lower() not in ("pytorch", "mpi", "tensorflow"):
        raise UsageError(
            f"distribution {kind!r} does not run here; pytorch, mpi and tensorflow do",
            hint="Remove `distribution`: a script that calls ray.init() starts Ray on this machine by itself."
            if str(kind).lower() == "ray"
            else None,
        )


def processes(document: Mapping[str, Any], user_logs: Path, argv: Sequence[str] = ()) -> tuple[Process, ...]:
    """The processes of a command job; all of them run ``argv``. Free ports are chosen anew at each call."""
    found = members(document)
    return tuple(
        Process(list(argv), member.environment, str(log), member.service)
        for member, log in zip(found, logs(len(found), user_logs), strict=True)
    )


def logs(count: int, user_logs: Path) -> list[Path]:
    """Where each of ``count`` processes prints."""
    if count == 1:
        return [user_logs / "std_log.txt"]
    return [user_logs / f"std_log_process_{rank}.txt" for rank in range(count)]


def members(document: Mapping[str, Any]) -> list[Member]:
    """Every process's variables, by rank."""
    check(document)
    nodes = int((document.get("resources") or {}).get("instance_count") or 1)
    distribution: Mapping[str, Any] = document.get("distribution") or {}
    each = int(distribution.get("process_count_per_instance") or 1)
    match str(distribution.get("type")).lower():
        case "pytorch":
            return pytorch(nodes, each)
        case "mpi":
            return mpi(nodes, each)
        case "tensorflow":
            workers = int(distribution.get("worker_count") or nodes)
            return tensorflow(workers, int(distribution.get("parameter_server_count") or 0))
        case _:
            return [Member(node_variables(node, nodes)) for node in range(nodes)]


def pytorch(nodes: int, each: int) -> list[Member]:
    """What ``torch.distributed`` reads with ``init_method="env://"``."""
    port = free_ports(1)[0]
    return [Member(rank_variables(rank, nodes, each, port)) for rank in range(nodes * each)]


def mpi(nodes: int, each: int) -> list[Member]:
    """What Horovod, DeepSpeed and others read of Open MPI's launcher; there is none here, so MPI connects nothing."""
    port = free_ports(1)[0]
    return [
        Member(
            {
                **rank_variables(rank, nodes, each, port),
                "OMPI_COMM_WORLD_RANK": str(rank),
                "OMPI_COMM_WORLD_SIZE": str(nodes * each),
                "OMPI_COMM_WORLD_LOCAL_RANK": str(rank % each),
                "OMPI_COMM_WORLD_LOCAL_SIZE": str(each),
                "OMPI_COMM_WORLD_NODE_RANK": str(rank % each),
                "OMPI_UNIVERSE_SIZE": str(nodes * each),
                "AZ_BATCHAI_MPI_MASTER_NODE": HOST,
                "AZ_BATCH_MASTER_NODE": f"{HOST}:{port}",
            }
        )
        for rank in range(nodes * each)
    ]


def tensorflow(workers: int, servers: int) -> list[Member]:
    """TF_CONFIG, as ``tf.distribute`` reads it. Parameter servers never end by themselves."""
    ports = iter(free_ports(workers + servers))
    cluster = {"worker": [f"{HOST}:{next(ports)}" for _ in range(workers)]}
    if servers:
        cluster["ps"] = [f"{HOST}:{next(ports)}" for _ in range(servers)]
    found: list[Member] = []
    for kind, addresses in cluster.items():
        for index in range(len(addresses)):
            config = {"cluster": cluster, "task": {"type": kind, "index": index}, "environment": "cloud"}
            variables = {
                **node_variables(len(found), workers + servers),
                "TF_CONFIG": json.dumps(config),
                "AZUREML_PROCESS_NAME": f"{kind}_{index}",
            }
            found.append(Member(variables, service=kind == "ps"))
    return found


def rank_variables(rank: int, nodes: int, each: int, port: int) -> dict[str, str]:
    """The variables of one of ``each`` processes on one of ``nodes`` nodes."""
    return {
        **node_variables(rank // each, nodes),
        "MASTER_ADDR": HOST,
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(nodes * each),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank % each),
        "LOCAL_WORLD_SIZE": str(each),
        "AZUREML_PROCESS_NAME": f"rank_{rank}",
    }


def node_variables(node: int, nodes: int) -> dict[str, str]:
    """Which node of how many."""
    return {"NODE_RANK": str(node), "AZUREML_CR_NODE_RANK": str(node), "AZUREML_NODE_COUNT": str(nodes)}


def free_ports(count: int) -> list[int]:
    """Different ports of the loopback address that nobody listens on now."""
    candidates = random.SystemRandom().sample(PORTS, k=len(PORTS))
    found: list[int] = []
    with ExitStack() as held:  # until all are found, so that no two are the same
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            try:
                probe.bind((HOST, candidates.pop() if candidates else 0))
            except OSError:
                continue
            found.append(probe.getsockname()[1])
    return found
