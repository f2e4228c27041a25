"""The content cache against a real server on loopback: whole, once, resumed, and clear about what went wrong."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import cache
from store.errors import MachineError, NotFoundError, UsageError
from store.transfer import incoming
from store.transfer.incoming import AbandonedError
from tests.data_server import Resource, Server, serving
from tests.file_trees import mounted

ROOT = Path(__file__).parents[1]
CONTENT = bytes(range(256)) * 4096  # 1 MiB

AZURE_URLS = (
    "wasbs://data@account.blob.core.windows.net/titanic/t.csv",
    "abfss://data@account.dfs.core.windows.net/titanic/t.csv",
    "https://account.blob.core.windows.net/data/titanic/t.csv",
    "https://account.blob.core.windows.net/data/titanic/t.csv?sv=2022&se=2030&sr=b&sig=SECRET",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(incoming, "PAUSE_SECONDS", 0)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def leftovers(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if entry.name != "locks" and len(entry.name) != 32]


def test_downloads_once_and_keeps_the_name(server: Server, folder: Path) -> None:
    file = server.resources["/data/iris%20set.csv?v=2"] = Resource(
        CONTENT, last_modified="Tue, 01 Jul 2025 00:00:00 GMT"
    )
    told: list[tuple[int, int | None]] = []
    url = server.url("/data/iris set.csv?v=2")
    path = cache.fetch(url, progress=lambda done, total: told.append((done, total)))
    assert path.name == "iris set.csv"
    assert path.read_bytes() == CONTENT
    assert cache.fetch(server.url("/data/iris%20set.csv?v=2#top")) == path
    assert len(file.requests) == 1
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    entry = cache.show(url)
    assert entry.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (entry.bytes, entry.files, entry.etag, entry.complete, entry.added) == (len(CONTENT), 1, '"1"', True, False)
    assert leftovers(folder) == []


def test_an_empty_file(server: Server) -> None:
    server.resources["/empty"] = Resource(b"")
    assert cache.fetch(server.url("/empty")).read_bytes() == b""


def test_redirects_are_followed(server: Server) -> None:
    server.resources["/a.csv"] = Resource(redirect="/b.csv")
    server.resources["/b.csv"] = Resource(b"b")
    path = cache.fetch(server.url("/a.csv"))
    assert (path.name, path.read_bytes()) == ("a.csv", b"b")


def test_user_and_password_go_into_a_header_and_nowhere_else(server: Server, folder: Path) -> None:
    file = server.resources["/f"] = Resource(b"x")
    cache.fetch(server.url("/f").replace("127", "ann:pa%20ss@127"))
    assert file.requests[0]["authorization"] == "Basic YW5uOnBhIHNz"
    assert file.requests[0]["host"] == f"127.0.0.1:{server.server_address[1]}"
    assert not any(b"pa" in each.read_bytes() for each in folder.rglob("entry.json"))


# Breaking off and going on


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, break_after=[1000, 0, 0, 500_000])
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert [request.get("range") for request in file.requests] == [
        None, "bytes=1000-", "bytes=1000-", "bytes=1000-", "bytes=501000-",
    ]  # fmt: skip
    assert file.requests[1]["if-range"] == '"1"'


def test_without_a_length_a_connection_that_ends_is_the_end(server: Server) -> None:
    server.resources["/f"] = Resource(CONTENT, length=False)
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT


def test_one_that_never_gets_on_is_given_up_and_goes_on_later(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, break_after=[300_000, 0, 0, 0, 0, 0])
    with pytest.raises(MachineError, match=r"stopped at 300000 of 1048576 bytes.*\n.*goes on from there") as caught:
        cache.fetch(server.url("/f"))
    assert f"workbench cache add {server.url('/f')} PATH" in str(caught.value)
    part = cache.show(server.url("/f"))
    assert (part.complete, part.bytes) == (False, 300_000)
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert file.requests[-1]["range"] == "bytes=300000-"
    assert cache.show(server.url("/f")).sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("honest", [True, False], ids=["If-Range kept", "If-Range ignored"])
def test_what_changed_meanwhile_starts_anew(server: Server, honest: bool) -> None:
    file = server.resources["/f"] = Resource(CONTENT, break_after=[300_000, 0, 0, 0, 0, 0])
    with pytest.raises(MachineError):
        cache.fetch(server.url("/f"))
    file.content = other = bytes(reversed(CONTENT))
    file.etag = '"2"'
    file.conditions = honest
    assert cache.fetch(server.url("/f")).read_bytes() == other


@pytest.mark.parametrize(
    ("etag", "modified", "ranges", "resumes"),
    [
        (None, "Tue, 01 Jul 2025 00:00:00 GMT", True, True),
        ('W/"1"', "Tue, 01 Jul 2025 00:00:00 GMT", True, True),
        ('W/"1"', None, True, False),
        (None, None, True, False),
        ('"1"', None, False, False),
    ],
)
def test_a_rest_is_asked_for_only_where_it_can_be_told_to_be_the_same(
    server: Server, etag: str | None, modified: str | None, ranges: bool, resumes: bool
) -> None:
    file = server.resources["/f"] = Resource(CONTENT, etag, modified, ranges, break_after=[300_000, 0, 0, 0, 0, 0, 0])
    with pytest.raises(MachineError):
        cache.fetch(server.url("/f"))
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert ("range" in file.requests[-1]) is resumes


def test_busy_servers_are_asked_again(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, status=503)

    def asked() -> bool:
        if len(file.requests) == 2:
            file.status = 200
        return False

    assert cache.fetch(server.url("/f"), cancelled=asked).read_bytes() == CONTENT
    assert len(file.requests) == 3


def test_cancelled_in_the_middle_then_gone_on_with(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, hold_after=400_000)
    seen: list[int] = []
    with pytest.raises(AbandonedError):
        cache.fetch(
            server.url("/f"), progress=lambda done, _: seen.append(done), cancelled=lambda: bool(seen and seen[-1] > 0)
        )
    file.hold_after = None
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert int(file.requests[-1]["range"].removeprefix("bytes=").rstrip("-")) > 0


FETCH = """
import sys
from store import cache
path = cache.fetch(sys.argv[1])
print(path, flush=True)
"""


def fetch_elsewhere(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", FETCH, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def wait_for_bytes(url: str, count: int, process: subprocess.Popen[str]) -> None:
    while True:
        assert process.poll() is None
        try:
            if cache.show(url).bytes >= count:
                return
        except NotFoundError:
            pass


def test_kill_in_the_middle_then_gone_on_with(server: Server, folder: Path) -> None:
    file = server.resources["/f"] = Resource(CONTENT, hold_after=400_000)
    process = fetch_elsewhere(server.url("/f"))
    wait_for_bytes(server.url("/f"), 400_000, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not cache.show(server.url("/f")).complete
    file.hold_after = None
    assert cache.fetch(server.url("/f")).read_bytes() == CONTENT
    assert file.requests[-1]["range"] == "bytes=400000-"
    assert leftovers(folder) == []


def test_many_that_want_the_same_wait_for_one_download(server: Server) -> None:
    file = server.resources["/f"] = Resource(CONTENT, hold_after=100_000)
    first = fetch_elsewhere(server.url("/f"))
    wait_for_bytes(server.url("/f"), 100_000, first)
    waiting = threading.Event()
    found: list[Path] = []
    thread = threading.Thread(
        target=lambda: found.append(cache.fetch(server.url("/f"), progress=lambda done, total: waiting.set()))
    )
    thread.start()
    others = [fetch_elsewhere(server.url("/f")) for _ in range(3)]
    assert waiting.wait(30)
    file.go_on.set()
    paths = {process.communicate()[0].strip() for process in (first, *others)}
    thread.join()
    assert paths == {str(found[0])}
    assert found[0].read_bytes() == CONTENT
    assert len(file.requests) == 1


# What goes wrong


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


# What changes on this disk


def test_a_file_that_was_changed_is_downloaded_again(server: Server) -> None:
    file = server.resources["/f"] = Resource(b"right")
    path = cache.fetch(server.url("/f"))
    path.chmod(0o600)
    os.utime(path)
    assert cache.fetch(server.url("/f")) == path
    assert len(file.requests) == 1, "another time on it, but the same content"
    path.write_bytes(b"wrong")
    assert cache.fetch(server.url("/f")).read_bytes() == b"right"
    path.unlink()
    assert cache.fetch(server.url("/f")).read_bytes() == b"right"
    assert len(file.requests) == 3


def test_what_was_added_and_then_changed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.csv").write_text("a")
    entry = cache.add("https://h/d", tmp_path / "d")
    (entry.path / "a.csv").chmod(0o600)
    (entry.path / "a.csv").write_text("b")
    for url in ("https://h/d", "https://h/d/a.csv"):
        with pytest.raises(MachineError, match="is not what was put there"):
            cache.fetch(url)
    assert cache.add("https://h/d", tmp_path / "d").complete
    assert cache.fetch("https://h/d/a.csv").read_text() == "a"


# Ahead of time


def test_a_file_put_there_serves_its_address_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("1")
    entry = cache.add("https://nowhere.invalid/data/iris.csv", tmp_path / "mine.csv")
    path = cache.fetch("https://nowhere.invalid/data/iris.csv")
    assert (path, path.name, path.read_text(), entry.added) == (entry.path, "iris.csv", "1", True)
    (tmp_path / "mine.csv").write_text("2")
    assert path.read_text() == "1"
    cache.add("https://nowhere.invalid/data/iris.csv", tmp_path / "mine.csv")
    assert cache.fetch("https://nowhere.invalid/data/iris.csv").read_text() == "2"


def test_a_folder_put_there_serves_every_address_below(tmp_path: Path) -> None:
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "data/a.csv").write_text("a")
    (tmp_path / "data/sub/b c.csv").write_text("b")
    cache.add("https://nowhere.invalid/data/", tmp_path / "data")
    assert cache.fetch("https://nowhere.invalid/data/sub/b%20c.csv?raw=1").read_text() == "b"
    assert (cache.fetch("https://nowhere.invalid/data", want_folder=True) / "a.csv").read_text() == "a"
    assert (cache.fetch("https://nowhere.invalid/data/sub/", want_folder=True) / "b c.csv").read_text() == "b"
    cache.check("https://nowhere.invalid/data/sub", want_folder=True)
    for url in ("https://nowhere.invalid/data/c.csv", "https://nowhere.invalid/data/%2E%2E/x"):
        with pytest.raises(NotFoundError, match="in the cache as a folder"):
            cache.fetch(url)


@pytest.mark.parametrize("added", AZURE_URLS)
def test_all_spellings_of_a_blob_are_one(added: str, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "t.csv").write_text("t")
    cache.add(added, tmp_path / "t.csv")
    assert {cache.fetch(url).read_text() for url in AZURE_URLS} == {"t"}
    assert "SECRET" not in "".join(file.read_text() for file in folder.rglob("*.json"))


def test_a_folder_of_blobs(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/t.csv").write_text("t")
    cache.add("wasbs://data@account.blob.core.windows.net/titanic", tmp_path / "data")
    assert {cache.fetch(url).read_text() for url in AZURE_URLS} == {"t"}


def test_only_what_can_be_downloaded_can_be_added(tmp_path: Path) -> None:
    for url in ("file:///x", "azureml://datastores/a/paths/b", "not a url"):
        with pytest.raises(UsageError):
            cache.add(url, tmp_path)
    with pytest.raises(UsageError, match="there is no"):
        cache.add("https://h/x", tmp_path / "nope")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no files"):
        cache.add("https://h/x", tmp_path / "empty")


def test_listing_showing_and_removing(tmp_path: Path, server: Server, folder: Path) -> None:
    assert cache.entries() == []
    (tmp_path / "a").write_text("a")
    cache.add("https://b/x", tmp_path / "a")
    cache.add("https://a/x", tmp_path / "a")
    server.resources["/f"] = Resource(CONTENT, break_after=[9, 0, 0, 0, 0, 0])
    with pytest.raises(MachineError):
        cache.fetch(server.url("/f"))
    listed = [(entry.url, entry.complete, entry.bytes) for entry in cache.entries()]
    assert listed == [(server.url("/f"), False, 9), ("https://a/x", True, 1), ("https://b/x", True, 1)]
    for entry in cache.entries():
        assert cache.remove(entry.url) == entry
    assert cache.entries() == []
    assert leftovers(folder) == []
    with pytest.raises(NotFoundError):
        cache.show("https://a/x")
    with pytest.raises(NotFoundError):
        cache.remove("https://a/x")


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "workbench/content"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.folder() == tmp_path / "home/.cache/workbench/content"


# Beyond http


def test_a_file_url_is_its_own_path(tmp_path: Path) -> None:
    assert cache.fetch(f"{(tmp_path / 'a b').as_uri()}") == tmp_path / "a b"
    with pytest.raises(UsageError, match="another machine"):
        cache.fetch("file://host/share/x")


@pytest.mark.skipif(importlib.util.find_spec("adlfs") is not None, reason="adlfs is installed here")
@pytest.mark.parametrize("url", AZURE_URLS[:2])
def test_azure_without_its_library_says_what_to_install(url: str) -> None:
    url = url.replace("core.windows.net", "core.invalid")
    with pytest.raises(MachineError) as caught:
        cache.fetch(url)
    assert 'pip install "workbench-ml[azure]"' in str(caught.value)
    assert f"workbench cache add {url} PATH" in str(caught.value)
    with pytest.raises(MachineError, match="library for"):
        cache.fetch(url.rpartition("/")[0], want_folder=True)


def test_a_scheme_that_nothing_knows() -> None:
    with pytest.raises(UsageError, match="nothing here knows addresses that begin with gopher://"):
        cache.fetch("gopher://h/x")


@pytest.mark.parametrize("want_folder", [False, True])
def test_an_address_that_nothing_here_reaches_is_known_before_it_is_asked(tmp_path: Path, want_folder: bool) -> None:
    with pytest.raises(UsageError, match="begin with htp://") as caught:
        cache.check("htp://h/x", want_folder=want_folder)
    assert "Did you mean http://?" in str(caught.value)
    assert "workbench cache add htp://h/x PATH" in str(caught.value)
    missing = next(scheme for scheme, library in LIBRARIES.items() if importlib.util.find_spec(library) is None)
    with pytest.raises(MachineError, match=f"the library for {missing}:// addresses is not installed"):
        cache.check(f"{missing}://h/x", want_folder=want_folder)
    for url in ("https://h/x", "memory://h/x", "wasbs://c@a.blob.core.windows.net/x"):
        cache.check(url, want_folder=False)
    (tmp_path / "x").write_text("x")
    cache.add("htp://h/x", tmp_path / "x")
    cache.check("htp://h/x", want_folder=want_folder)


LIBRARIES = {"s3": "s3fs", "gcs": "gcsfs", "oci": "ocifs", "box": "boxfs"}
"""Some of fsspec's schemes, and the library that each needs: a machine that has them all is not one for this test."""


