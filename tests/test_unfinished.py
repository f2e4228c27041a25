"""What an upload that was killed leaves: taken by nothing, and removed by the next upload of the same file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from store import folder_pages, trees
from store.data import fingerprint, manifest
from store.data.watched_paths import WatchedPath, list_local
from store.datastores import transfers
from store.datastores.listing import page
from store.datastores.registry import Datastore
from store.datastores.transfers import Opened
from store.tabular.files import any_address, find_files
from store.unfinished import PARTIAL, hidden, is_of, is_unfinished

KILLED = """
import os, signal, sys
from pathlib import Path
from store.datastores import transfers
from store.datastores.registry import Datastore
there = transfers.opened(Datastore("lab", "local", {"path": sys.argv[1]}, 0.0), None)
def die(*given, **options):
    os.kill(os.getpid(), signal.SIGKILL)
transfers.verify = die
transfers.upload(there, Path(sys.argv[2]), "in/big.bin", progress=lambda done, total: None)
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """The folder of a datastore with a file, and what an upload of another left that was killed."""
    (tmp_path / "lab/in").mkdir(parents=True)
    (tmp_path / "lab/in/whole.bin").write_bytes(b"whole")
    (tmp_path / "big.bin").write_bytes(b"big" * 1000)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "lab"), str(tmp_path / "big.bin")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(os.listdir(tmp_path / "lab/in")) == 2
    return tmp_path / "lab"


def opened(folder: Path) -> Opened:
    return Opened(
        Datastore("lab", "local", {"path": str(folder)}, 0.0), {}, LocalFileSystem(auto_mkdir=True), str(folder)
    )


def nothing(_done: int, _total: int | None) -> None:
    """Nobody waits."""


def test_no_listing_and_no_copy_has_it(lab: Path, tmp_path: Path) -> None:
    there, only = opened(lab), ["whole.bin"]
    assert [each.name for each in page(there.system, there.full("in"))[0]] == only
    assert [each.name for each in page(there.system, there.full(""), recursive=True)[0]] == ["in/whole.bin"]
    assert [each.name for each in folder_pages.page(lab / "in").entries] == only
    assert os.listdir(transfers.download(there, "in", tmp_path / "brought", progress=nothing)) == only
    assert [item.path for item in trees.survey(lab / "in").items] == only
    assert [found.path for found in list_local(lab, WatchedPath.parse("in/.*"))] == []
    assert [each.path for each in find_files("folder", str(lab), (there.system, "/"), any_address)] == [
        str(lab / "in/whole.bin")
    ]


def test_no_manifest_has_it_and_that_is_said(lab: Path, tmp_path: Path) -> None:
    found = fingerprint.take(lab / "in", tmp_path / "manifests")
    assert [entry.path for entry in manifest.read(tmp_path / "manifests", found.hash)] == ["whole.bin"]
    assert ["an upload that did not end" in note for note in found.notes] == [True]


def test_the_next_upload_of_the_file_removes_it_and_that_of_another_does_not(lab: Path, tmp_path: Path) -> None:
    other = tmp_path / "big.bin.gz"
    other.write_bytes(b"other")
    transfers.upload(opened(lab), other, "in/", progress=nothing)
    assert len(os.listdir(lab / "in")) == 3
    transfers.upload(opened(lab), tmp_path / "big.bin", "in/", progress=nothing)
    assert sorted(os.listdir(lab / "in")) == ["big.bin", "big.bin.gz", "whole.bin"]


def test_names_that_users_give_are_not_taken_for_it() -> None:
    assert is_unfinished(hidden("a.csv", "12345678"))
    assert is_of(hidden("a.csv", "12345678"), "a.csv")
    assert not is_of(hidden("a.csv.gz", "12345678"), "a.csv")
    assert not is_unfinished(PARTIAL), "the mark of a folder is read, to refuse the folder"
    assert not any(map(is_unfinished, (".hidden.csv", "a.partial", ".a.csv.partial", f"a{PARTIAL}")))
