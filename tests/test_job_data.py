"""A job's inputs on real files: every mode and type, killed in the middle and done again."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engines.jobs import inputs as job_inputs
from engines.jobs.script import Value
from store import cache
from store.errors import MachineError, NotFoundError, UsageError
from store.jobs import Job
from store.layout import Layout
from store.transfer.incoming import AbandonedError
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


def job_with(**document: Any) -> Job:
    file = "/docs/job.yml"
    return stored_job(NAME, document={"name": NAME, "command": "true", **document}, source={"file": file})


def place(layout: Layout, *, said: list[str] | None = None, **inputs: Any) -> dict[str, Value]:
    said = [] if said is None else said
    return job_inputs.place_inputs(job_with(inputs=inputs), layout, said.append, lambda: False)


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
        job_inputs.place_inputs(job, layout, print, lambda: True)
    assert list(layout.job(NAME).inputs.iterdir()) == []


COPY = """
import sys
from pathlib import Path
from engines.jobs import inputs as job_inputs
from store.layout import Layout
from tests.stored_jobs import stored_job
document = {"inputs": {"d": {"path": sys.argv[2], "mode": "download"}}}
job_inputs.place_inputs(stored_job("brave_owl_1", document=document), Layout(Path(sys.argv[1])), print, lambda: False)
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
        job_inputs.check_input(None, layout, {"inputs": {"x": given}}, "x")  # type: ignore[arg-type]


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
def test_only_tables_are_evaluated(layout: Layout, sets: Path, mode: str) -> None:
    with pytest.raises(UsageError, match=rf"mode {mode} evaluates a table.*uri_folder.*\n.*type: mltable"):
        place(layout, t={"type": "uri_folder", "path": str(sets), "mode": mode})


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
    assert said == [f"input m: downloading {url}: 0.0 MB of 0.0 MB"], "fetched once, and asked once more"
    assert len(file.requests) == 2


def test_a_url_that_has_changed_is_fetched_anew_and_a_job_keeps_what_it_was_given(
    layout: Layout, server: Server
) -> None:
    url = server.url("/sets/a.csv")
    given = {"m": {"type": "uri_file", "path": url}}
    server.resources["/sets/a.csv"] = Resource(b"first")
    first = Path(place(layout, **given)["inputs.m"].text)
    server.resources["/sets/a.csv"] = Resource(b"second", etag='"2"')
    job, said = stored_job("late_owl_2", document={"inputs": given}), list[str]()
    second = Path(job_inputs.place_inputs(job, layout, said.append, lambda: False)["inputs.m"].text)
    assert (first.read_text(), second.read_text()) == ("first", "second")
    assert first == layout.job(NAME).inputs / "m/a.csv"
    server.resources.clear()
    job, said = stored_job("last_owl_3", document={"inputs": given}), list[str]()
    third = Path(job_inputs.place_inputs(job, layout, said.append, lambda: False)["inputs.m"].text)
    assert third.read_text() == "second"
    assert len(said) == 1 and said[0].startswith(f"input m: {url}: the server has no such file")


def test_a_url_that_fails_names_the_input(layout: Layout, server: Server) -> None:
    with pytest.raises(NotFoundError, match=r"input 'x' of /docs/job\.yml: .*404.*(\n.*)*workbench cache add"):
        place(layout, x={"type": "uri_file", "path": server.url("/nope")})


def test_a_folder_over_http_needs_the_cache(layout: Layout, sets: Path) -> None:
    given = {"type": "uri_folder", "path": "https://nowhere.invalid/sets/"}
    with pytest.raises(UsageError, match="no way to list"):
        job_inputs.check_input(None, layout, {"inputs": {"x": given}}, "x")  # type: ignore[arg-type]
    cache.add("https://nowhere.invalid/sets", sets)
    job_inputs.check_input(None, layout, {"inputs": {"x": given}}, "x")  # type: ignore[arg-type]
    assert tree(Path(place(layout, x=given)["inputs.x"].text)) == tree(sets)
    with pytest.raises(UsageError, match="is a folder, and the type says uri_file"):
        place(layout, x={**given, "type": "uri_file"})


def test_the_jobs_name_in_a_path(layout: Layout) -> None:
    fill(layout.blobstore, {f"in/{NAME}/x.csv": "x"})
    given = {"path": "azureml://datastores/workspaceblobstore/paths/in/${{name}}"}
    assert place(layout, x=given)["inputs.x"].text == str(layout.blobstore / "in" / NAME)
    job_inputs.check_input(None, layout, {"inputs": {"x": given}}, "x")  # type: ignore[arg-type]


def test_an_address_that_cannot_be_is_refused_in_any_mode(layout: Layout) -> None:
    for mode in ("ro_mount", "direct"):
        given = {"d": {"type": "uri_file", "path": "https://u:p/w@h/x", "mode": mode}}
        with (
            closing(sqlite3.connect(":memory:")) as connection,
            pytest.raises(UsageError, match="a port that"),
        ):
            job_inputs.check_input(connection, layout, {"inputs": given}, "d")


def test_a_path_that_cannot_be_looked_at(layout: Layout, sets: Path) -> None:
    with pytest.raises(MachineError, match="input 'd'"):
        place(layout, d={"type": "uri_file", "path": f"{sets}/{'a' * 300}"})


def test_what_was_fetched_for_a_job_is_let_go_at_its_end_and_a_table_of_a_database_is_not(
    layout: Layout, server: Server
) -> None:
    server.resources["/sets/a.csv"] = Resource(b"a,b")
    url = server.url("/sets/a.csv")
    given = {
        "link": {"type": "uri_file", "path": url},
        "copy": {"type": "uri_file", "path": url, "mode": "download"},
        "rows": {"type": "mltable", "path": "azureml://datastores/shop/paths/orders"},
    }
    values = place(layout, link=given["link"], copy=given["copy"])
    fill(layout.job(NAME).inputs / "rows", {"MLTable": "", "table.parquet": "rows"})
    job_inputs.drop_links(job_with(inputs=given), layout)
    assert not Path(values["inputs.link"].text).exists()
    assert tree(layout.job(NAME).inputs) == {"copy/a.csv": "a,b", "rows/MLTable": "", "rows/table.parquet": "rows"}
