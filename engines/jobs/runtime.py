"""The environment variables of a job's processes."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from store.jobs import Job
from store.layout import Layout
from store.specs.references import Url

CARRIED = frozenset(
    "PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR LD_LIBRARY_PATH "
    "HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy "
    "SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS "
    "CUDA_HOME CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER NVIDIA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES HIP_VISIBLE_DEVICES "
    "OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS NUMEXPR_NUM_THREADS PYTHONDONTWRITEBYTECODE "
    "XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME WORKBENCH_CACHE".split()
)
CARRIED_PREFIXES = ("LC_", "PIP_", "UV_", "OPENBLAS_", "OMP_", "KMP_")
"""What a job has of its submitter: locale, proxies, certificates, package indexes, threads and devices."""


def carried(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of a submitter's environment that goes with the job."""
    return {name: value for name, value in environment.items() if name in CARRIED or name.startswith(CARRIED_PREFIXES)}


def shell() -> str:
    """The shell that runs commands: bash, else sh."""
    return shutil.which("bash") or "/bin/sh"


def tracking_uri(layout: Layout, job: str) -> str:
    """The MLflow tracking address inside a job (see ``workbench/journal.py``)."""
    return f"workbench://{quote(str(layout.root))}?job={job}"


def registry_uri(layout: Layout) -> str:
    """The address of the workspace's registered models for MLflow."""
    return f"sqlite:///{layout.mlflow_database}"


def variables(job: Job, layout: Layout, experiment_id: str) -> dict[str, str]:
    """What Workbench tells every process of a job, by the names that Azure ML and MLflow use."""
    return {
        "AZUREML_RUN_ID": job.name,
        "AZUREML_EXPERIMENT_NAME": job.experiment_name,
        "AZUREML_EXPERIMENT_ID": experiment_id,
        "AZUREML_ARM_SUBSCRIPTION": "local",
        "AZUREML_ARM_RESOURCEGROUP": "local",
        "AZUREML_ARM_WORKSPACE_NAME": layout.root.name,
        "AZUREML_ROOT_RUN_ID": job.parent_job_name or job.name,
        "MLFLOW_TRACKING_URI": tracking_uri(layout, job.name),
        "MLFLOW_REGISTRY_URI": registry_uri(layout),
        "MLFLOW_RUN_ID": job.name,
        "MLFLOW_EXPERIMENT_NAME": job.experiment_name,
        "MLFLOW_EXPERIMENT_ID": experiment_id,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "PYTHONUNBUFFERED": "1",
        "WORKBENCH_JOB": job.name,
        "WORKBENCH_WORKSPACE": str(layout.root),
    }


def parameters(job: Job) -> dict[str, str]:
    """The inputs as MLflow parameters: set at the end, where the script did not log them itself.

    Data goes by its address, without what authorises in it: whoever looks at the runs sees parameters.
    """
    from engines.jobs.script import literal_text

    found: dict[str, str] = {}
    for name, value in (job.document.get("inputs") or {}).items():
        if isinstance(value, Mapping) and value.get("path"):
            found[name] = without_secrets(value["path"])
            continue
        text = value.get("value") if isinstance(value, Mapping) else value
        if text is not None:
            found[name] = literal_text(text)
    return found


def without_secrets(path: str) -> str:
    """A path of a document as it may be shown to anyone."""
    from store.addresses import Address
    from store.uris import take_apart

    return str(Address.parse(path)) if isinstance(take_apart(path), Url) and "://" in path else path


def current_python() -> Path:
    """The Python that runs Workbench."""
    return Path(sys.executable)


def file_creation_mask() -> None:
    """What Workbench makes is private to the user."""
    os.umask(0o077)
