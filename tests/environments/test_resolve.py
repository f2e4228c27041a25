from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_packages import write_wheel

from engines.environments.built import interpreter
from engines.environments.curated import curated
from engines.environments.definition import Definition
from engines.environments.resolve import resolve
from store.errors import DocumentError, NotFoundError, UsageError
from store.layout import Layout

Define = Callable[..., Definition]


@pytest.mark.parametrize("environment", [None, "azureml:current@latest", "azureml:current"])
def test_current_is_the_python_that_runs_workbench(environment: str | None, define: Define, layout: Layout) -> None:
    definition = define(environment)
    assert definition.is_current and str(definition) == "current"
    assert interpreter(definition, layout) == Path(sys.executable)


@pytest.mark.parametrize(
    "reference",
    [
        "azureml:sklearn-1.5@latest",
        "azureml:sklearn-1.5",
        "azureml:sklearn-1.5:1",
        "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
        "azureml://registries/azureml/environments/sklearn-1.5/versions/1",
        "azureml:AzureML-sklearn-1.5@latest",
        "azureml:AzureML-sklearn-1.5-ubuntu22.04-py310-cpu@latest",
    ],
)
def test_a_curated_environment_by_each_of_its_names(reference: str, define: Define) -> None:
    definition = define(reference)
    assert (definition.name, definition.version, definition.notes) == ("sklearn-1.5", "1", ())
    assert "scikit-learn==1.5.*" in definition.requirements
    assert f"mlflow=={importlib.metadata.version('mlflow')}" in definition.requirements


def test_azures_version_of_a_curated_environment_is_told_apart(define: Define) -> None:
    definition = define("azureml://registries/azureml/environments/sklearn-1.5/versions/27")
    assert definition.version == "1"
    assert "in place of Azure ML's version 27" in definition.notes[0]
    assert definition.hash == define("azureml:sklearn-1.5@latest").hash


def test_each_curated_file_is_whole(define: Define) -> None:
    for one in curated():
        assert one.description
        assert define(f"azureml:{one.name}@latest").requirements


@pytest.mark.parametrize(
    ("reference", "kind", "says"),
    [
        ("azureml:sklearn-1.6@latest", NotFoundError, "did you mean 'sklearn-1.5'"),
        ("azureml:curent@latest", NotFoundError, "did you mean 'current'"),
        ("azureml:trainin-env", NotFoundError, "did you mean 'training-env'"),
        ("azureml:zzzzzzzz", NotFoundError, "--set environment=azureml:current@latest"),
        ("azureml:sklearn-1.5:abc", NotFoundError, "azureml:sklearn-1.5@latest"),
        ("azureml://registries/other/environments/x/versions/1", NotFoundError, "registry 'other' is not known"),
        ("azureml://registries/azureml/environments/sklearn-9/labels/latest", NotFoundError, "not in registry azureml"),
        ("azureml:training-env:7", NotFoundError, "azureml:training-env:2"),
        ("sklearn-1.5", UsageError, "azureml:sklearn-1.5@latest"),
        ("sklearn-1.5@latest", UsageError, "azureml:sklearn-1.5@latest"),
        ("azureml:sklearn-1.5@stable", UsageError, "Write @latest"),
        ("azureml:a:b:c", UsageError, "azureml:NAME@latest"),
        ("azureml://registries/azureml/models/x/versions/1", UsageError, "is one of the models"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(
    reference: str, kind: type[Exception], says: str, define: Define
) -> None:
    def registered(name: str, version: str | None) -> dict[str, Any] | None:
        document = {"name": name, "version": "2", "conda_file": {"dependencies": ["six"]}}
        return document if name == "training-env" and version in (None, "2") else None

    with pytest.raises(kind) as caught:
        define(reference, registered=registered, known=["training-env"])
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "reference",
    [
        "azureml:mine:3",
        "azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
        "/environments/mine/versions/3",
    ],
)
def test_a_registered_environment_comes_from_the_lookup(reference: str, define: Define) -> None:
    asked = []

    def registered(name: str, version: str | None) -> dict[str, Any]:
        asked.append((name, version))
        return {"name": name, "version": version, "image": "i", "conda_file": {"dependencies": ["six=1.16"]}}

    definition = define(reference, registered=registered)
    assert asked == [("mine", "3")]
    assert (definition.name, definition.version, definition.requirements) == ("mine", "3", ("six==1.16.*",))


def test_the_workspaces_own_environment_comes_before_a_curated_one(define: Define) -> None:
    own = {"name": "sklearn-1.5", "version": "1", "conda_file": {"dependencies": ["six"]}}
    assert define("azureml:sklearn-1.5", registered=lambda name, version: own).requirements == ("six",)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"image": "host/some:1"}, "consists of an image, which needs a container engine"),
        ({"build": {"path": "."}}, "consists of a build context, which needs a container engine"),
        ({"name": "empty"}, "environment empty says nothing of its packages"),
    ],
)
def test_containers_are_refused_with_the_way_around(environment: dict[str, Any], says: str, define: Define) -> None:
    with pytest.raises(UsageError) as caught:
        define(environment)
    assert says in str(caught.value)
    assert environment.get("name") or "--set environment=azureml:current@latest" in str(caught.value)


