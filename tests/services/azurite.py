"""Azurite, Microsoft's emulator of Azure Blob Storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.running import free_port, program, running

VERSION = "3.35.0"
INSTALL = f'npm install --prefix "${{WORKBENCH_TEST_SERVICES:-$HOME/.cache/workbench-tests}}" azurite@{VERSION}'
REAL_HOME = os.environ.get("HOME", "")  # tests have a home of their own

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Known to everybody: the account that Azurite has."""


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running one."""

    port: int
    protocol: str = "http"

    @property
    def url(self) -> str:
        """Of its account."""
        return f"{self.protocol}://127.0.0.1:{self.port}/{ACCOUNT}"


def folder() -> str:
    """Where the tests' own services are installed."""
    return os.environ.get("WORKBENCH_TEST_SERVICES") or f"{REAL_HOME}/.cache/workbench-tests"


@contextmanager
def started(place: Path, *options: str, protocol: str = "http") -> Iterator[Azurite]:
    """Azurite, with its data in a folder."""
    port = free_port()
    command = [
        program("azurite-blob", INSTALL, f"{folder()}/node_modules/.bin"),
        "--location",
        str(place),
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        str(port),
    ]
    command += ["--skipApiVersionCheck", "--disableTelemetry", "--silent", *options]
    with running(command, port, place / "azurite.log"):
        yield Azurite(port, protocol)


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One for all tests of a run; each makes a container of its own."""
    with started(tmp_path_factory.mktemp("azurite")) as found:
        yield found
