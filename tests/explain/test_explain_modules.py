"""Python modules that are missing, hidden, or of another version, and what is told of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.explain.place import Place


def test_a_missing_module_without_an_environment(place: Place) -> None:
    place.write(train_py="from sklearn_nowhere.svm import SVC")
    cause = place.cause("python train.py")
    assert cause.code == "missing_module"
    assert cause.message == "Python found no module 'sklearn_nowhere'."
    assert cause.hint is not None and "lists sklearn-nowhere" in cause.hint and "--set environment=" in cause.hint


def test_a_missing_module_with_a_conda_file(place: Place) -> None:
    place.write(train_py="import imblearn_missing")
    facts = replace(place.facts, environment="the job's own environment", conda_file="/home/me/conda.yml")
    cause = place.cause("python train.py", facts)
    assert cause.hint == "Add imblearn-missing to the dependencies in /home/me/conda.yml and run it again."


def test_a_missing_module_in_a_named_environment(place: Place) -> None:
    place.write(train_py="import cv2_missing")
    cause = place.cause("python train.py", replace(place.facts, environment="azureml:sklearn-1.5@latest"))
    assert cause.hint is not None and cause.hint.startswith("azureml:sklearn-1.5@latest does not have cv2-missing")


def test_a_module_that_the_environment_lists(place: Place) -> None:
    place.write(train_py="import tables_missing")
    facts = replace(place.facts, environment="azureml:e:1", requirements=("Tables_Missing==3.9",))
    cause = place.cause("python train.py", facts)
    assert cause.hint is not None and "another Python than the environment's ran" in cause.hint


def test_a_module_of_the_users_own_in_another_folder(place: Place) -> None:
    place.write(scripts__train_py="import features", lib__features_py="")
    cause = place.cause("python scripts/train.py")
    assert cause.hint is not None and "PYTHONPATH: lib" in cause.hint


def test_python_m_with_a_missing_module(place: Place) -> None:
    cause = place.cause("python -m torchrun_missing train.py")
    assert (cause.code, cause.message) == ("missing_module", "Python found no module 'torchrun_missing'.")


def test_a_file_named_like_a_library(place: Place) -> None:
    place.write(random_py="", train_py="import random\nrandom.randint(1, 2)\n")
    cause = place.cause("python train.py")
    assert cause.code == "shadowed_module"
    assert cause.message.startswith("Your file random.py has the name of the library 'random'")


@pytest.mark.parametrize(
    "text", ["import random\nrandom.randint(1, 2)\n", "from random import randint\n"], ids=["module", "name"]
)
def test_a_script_named_like_what_it_imports(place: Place, text: str) -> None:
    place.write(random_py=text)
    assert place.cause("python random.py").code == "shadowed_module"


def test_a_script_named_like_a_package(place: Place) -> None:
    place.write(mlflow_py="import mlflow.sklearn\n")
    cause = place.cause("python mlflow.py")
    assert (cause.code, cause.exception and cause.exception.file) == ("shadowed_module", "mlflow.py")


def test_a_circle_in_the_users_own_modules_is_no_shadow(place: Place) -> None:
    place.write(first_py="import second\nx = 1\n", second_py="from first import x\n", train_py="import first\n")
    cause = place.cause("python train.py")
    assert cause.code == "exception"
    assert "circular import" in cause.message


def test_another_version_of_a_package(place: Place) -> None:
    place.write(train_py="import numpy\nnumpy.float(1)\n")
    cause = place.cause("python train.py")
    assert cause.code == "wrong_version"
    assert cause.hint is not None and "Pin the version of numpy" in cause.hint
