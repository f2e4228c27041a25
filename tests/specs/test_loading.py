"""Loading documents: what a job comes to, what its paths are relative to, and what loading costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import DocumentError, UsageError
from store.specs.command_job import CommandJob
from store.specs.distribution import PyTorchDistribution
from store.specs.document import Document
from store.specs.environment import AnonymousEnvironment
from store.specs.inputs import DataInput, MLTableInput
from store.specs.loading import KINDS, kinds, load, load_job, model_of, parse

ROOT = Path(__file__).parents[2]

JOB = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
name: first_try
command: >-
  python train.py --data ${{inputs.data}} --epochs ${{inputs.epochs}}
code: ../code
environment:
  image: ubuntu
  conda_file: conda.yml
environment_variables: {N: 5, F: 1.50, T: true, E: , S: "x"}
inputs:
  data: {type: URI_FILE, path: data/iris.csv, mode: Download}
  away: {path: "https://example.org/a.csv"}
  table: {path: tables, mode: eval_mount}
  epochs: 20
  rate: 0.5
  go: true
  text: {value: "5"}
outputs:
  model: {type: mlflow_model, path: "azureml://datastores/workspaceblobstore/paths/${{name}}"}
  rest:
compute: azureml:cpu
distribution: {type: PyTorch, process_count_per_instance: 2}
limits: {timeout: "60"}
status: Completed
"""


@pytest.fixture
def job_file(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "conda.yml").write_text("dependencies: [pip]\n")
    file = tmp_path / "jobs" / "job.yml"
    file.write_text(JOB)
    return file


def test_a_job(job_file: Path, tmp_path: Path) -> None:
    job = load_job(job_file)
    assert isinstance(job, CommandJob)
    assert (job.type, job.name, job.compute, job.display_name) == ("command", "first_try", "cpu", None)
    assert job.code == str(tmp_path / "code")
    assert isinstance(job.environment, AnonymousEnvironment)
    assert job.environment.conda_file == str(tmp_path / "jobs" / "conda.yml")
    assert isinstance(job.distribution, PyTorchDistribution) and job.distribution.process_count_per_instance == 2
    assert job.limits is not None and job.limits.timeout == 60
    assert job.environment_variables == {"N": "5", "F": "1.5", "T": "True", "E": "", "S": "x"}
    assert job.inputs is not None
    assert {key: job.inputs[key] for key in ("epochs", "rate", "go", "text")} == {
        "epochs": 20,
        "rate": 0.5,
        "go": True,
        "text": "5",
    }
    assert isinstance(job.inputs["data"], DataInput) and isinstance(job.inputs["table"], MLTableInput)


def test_its_document_has_the_dialects_keys(job_file: Path, tmp_path: Path) -> None:
    document = load_job(job_file).document()
    assert document["inputs"] == {
        "data": {"type": "uri_file", "path": str(tmp_path / "jobs/data/iris.csv"), "mode": "download"},
        "away": {"path": "https://example.org/a.csv"},
        "table": {"path": str(tmp_path / "jobs/tables"), "mode": "eval_mount"},
        "epochs": 20,
        "rate": 0.5,
        "go": True,
        "text": "5",
    }
    assert document["outputs"]["rest"] == {}
    assert document["outputs"]["model"]["path"] == "azureml://datastores/workspaceblobstore/paths/${{name}}"
    assert document["distribution"] == {"type": "pytorch", "process_count_per_instance": 2}
    assert not document.keys() & {"$schema", "status", "description", "schema_address"}
    assert parse(Document.of(document), "job").document() == document, "what was kept can be read again"


def test_a_job_without_a_type_is_a_command_job(tmp_path: Path) -> None:
    for head in ("", "type: command\n", "type: Command\n"):
        (tmp_path / "d.yml").write_text(head + "command: 'true'\n")
        assert load_job(tmp_path / "d.yml").document() == {"type": "command", "command": "true"}


def test_environment_and_compute_may_be_absent_or_empty(tmp_path: Path) -> None:
    (tmp_path / "d.yml").write_text("command: a\nenvironment: azureml:e@latest\ncompute: azureml:cpu\n")
    job = load_job(tmp_path / "d.yml", ["environment=null", "compute="])
    assert job.environment is None and job.compute is None


@pytest.mark.parametrize("compute", ["local", "LOCAL", "azureml:local", "azureml:Local"])
def test_the_local_compute(compute: str) -> None:
    assert parse(Document.of({"command": "a", "compute": compute}), "job").document()["compute"] == "local"


def test_a_compute_by_its_full_id() -> None:
    full = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/cpu"
    for text in (full, "azureml:" + full):
        assert parse(Document.of({"command": "a", "compute": text}), "job").document()["compute"] == "cpu"


@pytest.mark.parametrize(
    "code", ["git+https://example.org/r", "azureml:c:1", "azureml:c@latest", "azureml://feeds/r/codes/c/versions/1"]
)
def test_code_that_is_elsewhere(code: str) -> None:
    assert parse(Document.of({"command": "a", "code": code}), "job").document()["code"] == code


