"""The tracking store as a folder for ``PYTHONPATH``."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from store.tracking import plugin
from store.tracking.plugin import write_plugin


def test_python_finds_the_entry_point_and_what_it_names(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path / "plugin")
    (found,) = importlib.metadata.Distribution.discover(path=[str(folder)])
    assert found.metadata["Name"] == "workbench-journal"
    (entry,) = found.entry_points
    assert (entry.group, entry.name) == ("mlflow.tracking_store", "workbench")
    for file in found.files or []:
        assert file.locate().is_file()
        assert file.name == "RECORD" or file.size == len(file.read_binary())


def test_it_is_written_once_and_under_another_name_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_plugin(tmp_path)
    before = {file: file.stat().st_mtime_ns for file in first.rglob("*")}
    assert write_plugin(tmp_path) == first
    assert {file: file.stat().st_mtime_ns for file in first.rglob("*")} == before
    monkeypatch.setattr(plugin, "METADATA", plugin.METADATA + "Keywords: changed\n")
    second = write_plugin(tmp_path)
    assert second != first
    assert {entry.name for entry in tmp_path.iterdir()} == {first.name, second.name}


def test_processes_at_once_agree(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from store.tracking.plugin import write_plugin
print(write_plugin(Path(sys.argv[1])))
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path / "plugin"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    found = {process.communicate()[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(found) == 1
    assert [str(entry) for entry in (tmp_path / "plugin").iterdir()] == list(found)


def test_the_rest_of_workbench_is_still_found_where_it_is_installed(tmp_path: Path) -> None:
    code = (
        "import workbench.journal, workbench.cli.main; print(workbench.journal.__file__); print(workbench.cli.__file__)"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": f"{write_plugin(tmp_path)}:{root}"},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    journal, cli = map(Path, ran.stdout.split())
    assert journal.is_relative_to(tmp_path)
    assert cli.is_relative_to(root)
