"""Tables in datastores of every kind that has files, by their addresses: files, folders, patterns, versions."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store import database
from store.datastores import filesystems, registry
from store.layout import Layout
from store.vault import open_vault
from tests.services.test_datastore_create import KINDS
from workbench.cli.main import exit_code

pytestmark = pytest.mark.slow

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
ROOT = "azureml://datastores/far/paths/tables"


@pytest.fixture(params=["azurite", "s3_server", "webdav_server", "smb_server", "ssh_password_server"])
def far(
    request: pytest.FixtureRequest, layout: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Iterator[Layout]:
    """A workspace with a datastore ``far``, in which two tables lie in a folder ``tables``."""
    document = {"name": "far", **KINDS[request.param](request.getfixturevalue(request.param))}
    (tmp_path / "far.json").write_text(json.dumps(document))
    shown(layout, capfd, "datastore", "create", "-f", str(tmp_path / "far.json"))
    with closing(database.connect(layout.database)) as connection:
        datastore = registry.get(connection, layout, "far")
    system, root = filesystems.open_filesystem(datastore, open_vault(layout))
    system.makedirs(f"{root}/tables/d", exist_ok=True)
    system.makedirs(f"{root}/tables/z", exist_ok=True)
    system.pipe_file(f"{root}/tables/d/one.csv", b"a,b\n1,x\n")
    system.pipe_file(f"{root}/tables/d/two.csv", b"a,b\n2,y\n")
    system.pipe_file(f"{root}/tables/z/one.csv.gz", gzip.compress(b"a,b\n1,x\n2,y\n"))
    yield layout
    system.rm(f"{root}/tables", recursive=True)


def shown(layout: Layout, capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints."""
    capfd.readouterr()
    code = exit_code(["-w", str(layout.root), *arguments])
    out, err = capfd.readouterr()
    assert code == 0, err
    return out


def test_files_folders_patterns_and_versions_are_read(far: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    made = ["--type", "uri_folder", "--path", f"{ROOT}/d"]
    shown(far, capfd, "data", "create", "--name", "there", "--version", "1", *made)
    for place, rows in (
        (f"{ROOT}/d/one.csv", ROWS[:1]),
        (f"{ROOT}/d", ROWS),
        (f"{ROOT}/d/", ROWS),
        (f"{ROOT}/d/*.csv", ROWS),
        ("azureml:there:1", ROWS),
    ):
        assert json.loads(shown(far, capfd, "data", "preview", place, "-o", "json")) == rows, place


def test_compressed_files_are_read(far: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    for place in (f"{ROOT}/z/one.csv.gz", f"{ROOT}/z"):
        assert json.loads(shown(far, capfd, "data", "preview", place, "-o", "json")) == ROWS, place


def test_a_file_that_is_not_there_is_not_found(far: Layout, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "MLTable").write_text(f"paths: [{{file: '{ROOT}/d/none.csv'}}]\ntransformations: [read_delimited]\n")
    for place in (f"{ROOT}/d/none.csv", str(tmp_path)):
        assert exit_code(["-w", str(far.root), "data", "preview", place]) == 3, capfd.readouterr().err
