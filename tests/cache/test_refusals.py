"""Downloads that cannot be: what is said, and that nothing is left."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from store import cache
from store.errors import MachineError, NotFoundError, UsageError
from tests.cache.contents import CONTENT, leftovers
from tests.data_server import Resource, Server
from tests.file_trees import mounted


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_not_there(server: Server, folder: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no such file \(404 Not Found\)") as caught:
        cache.fetch(server.url("/nope.csv"))
    assert "workbench cache add" in str(caught.value)
    assert leftovers(folder) == []


@pytest.mark.parametrize(("status", "words"), [(403, "access refused"), (401, "access refused"), (400, "answered 400")])
def test_refused_by_the_server(server: Server, status: int, words: str) -> None:
    server.resources["/f"] = Resource(b"", status=status)
    with pytest.raises(MachineError, match=words):
        cache.fetch(server.url("/f"))


def test_nothing_listens() -> None:
    with pytest.raises(MachineError, match=r"127\.0\.0\.1:\d+ refused the connection"):
        cache.fetch(f"http://127.0.0.1:{free_port()}/f")


def test_no_such_name() -> None:
    with pytest.raises(MachineError, match=r"the name nowhere\.invalid cannot be found"):
        cache.fetch("https://nowhere.invalid/f.csv")


def test_a_secret_in_the_address_is_not_in_the_error() -> None:
    with pytest.raises(MachineError) as caught:
        cache.fetch(f"http://ann:hush@127.0.0.1:{free_port()}/f?sv=1&sig=hush&x=1")
    assert "hush" not in str(caught.value)
    assert "/f?x=1" in str(caught.value)


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.resources["/f"] = Resource(b"safe")
    url = server.url("/f").replace("http://127.0.0.1", "https://localhost")
    with pytest.raises(MachineError, match=r"certificate of localhost:\d+ is not to be trusted.*\n.*SSL_CERT_FILE"):
        cache.fetch(url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert cache.fetch(url).read_bytes() == b"safe"


def test_a_full_disk_leaves_nothing_and_says_so(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=1m", "none") as disk:
        monkeypatch.setenv("WORKBENCH_CACHE", str(disk / "cache"))
        server.resources["/f"] = Resource(CONTENT * 2)
        with pytest.raises(MachineError, match=r"f needs 2097152 bytes, and the disk has \d+ left"):
            cache.fetch(server.url("/f"))
        server.resources["/f"].length = False
        with pytest.raises(MachineError, match="the disk is full"):
            cache.fetch(server.url("/f"))
        big = tmp_path / "big"
        big.write_bytes(CONTENT * 2)
        with pytest.raises(MachineError, match="the disk is full"):
            cache.add("https://h/f", big)
        assert sum(file.stat().st_size for file in disk.rglob("*") if file.is_file()) < 1000
        server.resources["/f"] = Resource(b"small")
        assert cache.fetch(server.url("/f")).read_bytes() == b"small"


def test_a_folder_cannot_be_read_over_http(server: Server) -> None:
    for attempt in (
        lambda: cache.fetch(server.url("/d/"), want_folder=True),
        lambda: cache.check(server.url("/d"), want_folder=True),
    ):
        with pytest.raises(UsageError, match="no way to list it") as caught:
            attempt()
        assert f"workbench cache add {server.url('/d')} PATH" in str(caught.value)


@pytest.mark.parametrize("text", ["", "data.csv", "http:", "https:///", "://x"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError):
        cache.fetch(text)
