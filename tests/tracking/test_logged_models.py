"""Models that a script logs while no run is active are those of its job."""

from __future__ import annotations

from pathlib import Path

from tracked_jobs import RunJob

from store.layout import Layout
from store.uris import Resolver

JOB = "calm_fox_1"

LOG = """
import sys
import mlflow
from mlflow import MlflowClient

def log(name, run=None):
    model = mlflow.initialize_logged_model(name=name, source_run_id=run)
    MlflowClient().log_model_artifact(model.model_id, sys.argv[1])
    mlflow.finalize_logged_model(model.model_id, "READY")
    return model

assert mlflow.active_run() is None
log("alone")
with mlflow.start_run():
    mlflow.log_param("depth", 1)
assert mlflow.active_run() is None
log("after")
with mlflow.start_run(run_name="mine") as mine:
    pass
print(log("of mine", mine.info.run_id).source_run_id, mine.info.run_id)
outputs = MlflowClient().get_run("calm_fox_1").outputs.model_outputs
print(len(outputs))
mlflow.set_experiment("another")
print(log("elsewhere").source_run_id)
"""


def test_a_model_logged_without_a_run_is_found_by_the_job_s_name(
    tracked: Layout, run_job: RunJob, tmp_path: Path
) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    first, count, elsewhere = run_job(JOB, LOG, str(tmp_path / "MLmodel")).splitlines()[-3:]
    resolver = Resolver(tracked)
    for address in (f"runs:/{JOB}/alone", f"runs:/{JOB}/after", f"azureml://jobs/{JOB}/outputs/artifacts/paths/alone"):
        path = resolver.find(address).path
        assert path is not None
        assert [each.name for each in path.iterdir()] == ["MLmodel"]
    of_mine, mine = first.split()
    assert (of_mine == mine, count, elsewhere) == (True, "2", "None")
