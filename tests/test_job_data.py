"""A job's inputs, outputs and code on real files: every mode and type, killed in the middle and done again."""

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

from engines.jobs import data
from engines.jobs.script import Value
from store import cache, snapshots
from store.errors import MachineError, NotFoundError, UsageError
from store.jobs import Job
from store.layout import Layout
from store.transfer.incoming import AbandonedError
from tests import file_trees
from tests.data_server import Resource, Server, serving
from tests.file_trees import fill, tree
from tests.stored_jobs import stored_job

ROOT = Path(__file__).parents[1]
NAME = "brave_owl_1"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "ws")


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    folder = tmp_path / "my sets"
    fill(folder, {"a.csv": "a", "deep/b.csv": "b"})
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from file_trees.small_disk(tmp_path / "disk")


def job_with(**document: Any) -> Job:
    file = "/docs/job.yml"
    return stored_job(NAME, document={"name": NAME, "command": "true", **document}, source={"file": file})


def place(layout: Layout, *, said: list[str] | None = None, **inputs: Any) -> dict[str, Value]:
    said = [] if said is None else said
    return data.place_inputs(job_with(inputs=inputs), layout, said.append, lambda: False)


# Inputs


def test_literals(layout: Layout) -> None:
    given = {"a": True, "b": 1.0, "c": 5, "d": "x y", "e": {"value": 3}, "f": None, "g": {"type": "uri_file"}, "h": ""}
    assert place(layout, **given) == {
        "inputs.a": Value("True"),
        "inputs.b": Value("1.0"),
        "inputs.c": Value("5"),
        "inputs.d": Value("x y"),
        "inputs.e": Value("3"),
        "inputs.h": Value(""),
    }


@pytest.mark.parametrize("mode", [None, "ro_mount", "direct"])
def test_local_paths_are_used_where_they_are(layout: Layout, sets: Path, mode: str | None) -> None:
    extra = {"mode": mode} if mode else {}
    values = place(
        layout, f={"type": "uri_file", "path": str(sets / "a.csv"), **extra}, d={"path": sets.as_uri(), **extra}
    )
    assert values == {"inputs.f": Value(str(sets / "a.csv"), True), "inputs.d": Value(str(sets), True)}


def test_download_is_a_private_copy(layout: Layout, sets: Path) -> None:
    (sets / "a.csv").chmod(0o444)
    inputs = {
        "f": {"type": "uri_file", "path": str(sets / "a.csv"), "mode": "download"},
        "d": {"type": "uri_folder", "path": str(sets), "mode": "download"},
    }
    values = place(layout, **inputs)
    folder = layout.job(NAME).inputs
    assert values == {"inputs.f": Value(str(folder / "f/a.csv"), True), "inputs.d": Value(str(folder / "d"), True)}
    assert tree(folder) == {"f/a.csv": "a", "d/a.csv": "a", "d/deep/b.csv": "b"}
    (folder / "f/a.csv").write_text("changed")
    assert tree(sets) == {"a.csv": "a", "deep/b.csv": "b"}
    assert place(layout, **inputs) == values
    assert (folder / "f/a.csv").read_text() == "changed", "what is there already is not made again"


def test_a_copy_of_the_folder_that_the_workspace_lies_in(layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path, {"a.csv": "a"})
    fill(layout.root, {"blobstore/x": "x"})
    place(layout, d={"path": str(tmp_path), "mode": "download"})
    assert tree(layout.job(NAME).inputs) == {"d/a.csv": "a"}


def test_a_download_that_is_cancelled(layout: Layout, sets: Path) -> None:
    job = job_with(inputs={"d": {"path": str(sets), "mode": "download"}})
    with pytest.raises(AbandonedError):
        data.place_inputs(job, layout, print, lambda: True)
    assert list(layout.job(NAME).inputs.iterdir()) == []


COPY = """
import sys
from pathlib import Path
from engines.jobs import data
from store.layout import Layout
from tests.stored_jobs import stored_job
document = {"inputs": {"d": {"path": sys.argv[2], "mode": "download"}}}
data.place_inputs(stored_job("brave_owl_1", document=document), Layout(Path(sys.argv[1])), print, lambda: False)
"""