def test_a_conda_file_is_taken_in_pips_words(conda: Define) -> None:
    definition = conda(
        "python>=3.9", "pip", "pytorch=2.1", "conda-forge::scikit-learn=1.5.2=py_0", "ray-tune>=2,<3", "nomkl",
        {"pip": ["six", "azureml-mlflow==1.55 ; python_version > '3'", "Some_Package[extra]~=1.0"]},
    )  # fmt: skip
    assert definition.requirements == (
        'azureml-mlflow==1.55; python_version > "3"',
        "ray[tune]<3,>=2",
        "scikit-learn==1.5.2",
        "six",
        "some-package[extra]~=1.0",
        "torch==2.1.*",
    )
    assert [note.split(" ")[0] for note in definition.notes] == ["'conda-forge::scikit-learn=1.5.2=py_0':", "nomkl"]


def test_what_is_not_used_is_said(define: Define) -> None:
    definition = define(
        {
            "image": "host/openmpi:latest",
            "conda_file": {"name": "e", "channels": ["conda-forge"], "variables": {"A": 1}, "dependencies": ["six"]},
        }
    )
    assert [note.split(" is")[0].split(" are")[0] for note in definition.notes] == [
        "image host/openmpi:latest",
        "conda channels",
    ]
    assert definition.variables == (("A", "1"),)


