"""What libraries and the machine refuse, and what is told of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.explain.place import Place


def test_a_port_in_use(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        place.write(train_py=f"import socket\nsocket.create_server(('127.0.0.1', {port}))\n")
        cause = place.cause("python train.py")
    assert cause.code == "port_in_use"
    assert cause.exception is not None and (cause.exception.file, cause.exception.line) == ("train.py", 2)


def test_the_gpu_is_out_of_memory(place: Place) -> None:
    place.write(
        train_py="""
        class OutOfMemoryError(RuntimeError): ...
        OutOfMemoryError.__module__ = "torch"
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 8 GiB")
        """
    )
    assert place.cause("python train.py").code == "gpu_memory"


def test_a_missing_system_library(place: Place) -> None:
    place.write(train_py="import ctypes\nctypes.CDLL('libGL.so.97')\n")
    cause = place.cause("python train.py")
    assert cause.code == "missing_library"
    assert "libGL.so.97" in cause.message


def test_no_network(place: Place) -> None:
    place.write(train_py="import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/x')\n")
    cause = place.cause("python train.py", no_proxy="*")
    assert cause.code == "network"
    assert cause.hint is not None and "workbench cache add" in cause.hint
    said = place.cause("echo 'curl: (7) Failed to connect to 127.0.0.1 port 9'; exit 7").message
    assert said.endswith(" It said: curl: (7) Failed to connect to 127.0.0.1 port 9")


def test_native_code_without_memory(place: Place) -> None:
    cause = place.cause("echo \"terminate called after throwing an instance of 'std::bad_alloc'\"; kill -ABRT $$")
    assert cause.code == "memory"
    assert "SIGABRT" in cause.message


@pytest.mark.slow
def test_set_experiment_under_a_given_run(place: Place) -> None:
    place.write(train_py="import mlflow\n\nmlflow.set_experiment('other')\nmlflow.log_metric('x', 1)\n")
    uri = f"sqlite:///{place.root}/mlflow.db"
    made = subprocess.run(
        [sys.executable, "-c", "import mlflow; print(mlflow.start_run().info.run_id)"],
        env={**os.environ, "MLFLOW_TRACKING_URI": uri},
        cwd=place.root,
        capture_output=True,
        text=True,
        check=True,
    )
    run_id = made.stdout.split()[-1]
    cause = place.cause("python train.py", MLFLOW_TRACKING_URI=uri, MLFLOW_RUN_ID=run_id)
    assert cause.code == "mlflow_experiment", cause
    assert cause.exception is not None and (cause.exception.file, cause.exception.line) == ("train.py", 4)
    assert cause.hint is not None and "experiment_name" in cause.hint


@pytest.mark.slow
def test_a_second_run_while_one_is_active(place: Place) -> None:
    place.write(train_py="import mlflow\n\nmlflow.start_run()\nmlflow.start_run()\n")
    cause = place.cause("python train.py", MLFLOW_TRACKING_URI=f"sqlite:///{place.root}/mlflow.db")
    assert cause.code == "mlflow_active_run", cause


@pytest.mark.slow
@pytest.mark.parametrize("uri", ["sqlite:///own.db", "http://127.0.0.1:9"])
def test_a_script_that_logs_to_a_store_of_its_own(place: Place, uri: str) -> None:
    place.write(train_py=f"import mlflow\n\nmlflow.set_tracking_uri('{uri}')\nmlflow.log_metric('x', 1)\n")
    cause = place.cause(
        "python train.py",
        replace(place.facts, job="brave_owl_1"),
        MLFLOW_RUN_ID="brave_owl_1",
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
        no_proxy="*",
    )
    assert cause.code == "mlflow_other_store", cause
    assert cause.hint is not None and cause.hint.startswith("Take mlflow.set_tracking_uri() out")
