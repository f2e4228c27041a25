"""PostgreSQL, with a user who logs in by password."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.running import free_port, program, running

INSTALL = "apt-get install postgresql"
PASSWORD = "only/for:tests@here"
"""Needs quoting wherever it stands in a URL."""


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A running one; its database is ``postgres``, its user too."""

    port: int

    @property
    def url(self) -> str:
        """Without user and password."""
        return f"postgresql+psycopg://127.0.0.1:{self.port}/postgres"


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    """One for all tests of a run. It refuses to run as root: then the system's user ``postgres`` runs it."""
    folders = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    server, initdb = program("postgres", INSTALL, *folders), program("initdb", INSTALL, *folders)
    base = Path(tempfile.mkdtemp(prefix="workbench-postgresql-"))  # pytest's folders are closed to other users
    data, secret, port = base / "data", base / "password", free_port()
    secret.write_text(PASSWORD)
    before: list[str] = []
    if os.geteuid() == 0:
        before = [program("setpriv", "util-linux"), "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        subprocess.run(["chown", "-R", "postgres", str(base)], check=True)
    login = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={secret}"]
    making = [*before, initdb, "-D", str(data), "--no-sync", "-E", "UTF8", "--locale=C.UTF-8", *login]
    command = [*before, server, "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    command += ["-c", f"unix_socket_directories={base}", "-c", "fsync=off"]
    try:
        subprocess.run(making, check=True, capture_output=True, cwd="/")
        with running(command, port, tmp_path_factory.mktemp("postgresql") / "log"):
            yield PostgreSQL(port)
    finally:
        shutil.rmtree(base)
