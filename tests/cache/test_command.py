"""``workbench cache`` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

URL = "https://nowhere.invalid/data"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text("a,b\n")
    return folder


def workbench(tmp_path: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workbench.cli.main", "cache", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "WORKBENCH_CACHE": str(tmp_path / "cache")},
        check=False,
    )


def test_add_list_show_delete(tmp_path: Path, data: Path) -> None:
    assert json.loads(workbench(tmp_path, "list").stdout) == []
    added = json.loads(workbench(tmp_path, "add", f"{URL}/", data).stdout)
    assert (added["url"], added["type"], added["files"], added["bytes"], added["origin"]) == (
        URL, "uri_folder", 1, 4, "added",
    )  # fmt: skip
    assert json.loads(workbench(tmp_path, "list").stdout) == [added]
    assert json.loads(workbench(tmp_path, "show", URL).stdout) == added
    assert workbench(tmp_path, "show", URL, "--query", "path", "-o", "tsv").stdout.strip() == added["path"]
    table = workbench(tmp_path, "list", "-o", "table").stdout
    assert [word in table for word in (URL, "uri_folder", "4 B", "added", "just now")] == [True] * 5
    unsaid = workbench(tmp_path, "delete", URL)
    assert (unsaid.returncode, json.loads(workbench(tmp_path, "list").stdout)) == (2, [added])
    assert workbench(tmp_path, "delete", URL, "--yes").returncode == 0
    assert json.loads(workbench(tmp_path, "list").stdout) == []


def test_what_goes_wrong_has_its_exit_code(tmp_path: Path, data: Path) -> None:
    missing = workbench(tmp_path, "show", f"{URL}/a.csv")
    assert (missing.returncode, "the cache has no entry for" in missing.stderr) == (3, True)
    workbench(tmp_path, "add", URL, data)
    assert f"It is served by the folder {URL}" in workbench(tmp_path, "show", f"{URL}/a.csv").stderr
    assert workbench(tmp_path, "delete", f"{URL}/x").returncode == 3
    assert workbench(tmp_path, "add", URL, tmp_path / "nope").returncode == 2
    assert workbench(tmp_path, "add", "data", data).returncode == 2
