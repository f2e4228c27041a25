"""Datastores over SSH: logins by password and by the SSH agent, against OpenSSH's server."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.datastores import checking, transfers
from store.layout import Layout
from store.vault import open_vault
from tests.conftest import Cli
from tests.services.file_servers import HOST, PASSWORD, SshServed
from tests.services.ssh_logins import UID, ssh_agent
from tests.services.test_file_servers import draft, nothing, told

pytestmark = pytest.mark.slow


def sftp(served: SshServed, **more: Any) -> dict[str, Any]:
    place = {"type": "sftp", "host": HOST, "port": served.port, "path": str(served.folder)}
    return {**place, "known_hosts": str(served.known_hosts), **more}


def by_password(served: SshServed, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    return sftp(served, credentials={"username": served.user, "password": password}, **more)


def test_a_password_lets_in(ssh_password_server: SshServed, tmp_path: Path) -> None:
    given = draft(tmp_path, **by_password(ssh_password_server))
    assert checking.check(given.datastore, given) is None
    there = transfers.opened(given.datastore, given)
    (tmp_path / "a.csv").write_text("x\n1\n")
    transfers.upload(there, tmp_path / "a.csv", "in/a.csv", progress=nothing)
    assert (ssh_password_server.folder / "in" / "a.csv").stat().st_uid == UID


def test_a_wrong_password_is_told_by_what_failed(ssh_password_server: SshServed, tmp_path: Path) -> None:
    error = told(by_password(ssh_password_server, "wr0ng-passw0rd"), tmp_path)
    assert error.step == "login"
    assert "wr0ng" not in f"{error} {error.hint}"


def test_a_folder_that_the_user_may_not_read(ssh_password_server: SshServed, tmp_path: Path) -> None:
    path = str(ssh_password_server.folder / "closed")
    assert told(by_password(ssh_password_server, path=path), tmp_path).step == "right"


def test_a_datastore_is_created_with_a_password_of_the_vault(
    ssh_password_server: SshServed, tmp_path: Path, cli: Cli, layout: Layout
) -> None:
    file = tmp_path / "lab.json"
    file.write_text(json.dumps({"name": "lab", **by_password(ssh_password_server, "${{secrets.LAB}}")}))
    done = cli("datastore", "create", "-f", file)
    assert (done.returncode, done.stdout) == (3, "")
    assert "LAB" in done.stderr
    open_vault(layout).set("LAB", PASSWORD)
    done = cli("datastore", "create", "-f", file)
    assert done.returncode == 0, done.stderr
    assert cli("datastore", "check", "lab").returncode == 0


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An SSH agent that the tests' own environment leads to."""
    with tempfile.TemporaryDirectory() as folder, ssh_agent(Path(folder)) as leads:  # short: a socket lies in it
        for name, value in leads.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.usefixtures("agent")
def test_an_agent_that_has_the_key_lets_in(ssh_server: SshServed, tmp_path: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(ssh_server.key)], check=True)
    given = draft(tmp_path, **sftp(ssh_server, username=ssh_server.user))
    assert checking.check(given.datastore, given) is None


@pytest.mark.usefixtures("agent")
def test_an_agent_without_the_key_is_told_by_what_failed(ssh_server: SshServed, tmp_path: Path) -> None:
    error = told(sftp(ssh_server, username=ssh_server.user), tmp_path)
    assert error.step == "login"
    assert "agent" in str(error.hint)
