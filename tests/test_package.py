"""What is built from the project is whole: it runs where there is neither a checkout nor git."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.conftest import ROOT

PACKAGES = ("engines", "store", "themes", "workbench")
BESIDE = ("benchmarks", "docs", "examples", "scripts", "tests")
FILES = ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml")

pytestmark = pytest.mark.slow


def content(folder: Path) -> set[str]:
    """The files of the project below a folder, caches left out."""
    found = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(folder.parent)) for file in found}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and a source archive, built from a copy that is no checkout."""
    folder = tmp_path_factory.mktemp("built")
    copy = folder / "project"
    for name in (*PACKAGES, *BESIDE):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    command = [find_uv_bin(), "build", "--quiet", "--python", sys.executable, "--out-dir", folder, copy]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_wheel_holds_every_file_of_the_packages(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in held if ".dist-info/" not in name} == set().union(
        *(content(built / "project" / package) for package in PACKAGES)
    )


def test_the_source_archive_holds_what_it_takes_to_read_try_and_test_it(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        held = {member.name.partition("/")[2] for member in opened.getmembers() if member.isfile()}
    wanted = set(FILES).union(*(content(built / "project" / folder) for folder in (*PACKAGES, *BESIDE)))
    assert wanted - held == set()


def test_the_wheel_runs_a_job_without_a_checkout_and_without_git(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    installed = tmp_path / "site-packages"
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(installed)
    shutil.copy(ROOT / "examples" / "hello" / "job.yml", tmp_path / "job.yml")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    environment = os.environ | {
        "PYTHONPATH": str(installed),
        "PATH": str(tmp_path / "bin"),
        "WORKBENCH_WORKSPACE": str(tmp_path / "ws"),
    }

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    try:
        place = python("-c", "import workbench, store, engines; print(workbench, store, engines)")
        assert place.stdout.count(str(installed)) == 3, place.stdout + place.stderr
        done = python("-m", "workbench.cli.main", "run", "job.yml")
        assert (done.returncode, done.stdout) == (0, "hello, world\n"), done.stderr
        shown = python("-m", "workbench.cli.main", "environment", "list", "-o", "tsv")
        assert "sklearn-1.5" in shown.stdout, shown.stderr
    finally:
        python("-m", "workbench.cli.main", "agent", "stop")
