"""Broken documents, tried one by one: every fault is told, with its place, and nothing else is.

The documents and what they are to be answered with stand in ``data/broken``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from store.errors import DocumentError
from store.specs.loading import load

CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted((Path(__file__).parent / "data" / "broken").glob("*.yml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "iris.csv").write_text("1,2\n")
    (tmp_path / "conda.yml").write_text("dependencies: [pip]\n")
    (tmp_path / "environment.yml").write_text("name: e\nimage: ubuntu\n")
    (tmp_path / "bad-environment.yml").write_text("name: e\nimge: ubuntu\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_enough() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES)
def test_broken_document(case: dict[str, Any], folder: Path) -> None:
    (folder / "d.yml").write_text(case["document"], encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load(case.get("kind", "job"), "d.yml", case.get("set", ()), **case.get("flags", {}))
    found = [
        (f"{os.path.basename(fault.file)}:{fault.line}:{fault.column}", fault.path, fault.message, fault.hint or "")
        for fault in caught.value.faults
    ]
    for expected in case["faults"]:
        at = expected["at"] if expected["at"].count(":") > 1 else f"d.yml:{expected['at']}"
        match = [
            fault
            for fault in found
            if fault[:2] == (at, expected["path"])
            and expected["says"] in fault[2]
            and expected.get("hint", "") in fault[3]
        ]
        assert match, f"{at}: {expected['path']}: {expected['says']}\nis not among\n" + "\n".join(map(str, found))
        found.remove(match[0])
    assert not found, "told besides: " + "\n".join(map(str, found))
    assert caught.value.exit_code == 2
    first = caught.value.faults[0]
    is_flag = first.file.startswith("--") and first.file != "--set"  # which has no lines
    assert str(caught.value).startswith(f"{first.file}: '" if is_flag else f"{first.file}:{first.line}:")
