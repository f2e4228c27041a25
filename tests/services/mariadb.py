"""MariaDB, with a user who logs in by password."""

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

INSTALL = "apt-get install mariadb-server"
USER, PASSWORD, DATABASE = "ann", "only/for:tests@here", "shop"


@dataclass(frozen=True, slots=True)
class MariaDB:
    """A running one; its socket lets the system's user in without a password."""

    port: int
    socket: Path

    @property
    def url(self) -> str:
        """Without user and password."""
        return f"mysql://127.0.0.1:{self.port}/{DATABASE}"

    def execute(self, statements: str) -> None:
        """Run SQL as the one who may do everything."""
        client = program("mariadb", INSTALL)
        command = [client, "--no-defaults", f"--socket={self.socket}", "--user=root"]
        subprocess.run(command, input=statements, text=True, check=True, capture_output=True)


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """One for all tests of a run."""
    server = program("mariadbd", INSTALL, "/usr/sbin")
    base = Path(tempfile.mkdtemp(prefix="workbench-mariadb-"))  # short: a socket lies in it
    data, socket, port = base / "data", base / "socket", free_port()
    user = ["--user=root"] if os.geteuid() == 0 else []
    making = [program("mariadb-install-db", INSTALL), "--no-defaults", f"--datadir={data}", *user]
    command = [server, "--no-defaults", f"--datadir={data}", f"--socket={socket}", f"--port={port}", *user]
    command += ["--bind-address=127.0.0.1", "--skip-name-resolve", f"--pid-file={base}/pid"]
    try:
        subprocess.run(
            [*making, "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, capture_output=True
        )
        with running(command, port, tmp_path_factory.mktemp("mariadb") / "log"):
            found = MariaDB(port, socket)
            found.execute(
                f"CREATE DATABASE {DATABASE}; CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';"
                f" GRANT ALL ON {DATABASE}.* TO '{USER}'@'%'"
            )
            yield found
    finally:
        shutil.rmtree(base)