def test_code_is_looked_for_and_data_is_not(tmp_path: Path) -> None:
    data = {"command": "a", "inputs": {"x": {"path": "nowhere.csv"}}, "code": "file:code"}
    with pytest.raises(DocumentError, match="there is no folder or file 'code'"):
        parse(Document.of(data, folder=tmp_path), "job")
    (tmp_path / "code").mkdir()
    document = parse(Document.of(data, folder=tmp_path), "job").document()
    assert document["inputs"]["x"]["path"] == str(tmp_path / "nowhere.csv")


def test_overrides_and_flags(job_file: Path) -> None:
    job = load_job(job_file, ["inputs.epochs=5", "name=second"], name="third", description=None, display_name="Third")
    assert job.inputs is not None and job.inputs["epochs"] == 5
    assert (job.name, job.display_name, job.description) == ("third", "Third", None)


def test_overrides_are_relative_to_the_file(job_file: Path, tmp_path: Path) -> None:
    job = load_job(job_file, ["code=.", "inputs.data.path=../x.csv"])
    assert job.code == str(tmp_path / "jobs")
    assert job.document()["inputs"]["data"]["path"] == str(tmp_path / "x.csv")


def test_an_environment_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "conda.yml").write_text("dependencies: [pip]\n")
    (tmp_path / "e" / "e.yml").write_text("$schema: x\nname: mine\nimage: ubuntu\nconda_file: conda.yml\n")
    (tmp_path / "d.yml").write_text("command: a\nenvironment: file:e/e.yml\n")
    assert load_job(tmp_path / "d.yml").document()["environment"] == {
        "name": "mine",
        "image": "ubuntu",
        "conda_file": str(tmp_path / "e" / "conda.yml"),
    }


def test_conda_content_in_place() -> None:
    content: dict[str, Any] = {"channels": ["conda-forge"], "dependencies": ["python=3.11", {"pip": ["numpy"]}]}
    document = parse(Document.of({"command": "a", "environment": {"conda_file": content}}), "job").document()
    assert document["environment"]["conda_file"] == content


def test_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "d.yml").write_text("type: amlcompute\nname: cpu\nmax_instances: 2\n")
    cluster = load("compute", tmp_path / "d.yml").document()
    assert (cluster["type"], cluster["min_instances"], cluster["max_instances"]) == ("amlcompute", 0, 2)
    assert load("compute", None, type="local", name="pool", max_instances=3).document() == {
        "type": "local",
        "name": "pool",
        "max_instances": 3,
    }
    data = load("data", None, name="iris", version=3, path="x.csv").document()
    assert data == {"name": "iris", "version": "3", "type": "uri_folder", "path": str(Path.cwd() / "x.csv")}
    assert load("workspace", None, name="w").document()["name"] == "w"
    assert load("environment", None, name="e", image="ubuntu").document() == {"name": "e", "image": "ubuntu"}


def test_flags_alone_may_be_wrong_too() -> None:
    with pytest.raises(DocumentError) as caught:
        load("compute", None, type="amlcompute", name="a b", max_instances=-1)
    first, second = (str(fault) for fault in caught.value.faults)
    assert first.startswith("--max-instances: expected a number")
    assert second.startswith("--name: 'a b' cannot be")


words = [
    *("command", "inputs", "outputs", "type", "mode", "path", "value", "environment", "image", "build", "conda_file"),
    *("compute", "resources", "docker_args", "distribution", "limits", "timeout", "services", "identity", "tags", "x"),
    *("inference_config", "scoring_route", "name", "version", "managed_network", "outbound_rules", "destination"),
    *("uri_file", "mltable", "ssh", "pytorch", "managed", "azureml:e", "azureml://", "${{inputs.x}}", "$[[", "", "\0/"),
]
trees = st.recursive(
    st.sampled_from(words) | st.none() | st.booleans() | st.integers() | st.floats() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(words), inner, max_size=5),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(words), trees), st.sampled_from(kinds()))
def test_any_data_is_a_document_or_refused(data: dict[str, Any], kind: str) -> None:
    document = Document.of(data, file="d.yml")
    try:
        spec = parse(document, kind)
    except DocumentError as error:
        places = [(fault.path, fault.message) for fault in error.faults]
        assert places and len(set(places)) == len(places), "every fault is told once"
    else:
        json.dumps(spec.document())


def test_kinds() -> None:
    assert kinds() == list(KINDS)
    with pytest.raises(UsageError, match="no kind of document 'job'") as caught:
        model_of("job")
    assert "job.command" in str(caught.value.hint)


SCRIPT = """
import sys
from store.specs.loading import load_job
job = load_job(sys.argv[1])
job.document()
print(*sorted(sys.modules))
"""


def test_loading_imports_only_what_a_job_needs(job_file: Path) -> None:
    text = job_file.read_text().replace("distribution: {type: PyTorch, process_count_per_instance: 2}\n", "")
    job_file.write_text(text.replace("environment:\n  image: ubuntu\n  conda_file: conda.yml\n", ""))
    run = subprocess.run([sys.executable, "-c", SCRIPT, job_file], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = set(run.stdout.split())
    assert not imported & {"sqlalchemy", "sqlmodel", "pandas", "mlflow", "sklearn", "fsspec", "difflib", "click"}
    ours = {name.removeprefix("store.specs.") for name in imported if name.startswith("store.specs.")}
    assert not ours & {"distribution", "environment", "identity", "services", "workspace", "compute", "data", "faults"}
    assert not ours & {"overrides", "json_schema", "azure_differences", "nearest"}
