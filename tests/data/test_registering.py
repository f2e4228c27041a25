"""Registering versions of data: what becomes of a document, what is refused and leaves nothing, several at once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from store import database
from store.data import assets
from store.data.registering import Registered, register
from store.datastores import registry
from store.errors import ConflictError, MachineError, NotFoundError, UsageError, WorkbenchError
from store.layout import Layout
from tests.conftest import Cli
from tests.data_server import Resource, serving
from tests.file_trees import fill
from workbench.cli.main import exit_code

ROOT = Path(__file__).parents[2]


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(layout.database)) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path / "sets", {"a.csv": "a,b\n", "deep/b.csv": "b\n"})
    return tmp_path / "sets"


def made(
    connection: sqlite3.Connection, layout: Layout, path: Path | str, *, check: bool = True, **more: Any
) -> Registered:
    return register(connection, layout, {"name": "churn", "path": str(path), **more}, check=check)


def test_a_folder_has_the_fingerprint_of_its_manifest(
    connection: sqlite3.Connection, layout: Layout, folder: Path
) -> None:
    version = made(connection, layout, folder, description="d", tags={"k": "v"}).version
    lines = [
        f'{{"path": "{path}", "size": {len(text)}, "blake3": "{blake3(text).hexdigest()}"}}\n'
        for path, text in (("a.csv", b"a,b\n"), ("deep/b.csv", b"b\n"))
    ]
    assert version.fingerprint == blake3("".join(lines).encode()).hexdigest()
    assert (version.version, version.type, version.files, version.bytes) == ("1", "uri_folder", 2, 6)
    assert (version.path, version.document) == (str(folder), {"description": "d", "tags": {"k": "v"}})
    assert (layout.manifests / f"{version.fingerprint}.jsonl").read_text() == "".join(lines)


def test_the_same_bytes_are_a_version_all_the_same_and_are_named(
    connection: sqlite3.Connection, layout: Layout, folder: Path
) -> None:
    assert made(connection, layout, folder).notes == ()
    again = made(connection, layout, folder, name="other")
    assert (str(again.version), again.notes) == ("azureml:other:1", ("same bytes as churn:1",))


def test_what_is_left_out_is_told(connection: sqlite3.Connection, layout: Layout, folder: Path) -> None:
    (folder / "nowhere").symlink_to("gone")
    assert made(connection, layout, folder).notes == ("nowhere: left out, a link that leads nowhere",)


def test_what_lies_elsewhere_is_taken_as_it_is_without_a_check(connection: sqlite3.Connection, layout: Layout) -> None:
    blob = {"type": "azure_blob", "name": "sales", "account_name": "acme", "container_name": "c"}
    registry.create(connection, blob)
    for number, path in enumerate(("azureml://datastores/sales/paths/a/", "https://example.org/x.csv"), 1):
        version = made(connection, layout, path, check=False).version
        assert (version.version, version.path, version.fingerprint) == (str(number), path, None)


def test_a_url_is_looked_at_and_held_against_what_it_was(
    connection: sqlite3.Connection, layout: Layout, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
        capfd.readouterr()
        code = exit_code(["-w", str(layout.root), *arguments])
        out, err = capfd.readouterr()
        return code, json.loads(out or "{}"), err

    with serving() as server:
        server.resources["/a.csv"] = Resource(b"a", etag='"1"')
        url, none = server.url("/a.csv"), server.url("/none.csv")
        made(connection, layout, url, type="uri_file")
        code, _, said = run("data", "create", "--name", "none", "--type", "uri_file", "--path", none)
        assert (code, "no such file" in said, "--no-check" in said) == (3, True, True), said
        code, found, said = run("data", "show", "churn", "--check", "-o", "json")
        assert (code, found["check"]["by"], found["check"]["changed"]) == (0, "ETag and size", False), said
        assert "changed" not in found
        server.resources["/a.csv"] = Resource(b"b", etag='"2"')
        code, found, said = run("data", "show", "churn", "--check", "-o", "json")
        assert (code, found["check"]["changed"], found["changed"]["seen_by"]) == (0, True, "check")
        assert "has changed since it was registered, by ETag" in said
    with pytest.raises(MachineError, match="nothing listens there") as told:
        made(connection, layout, none, type="uri_file")
    assert "--no-check" in str(told.value)
    assert [each.name for each in assets.find(connection)] == ["churn"]
    code, found, _ = run("data", "create", "--name", "none", "--type", "uri_file", "--path", none, "--no-check")
    assert (code, found["version"]) == (0, "1")


@pytest.mark.parametrize(
    ("path", "kind", "error", "message"),
    [
        ("nope", "uri_folder", NotFoundError, "there is no .*nope"),
        ("deep", "uri_file", UsageError, "is a folder, and the type says uri_file"),
        ("a.csv", "uri_folder", UsageError, "is a file, and the type says uri_folder"),
        ("a.csv", "mltable", UsageError, "is a file, and the type says mltable"),
        ("deep", "mltable", UsageError, "has no file MLTable"),
        ("table", "mltable", WorkbenchError, r"MLTable:2:5: .*"),
        ("https://ann:s3cret@example.org/x", "uri_file", UsageError, "came with a secret in it"),
        ("azureml://datastores/nowhere/paths/x", "uri_file", NotFoundError, "nowhere"),
        ("azureml:nowhere:1", "uri_file", NotFoundError, "there is no data asset named 'nowhere'"),
    ],
)
def test_what_cannot_be_leaves_nothing(
    connection: sqlite3.Connection,
    layout: Layout,
    folder: Path,
    path: str,
    kind: str,
    error: type[WorkbenchError],
    message: str,
) -> None:
    fill(folder / "table", {"MLTable": "paths:\n  - fil: x\n"})
    with pytest.raises(error, match=message) as told:
        made(connection, layout, path if ":" in path else folder / path, type=kind)
    assert "s3cret" not in str(told.value)
    assert list(assets.find(connection)) == []
    assert connection.execute("SELECT count(*) FROM data_container").fetchone()[0] == 0
    assert not layout.manifests.exists() or list(layout.manifests.glob(".draft-*")) == []


def test_a_version_that_is_there_is_not_moved(connection: sqlite3.Connection, layout: Layout, folder: Path) -> None:
    made(connection, layout, folder, version="7")
    with pytest.raises(ConflictError, match="azureml:churn:7 exists and points to"):
        made(connection, layout, folder / "deep", version="7")
    assert [each.path for each in assets.find(connection, "churn")] == [str(folder)]


REGISTER = """
import sys
from contextlib import closing
from pathlib import Path
from store import database
from store.data.registering import register
from store.layout import Layout
layout = Layout(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
with closing(database.connect(layout.database)) as connection:
    for _ in range(10):
        print(register(connection, layout, {"name": "churn", "path": sys.argv[2]}).version.version)
"""


def test_processes_that_register_at_once_get_a_number_each(
    connection: sqlite3.Connection, layout: Layout, folder: Path
) -> None:
    command = [sys.executable, "-c", REGISTER, str(layout.root), str(folder)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    given = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(int(number) for each in given for number in each) == list(range(1, 31))
    assert len(list(assets.find(connection, "churn"))) == 30


def test_the_command_tells_a_fault_with_its_place(layout: Layout, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "data.yml").write_text("name: churn\ntype: uri_fil\npath: ./x\n")
    refused = cli("data", "create", "-f", tmp_path / "data.yml")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{tmp_path / 'data.yml'}:2:7: ") and "uri_file" in refused.stderr
    assert json.loads(cli("data", "list", "-o", "json").stdout) == []
