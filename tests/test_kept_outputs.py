"""What jobs do to the folders that are kept: real jobs, and where their files come to lie."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from engines.jobs.keeping import Keeper
from store.layout import Layout
from tests.conftest import Cli
from tests.file_trees import fill, tree
from tests.test_run import write

NAME = "calm_fox_1"
OTHER_USER = 65534


def run(cli: Cli, tmp_path: Path, command: str, outputs: str = "{}") -> None:
    file = write(tmp_path, f"command: |\n  {command}\noutputs: {outputs}\n")
    done = cli("run", file, "--name", NAME)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("rm -r outputs; mkdir outputs; echo new > outputs/a", {"outputs/a": "new\n"}),
        ("rm -r outputs; echo text > outputs", {"outputs": "text\n"}),
        ("rm -r outputs; mkdir made; echo e > made/e; ln -s made outputs", {"outputs/e": "e\n"}),
        ("rm -r outputs; ln -s {elsewhere} outputs", {"outputs/big": "far"}),
        ("echo a > outputs/a; echo w > w; ln -s .. outputs/all", {"outputs/a": "a\n", "outputs/all/w": "w\n"}),
    ],
)
def test_a_folder_that_the_job_made_anew(
    cli: Cli, layout: Layout, tmp_path: Path, command: str, kept: dict[str, str]
) -> None:
    fill(tmp_path / "elsewhere", {"big": "far"})
    run(cli, tmp_path, command.format(elsewhere=tmp_path / "elsewhere"))
    artifacts = layout.artifacts(NAME)
    assert {path: (artifacts / path).read_text() for path in kept} == kept
    assert tree(tmp_path / "elsewhere") == {"big": "far"}
    got = tmp_path / "got"
    assert cli("job", "download", NAME, "-p", got).returncode == 0
    assert {f"artifacts/{path}": text for path, text in kept.items()}.items() <= tree(got).items()


def test_the_place_of_an_uploaded_output_is_told(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    run(cli, tmp_path, "echo u > ${{outputs.u}}/u", "{u: {mode: upload}}")
    shown = json.loads(cli("job", "show", NAME, "-o", "json", "--query", "resolved_outputs").stdout)
    assert shown == {"u": str(layout.output(NAME, "u"))}
    assert (Path(shown["u"]) / "u").read_text() == "u\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user beside root")
def test_folders_that_were_made_read_only_are_kept() -> None:
    """As a user for whom the mode counts; for root it never does."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to other users
        layout = Layout(Path(folder))
        job = layout.job(NAME)
        fill(job.working_copy, {"outputs/ro/deep/x": "x", "outputs/y": "y"})
        for each in (layout.root, *layout.root.rglob("*")):
            os.chown(each, OTHER_USER, -1)
        for name in ("ro/deep", "ro", ""):
            (job.working_copy / "outputs" / name).chmod(0o500)
        os.seteuid(OTHER_USER)
        try:
            Keeper(job, None).keep(job.working_copy / "outputs", layout.artifacts(NAME) / "outputs")
        finally:
            os.seteuid(0)
        assert tree(layout.artifacts(NAME) / "outputs") == {"ro/deep/x": "x", "y": "y"}