def test_everything_wrong_in_a_conda_file_is_told_at_once_with_its_place(define: Define, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("six\n\nnot a requirement\n")
    file = tmp_path / "conda.yml"
    file.write_text(
        "channels: [defaults]\n"
        "dependences: []\n"
        "dependencies:\n"
        "  - python=3.99\n"
        "  - cudatoolkit=11.1\n"
        "  - gcc\n"
        "  - numpy=1|2\n"
        "  - pip:\n"
        "    - -r more.txt\n"
        "    - six==\n"
        "    - --quiet\n"
        "    - ./missing.whl\n"
        "    - 3\n"
    )
    with pytest.raises(DocumentError) as caught:
        define({"conda_file": str(file)})
    places = [(Path(fault.file).name, fault.line, fault.column, fault.path) for fault in caught.value.faults]
    assert places == [
        ("conda.yml", 2, 14, "conda_file.dependences"),
        ("conda.yml", 4, 5, "conda_file.dependencies[0]"),
        ("conda.yml", 5, 5, "conda_file.dependencies[1]"),
        ("conda.yml", 6, 5, "conda_file.dependencies[2]"),
        ("conda.yml", 7, 5, "conda_file.dependencies[3]"),
        ("conda.yml", 10, 7, "conda_file.dependencies[4].pip[1]"),
        ("conda.yml", 11, 7, "conda_file.dependencies[4].pip[2]"),
        ("conda.yml", 12, 7, "conda_file.dependencies[4].pip[3]"),
        ("conda.yml", 13, 7, "conda_file.dependencies[4].pip[4]"),
        ("more.txt", 3, 1, ""),
    ]
    assert "cudatoolkit is no Python package" in str(caught.value)
    assert "pip's torch, tensorflow and jax bring their own CUDA libraries" in str(caught.value)


def test_faults_of_an_inline_conda_file_have_the_documents_places(define: Define) -> None:
    environment = {"conda_file": {"dependencies": ["gcc"]}}
    with pytest.raises(UsageError) as plain:
        define(environment)
    assert "conda_file.dependencies[0]: gcc is no Python package" in str(plain.value)
    with pytest.raises(DocumentError) as placed:
        define(environment, position=lambda place: ("job.yml", 7, 1 + len(place)))
    assert str(placed.value).startswith("job.yml:7:4: conda_file.dependencies[0]: gcc is no Python package")


def test_a_conda_file_that_is_no_yaml(define: Define, tmp_path: Path) -> None:
    file = tmp_path / "conda.yml"
    file.write_text("dependencies:\n  - a\n bad: [\n")
    with pytest.raises(DocumentError) as caught:
        define({"conda_file": str(file)})
    assert caught.value.faults[0].line == 3
    with pytest.raises(UsageError, match="cannot read conda file"):
        define({"conda_file": str(tmp_path / "missing.yml")})


@pytest.mark.parametrize("key", ["conda_file", "requirements"])
def test_a_requirements_file_will_do(key: str, define: Define, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("six==1.16.0\n")
    assert define({key: str(tmp_path / "requirements.txt")}).requirements == ("six==1.16.0",)


def test_equal_content_has_one_hash_whatever_it_is_called(define: Define, environ: dict[str, str]) -> None:
    first = define({"name": "a", "conda_file": {"dependencies": ["six", {"pip": ["Tiny==1"]}]}})
    second = define({"name": "b", "image": "i", "conda_file": {"dependencies": [{"pip": ["tiny==1", "six"]}]}})
    assert first.hash == second.hash and len(first.hash) == 24
    other = {"conda_file": {"dependencies": ["six", {"pip": ["tiny==1.1"]}]}}
    elsewhere = {**environ, "PIP_INDEX_URL": "https://host.example/simple"}
    same = {"conda_file": {"dependencies": ["six", {"pip": ["tiny==1"]}]}}
    hashes = {first.hash, define(other).hash, define(same, environ=elsewhere).hash}
    assert len(hashes) == 3


def test_the_hash_follows_the_content_of_local_packages(define: Define, tmp_path: Path) -> None:
    environment = {"conda_file": {"dependencies": [{"pip": ["./tiny-1.0-py3-none-any.whl"]}]}}
    write_wheel(tmp_path, "tiny", "1.0")
    before = define(environment, folder=tmp_path)
    write_wheel(tmp_path, "tiny", "1.0", source="CHANGED = True\n")
    assert before.hash != define(environment, folder=tmp_path).hash
    assert before.files[0][0] == str(tmp_path / "tiny-1.0-py3-none-any.whl")


def test_a_definition_survives_json_and_keeps_no_secret(define: Define) -> None:
    address = "https://user:hunter2@host.example/simple"
    environment = {
        "conda_file": {
            "dependencies": [
                {"pip": [f"--extra-index-url {address}", "six", "x @ https://host.example/x.whl?sig=hunter3&v=1"]}
            ]
        }
    }
    definition = define(environment, environ={"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": address, "PATH": ""})
    text = json.dumps(definition.as_dict())
    assert "hunter" not in text and "hunter" not in repr(definition)
    assert sorted(definition.secrets.values()) == ["hunter3", "user:hunter2"]
    again = Definition.from_dict(json.loads(text))
    assert again == definition and again.hash == definition.hash


def test_variables_that_a_conda_file_names_go_with_the_job(define: Define, environ: dict[str, str]) -> None:
    environment = {"requirements": ["--index-url https://${TOKEN}@host.example/${TEAM}/simple", "six"]}
    definition = define(environment, environ={**environ, "TOKEN": "hunter2", "TEAM": "red"})
    assert definition.options == (("index-url", "https://${TOKEN}@host.example/${TEAM}/simple"),)
    assert definition.secrets == {"TOKEN": "hunter2", "TEAM": "red"}
    assert "hunter2" not in json.dumps(definition.as_dict())


def test_the_usual_job_waits_for_no_import() -> None:
    code = """
import sys
from engines.environments.resolve import resolve
from engines.environments.built import interpreter, tracking
assert resolve(None, registered=None).is_current
assert resolve("azureml:current@latest", registered=None).is_current
print(*{"yaml", "packaging", "uv", "psutil", "difflib", "subprocess", "mlflow", "pydantic"} & set(sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (run.stdout.strip(), run.stderr) == ("", "")


def test_without_an_environ_the_process_own_is_taken() -> None:
    definition = resolve({"requirements": ["six"]}, registered=lambda name, version: None)
    assert definition.interpreter is not None
    assert definition.interpreter.version.startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
