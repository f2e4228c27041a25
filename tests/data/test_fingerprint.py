"""Fingerprints: the same for the same bytes, read once, and resumed where they were broken off."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.data import fingerprint, manifest, walking
from store.data.seen_hashes import SeenHashes, location
from store.errors import NotFoundError, UsageError
from store.transfer.incoming import AbandonedError
from tests.file_trees import fill


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x,y\n")
    found = fingerprint.take(tmp_path / "a.csv", tmp_path / "manifests")
    assert (found.files, found.bytes) == (1, 4)
    assert list(manifest.read(tmp_path / "manifests", found.hash)) == [
        manifest.Entry("", 4, blake3(b"x,y\n").hexdigest())
    ]
    kept = manifest.place(tmp_path / "manifests", found.hash).read_bytes()
    assert blake3(kept).hexdigest() == found.hash


def test_the_name_of_a_file_and_where_a_folder_lies_do_not_count(tmp_path: Path) -> None:
    for name in ("one", "two"):
        fill(tmp_path / name, {"a.csv": "a", "deep/b.csv": "b"})
    (tmp_path / "other.csv").write_text("a")
    take = fingerprint.take
    assert take(tmp_path / "one").hash == take(tmp_path / "two").hash
    assert take(tmp_path / "one/a.csv").hash == take(tmp_path / "other.csv").hash
    assert take(tmp_path / "one").hash != take(tmp_path / "one/deep").hash


PATHS = st.lists(st.sampled_from(["a", "a-b", "a.b", "b", "B", "ä", "a b"]), min_size=1, max_size=3).map("/".join)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=st.sets(PATHS, min_size=1, max_size=12))
def test_a_manifest_is_in_order_of_path(tmp_path: Path, paths: set[str]) -> None:
    files = {path for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
    root = Path(os.path.realpath(tmp_path)) / os.urandom(4).hex()
    fill(root, {path: path for path in files})
    found = fingerprint.take(root, tmp_path / "manifests")
    listed = [entry.path for entry in manifest.read(tmp_path / "manifests", found.hash)]
    assert listed == sorted(files, key=os.fsencode)


@settings(deadline=None)
@given(names=st.sets(st.binary(min_size=1, max_size=4).filter(lambda name: b"\0" not in name)), limit=st.integers(1, 9))
def test_the_names_of_a_folder_are_sorted_with_few_of_them_in_memory(names: set[bytes], limit: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(walking, "NAMES", limit)
        patched.setattr(walking, "READ_BYTES", 7)
        assert list(walking.in_order(iter(names))) == sorted(names)


def test_a_folder_that_is_sorted_in_runs_has_the_same_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "set", {f"{number % 7}/{number}.csv": str(number) for number in range(50)})
    before = fingerprint.take(tmp_path / "set")
    monkeypatch.setattr(walking, "NAMES", 3)
    assert fingerprint.take(tmp_path / "set") == before


def test_what_is_left_out_is_told_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "NOTES", 2)
    for number in range(5):
        (tmp_path / f"{number}").symlink_to("nowhere")
    notes = fingerprint.take(tmp_path).notes
    assert (len(notes), notes[-1]) == (3, "3 more were left out")


def test_progress_tells_of_the_pieces_of_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "PIECE", 1 << 19)
    told = list[tuple[int, int | None]]()
    large = tmp_path / "set/large"
    fill(tmp_path, {"set/small": "abc"})
    large.write_bytes(bytes(fingerprint.LARGE + 1))
    fingerprint.take(tmp_path / "set", progress=lambda *done: told.append(done))
    assert told == [(1 << 19, None), (1 << 20, None), ((1 << 20) + 1, None), ((1 << 20) + 4, None)]
    told.clear()
    os.truncate(large, fingerprint.LARGE)
    fingerprint.take(large, progress=lambda *done: told.append(done))
    assert told[-1] == (fingerprint.LARGE, fingerprint.LARGE)


def test_a_change_of_content_is_seen(tmp_path: Path) -> None:
    fill(tmp_path / "set", {"a.csv": "one", "b.csv": "b"})
    before = fingerprint.take(tmp_path / "set")
    status = (tmp_path / "set/a.csv").stat()
    (tmp_path / "set/a.csv").write_text("two")
    os.utime(tmp_path / "set/a.csv", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fingerprint.take(tmp_path / "set").hash != before.hash, "same size and time of writing, other bytes"


def test_an_empty_folder_has_a_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    assert fingerprint.take(tmp_path / "set", tmp_path / "manifests").files == 0


def test_links_are_followed_and_a_loop_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, {"far/b.csv": "b", "set/a.csv": "a", "plain/a.csv": "a", "plain/far/b.csv": "b"})
    (tmp_path / "set/far").symlink_to(tmp_path / "far")
    assert fingerprint.take(tmp_path / "set").hash == fingerprint.take(tmp_path / "plain").hash
    (tmp_path / "set/lost").symlink_to("nowhere")
    assert fingerprint.take(tmp_path / "set").notes == ("lost: left out, a link that leads nowhere",)
    (tmp_path / "far/up").symlink_to(tmp_path / "set")
    with pytest.raises(UsageError, match="far/up is a link back to a folder above it"):
        fingerprint.take(tmp_path / "set")


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no"):
        fingerprint.take(tmp_path / "missing")


def test_a_large_file_is_hashed_in_pieces_as_b3sum_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "PIECE", 4096)
    content = os.urandom(fingerprint.LARGE + 4097)
    (tmp_path / "large").write_bytes(content)
    found = fingerprint.take(tmp_path / "large", tmp_path / "manifests")
    assert next(manifest.read(tmp_path / "manifests", found.hash)).hash == blake3(content).hexdigest()


def known(folder: Path) -> set[str]:
    with sqlite3.connect(location()) as connection:
        rows = connection.execute("SELECT name FROM file WHERE folder = ?", (bytes(folder),))
        return {os.fsdecode(row[0]) for row in rows}


def test_what_was_read_before_it_was_broken_off_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.data.seen_hashes.SETTLED_SECONDS", -1.0)
    monkeypatch.setattr(fingerprint, "BATCH", 2)
    folder = tmp_path / "set"
    fill(folder, {f"{number}.csv": str(number) for number in range(20)})
    asked = iter([False] * 10 + [True] * 1000)
    with pytest.raises(AbandonedError):
        fingerprint.take(folder, tmp_path / "manifests", cancelled=lambda: next(asked))
    assert list((tmp_path / "manifests").iterdir()) == [], "no half of a manifest is left"
    before = known(folder)
    assert 0 < len(before) < 20
    found = fingerprint.take(folder)
    assert (found.files, known(folder)) == (20, {f"{number}.csv" for number in range(20)})


def test_a_known_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.data.seen_hashes.SETTLED_SECONDS", -1.0)
    fill(tmp_path / "set", {"a.csv": "a"})
    before = fingerprint.take(tmp_path / "set")
    with sqlite3.connect(location()) as connection:
        connection.execute("UPDATE file SET hash = ?", (bytes(32),))
    assert fingerprint.take(tmp_path / "set").hash != before.hash, "the hash comes from the cache"


def test_a_file_written_just_now_is_not_taken_for_known(tmp_path: Path) -> None:
    fill(tmp_path / "set", {"a.csv": "a"})
    fingerprint.take(tmp_path / "set")
    assert known(tmp_path / "set") == set()


def test_files_that_are_gone_are_forgotten_when_their_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.data.seen_hashes.SETTLED_SECONDS", -1.0)
    monkeypatch.setattr("store.data.seen_hashes.PRUNED", 0)
    fill(tmp_path / "set", {f"{number}.csv": str(number) for number in range(5)})
    fingerprint.take(tmp_path / "set")
    (tmp_path / "set/3.csv").unlink()
    fingerprint.take(tmp_path / "set")
    assert known(tmp_path / "set") == {"0.csv", "1.csv", "2.csv", "4.csv"}
    fingerprint.take(tmp_path / "set/1.csv")
    assert known(tmp_path / "set") == {"0.csv", "1.csv", "2.csv", "4.csv"}


def test_some_rows_are_looked_at_in_each_use_and_a_folder_that_is_gone_counts_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.data.seen_hashes.SETTLED_SECONDS", -1.0)
    for folder in ("one", "two"):
        fill(tmp_path / folder, {f"{number}.csv": str(number) for number in range(9)})
        fingerprint.take(tmp_path / folder)
    (tmp_path / "one").rename(tmp_path / "three")
    for number in range(8):
        (tmp_path / f"two/{number}.csv").unlink()
    monkeypatch.setattr("store.data.seen_hashes.PRUNED", 4)
    monkeypatch.setattr("store.data.seen_hashes.ROWS", 3)
    left = list[tuple[int, int]]()
    for _ in range(4):
        seen = SeenHashes()
        seen.prune()
        seen.close()
        left.append((len(known(tmp_path / "one")), len(known(tmp_path / "two"))))
    assert left == [(0, 8), (0, 4), (0, 1), (0, 1)]


def test_a_broken_cache_is_said_and_does_not_stop(tmp_path: Path) -> None:
    fill(tmp_path / "set", {"a.csv": "a"})
    location().parent.mkdir(parents=True)
    location().write_text("no database at all, but long enough to be looked at as one" * 10)
    found = fingerprint.take(tmp_path / "set")
    assert found.files == 1
    assert "hashes of files are not kept" in found.notes[0]
