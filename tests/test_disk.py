"""Files written whole, and locks that end with their holders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from store.disk import MANY_FILES, copy_file, flush_tree, locked, write_whole

HOLD = """
import sys
from pathlib import Path
from store.disk import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class GivenUpError(Exception):
    """What a test's ``waiting`` raises."""


@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_a_lock_keeps_others_out_until_its_holder_is_killed(tmp_path: Path, folder: bool) -> None:
    path = tmp_path if folder else tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        asked = []

        def waiting() -> None:
            asked.append(holder.pid)
            if len(asked) == 3:
                raise GivenUpError

        with pytest.raises(GivenUpError), locked(path, waiting):
            pytest.fail("the lock was let go while it was held")
        os.kill(holder.pid, signal.SIGKILL)
        with locked(path):
            assert len(asked) == 3
    assert folder or path.stat().st_mode & 0o777 == 0o600


def test_a_file_is_replaced_whole_and_is_private(tmp_path: Path) -> None:
    target = tmp_path / "facts.json"
    write_whole(target, "old")
    with target.open() as reader:
        write_whole(target, "new, and longer", durable=True)
        assert reader.read() == "old"
    assert target.read_text() == "new, and longer"
    assert target.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["facts.json"]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "taken", "text")
    assert os.listdir(tmp_path) == ["taken"]


@pytest.mark.parametrize("holes", ["first", "between", "last", "only"])
def test_holes_of_a_file_take_no_room_in_its_copy(tmp_path: Path, holes: str) -> None:
    size, places = 64 << 20, {"first": [60], "between": [0, 60], "last": [0], "only": []}[holes]
    with (tmp_path / "source").open("wb") as file:
        for place in places:
            file.seek(place << 20)
            file.write(os.urandom(3 << 20))
        file.truncate(size)
    if (tmp_path / "source").stat().st_blocks * 512 >= size:
        pytest.skip("this file system has no holes")
    copy_file(tmp_path / "source", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "source").read_bytes()
    assert (tmp_path / "copy").stat().st_blocks <= (tmp_path / "source").stat().st_blocks + 16


def test_many_files_are_flushed_without_a_wait_for_other_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one they would take as long as a disk takes for each; a network share that hangs is nothing to them."""
    for number in range(MANY_FILES + 1):
        (tmp_path / str(number)).write_text("data")
    asked = []
    monkeypatch.setattr(os, "sync", lambda: asked.append("all disks"))
    monkeypatch.setattr(os, "fsync", lambda _: asked.append("a file"))
    flush_tree(tmp_path)
    assert set(asked) == (set() if sys.platform == "linux" else {"a file"})
