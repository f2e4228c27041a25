"""What jobs may read and not write: kept from writing by namespaces, or told of it afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import Cli
from tests.file_trees import fill, tree
from workbench import read_only

NAMESPACES = sys.platform == "linux" and read_only.can([], [])
needs_namespaces = pytest.mark.skipif(not NAMESPACES, reason="no mount namespaces here")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A folder that is an input."""
    fill(tmp_path / "sets", {"a.csv": "a", "deep/b.csv": "b"})
    return tmp_path / "sets"


def job(folder: Path, command: str, more: str) -> Path:
    file = folder / "job.yml"
    file.write_text(f"command: >-\n  {command}\n{more}")
    return file


def guarded(sets: Path, script: str, *writable: Path) -> subprocess.CompletedProcess[str]:
    told = json.dumps({"read_only": [str(sets)], "writable": list(map(str, writable))})
    command = [sys.executable, "-I", "-S", str(Path(read_only.__file__)), told, "/bin/sh", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, cwd=sets)


@needs_namespaces
def test_nothing_below_a_path_can_be_changed(sets: Path) -> None:
    for script in ("echo x > a.csv", "rm deep/b.csv", "touch new", "mv a.csv c.csv", "chmod 777 a.csv"):
        refused = guarded(sets, script)
        assert refused.returncode != 0 and "Read-only file system" in refused.stderr, script
    assert tree(sets) == {"a.csv": "a", "deep/b.csv": "b"}
    assert guarded(sets, f"cat a.csv; touch {sets}.new; pwd").stdout == f"a{sets}\n"
    assert Path(f"{sets}.new").exists()


@needs_namespaces
def test_a_folder_to_write_to_stays_writable_below_one_to_read(sets: Path) -> None:
    done = guarded(sets, "echo x > deep/new.csv && echo y > a.csv", sets / "deep")
    assert "a.csv: Read-only file system" in done.stderr
    assert tree(sets) == {"a.csv": "a", "deep/b.csv": "b", "deep/new.csv": "x\n"}


@needs_namespaces
def test_the_program_takes_the_place_of_the_process(sets: Path) -> None:
    assert guarded(sets, "exit 7").returncode == 7
    assert guarded(sets, "kill -9 $$").returncode == -9


def test_where_it_cannot_be_the_program_runs_all_the_same(tmp_path: Path) -> None:
    assert guarded_missing(tmp_path) == "ran\n"


def guarded_missing(tmp_path: Path) -> str:
    told = json.dumps({"read_only": [str(tmp_path / "nowhere")], "writable": []})
    command = [sys.executable, "-I", "-S", str(Path(read_only.__file__)), told, "/bin/echo", "ran"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@needs_namespaces
@pytest.mark.slow
def test_a_job_cannot_write_to_an_input_that_is_mounted(cli: Cli, sets: Path, tmp_path: Path) -> None:
    inputs = "inputs:\n  d: {type: uri_folder, path: ./sets}\noutputs:\n  o: {path: ./sets/made}\n"
    command = "echo fine > ${{outputs.o}}/f; echo x > ${{inputs.d}}/a.csv"
    done = cli("run", job(tmp_path, command, inputs))
    assert done.returncode == 1
    assert "Read-only file system" in done.stdout
    assert tree(sets) == {"a.csv": "a", "deep/b.csv": "b", "made/f": "fine\n"}


@pytest.mark.slow
def test_a_write_that_is_not_kept_from_is_said(cli: Cli, sets: Path, tmp_path: Path) -> None:
    open_to_all = "environment_variables: {WORKBENCH_WRITABLE_INPUTS: '1'}\n"
    inputs = f"{open_to_all}inputs:\n  d: {{type: uri_folder, path: ./sets}}\n"
    done = cli("run", job(tmp_path, "echo more >> ${{inputs.d}}/a.csv", inputs))
    assert done.returncode == 0
    assert "input d: its bytes changed while the job ran" in done.stderr
    done = cli("run", job(tmp_path, "cat ${{inputs.d}}/a.csv", inputs))
    assert done.stdout == "amore\n"
    assert "changed while the job ran" not in done.stderr


@pytest.mark.slow
def test_a_write_behind_the_same_size_and_time_is_known_by_the_bytes(cli: Cli, sets: Path, tmp_path: Path) -> None:
    cli("data", "create", "--name", "sets", "--path", sets)
    open_to_all = "environment_variables: {WORKBENCH_WRITABLE_INPUTS: '1'}\n"
    inputs = f"{open_to_all}inputs:\n  d: {{path: 'azureml:sets:1'}}\n"
    command = "cd ${{inputs.d}}; touch -r a.csv ../then; printf x > a.csv; touch -r ../then a.csv"
    done = cli("run", job(tmp_path, command, inputs))
    assert done.returncode == 0
    assert "input d: its bytes changed while the job ran" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="wants root, to become nobody")
def test_somebody_without_rights_has_the_same() -> None:
    if shutil.which("python3", path="/usr/bin") is None or not NAMESPACES:
        pytest.skip("no Python that nobody may run")
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        program, sets = folder / "read_only.py", folder / "sets"
        shutil.copy(read_only.__file__, program)
        fill(sets, {"a.csv": "a"})
        for place, mode in ((program, 0o644), (sets, 0o777), (sets / "a.csv", 0o666)):
            place.chmod(mode)
        told = json.dumps({"read_only": [str(sets)], "writable": []})
        command = ["/usr/bin/python3", "-I", "-S", str(program), told, "/bin/sh", "-c", "id -u; echo x > a.csv"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=sets, user=65534, group=65534)
        assert done.stdout == "65534\n"
        assert "Read-only file system" in done.stderr
        assert (sets / "a.csv").read_text() == "a"