MEMORY = "memory://bucket"


def test_one_object_by_fsspec() -> None:
    import fsspec

    system = fsspec.filesystem("memory")
    system.pipe("/bucket/a.csv", CONTENT)
    path = cache.fetch(f"{MEMORY}/a.csv")
    assert (path.name, path.read_bytes()) == ("a.csv", CONTENT)
    system.rm("/bucket/a.csv")
    assert cache.fetch(f"{MEMORY}/a.csv") == path
    with pytest.raises(NotFoundError, match="there is nothing"):
        cache.fetch(f"{MEMORY}/b.csv")


def test_a_folder_by_fsspec_goes_on_where_it_was_left() -> None:
    import fsspec

    system = fsspec.filesystem("memory")
    for name in ("a.csv", "sub/b.csv", "sub/deep/c.csv"):
        system.pipe(f"/bucket/set/{name}", name.encode() * 100)
    count = iter(range(100))
    with pytest.raises(AbandonedError):
        cache.fetch(f"{MEMORY}/set", want_folder=True, cancelled=lambda: next(count) > 3)
    assert 0 < cache.show(f"{MEMORY}/set").files < 3
    path = cache.fetch(f"{MEMORY}/set", want_folder=True)
    found = {str(file.relative_to(path)): file.read_text() for file in path.rglob("*") if file.is_file()}
    assert found == {name: name * 100 for name in ("a.csv", "sub/b.csv", "sub/deep/c.csv")}
    assert cache.fetch(f"{MEMORY}/set/sub/b.csv").read_text() == "sub/b.csv" * 100
    assert (cache.show(f"{MEMORY}/set").files, cache.show(f"{MEMORY}/set").is_folder) == (3, True)
