"""How a failed job differs from the last that completed."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from engines.jobs.differences import HIDDEN, Difference, differences
from engines.jobs.input_contents import ENTRIES, contents
from store import database, snapshots
from store.jobs import Job
from store.layout import Layout
from tests.stored_jobs import stored_job


def found(layout: Layout, old: dict[str, object], new: dict[str, object]) -> dict[str, tuple[str | None, str | None]]:
    """What is told of two jobs whose documents are given."""
    told = differences(
        stored_job("new", document={"name": "new", **new}), stored_job("old", document={"name": "old", **old}), layout
    )
    return {each.title: (each.before, each.after) for each in told}


def test_equal_jobs_do_not_differ(layout: Layout) -> None:
    document = {"command": "python train.py", "inputs": {"epochs": 3}, "limits": {"timeout": 5}}
    assert found(layout, {**document, "display_name": "a"}, {**document, "tags": {"x": "y"}, "description": "b"}) == {}


def test_inputs(layout: Layout) -> None:
    old = {"inputs": {"epochs": 3, "gone": 1.5, "data": {"type": "uri_file", "path": "/data/a.csv"}, "same": True}}
    new = {"inputs": {"epochs": 30, "data": {"type": "uri_file", "path": "/data/b.csv"}, "same": True, "fresh": "x"}}
    assert found(layout, old, new) == {
        "inputs.epochs": ("3", "30"),
        "inputs.data": ("/data/a.csv", "/data/b.csv"),
        "inputs.fresh": (None, "x"),
        "inputs.gone": ("1.5", None),
    }


def test_an_input_that_was_resolved_to_something_else(layout: Layout) -> None:
    document = {"inputs": {"data": {"path": "azureml:iris@latest"}, "copy": {"path": "https://h/x"}}}
    old = stored_job("old", document=document, inputs={"data": "/data/iris/1", "copy": "/ws/jobs/old/inputs/copy"})
    new = stored_job("new", document=document, inputs={"data": "/data/iris/2", "copy": "/ws/jobs/new/inputs/copy"})
    assert differences(new, old, layout) == [Difference("inputs", "data", "/data/iris/1", "/data/iris/2")]


def submitted(layout: Layout, document: dict[str, object]) -> Job:
    """A job as it is stored when it is submitted now, but for its row."""
    with closing(database.connect(layout.database)) as connection:
        found = contents(connection, layout, document)
    return stored_job(document=document, source={"input_contents": found})


def test_data_that_changed_behind_its_path(layout: Layout, tmp_path: Path) -> None:
    file, folder, touched, same = (tmp_path / name for name in ("a.csv", "images", "b.csv", "c.csv"))
    (folder / "deep").mkdir(parents=True)
    for path in (file, folder / "one.png", folder / "deep" / "two.png", touched, same):
        path.write_bytes(b"x" * 1204)
    os.symlink("nowhere", folder / "link")
    document: dict[str, object] = {
        "inputs": {
            "file": {"type": "uri_file", "path": str(file)},
            "folder": {"type": "uri_folder", "path": str(folder)},
            "touched": {"type": "uri_file", "path": f"file://{touched}"},
            "same": {"type": "uri_file", "path": str(same)},
            "web": {"type": "uri_file", "path": "https://example.org/x.csv"},
            "gone": {"type": "uri_file", "path": "azureml://datastores/nowhere/paths/x"},
            "rate": 3,
        }
    }
    os.utime(touched, (1e9, 1e9))
    before = submitted(layout, document)
    assert differences(submitted(layout, document), before, layout) == []
    file.write_bytes(b"y" * 998)
    (folder / "deep" / "three.png").write_bytes(b"z")
    os.utime(touched, (2e9, 2e9))
    told = {
        each.name: (each.section, each.before, each.after)
        for each in differences(submitted(layout, document), before, layout)
    }
    assert told.pop("touched")[0] == "content"
    assert told == {
        "file": ("content", "1,204 bytes", "998 bytes"),
        "folder": ("content", "3 files, 2,415 bytes", "4 files, 2,416 bytes"),
    }


def test_a_large_folder_is_looked_at_in_part(layout: Layout, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(ENTRIES + 1):
        (folder / str(number)).touch()
    document: dict[str, object] = {"inputs": {"data": {"path": str(folder)}}}
    before = submitted(layout, document)
    content = before.source["input_contents"]["data"]
    assert (content["files"], content["whole"]) == (ENTRIES, False)
    assert differences(submitted(layout, document), before, layout) == []


def test_a_job_of_an_older_version_knows_nothing_of_its_data(layout: Layout) -> None:
    document = {"inputs": {"data": {"path": "/data"}}}
    new = stored_job(document=document, source={"input_contents": {"data": {"files": 1, "bytes": 2, "newest_ns": 3}}})
    assert differences(new, stored_job(document=document), layout) == []


def test_the_rest_of_the_document(layout: Layout) -> None:
    old = {"command": "a", "environment": "azureml:e:1", "environment_variables": {"A": "1"}, "resources": {}}
    new = {
        "command": "b",
        "environment": {"name": "e", "conda_file": "/c.yml"},
        "environment_variables": {"A": "2", "B": "3"},
        "resources": {"instance_count": 2},
    }
    assert found(layout, old, new) == {
        "command": ("a", "b"),
        "environment": ("azureml:e:1", None),
        "environment.name": (None, "e"),
        "environment.conda_file": (None, "/c.yml"),
        "environment_variables.A": ("1", "2"),
        "environment_variables.B": (None, "3"),
        "resources.instance_count": (None, "2"),
    }


@pytest.mark.parametrize(
    "name",
    ["API_KEY", "HF_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AZURE_STORAGE_CONNECTION_STRING", "SIGNING_KEY"],
)
def test_secrets_are_hidden(layout: Layout, name: str) -> None:
    told = found(layout, {"environment_variables": {name: "hush1"}}, {"environment_variables": {name: "hush2"}})
    assert told == {f"environment_variables.{name}": (HIDDEN, HIDDEN)}


def test_secrets_inside_a_value_are_hidden(layout: Layout) -> None:
    told = found(
        layout,
        {"inputs": {"data": "https://me:hush@host/x", "blob": "https://a.blob/x?sv=1&sig=hush%2F=&se=2"}},
        {"inputs": {"data": "https://host/x", "blob": "AccountName=a;AccountKey=hush==;x=y"}},
    )
    assert "hush" not in str(told)
    assert told["inputs.data"] == (f"https://{HIDDEN}@host/x", "https://host/x")


def test_compute_and_git(layout: Layout) -> None:
    old = stored_job("old", compute="local", source={"git": {"commit": "a" * 40, "branch": "main", "dirty": False}})
    new = stored_job("new", compute="pool", source={"git": {"commit": "b" * 40, "branch": "main", "dirty": True}})
    assert differences(new, old, layout) == [
        Difference("compute", "", "local", "pool"),
        Difference("git", "commit", "aaaaaaaaaa on main", "bbbbbbbbbb on main with uncommitted changes"),
    ]


def test_an_environment_with_other_packages_by_the_same_name(layout: Layout) -> None:
    old = stored_job("old", environment={"requirements": ["numpy==1.26", "pandas"]})
    new = stored_job("new", environment={"requirements": ["numpy==2.1", "pandas", "torch"]})
    assert differences(new, old, layout) == [
        Difference("environment", "numpy", "numpy==1.26", "numpy==2.1"),
        Difference("environment", "torch", None, "torch"),
    ]


def test_code(layout: Layout, tmp_path: Path) -> None:
    code = tmp_path / "src"
    (code / "lib").mkdir(parents=True)
    (code / "train.py").write_text("a\nb\nc\n")
    (code / "lib" / "old.py").write_text("x")
    (code / "same.py").write_text("x")
    (code / "weights.bin").write_bytes(b"\0" * 10)
    (code / "latin.txt").write_bytes(b"\xff")
    before = snapshots.take(code, layout).hash
    (code / "train.py").write_text("a\nB\nc\n")
    (code / "lib" / "old.py").unlink()
    (code / "lib" / "new.py").write_text("y")
    (code / "weights.bin").write_bytes(b"\0" * 9 + b"\1")
    (code / "latin.txt").write_bytes(b"\xfe")
    after = snapshots.take(code, layout).hash
    told = {each.name: each for each in differences(stored_job(snapshot=after), stored_job(snapshot=before), layout)}
    assert list(told) == ["latin.txt", "lib/new.py", "lib/old.py", "train.py", "weights.bin"]
    assert (told["lib/new.py"].before, told["lib/new.py"].after) == (None, "present")
    assert (told["lib/old.py"].before, told["lib/old.py"].after) == ("present", None)
    assert told["train.py"].lines == ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]
    assert (told["train.py"].before, told["train.py"].after) == ("1 line less", "1 line more")
    assert told["weights.bin"].lines == told["latin.txt"].lines == []


def test_a_long_diff_is_cut(layout: Layout, tmp_path: Path) -> None:
    code = tmp_path / "train.py"
    code.write_text("".join(f"{i}\n" for i in range(200)))
    before = snapshots.take(code, layout).hash
    code.write_text("".join(f"{i}!\n" for i in range(200)))
    after = snapshots.take(code, layout).hash
    (told,) = differences(stored_job(snapshot=after), stored_job(snapshot=before), layout)
    assert len(told.lines) == 41
    assert told.lines[-1] == "... 361 more lines"


def test_code_whose_snapshot_is_gone(layout: Layout) -> None:
    (told,) = differences(stored_job(snapshot="b" * 64), stored_job(snapshot="a" * 64), layout)
    assert (told.before, told.after) == ("a" * 12, "b" * 12)
    (told,) = differences(stored_job(snapshot="b" * 64), stored_job(), layout)
    assert (told.before, told.after) == ("there was none", "a folder")


def test_links_are_compared_by_where_they_lead(layout: Layout) -> None:
    for name, target in (("old", "one"), ("new", "two")):
        folder = layout.snapshots / name
        folder.mkdir(parents=True)
        os.symlink(target, folder / "link")
        os.symlink("nowhere", folder / "same")
    (told,) = differences(stored_job(snapshot="new"), stored_job(snapshot="old"), layout)
    assert told.name == "link"
