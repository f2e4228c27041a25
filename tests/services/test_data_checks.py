"""Versions of data that lies on real servers: looked at when they are made, and held against what was told then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from store.errors import NotFoundError
from tests.services.job_datastores import Remote, remote
from workbench import Dataset
from workbench.cli.main import exit_code

__all__ = ["remote"]
pytestmark = pytest.mark.slow


def run(remote: Remote, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, document and talk of a command."""
    capfd.readouterr()
    code = exit_code(["-w", str(remote.layout.root), "data", *arguments])
    out, err = capfd.readouterr()
    return code, json.loads(out or "{}"), err


def test_what_is_not_there_or_of_another_type_is_refused(
    remote: Remote, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    remote.put(tmp_path / "up", a__csv="a\n1\n")
    for path, kind, code, said in (
        (remote.path("none.csv"), "uri_file", 3, "there is no"),
        (remote.path("none/"), "uri_folder", 3, "there is no"),
        (remote.path("a.csv"), "uri_folder", 2, "is a file, and the type says uri_folder"),
        (remote.path(), "uri_file", 2, "is a folder, and the type says uri_file"),
        (remote.path(), "mltable", 2, "has no file MLTable"),
    ):
        given = ("create", "--name", "x", "--type", kind, "--path", path)
        refused = run(remote, capfd, *given)
        assert (refused[0], said in refused[2], "--no-check" in refused[2]) == (code, True, True), refused
        assert run(remote, capfd, "list", "--name", "x")[0] == 3, "something was kept"
    assert run(remote, capfd, *given, "--no-check")[0] == 0
    code, _, said = run(remote, capfd, "show", "x:1", "--check")
    assert code == 2 and "has no file MLTable" in said, said


def test_files_are_listed_and_brought_in_python(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(remote.layout.root))
    remote.put(tmp_path / "up", a__csv="a\n1\n", deep_OF_b__csv="a\n2\n")
    files = Dataset.File.from_files(remote.path())
    assert files.to_path() == ["/a.csv", "/deep/b.csv"]
    assert [Path(each).read_text() for each in files.download(tmp_path / "got")] == ["a\n1\n", "a\n2\n"]
    assert Dataset.Tabular.from_delimited_files(remote.path()).to_pandas_dataframe()["a"].tolist() == [1, 2]
    with pytest.raises(NotFoundError):
        Dataset.File.from_files(remote.path("none.csv"))


def test_a_check_tells_what_changed_and_by_what(
    remote: Remote, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    remote.put(tmp_path / "up", a__csv="a\n1\n", deep_OF_b__csv="b\n")
    for name, kind, path in (("one", "uri_file", "a.csv"), ("all", "uri_folder", "")):
        assert run(remote, capfd, "create", "--name", name, "--type", kind, "--path", remote.path(path))[0] == 0
        code, shown, said = run(remote, capfd, "show", name, "--check", "-o", "json")
        assert (code, shown["check"]["changed"], "changed" in shown) == (0, False, False), said
        assert shown["check"]["by"] in ("ETag and size", "time and size")
        assert "its bytes were not read" in said
    remote.put(tmp_path / "up", a__csv="longer\n1\n")
    for name, files in (("one", 1), ("all", 2)):
        code, shown, said = run(remote, capfd, "show", name, "--check", "-o", "json")
        assert (code, shown["check"]["changed"], shown["check"]["files"]) == (0, True, files), said
        assert shown["changed"]["seen_by"] == "check"
    assert run(remote, capfd, "create", "--name", "un", "--path", remote.path(), "--no-check")[0] == 0
    code, shown, said = run(remote, capfd, "show", "un", "--check", "-o", "json")
    assert (code, shown["check"]["by"], shown["check"]["changed"]) == (0, None, None)
    assert "was not checked" in said
