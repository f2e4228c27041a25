"""A job's outputs and working copy on real files: where they are written and kept, also when killed in between."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.jobs import outputs as job_outputs
from engines.jobs import working_copy
from store import snapshots
from store.errors import MachineError, UsageError
from store.jobs import Job
from store.layout import Layout
from tests import file_trees
from tests.file_trees import fill, tree
from tests.stored_jobs import stored_job
from tests.test_job_data import NAME, ROOT, job_with


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "ws")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from file_trees.small_disk(tmp_path / "disk")


# Outputs


def prepare(layout: Layout, **outputs: Any) -> dict[str, str]:
    values = job_outputs.prepare_outputs(job_with(outputs=outputs), layout)
    assert all(value.is_path for value in values.values())
    return {key.removeprefix("outputs."): value.text for key, value in values.items()}


def test_outputs_without_a_path_have_a_place_of_their_own(layout: Layout) -> None:
    root = layout.blobstore / "azureml" / NAME
    paths = prepare(layout, plain=None, m={"type": "mlflow_model"}, t={"type": "mltable"}, f={"type": "uri_file"})
    assert paths == {"plain": str(root / "plain"), "m": str(root / "m"), "t": str(root / "t"), "f": str(root / "f")}
    assert [Path(paths[name]).is_dir() for name in ("plain", "m", "t", "f")] == [True, True, True, False]
    (root / "f").write_text("written")
    assert prepare(layout, f={"type": "uri_file"}) == {"f": str(root / "f")}


def test_outputs_with_a_path_and_a_mode(layout: Layout, tmp_path: Path) -> None:
    store = "azureml://datastores/workspaceblobstore/paths/sets/${{name}}/"
    paths = prepare(
        layout,
        here={"path": str(tmp_path / "new/out")},
        mount={"path": store, "mode": "mount"},
        up={"path": store, "mode": "upload"},
        upfile={"path": f"{store}m.csv", "mode": "upload", "type": "uri_file"},
        direct={"path": store, "mode": "direct"},
        away={"path": "s3://b/k", "mode": "direct"},
    )
    upload = layout.job(NAME).root / "upload"
    assert paths == {
        "here": str(tmp_path / "new/out"),
        "mount": str(layout.blobstore / "sets" / NAME),
        "up": str(upload / "up"),
        "upfile": str(upload / "upfile/m.csv"),
        "direct": str(layout.blobstore / "sets" / NAME),
        "away": "s3://b/k",
    }
    assert [Path(paths[name]).is_dir() for name in ("here", "mount", "up")] == [True] * 3
    assert (upload / "upfile").is_dir()


def test_outputs_that_cannot_be(layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path, {"file": ""})
    for settings, message in (
        ({"path": "s3://b/k"}, "cannot be written to s3://b/k"),
        ({"path": str(tmp_path / "file")}, "is a file, and the output of type uri_folder is a folder"),
        (
            {"path": str(tmp_path / "file"), "mode": "upload"},
            "is a file, and the output of type uri_folder is a folder",
        ),
        ({"path": str(tmp_path), "type": "uri_file"}, "is a folder, and the output of type uri_file is a file"),
    ):
        with pytest.raises(UsageError, match=f"output 'x': .*{message}"):
            prepare(layout, x=settings)
        with pytest.raises(UsageError, match=message):
            job_outputs.check_output(layout, {"outputs": {"x": settings}}, "x")
    with pytest.raises(MachineError, match="a place for the output 'x'"):
        prepare(layout, x={"path": str(tmp_path / "file/below")})


# Working copy and what is kept of it


def started(layout: Layout, tmp_path: Path, code: dict[str, str], **document: Any) -> tuple[Job, Path]:
    fill(tmp_path / "code", code)
    snapshot = snapshots.take(tmp_path / "code", layout).hash if code else None
    document = {"name": NAME, "command": "true", **document}
    job = stored_job(NAME, document=document, snapshot=snapshot, status="Completed")
    working_copy.prepare_working_copy(job, layout)
    job_outputs.prepare_outputs(job, layout)
    return job, layout.job(NAME).working_copy


def test_the_working_copy(layout: Layout, tmp_path: Path) -> None:
    job, work = started(layout, tmp_path, {"train.py": "1"})
    assert sorted(entry.name for entry in work.iterdir()) == ["logs", "outputs", "train.py"]
    (work / "train.py").write_text("2")
    working_copy.prepare_working_copy(job, layout)
    assert (work / "train.py").read_text() == "2"
    shutil.rmtree(work / "logs")
    working_copy.prepare_working_copy(job, layout)
    assert (work / "logs").is_dir()


def test_without_code_it_is_empty(layout: Layout, tmp_path: Path) -> None:
    _, work = started(layout, tmp_path, {})
    assert sorted(entry.name for entry in work.iterdir()) == ["logs", "outputs"]


def test_what_was_written_is_kept_beside_what_mlflow_keeps(layout: Layout, tmp_path: Path) -> None:
    job, work = started(layout, tmp_path, {"train.py": ""})
    artifacts = layout.artifacts(NAME)
    fill(artifacts, {"model/MLmodel": "m", "outputs/by_mlflow.txt": "f", "outputs/both.txt": "mlflow"})
    fill(work, {"outputs/a/b.txt": "b", "outputs/both.txt": "script", "logs/l.txt": "l", "scratch.txt": "s"})
    fill(layout.job(NAME).user_logs, {"std_log.txt": "log"})
    expected = {
        "model/MLmodel": "m",
        "outputs/by_mlflow.txt": "f",
        "outputs/both.txt": "script",
        "outputs/a/b.txt": "b",
        "logs/l.txt": "l",
        "user_logs/std_log.txt": "log",
    }
    for _ in range(3):
        job_outputs.collect_outputs(job, layout)
        assert tree(artifacts) == expected
    assert (layout.job(NAME).root / "outputs").resolve() == artifacts
    assert (work / "outputs").is_dir()
    moved = tmp_path / "moved"
    layout.root.rename(moved)
    assert (moved / "jobs" / NAME / "outputs/outputs/a/b.txt").read_text() == "b"


def test_old_outputs_among_the_code_are_not_taken_for_new_ones(layout: Layout, tmp_path: Path) -> None:
    job, work = started(
        layout, tmp_path, {"outputs/old.txt": "old", "outputs/again.txt": "same", "outputs/new.txt": "1"}
    )
    assert (work / "outputs/old.txt").read_text() == "old"
    (work / "outputs/again.txt").write_text("same")
    (work / "outputs/new.txt").write_text("2")
    job_outputs.collect_outputs(job, layout)
    assert tree(layout.artifacts(NAME) / "outputs") == {"again.txt": "same", "new.txt": "2"}


def test_links_keep_leading_where_they_led(layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path, {"big/data.bin": "elsewhere"})
    job, work = started(layout, tmp_path, {"train.py": "code"})
    fill(work, {"outputs/step-9/w.bin": "w", "cache/c.bin": "c"})
    for name, leads_to in {
        "last": "step-9",
        "absolute": str(work / "outputs/step-9/w.bin"),
        "code": "../train.py",
        "cached": str(work / "cache"),
        "big": str(tmp_path / "big"),
        "nowhere": "nothing",
    }.items():
        (work / "outputs" / name).symlink_to(leads_to)
    for _ in range(2):
        job_outputs.collect_outputs(job, layout)
    shutil.rmtree(work)
    kept = layout.artifacts(NAME) / "outputs"
    assert (kept / "last/w.bin").read_text() == (kept / "absolute").read_text() == "w"
    assert [(kept / name).is_symlink() for name in ("last", "absolute", "big", "nowhere")] == [True] * 4
    assert [(kept / name).readlink().is_absolute() for name in ("last", "absolute", "big")] == [False, False, True]
    assert not (kept / "code").is_symlink() and (kept / "code").read_text() == "code"
    assert not (kept / "cached").is_symlink() and (kept / "cached/c.bin").read_text() == "c"
    assert (kept / "big/data.bin").read_text() == "elsewhere"


def test_a_file_and_a_folder_of_one_name_both_stay(layout: Layout, tmp_path: Path) -> None:
    job, work = started(layout, tmp_path, {})
    fill(layout.artifacts(NAME), {"outputs/x": "file", "outputs/y/z": "in folder"})
    fill(work, {"outputs/x/a": "1", "outputs/x/b": "2", "outputs/y": "file"})
    os.mkfifo(work / "outputs/pipe")
    for _ in range(2):
        job_outputs.collect_outputs(job, layout)
    assert tree(layout.artifacts(NAME) / "outputs") == {
        "x": "file", "x~1/a": "1", "x~1/b": "2", "y/z": "in folder", "y~1": "file",
    }  # fmt: skip


def test_uploads_are_brought_to_their_place(layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path / "out", {"old.txt": "old", "both.txt": "old"})
    job, _ = started(
        layout,
        tmp_path,
        {},
        outputs={
            "d": {"path": str(tmp_path / "out"), "mode": "upload"},
            "f": {"type": "uri_file", "mode": "upload"},
            "never": {"type": "uri_file", "mode": "upload"},
        },
    )
    upload = layout.job(NAME).root / "upload"
    fill(upload, {"d/new.txt": "new", "d/both.txt": "new", "f/f": "file"})
    for _ in range(2):
        job_outputs.collect_outputs(job, layout)
    assert tree(tmp_path / "out") == {"old.txt": "old", "both.txt": "new", "new.txt": "new"}
    assert layout.output(NAME, "f").read_text() == "file"


COLLECT = """
import sys
from pathlib import Path
from engines.jobs import outputs as job_outputs
from engines.jobs import working_copy
from store.layout import Layout
from tests.stored_jobs import stored_job
document = {"outputs": {"d": {"path": sys.argv[2], "mode": "upload"}}}
job_outputs.collect_outputs(stored_job("brave_owl_1", document=document), Layout(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("part", ["outputs", "upload"])
def test_kill_while_outputs_are_kept(layout: Layout, tmp_path: Path, part: str) -> None:
    target = tmp_path / "out"
    files = {f"n{i % 50}/f{i}.txt": str(i) for i in range(4000)}
    job, work = started(layout, tmp_path, {}, outputs={"d": {"path": str(target), "mode": "upload"}})
    fill(work / "outputs" if part == "outputs" else layout.job(NAME).root / "upload/d", files)
    kept = layout.artifacts(NAME) / "outputs" if part == "outputs" else target
    process = subprocess.Popen([sys.executable, "-c", COLLECT, str(layout.root), str(target)], cwd=ROOT)
    while not any(kept.glob("n*/f*.txt")):
        assert process.poll() is None, "it was over before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < len(tree(kept)) < len(files)
    job_outputs.collect_outputs(job, layout)
    assert tree(kept) == files


def test_a_full_disk_loses_nothing(layout: Layout, tmp_path: Path, small_disk: Path) -> None:
    files = {f"{i}.bin": str(i) * 200_000 for i in range(8)}
    job, _ = started(layout, tmp_path, {}, outputs={"d": {"path": str(small_disk / "out"), "mode": "upload"}})
    upload = layout.job(NAME).root / "upload/d"
    fill(upload, files)
    (upload / "0.bin").chmod(0o700)
    with pytest.raises(MachineError, match="the disk is full"):
        job_outputs.collect_outputs(job, layout)
    assert tree(upload) | tree(small_disk / "out") == files
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    job_outputs.collect_outputs(job, layout)
    assert tree(small_disk / "out") == files
    assert not any(upload.iterdir())
    assert (small_disk / "out/0.bin").stat().st_mode & 0o777 == 0o700
