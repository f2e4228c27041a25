"""DBFS against a double that answers as the REST API 2.0 is documented to; never tried against a real workspace."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from store.datastores import checking, filesystems
from store.datastores.registry import Datastore

BLOCK = 2**20
VAULT = {"datastore/lake/token": "right"}


class Refusal(Exception):
    """An answer that is an error."""


class Workspace(ThreadingHTTPServer):
    """Folders and files of a workspace, in memory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.folders = {"/", "/data"}
        self.handles: dict[int, str] = {}

    def status(self, path: str) -> dict[str, Any]:
        if path not in self.files and path not in self.folders:
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"No file or directory exists on path {path}.")
        size = len(self.files.get(path, b""))
        return {"path": path, "is_dir": path in self.folders, "file_size": size, "modification_time": 1}

    def answer(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        path = given.get("path", "")
        match what:
            case "get-status":
                return self.status(path)
            case "list":
                if not self.status(path)["is_dir"]:
                    return {"files": [self.status(path)]}
                under = [each for each in (*self.files, *self.folders) if os.path.dirname(each) == path != each]
                return {"files": [self.status(each) for each in under]} if under else {}
            case "read":
                assert given["length"] <= BLOCK
                part = self.files[path][given["offset"] : given["offset"] + given["length"]]
                return {"bytes_read": len(part), "data": base64.b64encode(part).decode()}
            case "create":
                self.files[path] = b""
                self.handles[len(self.handles) + 1] = path
                return {"handle": len(self.handles)}
            case "add-block":
                block = base64.b64decode(given["data"])
                assert len(block) <= BLOCK
                self.files[self.handles[given["handle"]]] += block
            case "mkdirs":
                self.folders.add(path)
            case "delete":
                gone = [each for each in self.files if each == path or each.startswith(f"{path}/")]
                for each in gone[:1]:
                    del self.files[each]
                if len(gone) > 1:
                    raise Refusal(503, "PARTIAL_DELETE", "The operation is not complete: do it again.")
                self.folders.discard(path)
        return {}


class Handler(BaseHTTPRequestHandler):
    server: Workspace

    def do_GET(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            if self.headers["Authorization"] != "Bearer right":
                raise Refusal(403, "PERMISSION_DENIED", "Invalid access token.")
            status, answer = 200, self.server.answer(self.path.removeprefix("/api/2.0/dbfs/"), given)
        except Refusal as refusal:
            status, answer = refusal.args[0], dict(zip(("error_code", "message"), refusal.args[1:], strict=True))
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def lake(workspace: Workspace, path: str = "/data", **document: Any) -> Datastore:
    url = f"http://127.0.0.1:{workspace.server_port}"
    return Datastore("lake", "dbfs", {"workspace_url": url, "path": path, "credentials": {"token": None}, **document})


def test_files_are_written_in_blocks_read_listed_and_deleted(workspace: Workspace) -> None:
    content = os.urandom(3 * BLOCK + 17)
    system, root = filesystems.open_filesystem(lake(workspace), VAULT)

    with system.open(f"{root}/big.bin", "wb") as stream:
        stream.write(content)
    system.pipe_file(f"{root}/small.bin", b"x")

    assert workspace.files["/data/big.bin"] == content
    assert system.cat_file(f"{root}/big.bin") == content
    assert system.info(f"{root}/big.bin")["size"] == len(content)
    assert sorted(system.ls(root, detail=False)) == ["/data/big.bin", "/data/small.bin"]
    system.rm(root, recursive=True)  # which the service does in parts
    assert workspace.files == {}
    with pytest.raises(FileNotFoundError):
        system.info(f"{root}/big.bin")


def test_a_check_tells_what_failed(workspace: Workspace) -> None:
    assert checking.check(lake(workspace), VAULT) is None
    with pytest.raises(checking.CheckError, match="no folder '/nowhere'") as missing:
        checking.check(lake(workspace, "/nowhere"), VAULT)
    with pytest.raises(checking.CheckError) as refused:
        checking.check(lake(workspace), {"datastore/lake/token": "wrong-token"})

    assert (missing.value.step, refused.value.step) == ("place", "right")
    assert "wrong-token" not in str(refused.value)


def test_the_machines_own_token(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    datastore = lake(workspace, credentials=None)
    monkeypatch.delenv("DATABRICKS_TOKEN", raising=False)
    profiles = tmp_path / "profiles"
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(profiles))
    with pytest.raises(checking.CheckError, match="no token"):
        checking.check(datastore, {})

    profiles.write_text(f"[DEFAULT]\nhost = {datastore.document['workspace_url']}\ntoken = right\n")
    assert checking.check(datastore, {}) is None