def test_kill_while_an_input_is_copied(layout: Layout, tmp_path: Path) -> None:
    files = {f"f{i}.csv": str(i) for i in range(3000)}
    fill(tmp_path / "many", files)
    process = subprocess.Popen([sys.executable, "-c", COPY, str(layout.root), str(tmp_path / "many")], cwd=ROOT)
    folder = layout.job(NAME).inputs
    while not any(folder.glob(".staging-*/f*.csv")):
        assert process.poll() is None, "it was over before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "d").exists()
    place(layout, d={"path": str(tmp_path / "many"), "mode": "download"})
    assert [entry.name for entry in folder.iterdir()] == ["d"]
    assert tree(folder / "d") == files


@pytest.mark.parametrize(
    ("kind", "path", "message"),
    [
        ("uri_file", "nope.csv", r"there is no .*/my sets/nope\.csv"),
        ("uri_file", "deep", "is a folder, and the type says uri_file"),
        ("uri_folder", "a.csv", "is a file, and the type says uri_folder"),
        ("mltable", "a.csv", "is a file, and the type says mltable"),
        ("mltable", "deep", "has no file MLTable in it"),
        ("mlflow_model", "a.csv", r"is a file.*\n.*custom_model"),
        ("mlflow_model", "deep", "has no file MLmodel in it"),
    ],
)
def test_what_is_missing_or_of_another_type(layout: Layout, sets: Path, kind: str, path: str, message: str) -> None:
    given = {"type": kind, "path": str(sets / path)}
    for mode in ("ro_mount", "download", "direct"):
        with pytest.raises(UsageError, match=rf"input 'x' of /docs/job\.yml: .*{message}"):
            place(layout, x={**given, "mode": mode})
    with pytest.raises(UsageError, match=message):
        data.check_input(None, layout, {"inputs": {"x": given}}, "x")  # type: ignore[arg-type]


def test_an_address_that_leads_to_nothing_is_shown_as_it_was_given(layout: Layout) -> None:
    address = "azureml://datastores/workspaceblobstore/paths/a/b"
    with pytest.raises(UsageError, match=rf"nothing at {address}\n.*{layout.blobstore}/a/b"):
        place(layout, x={"type": "uri_file", "path": address})


def test_types_that_fit(layout: Layout, sets: Path) -> None:
    fill(sets, {"MLTable": "", "MLmodel": ""})
    kinds = {"uri_folder": "", "mltable": "", "mlflow_model": "", "triton_model": "", "custom_model": "a.csv"}
    values = place(layout, **{kind: {"type": kind, "path": str(sets / path)} for kind, path in kinds.items()})
    assert {value.text for value in values.values()} == {str(sets), str(sets / "a.csv")}


@pytest.mark.parametrize("mode", ["eval_mount", "eval_download"])
def test_tables_are_not_evaluated_yet(layout: Layout, sets: Path, mode: str) -> None:
    with pytest.raises(UsageError, match=rf"mode {mode} evaluates a table.*\n.*ro_mount"):
        place(layout, t={"type": "mltable", "path": str(sets), "mode": mode})


def test_urls(layout: Layout, server: Server) -> None:
    file = server.resources["/sets/a.csv"] = Resource(b"a,b")
    url = server.url("/sets/a.csv")
    said: list[str] = []
    values = place(
        layout,
        said=said,
        m={"type": "uri_file", "path": url},
        d={"type": "uri_file", "path": url, "mode": "download"},
        u={"type": "uri_file", "path": url, "mode": "direct"},
    )
    mounted, copied, direct = (values[f"inputs.{name}"] for name in "mdu")
    assert Path(mounted.text).read_text() == Path(copied.text).read_text() == "a,b"
    assert copied == Value(str(layout.job(NAME).inputs / "d/a.csv"), True)
    assert direct == Value(url, True)
    assert len(file.requests) == 1
    assert said[-1] == f"input m: downloading {url}: 0.0 MB of 0.0 MB"


def test_a_url_that_fails_names_the_input(layout: Layout, server: Server) -> None:
    with pytest.raises(NotFoundError, match=r"input 'x' of /docs/job\.yml: .*404.*(\n.*)*workbench cache add"):
        place(layout, x={"type": "uri_file", "path": server.url("/nope")})


