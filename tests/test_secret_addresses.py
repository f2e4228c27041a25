"""Secrets in a document's addresses: they reach the job and whoever is asked for data, and are stored nowhere else."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engines.jobs import secret_addresses, submitted
from engines.jobs.secret_addresses import SecretAddress
from store import database, jobs
from store.layout import Layout
from tests.conftest import Cli
from tests.data_server import Resource, Server, serving
from tests.test_run import write

SIGNED = "/d.csv?sv=2022&sig=hush%2Bhush%3D"
REPLACED = ("https://s4lt@h/x", "https://h/x?token=s4lt")
SPELLINGS = (b"hush%2Bhush", b"hush+hush", b"p4ss", b"s4lt")


def holders(root: Path) -> list[str]:
    """The files of a workspace, databases and their logs among them, in which a secret can be read."""
    files = [file for file in root.rglob("*") if file.is_file()]
    return [str(file.relative_to(root)) for file in files if any(each in file.read_bytes() for each in SPELLINGS)]


@pytest.fixture
def server() -> Any:
    with serving() as server:
        server.resources[SIGNED] = Resource(b"data")
        yield server


@pytest.fixture
def url(server: Server) -> str:
    return server.url(SIGNED, "ann:p4ss")


@pytest.fixture
def lent(tmp_path: Path) -> dict[str, str]:
    return {"WORKBENCH_CACHE": str(tmp_path / "cache"), "no_proxy": "127.0.0.1"}


def document(tmp_path: Path, url: str, **more: Any) -> Path:
    given = {"type": "uri_file", "path": url, **more}
    return write(tmp_path, json.dumps({"command": "cat ${{inputs.d}}", "inputs": {"d": given}}))


def test_a_secret_is_beside_the_store_until_the_job_ends(
    cli: Cli, layout: Layout, tmp_path: Path, server: Server, url: str, lent: dict[str, str]
) -> None:
    file = server.resources[SIGNED]
    file.hold_after = 1
    name = json.loads(cli("job", "create", "-f", document(tmp_path, url), env=lent).stdout)["name"]
    assert file.holding.wait(30)
    assert holders(layout.root) == [f"jobs/{name}/addresses.json"]
    assert layout.job(name).secret_addresses.stat().st_mode & 0o777 == 0o600
    file.go_on.set()
    assert cli("job", "stream", name).stdout == "data"
    assert file.requests[0]["authorization"] == "Basic YW5uOnA0c3M="
    assert holders(layout.root) == []
    shown = server.url("/d.csv?sv=2022&sig=***", "ann:***")
    assert json.loads(cli("job", "show", name).stdout)["inputs"]["d"]["path"] == shown


def test_what_is_in_the_cache_needs_no_secret_again(
    cli: Cli, layout: Layout, tmp_path: Path, server: Server, url: str, lent: dict[str, str]
) -> None:
    done = cli("run", document(tmp_path, url), "--name", "first", env=lent)
    assert (done.returncode, done.stdout) == (0, "data"), done.stderr
    again = cli("job", "rerun", "first", "--stream", env=lent)
    assert (again.returncode, again.stdout) == (0, "data"), again.stderr
    assert len(server.resources[SIGNED].requests) == 1


def test_a_job_that_ended_has_its_secret_given_again(
    cli: Cli, layout: Layout, tmp_path: Path, server: Server, url: str, lent: dict[str, str]
) -> None:
    server.resources[SIGNED].status = 403
    given = [f"--set=inputs.d.path={each}" for each in (*REPLACED, url)]
    failed = cli("run", document(tmp_path, "file:///x"), *given, "--name", "a", env=lent)
    assert failed.returncode == 1
    assert "access refused (403" in failed.stderr
    said = failed.stderr + cli("job", "show", "a").stdout + cli("job", "explain", "a").stdout
    assert not any(each.decode() in said for each in SPELLINGS)
    assert holders(layout.root) == []
    refused = cli("job", "rerun", "a", "--stream", env=lent)
    assert refused.returncode == 2
    assert refused.stderr.startswith("job a:1:1: inputs.d.path: http://ann:***@127.0.0.1")
    assert "Give it whole: --set 'inputs.d.path=ADDRESS'" in refused.stderr
    server.resources[SIGNED].status = 200
    again = cli("job", "rerun", "a", "--stream", "--set", f"inputs.d.path={url}", env=lent)
    assert (again.returncode, again.stdout) == (0, "data"), again.stderr
    assert holders(layout.root) == []


def test_a_job_whose_end_cannot_be_written_keeps_its_secret(
    cli: Cli, layout: Layout, tmp_path: Path, server: Server, url: str, lent: dict[str, str]
) -> None:
    """It is prepared again, with what it was given."""
    file = server.resources[SIGNED]
    file.status = 403
    with closing(database.connect(layout.database)) as connection:
        connection.execute(
            "CREATE TRIGGER stuck BEFORE UPDATE ON job WHEN new.status = 'Failed'"
            " BEGIN SELECT json('{' || new.name); END"  # an error when it runs; a missing table is one for each update
        )
        assert cli("job", "create", "-f", document(tmp_path, url), "--name", "a", env=lent).returncode == 0
        deadline = time.monotonic() + 30
        while len(file.requests) < 2:
            assert time.monotonic() < deadline, "it was not prepared again"
            time.sleep(0.01)
        connection.execute("DROP TRIGGER stuck")
    assert "access refused (403" in cli("job", "stream", "a").stderr
    assert {each["authorization"] for each in file.requests} == {"Basic YW5uOnA0c3M="}
    assert holders(layout.root) == []


def test_a_job_under_way_lends_its_secret_to_another(
    cli: Cli, layout: Layout, tmp_path: Path, server: Server, url: str, lent: dict[str, str]
) -> None:
    assert cli("compute", "create", "--name", "c", "--type", "amlcompute", "--max-instances", "1").returncode == 0
    waiting = write(tmp_path, "command: sleep 600\ncompute: c\n", "waiting.yml")
    assert cli("job", "create", "-f", waiting, "--name", "w").returncode == 0
    queued = cli(
        "job", "create", "-f", document(tmp_path, url, mode="direct"), "--name", "q", "--set", "compute=c", env=lent
    )
    assert queued.returncode == 0, queued.stderr
    again = cli("job", "rerun", "q", "--set", "command=echo ${{inputs.d}}", env=lent)
    name = json.loads(again.stdout)["name"]
    assert cli("job", "cancel", "q").returncode == 0
    assert cli("job", "cancel", "w").returncode == 0
    assert cli("job", "stream", name).stdout == f"{url}\n"
    facts = json.loads(cli("job", "show", name).stdout)
    assert facts["resolved_inputs"]["d"] == server.url("/d.csv?sv=2022&sig=***", "ann:***")
    assert {Path(each).name for each in holders(layout.root)} == {"std_log.txt"}, "the job itself printed it"


def test_values_and_outputs_have_secrets_too(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    address = "postgresql://ann:p4ss@db/iris"
    job = {
        "command": 'test "${{inputs.a}}" = "$B" && test "$B" = "${{outputs.o}}/x"',
        "inputs": {"a": f"{address}/x"},
        "environment_variables": {"B": f"{address}/x"},
        "outputs": {"o": {"type": "uri_folder", "mode": "direct", "path": address}},
    }
    done = cli("run", write(tmp_path, json.dumps(job)), "--name", "a")
    assert done.returncode == 0, done.stderr
    assert holders(layout.root) == []
    refused = cli("job", "rerun", "a")
    assert [key in refused.stderr for key in ("inputs.a:", "environment_variables.B:", "outputs.o.path:")] == [True] * 3


def test_a_document_that_an_older_version_stored_is_shown_without_secrets(cli: Cli, layout: Layout) -> None:
    given = {"command": "true", "inputs": {"d": {"type": "uri_file", "path": "https://ann:p4ss@h/d.csv"}}}
    with closing(database.connect(layout.database)) as connection:
        jobs.submit(connection, jobs.NewJob(given, {"user": "ann", "host": "h"}, "local", name="old"))
        with database.write(connection):
            jobs.record(connection, "old", "Canceled")
    assert json.loads(cli("job", "show", "old").stdout)["inputs"]["d"]["path"] == "https://ann:***@h/d.csv"


def test_what_a_killed_submitter_left_is_cleared(layout: Layout) -> None:
    submitted.keep(layout, "nobody", {}, [SecretAddress(("inputs", "d", "path"), "https://u:p4ss@h/x")])
    assert holders(layout.root) == ["jobs/nobody/addresses.json"]
    with closing(database.connect(layout.database)) as connection:
        assert submitted.clear(connection, layout, submitted.orphans(connection, layout)) == ["nobody"]
    assert not layout.job("nobody").root.exists()


def test_taken_out_and_put_back() -> None:
    given = {"command": "curl https://u:p@h", "inputs": {"a": "https://u:p@h/?sig=s", "b": {"value": "ftp://u:p@h"}}}
    shown, kept = secret_addresses.take_out(given)
    assert shown == {**given, "inputs": {"a": "https://u:***@h/?sig=***", "b": {"value": "ftp://u:***@h"}}}
    assert secret_addresses.put_back(shown, kept) == given
    assert secret_addresses.take_out(shown) == (shown, [])
    changed = {**shown, "inputs": {"a": "https://other/", "c": 1}}
    assert secret_addresses.put_back(changed, kept) == changed
    assert sorted(path for path, _ in secret_addresses.incomplete(shown)) == [("inputs", "a"), ("inputs", "b", "value")]
