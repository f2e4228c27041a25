"""What a submitter's variables say of downloads counts, whoever started the agent and when."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from store.layout import Layout
from tests.conftest import Cli
from tests.data_server import Resource, serving
from tests.test_run import write

JOB = "command: cat ${{inputs.d}}\ninputs: {d: {type: uri_file, path: URL}}\n"
ADDRESS = "http://far.test/lent/variables.csv?access_token=SECRET"


def test_a_proxy_and_a_cache_that_the_agent_was_not_started_with(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    file = write(tmp_path, JOB.replace("URL", ADDRESS))
    assert cli("run", write(tmp_path, "command: echo\n", "first.yml")).returncode == 0
    with serving() as server:
        resource = server.resources[ADDRESS] = Resource(content=b"by proxy")
        lent = {"WORKBENCH_CACHE": str(tmp_path / "cache"), "http_proxy": server.url(""), "no_proxy": ""}
        for _ in range(2):
            done = cli("run", file, env=lent)
            assert (done.returncode, done.stdout) == (0, "by proxy"), done.stderr
        assert len(resource.requests) == 2, "fetched, and held against what it was"
        excepted = cli("run", file, env={**lent, "WORKBENCH_CACHE": str(tmp_path / "other"), "no_proxy": "far.test"})
        assert (excepted.returncode, len(resource.requests)) == (1, 2)
    assert [each.name for each in (tmp_path / "cache").glob("*/content/*")] == ["variables.csv"]


def test_a_secret_in_an_address_is_no_parameter(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    with serving() as server:
        server.resources["/a.csv?access_token=SECRET"] = Resource(content=b"1")
        file = write(tmp_path, JOB.replace("URL", server.url("/a.csv?access_token=SECRET")))
        done = cli("run", file, env={"WORKBENCH_CACHE": str(tmp_path / "cache")})
        assert done.returncode == 0, done.stderr
        assert "SECRET" not in done.stderr
        with closing(sqlite3.connect(layout.mlflow_database)) as connection:
            assert connection.execute("SELECT key, value FROM params").fetchall() == [("d", server.url("/a.csv"))]
