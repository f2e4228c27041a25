"""Data assets that jobs read and make: exact versions, the bytes that were seen, lineage both ways."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from store import database, jobs
from store.layout import Layout
from tests.conftest import Cli
from workbench.agent import lock


def write_job(folder: Path, command: str, more: str, name: str = "job.yml") -> Path:
    file = folder / name
    file.write_text(f"command: {command}\n{more}")
    return file


@pytest.fixture
def churn(cli: Cli, tmp_path: Path) -> Path:
    """A file that is the asset churn, version 1."""
    file = tmp_path / "churn.csv"
    file.write_text("a,b\n1,2\n")
    assert cli("data", "create", "--name", "churn", "--path", file, "--type", "uri_file").returncode == 0
    return file


READS = "inputs:\n  data: {type: uri_file, path: 'azureml:churn@latest'}\n"


def test_latest_is_the_version_of_the_submission(cli: Cli, churn: Path, tmp_path: Path) -> None:
    file = write_job(tmp_path, "cat ${{inputs.data}}", READS)
    done = cli("run", file, "--name", "reads")
    assert (done.returncode, done.stdout) == (0, "a,b\n1,2\n"), done.stderr
    cli("data", "create", "--name", "churn", "--path", tmp_path / "job.yml", "--type", "uri_file")
    shown = json.loads(cli("job", "show", "reads", "-o", "json").stdout)
    assert shown["inputs"]["data"]["path"] == "azureml:churn:1"
    (use,) = json.loads(cli("data", "lineage", "churn:1").stdout)["used_by"]
    assert (use["kind"], use["user"], use["input"]) == ("job", "reads", "data")
    assert use["fingerprint"] == json.loads(cli("data", "show", "churn:1").stdout)["fingerprint"]
    assert json.loads(cli("data", "lineage", "churn:2").stdout)["used_by"] == []


def test_changed_bytes_behind_a_version_are_said(cli: Cli, churn: Path, tmp_path: Path) -> None:
    churn.write_text("a,b\n1,2\n3,4\n")
    done = cli("run", write_job(tmp_path, "cat ${{inputs.data}}", READS), "--name", "late")
    assert done.returncode == 0
    assert "input data: the bytes behind azureml:churn:1 are no longer those that it was made with" in done.stderr
    assert json.loads(cli("data", "show", "churn").stdout)["changed"]["seen_by"] == "late"


def test_a_named_output_is_a_version_that_another_job_reads(cli: Cli, tmp_path: Path) -> None:
    makes = write_job(
        tmp_path, "echo made > ${{outputs.table}}/part.txt", "outputs:\n  table: {type: uri_folder, name: table}\n"
    )
    assert cli("run", makes, "--name", "maker").returncode == 0
    shown = json.loads(cli("data", "show", "table").stdout)
    assert (shown["version"], shown["type"], shown["job_name"], shown["job_output"]) == (
        "1",
        "uri_folder",
        "maker",
        "table",
    )
    table = "inputs:\n  table: {path: 'azureml:table:1'}\n"
    reads = write_job(tmp_path, "cat ${{inputs.table}}/part.txt", table, "reads.yml")
    assert cli("run", reads, "--name", "reader").stdout == "made\n"
    lineage = json.loads(cli("data", "lineage", "table").stdout)
    assert lineage["made_by"] == {"job": "maker", "output": "table"}
    assert [use["user"] for use in lineage["used_by"]] == ["reader"]
    assert cli("run", makes, "--name", "maker_again").returncode == 0
    assert json.loads(cli("data", "show", "table").stdout)["version"] == "2"


def test_a_job_shows_what_it_read_and_made_with_the_bytes(cli: Cli, churn: Path, tmp_path: Path) -> None:
    copies = "outputs:\n  table: {type: uri_folder, name: table}\n"
    file = write_job(tmp_path, "cp ${{inputs.data}} ${{outputs.table}}/c.csv", READS + copies)
    assert cli("run", file, "--name", "copier").returncode == 0
    reads = write_job(tmp_path, "echo", "inputs:\n  t: {path: 'azureml:table:1'}\n", "reads.yml")
    assert cli("run", reads, "--name", "reader").returncode == 0

    copier = json.loads(cli("job", "show", "copier").stdout)
    churn_bytes = json.loads(cli("data", "show", "churn").stdout)["fingerprint"]
    table = json.loads(cli("data", "show", "table").stdout)
    (read,), (made,) = copier["data_read"], copier["data_made"]
    assert (read["data"], read["input"], read["fingerprint"]) == ("azureml:churn:1", "data", churn_bytes)
    assert (read["changed"], read["made_by"]) == (None, None)
    assert made == {"data": "azureml:table:1", "output": "table", "fingerprint": table["fingerprint"]}
    assert (table["job_name"], table["job_output"], table["files"], table["bytes"]) == ("copier", "table", 1, 8)
    assert [(use["user"], use["input"], use["fingerprint"]) for use in table["used_by"]] == [
        ("reader", "t", table["fingerprint"])
    ]
    assert "used_by      job reader, input t\n" in cli("data", "show", "table", "-o", "table").stdout
    (read,) = json.loads(cli("job", "show", "reader").stdout)["data_read"]
    assert (read["made_by"], read["changed"]) == ("copier", None)


def test_a_job_shows_that_bytes_have_changed_behind_a_version(cli: Cli, churn: Path, tmp_path: Path) -> None:
    file = write_job(tmp_path, "cat ${{inputs.data}}", READS)
    assert cli("run", file, "--name", "early").returncode == 0
    churn.write_text("a,b\n1,2\n3,4\n")
    assert cli("run", file, "--name", "late").returncode == 0
    (early,) = json.loads(cli("job", "show", "early").stdout)["data_read"]
    (late,) = json.loads(cli("job", "show", "late").stdout)["data_read"]
    assert early["changed"] == "the bytes have changed since: late was given others"
    assert late["changed"] == "this job was given other bytes than the version was made with"
    assert early["registered"] == late["registered"] == early["fingerprint"] != late["fingerprint"]
    assert "the bytes have changed since" in cli("job", "show", "early", "-o", "table").stdout


def test_a_failed_job_makes_no_version(cli: Cli, tmp_path: Path) -> None:
    makes = write_job(tmp_path, "exit 3", "outputs:\n  table: {name: table}\n")
    assert cli("run", makes).returncode == 1
    assert json.loads(cli("data", "list", "-o", "json").stdout) == []


def test_a_version_that_there_is_not_is_a_fault_of_the_document(cli: Cli, churn: Path, tmp_path: Path) -> None:
    file = write_job(tmp_path, "true", "inputs:\n  data: {type: uri_file, path: 'azureml:churn:7'}\n")
    refused = cli("run", file)
    assert refused.returncode == 2
    assert f"{file}:3:32: " in refused.stderr and "It has 1, @latest" in refused.stderr


def killed_while(layout: Layout, job: str, due: Callable[[sqlite3.Connection], bool]) -> None:
    """Kill the agent as soon as something is so; it has to be so before the job has ended."""
    with closing(database.connect(layout.database)) as connection:
        while not due(connection):
            assert not jobs.get(connection, job).finished, "it was over before the agent could be killed"
        agent = lock.holder(layout)
        assert agent is not None
        os.kill(agent.pid, signal.SIGKILL)
        while lock.holder(layout) is not None:
            pass
        assert not jobs.get(connection, job).finished


@pytest.mark.slow
def test_an_agent_that_is_killed_while_it_looks_at_an_output_makes_one_version(
    cli: Cli, layout: Layout, tmp_path: Path
) -> None:
    makes = write_job(
        tmp_path,
        "truncate -s 3G ${{outputs.table}}/zeros",
        "outputs:\n  table: {type: uri_folder, name: table}\n",
    )
    assert cli("run", makes, "--name", "maker", "--detach").returncode == 0
    killed_while(layout, "maker", lambda connection: jobs.get(connection, "maker").status == "Finalizing")
    assert cli("job", "stream", "maker").returncode == 0
    (version,) = json.loads(cli("data", "list", "--name", "table", "-o", "json").stdout)
    assert (version["version"], version["files"], version["bytes"]) == ("1", 1, 3 << 30)
    (made,) = json.loads(cli("job", "show", "maker").stdout)["data_made"]
    assert made["fingerprint"] == version["fingerprint"] is not None


@pytest.mark.slow
def test_an_agent_that_is_killed_while_it_looks_at_an_input_pins_the_same_version(
    cli: Cli, layout: Layout, tmp_path: Path
) -> None:
    big = tmp_path / "big.bin"
    subprocess.run(["truncate", "-s", "10", str(big)], check=True)
    assert cli("data", "create", "--name", "big", "--path", big, "--type", "uri_file").returncode == 0
    subprocess.run(["truncate", "-s", "3G", str(big)], check=True)  # which takes a while to be looked at
    reads = "inputs:\n  data: {type: uri_file, path: 'azureml:big@latest'}\n"
    file = write_job(tmp_path, "stat -c %s ${{inputs.data}}", reads)
    assert cli("run", file, "--name", "reader", "--detach").returncode == 0
    killed_while(layout, "reader", lambda connection: jobs.get(connection, "reader").status == "Preparing")
    done = cli("job", "stream", "reader")
    assert (done.returncode, done.stdout) == (0, f"{3 << 30}\n")
    assert "the bytes behind azureml:big:1 are no longer those" in done.stderr
    (read,) = json.loads(cli("job", "show", "reader").stdout)["data_read"]
    assert read["changed"] == "this job was given other bytes than the version was made with"
    assert len(json.loads(cli("data", "lineage", "big:1").stdout)["used_by"]) == 1


def test_a_version_that_an_output_cannot_be_is_said_and_the_job_completes(
    cli: Cli, churn: Path, tmp_path: Path
) -> None:
    makes = "outputs:\n  table: {type: uri_folder, name: churn, version: '1'}\n"
    done = cli("run", write_job(tmp_path, "echo x > ${{outputs.table}}/x", makes), "--name", "maker")
    assert done.returncode == 0
    assert "output table was not registered: azureml:churn:1 exists and points to" in done.stderr
    assert json.loads(cli("job", "show", "maker").stdout)["data_made"] == []


def test_literals_and_models_are_no_data(cli: Cli, churn: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    given = "inputs:\n  a: 1\n  m: {type: custom_model, path: ./model}\n  d: {type: uri_file, path: ./churn.csv}\n"
    made = "outputs:\n  o: {type: custom_model, name: m}\n"
    assert cli("run", write_job(tmp_path, "echo", given + made), "--name", "plain").returncode == 0
    shown = json.loads(cli("job", "show", "plain").stdout)
    assert (shown["data_read"], shown["data_made"]) == ([], [])