def test_a_folder_over_http_needs_the_cache(layout: Layout, sets: Path) -> None:
    given = {"type": "uri_folder", "path": "https://nowhere.invalid/sets/"}
    with pytest.raises(UsageError, match="no way to list"):
        data.check_input(None, layout, {"inputs": {"x": given}}, "x")  # type: ignore[arg-type]
    cache.add("https://nowhere.invalid/sets", sets)
    data.check_input(None, layout, {"inputs": {"x": given}}, "x")  # type: ignore[arg-type]
    assert tree(Path(place(layout, x=given)["inputs.x"].text)) == tree(sets)
    with pytest.raises(UsageError, match="is a folder, and the type says uri_file"):
        place(layout, x={**given, "type": "uri_file"})


def test_the_jobs_name_in_a_path(layout: Layout) -> None:
    fill(layout.blobstore, {f"in/{NAME}/x.csv": "x"})
    given = {"path": "azureml://datastores/workspaceblobstore/paths/in/${{name}}"}
    assert place(layout, x=given)["inputs.x"].text == str(layout.blobstore / "in" / NAME)
    data.check_input(None, layout, {"inputs": {"x": given}}, "x")  # type: ignore[arg-type]


# Outputs


def prepare(layout: Layout, **outputs: Any) -> dict[str, str]:
    values = data.prepare_outputs(job_with(outputs=outputs), layout)
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
        ({"path": str(tmp_path), "type": "uri_file"}, "is a folder, and the output of type uri_file is a file"),
    ):
        with pytest.raises(UsageError, match=f"output 'x': .*{message}"):
            prepare(layout, x=settings)
        with pytest.raises(UsageError, match=message):
            data.check_output(layout, {"outputs": {"x": settings}}, "x")
    with pytest.raises(MachineError, match="a place for the output 'x'"):
        prepare(layout, x={"path": str(tmp_path / "file/below")})


# Working copy and what is kept of it


def started(layout: Layout, tmp_path: Path, code: dict[str, str], **document: Any) -> tuple[Job, Path]:
    fill(tmp_path / "code", code)
    snapshot = snapshots.take(tmp_path / "code", layout).hash if code else None
    document = {"name": NAME, "command": "true", **document}
    job = stored_job(NAME, document=document, snapshot=snapshot, status="Completed")
    data.prepare_working_copy(job, layout)
    data.prepare_outputs(job, layout)
    return job, layout.job(NAME).working_copy


def test_the_working_copy(layout: Layout, tmp_path: Path) -> None:
    job, work = started(layout, tmp_path, {"train.py": "1"})
    assert sorted(entry.name for entry in work.iterdir()) == ["logs", "outputs", "train.py"]
    (work / "train.py").write_text("2")
    data.prepare_working_copy(job, layout)
    assert (work / "train.py").read_text() == "2"
    shutil.rmtree(work / "logs")
    data.prepare_working_copy(job, layout)
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
        data.collect_outputs(job, layout)
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
    data.collect_outputs(job, layout)
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
        data.collect_outputs(job, layout)
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
        data.collect_outputs(job, layout)
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
        data.collect_outputs(job, layout)
    assert tree(tmp_path / "out") == {"old.txt": "old", "both.txt": "new", "new.txt": "new"}
    assert layout.output(NAME, "f").read_text() == "file"


COLLECT = """
import sys
from pathlib import Path
from engines.jobs import data
from store.layout import Layout
from tests.stored_jobs import stored_job
document = {"outputs": {"d": {"path": sys.argv[2], "mode": "upload"}}}
data.collect_outputs(stored_job("brave_owl_1", document=document), Layout(Path(sys.argv[1])))
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
    data.collect_outputs(job, layout)
    assert tree(kept) == files


def test_a_full_disk_loses_nothing(layout: Layout, tmp_path: Path, small_disk: Path) -> None:
    files = {f"{i}.bin": str(i) * 200_000 for i in range(8)}
    job, _ = started(layout, tmp_path, {}, outputs={"d": {"path": str(small_disk / "out"), "mode": "upload"}})
    upload = layout.job(NAME).root / "upload/d"
    fill(upload, files)
    (upload / "0.bin").chmod(0o700)
    with pytest.raises(MachineError, match="the disk is full"):
        data.collect_outputs(job, layout)
    assert tree(upload) | tree(small_disk / "out") == files
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    data.collect_outputs(job, layout)
    assert tree(small_disk / "out") == files
    assert not any(upload.iterdir())
    assert (small_disk / "out/0.bin").stat().st_mode & 0o777 == 0o700
