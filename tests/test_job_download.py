"""Downloading what a job left: the layout, nothing overwritten, nothing half."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.jobs import outputs as job_outputs
from engines.jobs import working_copy
from engines.jobs.download import download
from store.errors import ConflictError, MachineError, NotFoundError, UsageError
from store.jobs import Job
from store.layout import Layout
from tests import file_trees
from tests.file_trees import fill, tree
from tests.stored_jobs import stored_job

NAME = "brave_owl_1"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "ws")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from file_trees.small_disk(tmp_path / "disk")


def finished(layout: Layout, tmp_path: Path) -> Job:
    outputs = {
        "d": None,
        "f": {"type": "uri_file"},
        "never": {"type": "uri_file"},
        "away": {"path": "s3://b/k", "mode": "direct"},
    }
    document = {"name": NAME, "command": "true", "outputs": outputs}
    job, work = stored_job(NAME, document=document, status="Completed"), layout.job(NAME).working_copy
    working_copy.prepare_working_copy(job, layout)
    job_outputs.prepare_outputs(job, layout)
    fill(work, {"outputs/m.pkl": "m"})
    fill(layout.job(NAME).user_logs, {"std_log.txt": "log"})
    fill(layout.output(NAME, "d"), {"x/y.csv": "y"})
    layout.output(NAME, "f").write_text("f")
    job_outputs.collect_outputs(job, layout)
    return job


ARTIFACTS = {"artifacts/outputs/m.pkl": "m", "artifacts/user_logs/std_log.txt": "log"}
NAMED = {"named-outputs/d/x/y.csv": "y", "named-outputs/f/f": "f"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ARTIFACTS),
        ({"output_name": "artifacts"}, ARTIFACTS),
        ({"output_name": "default"}, ARTIFACTS),
        ({"output_name": "d"}, {"named-outputs/d/x/y.csv": "y"}),
        ({"output_name": "f"}, {"named-outputs/f/f": "f"}),
        ({"everything": True}, ARTIFACTS | NAMED),
    ],
)
def test_what_is_downloaded(layout: Layout, tmp_path: Path, options: Any, expected: dict[str, str]) -> None:
    job, target = finished(layout, tmp_path), tmp_path / "got"
    copied = download(job, layout, target, **options)
    assert tree(target) == expected
    assert (copied.files, copied.bytes) == (len(expected), sum(map(len, expected.values())))
    again = download(job, layout, target, **options)
    assert (again.files, again.bytes, tree(target)) == (len(expected), 0, expected)


def test_what_is_not_there_to_be_downloaded(layout: Layout, tmp_path: Path) -> None:
    job = finished(layout, tmp_path)
    for name, message in (("never", "has not written"), ("away", "lies at s3://b/k")):
        with pytest.raises(UsageError, match=message):
            download(job, layout, tmp_path / "got", output_name=name)
    with pytest.raises(NotFoundError, match=r"no output 'x'\n.*d, f, never, away, artifacts"):
        download(job, layout, tmp_path / "got", output_name="x")
    assert len(download(job, layout, tmp_path / "got", everything=True).notes) == 2


def test_nothing_is_overwritten(layout: Layout, tmp_path: Path) -> None:
    job = finished(layout, tmp_path)
    fill(tmp_path / "got", {"artifacts/outputs/m.pkl": "mine"})
    with pytest.raises(ConflictError, match=r"1 file\(s\) would be overwritten: .*m\.pkl"):
        download(job, layout, tmp_path / "got", everything=True)
    assert tree(tmp_path / "got") == {"artifacts/outputs/m.pkl": "mine"}


@pytest.mark.parametrize("file", ["got", "got/artifacts", "got/named-outputs/d/x"])
def test_a_file_in_the_place_of_a_folder(layout: Layout, tmp_path: Path, file: str) -> None:
    job = finished(layout, tmp_path)
    fill(tmp_path, {file: "mine"})
    with pytest.raises(ConflictError, match=rf"1 file\(s\) would be overwritten: {tmp_path / file}\n"):
        download(job, layout, tmp_path / "got", everything=True)
    assert (tmp_path / file).read_text() == "mine"
    assert (tmp_path / "got").is_file() or len(tree(tmp_path / "got")) == 1


def test_what_is_left_out_is_told_and_how_far_it_is(layout: Layout, tmp_path: Path) -> None:
    job = finished(layout, tmp_path)
    (layout.artifacts(NAME) / "outputs/last.pkl").symlink_to("gone.pkl")
    told: list[tuple[int, int | None]] = []
    copied = download(job, layout, tmp_path / "got", progress=lambda done, total: told.append((done, total)))
    assert copied.notes == ("artifacts/outputs/last.pkl: left out, a link that leads nowhere",)
    assert told[-1] == (copied.bytes, copied.bytes)


def test_only_a_job_that_has_ended(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="is Running"):
        download(stored_job(NAME, status="Running"), layout, tmp_path / "got")


def test_downloading_to_a_full_disk(layout: Layout, tmp_path: Path, small_disk: Path) -> None:
    job = finished(layout, tmp_path)
    fill(layout.output(NAME, "d"), {f"{i}.bin": str(i) * 300_000 for i in range(5)})
    with pytest.raises(MachineError, match="the disk is full"):
        download(job, layout, small_disk / "got", output_name="d")
    assert all(len(text) == 300_000 for path, text in tree(small_disk).items() if path.endswith(".bin"))
    assert not list(small_disk.rglob(".*"))
