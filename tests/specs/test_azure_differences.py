"""What ``job validate`` says about Azure ML."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.specs.azure_differences import differences
from store.specs.loading import parse
from store.specs.reading import load_document

COMPLETE = """\
command: python train.py ${{inputs.data}} ${{outputs.model}} ${{name}} $[[--seed ${{inputs.seed}}]]
environment: azureml:mine@latest
compute: azureml:cpu-cluster
experiment_name: iris
inputs:
  data: {path: azureml:iris:1}
  away: {path: "wasbs://c@a.blob.core.windows.net/p"}
outputs:
  model: {path: azureml://datastores/workspaceblobstore/paths/models}
limits: {timeout: 60}
"""


def notes(folder: Path, text: str) -> list[str]:
    (folder / "d.yml").write_text(text)
    document = load_document(folder / "d.yml")
    found = differences(parse(document, "job").document(), document.locate)
    assert [note.message for note in differences(parse(document, "job"))], "places are not needed"  # type: ignore[arg-type]
    assert all(note.file == str(folder / "d.yml") for note in found)
    return [f"{note.line}:{note.column}: {note.path}: {note.message}" for note in found]


def test_a_job_that_azure_would_run_alike(tmp_path: Path) -> None:
    (tmp_path / "d.yml").write_text(COMPLETE)
    document = load_document(tmp_path / "d.yml")
    assert differences(parse(document, "job").document(), document.locate) == []


def test_a_curated_environment_under_a_name_of_the_workspace() -> None:
    def told(environment: str) -> list[str]:
        job = {"command": "a", "environment": environment, "compute": "cpu-cluster"}
        return [f"{note.path}: {note.message} {note.hint}" for note in differences(job, curated=True)]

    assert told("azureml:sklearn-1.5@latest") == [
        "environment: Azure ML looks for 'sklearn-1.5' in the workspace; here it is a curated environment "
        "Write azureml://registries/azureml/environments/sklearn-1.5/labels/latest, the same in both."
    ]
    assert "/environments/sklearn-1.5/versions/12," in told("azureml:sklearn-1.5:12")[0]
    assert told("azureml:AzureML-sklearn-1.5-ubuntu22.04-py310-cpu@latest") == []


def test_what_may_be_absent_here_only(tmp_path: Path) -> None:
    assert notes(tmp_path, "\ncommand: a\n") == [
        "2:1: environment: Azure ML requires an `environment`; here the job gets the Python that runs Workbench",
        "2:1: compute: without a `compute` Azure ML takes a serverless one; here the job runs on `local`",
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("azureml:cpu-cluster", "local"), "3:10: compute: Azure ML runs `compute: local` in Docker"),
        (("azureml:cpu-cluster", "my_pool"), "3:10: compute: Azure ML allows no compute of the name 'my_pool'"),
        (("azureml:cpu-cluster", "a1"), "3:10: compute: Azure ML allows no compute of the name 'a1'"),
        (("experiment_name: iris", "experiment_name: my iris"), "4:18: experiment_name: Azure ML allows no experiment"),
        (("azureml:mine@latest", "azureml:current@latest"), "2:14: environment: Azure ML does not know"),
        (("azureml:mine@latest", "{conda_file: {a: b}}"), "2:14: environment: Azure ML requires an `image`"),
        (
            ("azureml:mine@latest", "{image: x, conda_file: {a: b}}"),
            "2:37: environment.conda_file: on Azure ML these packages are installed into the image",
        ),
        (("azureml:iris:1", "azureml:iris"), "6:16: inputs.data.path: Azure ML wants a version or a label of 'iris'"),
        (('"wasbs://', '"s3://'), "7:16: inputs.away.path: Azure ML reads no s3:// address"),
        (("azureml://datastores/workspaceblobstore/paths/", "./"), "9:17: outputs.model.path: Azure ML writes nothing"),
        (("python train.py", "echo {inputs.data}"), "1:10: command: {inputs.data} is an old form"),
        (("python train.py", "echo '${{ foo }}'"), "1:10: command: ${{ foo }} stands for nothing in this job"),
        (("python train.py", "echo '${{outputs.x}}'"), "1:10: command: ${{outputs.x}} stands for nothing"),
        (
            ("$[[--seed ", "$[[--data ${{inputs.data}} --seed "),
            "1:10: command: Azure ML's own tools refuse ${{inputs.seed}}: the job does not declare it",
        ),
        (
            ("limits: {timeout: 60}", "environment_variables: {A: 1, DATA: 'x=${{inputs.data}}'}"),
            "10:37: environment_variables.DATA: Azure ML promises a value for ${{inputs.data}} in a variable only in a",
        ),
        (
            ("limits: {timeout: 60}", "environment_variables: {DATA: '${{inputs.seed}}'}"),
            "10:31: environment_variables.DATA: ${{inputs.seed}} stands for nothing in this job and stays as it is",
        ),
        (
            ("{path: azureml://datastores/workspaceblobstore/paths/models}", "{type: custom_model, name: iris-model}"),
            "9:37: outputs.model.name: Azure ML registers the output 'model' as 'iris-model'; here it stays",
        ),
        (
            ("limits: {timeout: 60}", "identity: {type: managed}"),
            "10:11: identity: only Azure ML makes use of the identity",
        ),
        (
            ("limits: {timeout: 60}", "resources: {instance_type: x}"),
            "10:28: resources.instance_type: only Azure ML makes use of the size of the machine",
        ),
        (
            ("limits: {timeout: 60}", "resources: {instance_count: 4}"),
            "10:29: resources.instance_count: Azure ML takes 4 machines; here all nodes of the job share this one",
        ),
    ],
)
def test_one_difference(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    (note,) = notes(tmp_path, COMPLETE.replace(*change))
    assert note.startswith(expected)
