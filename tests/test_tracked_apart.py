"""Jobs whose MLflow cannot open the workspace's database: they run, and say where their metrics go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engines.jobs.preparation import apart
from store.layout import Layout
from store.tracking.schema import installed_version
from tests.conftest import Cli
from tests.environments.tiny_packages import write_wheel

SHOWS = 'import os\nprint({name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")})\n'
JOB = """
name: apart
command: python -c "import mlflow"
environment: {{conda_file: {{dependencies: [pip, {{pip: [./{wheel}]}}]}}}}
"""


@pytest.mark.parametrize(("name", "version"), [("mlflow", "2.9.2"), ("mlflow_skinny", installed_version())])
@pytest.mark.slow
def test_the_job_is_told_of_a_folder_and_the_user_too(
    name: str, version: str, cli: Cli, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel = write_wheel(tmp_path, name, version, source=SHOWS, module="mlflow")
    (tmp_path / "job.yml").write_text(JOB.format(wheel=wheel.name))
    done = cli("run", tmp_path / "job.yml")
    assert done.returncode == 0, done.stderr
    place = layout.artifacts("apart") / "mlruns"
    told = " ".join(done.stderr.split())
    assert f"{name.replace('_', '-')} {version}, the workspace needs mlflow {installed_version()}" in told
    assert f"goes to {place}, not into the workspace" in told
    seen = eval(done.stdout)  # printed by the module above
    assert seen["MLFLOW_TRACKING_URI"] == place.as_uri()
    assert not {"MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_REGISTRY_URI"} & set(seen)


@pytest.mark.slow
def test_a_recent_mlflow_logs_and_registers_there(tmp_path: Path) -> None:
    script = (
        "import mlflow; mlflow.log_metric('m', 1.5); print(mlflow.get_run(mlflow.active_run().info.run_id).data);"
        "mlflow.MlflowClient().create_registered_model('mine')"
    )
    variables = {name: value for name, value in apart(tmp_path / "a b").items() if value}
    run = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert "'m': 1.5" in run.stdout, run.stderr
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "a b" / "models" / "mine").is_dir()
