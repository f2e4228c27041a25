from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_packages import write_wheel

from engines.environments.definition import Definition
from engines.environments.registration import self_contained
from store.errors import DocumentError, UsageError

Define = Callable[..., Definition]

CONDA = """
name: e
channels: [conda-forge]
dependencies:
  - python>=3.9
  - numpy=1.26
  - pip
  - pip:
    - -r deep/more.txt
    - -c limits.txt
    - --extra-index-url https://${TOKEN}@host.example/simple
    - ./tiny-1.0-py3-none-any.whl[extra]
"""


@pytest.fixture
def conda_file(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder"
    (folder / "deep").mkdir(parents=True)
    write_wheel(folder, "tiny", "1.0")
    (folder / "deep" / "more.txt").write_text("six==1.16.0\n--pre\n")
    (folder / "limits.txt").write_text("six<2\n")
    (folder / "conda.yml").write_text(CONDA)
    return folder / "conda.yml"


def test_what_is_registered_is_what_the_files_said(conda_file: Path, define: Define) -> None:
    document = {"name": "mine", "version": "1", "image": "i", "conda_file": str(conda_file)}
    before = define(document)
    contained = self_contained(document)
    (conda_file.parent / "deep" / "more.txt").unlink()
    conda_file.unlink()
    after = define("azureml:mine:1", registered=lambda name, version: contained)
    assert after == before and after.hash == before.hash
    assert set(before.requirements) >= {"six==1.16.0", "numpy==1.26.*"}
    assert dict(before.options)["extra-index-url"] == "https://${TOKEN}@host.example/simple"


def test_a_requirements_file_is_taken_in_too(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("six\n")
    assert self_contained({"conda_file": str(tmp_path / "r.txt")}) == {
        "conda_file": {"dependencies": [{"pip": ["six"]}]}
    }


def test_other_documents_stay_as_they_are() -> None:
    for document in ({"image": "i"}, {"conda_file": {"dependencies": ["six"]}}):
        assert self_contained(document) == document


def test_passwords_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "conda.yml"
    file.write_text("dependencies: [{pip: ['--index-url https://u:hunter2@host.example/simple']}]\n")
    with pytest.raises(UsageError) as caught:
        self_contained({"conda_file": str(file)})
    assert "${NAME}" in str(caught.value) and "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["- a list", "dependencies: [{pip: ['-r missing.txt']}]"])
def test_files_that_cannot_be_read_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "conda.yml").write_text(text)
    with pytest.raises(DocumentError):
        self_contained({"conda_file": str(tmp_path / "conda.yml")})
