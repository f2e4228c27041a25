"""Azure Files against a double that checks each signature by the specification; never tried for real."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from store.datastores import checking, filesystems
from store.datastores.registry import Datastore
from store.unfinished import PARTIAL

pytest.importorskip("azure.storage.fileshare", reason="the extra azure is not installed")

KEY = base64.b64encode(b"a key for tests").decode()
SIGNED = (
    "content-encoding content-language content-length content-md5 content-type date if-modified-since if-match"
    " if-none-match if-unmodified-since range"
).split()


def signature(method: str, target: str, headers: dict[str, str], key: str) -> str:
    """Shared Key of versions since 2009-09-19: verb, headers, x-ms- headers, and the resource with its parameters."""
    parts = urlsplit(target)
    standard = [headers.get(name, "") for name in SIGNED]
    standard[2] = "" if standard[2] == "0" else standard[2]
    own = sorted(f"{name}:{value.strip()}" for name, value in headers.items() if name.startswith("x-ms-"))
    resource = [f"/acme{parts.path}", *sorted(f"{n.lower()}:{v}" for n, v in parse_qsl(parts.query))]
    text = "\n".join([method, *standard, *own, *resource])
    return base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()


class Account(ThreadingHTTPServer):
    """The share ``data`` of the account ``acme``, in memory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytearray] = {}
        self.folders = {""}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Account

    def handle_any(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        expected = f"SharedKey acme:{signature(self.command, self.path, headers, KEY)}"
        if headers.get("authorization") != expected:
            return self.reply(403, error="AuthenticationFailed")
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        _, account, share, *rest = unquote(parts.path).split("/")
        assert account == "acme"
        if share != "data":
            return self.reply(404, error="ShareNotFound")
        name = "/".join(rest).strip("/")
        what = (self.command, query.get("restype", "file"), query.get("comp", ""))
        return self.file(what, name, headers, body) if what[1] == "file" else self.folder(what, name)

    def folder(self, what: tuple[str, str, str], name: str) -> None:
        if what[0] == "PUT":
            if name in self.server.folders:
                return self.reply(409, error="ResourceAlreadyExists")
            self.server.folders.add(name)
            return self.reply(201)
        if name not in self.server.folders:
            return self.reply(404, error="ResourceNotFound")
        if what[0] == "DELETE":
            self.server.folders.remove(name)
            return self.reply(202)
        if what[2] != "list":
            return self.reply(200)
        entries = ""
        for kind, names in (("Directory", self.server.folders), ("File", self.server.files)):
            for each in sorted(names):
                if each and os.path.dirname(each) == name:
                    size = len(self.server.files.get(each, b""))
                    sized = f"<Content-Length>{size}</Content-Length>" if kind == "File" else ""
                    entries += f"<{kind}><Name>{escape(os.path.basename(each))}</Name>"
                    entries += f"<Properties>{sized}</Properties></{kind}>"
        xml = f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Entries>{entries}</Entries><NextMarker />'
        return self.reply(200, f"{xml}</EnumerationResults>".encode(), {"Content-Type": "application/xml"})

    def file(self, what: tuple[str, str, str], name: str, headers: dict[str, str], body: bytes) -> None:
        files = self.server.files
        if what == ("PUT", "file", ""):
            files[name] = bytearray(int(headers["x-ms-content-length"]))
            return self.reply(201)
        if what == ("PUT", "file", "rename"):
            source = unquote(urlsplit(headers["x-ms-file-rename-source"]).path).split("/", 3)[3]
            files[name] = files.pop(source)
            return self.reply(200)
        if name not in files:
            return self.reply(404, error="ResourceNotFound")
        content = files[name]
        if what == ("PUT", "file", "properties"):
            size = int(headers["x-ms-content-length"])
            files[name] = content[:size] + bytearray(max(0, size - len(content)))
            return self.reply(200)
        if what == ("PUT", "file", "range"):
            first, last = map(int, headers["x-ms-range"].removeprefix("bytes=").split("-"))
            assert len(body) == last - first + 1 <= 4 * 2**20
            assert last < len(content)
            content[first : last + 1] = body
            return self.reply(201)
        if what[0] == "DELETE":
            del files[name]
            return self.reply(202)
        if what[0] == "HEAD":
            return self.reply(200, bytes(content), {"x-ms-type": "File"})
        first, last = map(int, headers["x-ms-range"].removeprefix("bytes=").split("-"))
        part = bytes(content[first : last + 1])
        if not part:
            return self.reply(416, error="InvalidRange")
        return self.reply(206, part, {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(content)}"})

    def reply(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None, error: str | None = None
    ) -> None:
        if error:
            body = f'<?xml version="1.0"?><Error><Code>{error}</Code><Message>{error}.</Message></Error>'.encode()
        self.send_response(status)
        told = {"x-ms-error-code": error, "Content-Type": "application/xml"} if error else {}
        dated = {
            "Last-Modified": "Fri, 28 Feb 2025 12:00:00 GMT",
            "ETag": '"1"',
            "x-ms-request-server-encrypted": "true",
        }
        for name, value in {**dated, **told, **(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = handle_any  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def account() -> Iterator[Account]:
    with Account() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def shared(account: Account, share: str = "data") -> Datastore:
    document: dict[str, Any] = {
        "account_name": "acme",
        "file_share_name": share,
        "endpoint": f"127.0.0.1:{account.server_port}",
        "protocol": "http",
        "credentials": {"account_key": None},
    }
    return Datastore("files", "azure_file", document)


VAULT = {"datastore/files/account_key": KEY}


def test_files_are_written_listed_read_and_deleted(account: Account) -> None:
    content = os.urandom(9 * 2**20 + 5)
    system, root = filesystems.open_filesystem(shared(account), VAULT)
    system.makedirs(f"{root}/daily/new", exist_ok=True)

    with system.open(f"{root}/daily/new/a b.bin", "wb") as stream:
        stream.write(content[:100])
        stream.write(content[100:])
    system.pipe_file("/daily/ü.csv", b"x")

    assert bytes(account.files["daily/new/a b.bin"]) == content
    assert system.cat_file("/daily/new/a b.bin") == content
    assert system.find(root) == ["/daily/new/a b.bin", "/daily/ü.csv"]
    assert system.info("/daily/ü.csv")["size"] == 1
    system.rm("/daily", recursive=True)
    assert (account.files, account.folders) == ({}, {""})


def test_what_is_not_whole_has_not_its_name(account: Account) -> None:
    system, _ = filesystems.open_filesystem(shared(account), VAULT)
    stream = system.open("/half.bin", "wb", block_size=2**20)
    stream.write(bytes(3 * 2**20))

    assert [name for name in account.files if not name.endswith(PARTIAL)] == []
    stream.close()
    assert list(account.files) == ["half.bin"]


def test_a_check_tells_what_failed(account: Account) -> None:
    assert checking.check(shared(account), VAULT) is None
    with pytest.raises(checking.CheckError, match="the share 'nowhere' does not exist") as missing:
        checking.check(shared(account, "nowhere"), VAULT)
    wrong = base64.b64encode(b"another").decode()
    with pytest.raises(checking.CheckError) as refused:
        checking.check(shared(account), {"datastore/files/account_key": wrong})

    assert (missing.value.step, refused.value.step) == ("place", "login")
    assert wrong not in str(refused.value)
