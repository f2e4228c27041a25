"""Tables as inputs of jobs, evaluated to the files that they resolve to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engines.jobs import inputs
from engines.jobs.script import Value
from store.errors import WorkbenchError
from store.layout import Layout
from store.transfer.incoming import AbandonedError
from tests.file_trees import fill, tree
from tests.stored_jobs import stored_job

NAME = "brave_owl_1"


def place(layout: Layout, **given: Any) -> dict[str, Value]:
    job = stored_job(NAME, document={"inputs": given}, source={"file": "/docs/job.yml"})
    return inputs.place_inputs(job, layout, print, lambda: False)


TABLE = """
paths:
  - pattern: ./**/*.csv
transformations:
  - extract_columns_from_partition_format: {partition_format: 'day={day}/{name}.csv'}
  - filter: day == '2'
  - read_delimited: {delimiter: ','}
"""


@pytest.mark.parametrize("mode", ["eval_mount", "eval_download"])
def test_the_files_of_a_table(layout: Layout, tmp_path: Path, mode: str) -> None:
    table = tmp_path / "table"
    fill(table, {"MLTable": TABLE, "day=1/a.csv": "a", "day=2/b.csv": "b", "day=2/c.csv": "c", "day=2/notes.txt": ""})
    folder = Path(place(layout, t={"type": "mltable", "path": str(table), "mode": mode})["inputs.t"].text)
    assert folder == layout.job(NAME).inputs / "t"
    assert tree(folder) == {"b.csv": "b", "c.csv": "c"}
    assert (folder / "b.csv").is_symlink() is (mode == "eval_mount")
    assert place(layout, t={"type": "mltable", "path": str(table), "mode": mode}) == {
        "inputs.t": Value(str(folder), True)
    }


def test_files_of_a_table_from_several_places_keep_their_folders(layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path, {"x/a.csv": "xa", "y/deep/a.csv": "ya"})
    fill(
        tmp_path / "t",
        {"MLTable": f"paths: [{{folder: ../x}}, {{file: '{tmp_path}/y/deep/a.csv'}}, {{file: ../x/a.csv}}]"},
    )
    folder = Path(
        place(layout, t={"type": "mltable", "path": str(tmp_path / "t"), "mode": "eval_mount"})["inputs.t"].text
    )
    assert tree(folder) == {"x/a.csv": "xa", "y/deep/a.csv": "ya"}


def test_a_table_without_files_is_said(layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path / "t", {"MLTable": "paths: [{pattern: ./*.csv}]"})
    with pytest.raises(WorkbenchError, match=r"input 't' of .*nothing matches './\*\.csv'"):
        place(layout, t={"type": "mltable", "path": str(tmp_path / "t"), "mode": "eval_mount"})
    assert not (layout.job(NAME).inputs / "t").exists()


def test_files_of_a_delta_table_are_not_taken_apart(layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path / "t", {"MLTable": "paths: [{folder: ./d}]\ntransformations: [read_delta_lake]", "d/x": ""})
    with pytest.raises(WorkbenchError, match=r"Delta table(.*\n)*.*ro_mount"):
        place(layout, t={"type": "mltable", "path": str(tmp_path / "t"), "mode": "eval_mount"})


def test_a_faulty_document_is_told_with_its_line(layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path / "t", {"MLTable": "paths: [{folder: ./}]\ntransformations:\n  - read_delimitd\n"})
    with pytest.raises(WorkbenchError, match=r"MLTable:3:5: .*read_delimitd"):
        place(layout, t={"type": "mltable", "path": str(tmp_path / "t"), "mode": "eval_mount"})


def test_a_cancelled_evaluation_leaves_nothing(layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path / "t", {"MLTable": "paths: [{folder: ./}]", "a.csv": "a"})
    job = stored_job(
        NAME, document={"inputs": {"t": {"type": "mltable", "path": str(tmp_path / "t"), "mode": "eval_mount"}}}
    )
    with pytest.raises(AbandonedError):
        inputs.place_inputs(job, layout, print, lambda: True)
    assert not (layout.job(NAME).inputs / "t").exists()
