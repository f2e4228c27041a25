from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from engines.environments.built import Tracking, activation, has_workbench, mlflow_package, tracking

OWN_MLFLOW = importlib.metadata.version("mlflow")


@pytest.fixture
def python(tmp_path: Path) -> Path:
    programs = tmp_path / "env" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    (programs.parent / "pyvenv.cfg").write_text("")
    return programs / "python"


def install(python: Path, name: str, version: str, entry_points: str = "") -> None:
    info = python.parent.parent / "lib" / "python3.11" / "site-packages" / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    if entry_points:
        (info / "entry_points.txt").write_text(entry_points)


def test_activation_puts_the_environment_first_and_other_pythons_away(python: Path) -> None:
    environ = {
        "PATH": f"/usr/bin:{python.parent}:/bin",
        "PYTHONHOME": "/x",
        "VIRTUAL_ENV": "/y",
        "CONDA_PREFIX": "/z",
        "A": "b",
    }
    assert activation(python, environ) == {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "VIRTUAL_ENV": str(python.parent.parent),
        "A": "b",
    }
    found = subprocess.run(["sh", "-c", "command -v python"], env=activation(python), capture_output=True, text=True)
    assert found.stdout.strip() == str(python)


def test_a_python_that_is_no_virtual_environment_sets_none(tmp_path: Path) -> None:
    assert activation(tmp_path / "bin" / "python", {"PATH": "/bin"}) == {"PATH": f"{tmp_path}/bin:/bin"}


def test_the_mlflow_of_this_python() -> None:
    assert mlflow_package(Path(sys.executable)) == ("mlflow", OWN_MLFLOW)
    assert tracking(Path(sys.executable), OWN_MLFLOW) in (Tracking.OWN, Tracking.PLUGIN)


def test_an_environment_without_mlflow(python: Path) -> None:
    install(python, "mlflow_export_import", "1.0")
    assert mlflow_package(python) is None
    assert tracking(python, OWN_MLFLOW) is Tracking.NONE


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("mlflow", OWN_MLFLOW, Tracking.PLUGIN),
        ("mlflow", "2.9.2", Tracking.SERVER),
        ("mlflow_skinny", OWN_MLFLOW, Tracking.SERVER),
    ],
)
def test_how_mlflow_is_reached(name: str, version: str, expected: Tracking, python: Path) -> None:
    install(python, name, version)
    assert mlflow_package(python) == (name.replace("_", "-"), version)
    assert tracking(python, OWN_MLFLOW) is expected


def test_an_installed_workbench_is_known_by_its_entry_point(python: Path) -> None:
    install(python, "mlflow", OWN_MLFLOW, "[mlflow.app]\nworkbench = other:app\n")
    install(
        python, "other", "1", "[mlflow.tracking_store]\nother = other:store\n\n[console_scripts]\nworkbench = o:m\n"
    )
    assert not has_workbench(python)
    install(python, "any_name", "1", "[mlflow.tracking_store]\nworkbench = workbench.journal:tracking_store\n")
    assert has_workbench(python)
    assert tracking(python, OWN_MLFLOW) is Tracking.OWN
