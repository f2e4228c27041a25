"""Code snapshots: what is in them, that they are what their hash says, and that nothing half is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from store import disk, snapshots, trees
from store.errors import MachineError, NotFoundError, UsageError
from store.layout import Layout
from tests import file_trees
from tests.file_trees import fill, mounted

ROOT = Path(__file__).parents[1]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "ws")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    return folder


def stored(layout: Layout, snapshot: snapshots.Snapshot) -> dict[str, str]:
    root = layout.snapshots / snapshot.hash
    return {str(f.relative_to(root)): f.read_text() for f in root.rglob("*") if f.is_file()}


def hash_of(folder: Path) -> str:
    items = trees.survey(folder).items
    return trees.combine((item.path, item.executable, trees.digest(item.source)) for item in items)


def left_over(layout: Layout) -> list[Path]:
    return list(layout.snapshots.glob(".*")) if layout.snapshots.exists() else []


def test_holds_the_files_and_nothing_else(code: Path, layout: Layout) -> None:
    files = {"train.py": "print(1)", "lib/a.py": "a", "lib/sub/b.txt": "b", "naïve name\n.txt": "ü"}
    fill(code, files)
    (code / "empty").mkdir()
    taken = snapshots.take(code, layout)
    assert stored(layout, taken) == {
        "train.py": "print(1)",
        "lib/a.py": "a",
        "lib/sub/b.txt": "b",
        "naïve name\n.txt": "ü",
    }
    assert (taken.files, taken.bytes) == (4, 8 + 1 + 1 + 2)
    assert hash_of(layout.snapshots / taken.hash) == taken.hash
    assert not left_over(layout)


def test_a_name_that_is_no_utf8(code: Path, layout: Layout, tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(code) + b"/\xff.txt"))).write_text("x")
    taken = snapshots.take(code, layout)
    snapshots.checkout(taken.hash, layout, tmp_path / "work")
    assert os.listdir(os.fsencode(tmp_path / "work")) == [b"\xff.txt"]


def test_a_single_file(code: Path, layout: Layout) -> None:
    fill(code, {"train.py": "1", "other.py": "2"})
    assert stored(layout, snapshots.take(code / "train.py", layout)) == {"train.py": "1"}


def test_the_same_content_is_stored_once_and_not_copied_again(code: Path, layout: Layout, tmp_path: Path) -> None:
    fill(code, {"a.py": "a", "b/c.py": "c"})
    first = snapshots.take(code, layout)
    before = (layout.snapshots / first.hash).stat()
    twin = tmp_path / "twin"
    shutil.copytree(code, twin)
    assert snapshots.take(twin, layout) == first
    assert (layout.snapshots / first.hash).stat() == before
    assert [entry.name for entry in layout.snapshots.iterdir()] == [first.hash]


@pytest.mark.parametrize(
    "change",
    [
        lambda code: (code / "a.py").write_text("b"),
        lambda code: (code / "a.py").rename(code / "b.py"),
        lambda code: (code / "a.py").chmod(0o755),
        lambda code: (code / "new.py").write_text(""),
    ],
)
def test_any_change_gives_another_hash(code: Path, layout: Layout, change: Callable[[Path], object]) -> None:
    fill(code, {"a.py": "a"})
    first = snapshots.take(code, layout)
    change(code)
    assert snapshots.take(code, layout).hash != first.hash
    assert stored(layout, first) == {"a.py": "a"}


def test_the_exec_bit_is_kept_and_a_checkout_can_be_written(code: Path, layout: Layout, tmp_path: Path) -> None:
    fill(code, {"run.sh": "#!/bin/sh\necho ran", "a.py": "a"})
    (code / "run.sh").chmod(0o755)
    os.utime(code / "a.py", (1_000_000, 1_000_000))
    taken = snapshots.take(code, layout)
    work = tmp_path / "work"
    snapshots.checkout(taken.hash, layout, work)
    assert subprocess.run([work / "run.sh"], capture_output=True, text=True, check=True).stdout == "ran\n"
    assert (work / "a.py").stat().st_mode & 0o777 == 0o600
    assert (work / "a.py").stat().st_mtime == 1_000_000
    assert (layout.snapshots / taken.hash / "a.py").stat().st_mode & 0o777 == 0o400


def test_a_checkout_shares_nothing_with_the_snapshot(code: Path, layout: Layout, tmp_path: Path) -> None:
    fill(code, {"a.py": "a" * 100_000})
    taken = snapshots.take(code, layout)
    snapshots.checkout(taken.hash, layout, tmp_path / "work")
    assert (tmp_path / "work/a.py").stat().st_nlink == 1
    with (tmp_path / "work/a.py").open("r+") as file:
        file.write("changed")
    assert stored(layout, taken) == {"a.py": "a" * 100_000}


def test_a_snapshot_that_was_changed_on_disk_is_refused_and_made_anew(
    code: Path, layout: Layout, tmp_path: Path
) -> None:
    fill(code, {"a.py": "a"})
    taken = snapshots.take(code, layout)
    file = layout.snapshots / taken.hash / "a.py"
    file.chmod(0o600)
    file.write_text("b")
    with pytest.raises(MachineError, match="was changed after it was stored"):
        snapshots.checkout(taken.hash, layout, tmp_path / "work")
    assert not (tmp_path / "work").exists()
    assert snapshots.take(code, layout) == taken
    snapshots.checkout(taken.hash, layout, tmp_path / "work")
    assert (tmp_path / "work/a.py").read_text() == "a"


def test_an_unknown_snapshot(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        snapshots.checkout("0" * 64, layout, tmp_path / "work")


# Links and other things


def test_links_are_followed(code: Path, layout: Layout, tmp_path: Path) -> None:
    fill(tmp_path / "shared", {"lib/x.py": "x", "one.py": "1"})
    (code / "lib").symlink_to(tmp_path / "shared/lib")
    (code / "again").symlink_to("lib")
    (code / "one.py").symlink_to("../shared/one.py")
    taken = snapshots.take(code, layout)
    assert stored(layout, taken) == {"lib/x.py": "x", "again/x.py": "x", "one.py": "1"}
    assert not any(path.is_symlink() for path in (layout.snapshots / taken.hash).rglob("*"))


def test_links_in_a_circle_end(code: Path, layout: Layout, tmp_path: Path) -> None:
    fill(code, {"a.py": "a", "deep/b.py": "b"})
    (code / "deep/up").symlink_to(code)
    (code / "self").symlink_to("self")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/back").symlink_to(code)
    (code / "outside").symlink_to(tmp_path / "outside")
    taken = snapshots.take(code, layout)
    assert stored(layout, taken) == {"a.py": "a", "deep/b.py": "b"}
    assert len(taken.notes) == 3
    assert "deep/up: a link back to a folder above it, not followed" in taken.notes


def test_what_is_no_file_is_left_out_with_a_note(code: Path, layout: Layout) -> None:
    fill(code, {"a.py": "a"})
    os.mkfifo(code / "pipe")
    (code / ".#a.py").symlink_to("user@host.1234")
    taken = snapshots.take(code, layout)
    assert stored(layout, taken) == {"a.py": "a"}
    assert sorted(note.partition(":")[0] for note in taken.notes) == [".#a.py", "pipe"]


def test_a_code_folder_that_is_a_link(code: Path, layout: Layout, tmp_path: Path) -> None:
    fill(code, {"a.py": "a"})
    (tmp_path / "link").symlink_to(code)
    assert stored(layout, snapshots.take(tmp_path / "link", layout)) == {"a.py": "a"}


# What is left out


def test_a_workspace_inside_the_code_is_never_part_of_it(code: Path) -> None:
    fill(code, {"a.py": "a", ".workbench/x": "", "other/workbench.db": "", "other/blobstore/y": "", "run/z.py": "z"})
    for place in (code / ".workbench", code / "mine"):
        layout = Layout(place)
        (place / "jobs").mkdir(parents=True)
        first = snapshots.take(code, layout)
        assert stored(layout, first) == {"a.py": "a", "run/z.py": "z"}
        assert snapshots.take(code, layout) == first
        shutil.rmtree(place)


def test_the_workspace_itself_is_no_code(layout: Layout) -> None:
    fill(layout.root, {"a.py": "a"})
    with pytest.raises(UsageError, match="is the workspace itself"):
        snapshots.take(layout.root, layout)


def test_what_is_never_code_stays_out(code: Path, layout: Layout) -> None:
    fill(
        code,
        {
            "a.py": "a",
            ".git/HEAD": "",
            "sub/.git/HEAD": "",
            "module/.git": "gitdir: ../.git/modules/module",
            "__pycache__/a.pyc": "",
            "sub/__pycache__/b.pyc": "",
            ".venv/bin/python": "",
            "my-env/pyvenv.cfg": "",
            "my-env/lib/site.py": "",
            ".mypy_cache/x": "",
            "venv/notes.py": "mine",
        },
    )
    assert stored(layout, snapshots.take(code, layout)) == {"a.py": "a", "venv/notes.py": "mine"}


def test_an_ignore_file_can_bring_defaults_back_by_name_but_not_git(code: Path, layout: Layout) -> None:
    fill(
        code,
        {
            "a.py": "a",
            "__pycache__/a.pyc": "c",
            ".git/HEAD": "",
            ".venv/x.py": "",
            ".amlignore": "!__pycache__/\n!*.py\n!.git\n",
        },
    )
    assert stored(layout, snapshots.take(code, layout)).keys() == {"a.py", "__pycache__/a.pyc", ".amlignore"}


def test_amlignore_counts_and_gitignore_then_does_not(code: Path, layout: Layout) -> None:
    fill(code, {"a.py": "", "b.txt": "", "c.csv": "", ".gitignore": "*.txt", "sub/.gitignore": "*", "sub/d.py": ""})
    assert stored(layout, snapshots.take(code, layout)).keys() == {
        "a.py", "c.csv", ".gitignore", "sub/.gitignore", "sub/d.py",
    }  # fmt: skip
    (code / ".amlignore").write_text("\ufeff# comment\r\n*.csv\r\nsub/\r\n", encoding="utf-8")
    assert stored(layout, snapshots.take(code, layout)).keys() == {"a.py", "b.txt", ".gitignore", ".amlignore"}


def test_the_last_match_wins_below_an_ignored_folder_too(code: Path, layout: Layout) -> None:
    fill(
        code,
        {"data/a.csv": "", "data/keep/b.csv": "", "data/keep/c.tmp": "", ".amlignore": "data/\n!data/keep/\n*.tmp"},
    )
    assert stored(layout, snapshots.take(code, layout)).keys() == {"data/keep/b.csv", ".amlignore"}


def test_an_invalid_pattern_matches_nothing_and_is_noted(code: Path, layout: Layout) -> None:
    fill(code, {"a.py": "", ".amlignore": "ok/\n[z-a]*\nback\\\n"})
    taken = snapshots.take(code, layout)
    assert taken.files == 2
    assert [note.split(":")[:2] for note in taken.notes] == [[".amlignore", "2"], [".amlignore", "3"]]


@pytest.mark.parametrize(("files", "message"), [({}, "is empty"), ({".amlignore": "*"}, "nothing is left")])
def test_nothing_to_store_is_refused(code: Path, layout: Layout, files: dict[str, str], message: str) -> None:
    fill(code, files)
    (code / "only/folders").mkdir(parents=True)
    if not files:
        shutil.rmtree(code / "only")
    with pytest.raises(UsageError, match=message):
        snapshots.take(code, layout)


def test_code_that_is_not_there(code: Path, layout: Layout) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        snapshots.take(code / "nope", layout)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_code_that_cannot_be_read(code: Path, layout: Layout) -> None:
    fill(code, {"secret.py": ""})
    (code / "secret.py").chmod(0)
    with pytest.raises(UsageError, match=r"secret\.py"):
        snapshots.take(code, layout)
    (code / "closed").mkdir(mode=0)
    fill(code, {"a.py": "", ".amlignore": "secret.py\nclosed/"})
    assert snapshots.take(code, layout).files == 2


# Edits, crowds, kills, full disks


def test_an_edit_meanwhile_never_gives_a_hash_of_other_bytes(code: Path, layout: Layout) -> None:
    fill(code, {f"m{i}.py": "0" for i in range(30)})
    stop = threading.Event()

    def edit() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            for name in ("m3.py", "m20.py"):
                (code / name).write_text(str(count) * (count % 50))
            (code / "gone.py").write_text("x")
            (code / "gone.py").unlink()

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        taken = {snapshots.take(code, layout).hash for _ in range(25)}
    finally:
        stop.set()
        editor.join()
    assert {entry.name for entry in layout.snapshots.iterdir()} == taken
    assert all(hash_of(layout.snapshots / name) == name for name in taken)


TAKE = """
import sys
from pathlib import Path
from store import snapshots
from store.layout import Layout
print(snapshots.take(Path(sys.argv[1]), Layout(Path(sys.argv[2]))).hash, flush=True)
"""


def take_elsewhere(code: Path, layout: Layout) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TAKE, str(code), str(layout.root)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_several_at_once_store_it_once(code: Path, layout: Layout) -> None:
    fill(code, {f"p{i % 7}/m{i}.py": f"{i}" for i in range(300)})
    crowd = [take_elsewhere(code, layout) for _ in range(4)]
    hashes = {process.communicate()[0].strip() for process in crowd}
    assert len(hashes) == 1
    assert [entry.name for entry in layout.snapshots.iterdir()] == [*hashes]
    assert hash_of(layout.snapshots / hashes.pop())


def test_kill_in_the_middle_leaves_nothing_that_counts(code: Path, layout: Layout) -> None:
    fill(code, {f"m{i}.py": f"{i}" for i in range(2000)})
    process = take_elsewhere(code, layout)
    while not any(layout.snapshots.glob(".staging-*/m*.py")):
        assert process.poll() is None, "it was over before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert left_over(layout)
    assert not list(layout.snapshots.glob("[0-9a-f]*"))
    taken = snapshots.take(code, layout)
    assert [entry.name for entry in layout.snapshots.iterdir()] == [taken.hash]
    assert hash_of(layout.snapshots / taken.hash) == taken.hash


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from file_trees.small_disk(tmp_path / "disk")


def test_a_full_disk_is_said_and_leaves_nothing_half(code: Path, small_disk: Path, tmp_path: Path) -> None:
    layout = Layout(small_disk / "ws")
    fill(code, {f"m{i}.bin": "x" * 100_000 for i in range(30)})
    with pytest.raises(MachineError, match="the disk is full"):
        snapshots.take(code, layout)
    assert list(layout.snapshots.iterdir()) == []
    fill(code, {f"m{i}.bin": "x" for i in range(30)})
    taken = snapshots.take(code, layout)
    (small_disk / "rest").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 20_000))
    with pytest.raises(MachineError, match="the disk is full"):
        snapshots.checkout(taken.hash, layout, small_disk / "work")
    assert sorted(entry.name for entry in small_disk.iterdir()) == ["rest", "ws"]


@pytest.fixture
def cloning_disk(tmp_path: Path) -> Iterator[Path]:
    if shutil.which("mkfs.btrfs") is None:
        pytest.skip("no mkfs.btrfs here")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(120 << 20)
    subprocess.run(["mkfs.btrfs", "-q", str(image)], check=True, capture_output=True)
    with mounted(tmp_path / "disk", "-o", "loop", image) as disk:
        yield disk


def test_where_files_can_share_blocks_a_checkout_takes_no_room(cloning_disk: Path) -> None:
    layout, code = Layout(cloning_disk / "ws"), cloning_disk / "code"
    code.mkdir()
    (code / "weights.bin").write_bytes(os.urandom(20 << 20))
    taken = snapshots.take(code, layout)
    for number in range(5):  # 140 MB on a disk of 120
        snapshots.checkout(taken.hash, layout, cloning_disk / f"work{number}")
    with (cloning_disk / "work0/weights.bin").open("r+b") as file:
        file.write(b"changed")
    assert hash_of(layout.snapshots / taken.hash) == taken.hash


def test_a_copy_between_file_systems_is_whole(small_disk: Path, tmp_path: Path) -> None:
    content = os.urandom(700_000)
    (small_disk / "a").write_bytes(content)
    disk.copy_file(small_disk / "a", tmp_path / "b")
    disk.replace_file(tmp_path / "b", tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == content
    assert not list(tmp_path.glob(".*"))
