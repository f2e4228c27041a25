"""A vault without a workspace around it, and a real keyring of the system on a bus of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from store.layout import Layout
from store.vault import Vault, open_vault
from tests.test_run import wait_for

BUS = "dbus-daemon --session --nofork --nopidfile --print-address".split()
DAEMON = "gnome-keyring-daemon --foreground --unlock --components=secrets".split()
NAMES = ("dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames").split()


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where keys in files lie."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "workbench" / "keys"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "bare").mkdir()
    return open_vault(Layout(tmp_path / "bare"))


@pytest.fixture
def keyring(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Have the system's keyring answer: GNOME's, unlocked. What leads to it is what the environment gets."""
    missing = [program for program, *_ in (BUS, DAEMON) if shutil.which(program) is None]
    if missing and os.environ.get("CI_SERVICES") == "1":
        pytest.fail(f"not installed: {missing} (Debian: gnome-keyring, dbus)")
    if missing:
        pytest.skip(f"not installed: {missing} (Debian: gnome-keyring, dbus)")
    folder = tmp_path_factory.mktemp("k")  # short: sockets lie in it
    folder.chmod(0o700)
    with ended(subprocess.Popen([*BUS, f"--address=unix:path={folder}/bus"], stdout=subprocess.PIPE, text=True)) as bus:
        assert bus.stdout is not None
        leads = {"DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip()}
        own = {**os.environ, **leads, "XDG_DATA_HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        with ended(subprocess.Popen(DAEMON, stdin=subprocess.PIPE, env=own)) as daemon:
            assert daemon.stdin is not None
            daemon.stdin.write(b"password")
            daemon.stdin.close()
            wait_for(lambda: b"org.freedesktop.secrets" in subprocess.check_output(NAMES, env=own))
            monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
            for name, value in leads.items():
                monkeypatch.setenv(name, value)
            yield leads


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """A process that ends with its block."""
    with process:
        try:
            yield process
        finally:
            process.terminate()
